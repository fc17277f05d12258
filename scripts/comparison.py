"""What the scripts that compare dinoft with Python packages share: environments of their own, workers that answer line by
line, and documents of which a part is measured."""

import contextlib
import os
import platform
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def venv_python(name, *installs):
    """The interpreter of the virtual environment build/NAME, made on the first run; each of installs is what one call of
    `pip install` gets."""
    folder = os.path.join(ROOT, "build", name)
    python, complete = os.path.join(folder, "bin", "python"), os.path.join(folder, "complete")
    if not os.path.exists(complete):
        run_or_end([sys.executable, "-m", "venv", folder], "cannot make a virtual environment (Debian: python3-venv)")
        for words in installs:
            print(f"installing {' '.join(words)} into {os.path.relpath(folder, ROOT)}", file=sys.stderr)
            run_or_end([python, "-m", "pip", "install", "--quiet", *words], f"cannot install {' '.join(words)}")
        with open(complete, "w", encoding="utf-8"):
            pass
    return python


def run_or_end(command, failure):
    """Runs a command; where it fails, ends the program with one line behind what the command printed."""
    if subprocess.run(command, check=False).returncode != 0:
        raise SystemExit(f"error: {failure}")


class Worker:
    """A process that holds what it measures, and answers each line on its standard input with one line."""

    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended without an answer")
        return line

    def ask(self, question):
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        with contextlib.suppress(BrokenPipeError):  # it may have ended by itself
            self.process.stdin.close()
        self.process.wait()


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor()


def processor_flags():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((line for line in file if line.startswith("flags")), "").split()


def write_between_markers(path, start, end, text):
    """Replaces what stands between two marker lines of a document, which is made if it is not there."""
    before, rest = "", end
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            before, rest = file.read().split(start)
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + start + "\n" + text + "\n" + end + rest.split(end)[1])
