"""Runs the program as a person would: what all command-line tests share."""

import collections
import html.parser
import json
import os
import pathlib
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = os.environ.get("DINOFT", str(HERE.parent.parent / "build" / "dinoft"))
FIXTURES = pathlib.Path(os.environ.get("DINOFT_FIXTURES", HERE.parent / "fixtures"))
TIMEOUT = 300  # seconds; a bound for a program that hangs, not for one that is slow

# Two random backbones of 128 channels. `size` is the smallest oblong one that the FPN takes.
Backbone = collections.namedtuple("Backbone", "weights family depth patch size")
DINOV2 = Backbone(FIXTURES / "dinov2_tiny_reg" / "backbone.pth", "dinov2", 4, 14, (112, 140))
DINOV3 = Backbone(FIXTURES / "dinov3_tiny" / "backbone.pth", "dinov3", 4, 16, (128, 160))
CHANNELS = 128
LINEAR = FIXTURES / "dinov2_tiny_reg" / "after5_lora_linear.pt"  # of DINOV2: rank 3, 21 classes, no record
FPN = FIXTURES / "dinov2_tiny_reg" / "after5_lora_fpn.pt"

Result = collections.namedtuple("Result", "status stdout stderr")


def environment(**variables):
    """Threads that wait without spinning: tests run side by side. The weights of whoever runs them are not found."""
    usual = dict(os.environ, OMP_WAIT_POLICY="passive", LC_ALL="C", XDG_DATA_HOME="/nonexistent", DINOFT_WEIGHTS="")
    return dict(usual, **variables)


def run_program(*arguments, cwd=None, timeout=TIMEOUT, program=PROGRAM, variables=None, **options):
    """Runs dinoft to its end. stdout and stderr are pipes; options go to subprocess.run."""
    command = [program] + [str(argument) for argument in arguments]
    done = subprocess.run(
        command,
        cwd=cwd,
        timeout=timeout,
        env=environment(**(variables or {})),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )
    output, errors = (text.decode(errors="surrogateescape") for text in (done.stdout, done.stderr))
    return Result(done.returncode, output, errors)


def start_program(*arguments, **options):
    """Starts dinoft with a pipe for stderr; the caller waits for it."""
    command = [PROGRAM] + [str(argument) for argument in arguments]
    return subprocess.Popen(
        command, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **options
    )


def folder_data(root):
    return ["--dataset", "folder", "--data_root", root]


def img_dim(height, width):
    return ["--img_dim", height, width]


def model_flags(backbone, size=None):
    """The flags that choose a fixture's backbone, at its own image size if no other is asked for."""
    return ["--weights", backbone.weights] + img_dim(*(size or backbone.size))


def read_terminal(master, seconds=300):
    """All that is written to a pseudo-terminal until its other end is closed."""
    shown, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        if not select.select([master], [], [], 1)[0]:
            continue
        try:
            part = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    return shown.decode()


def error_lines(stderr):
    return [line for line in stderr.splitlines() if line.startswith("dinoft: error: ")]


def file_size_limit(size):
    """For preexec_fn: writing beyond `size` bytes fails, as on a disk that is full."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def leftovers(folder):
    """Temporary files that were not cleared away."""
    return [path.name for path in pathlib.Path(folder).rglob(".dinoft-*")]


def files_in(folder):
    """The relative paths of all files below a folder, hidden ones included."""
    folder = pathlib.Path(folder)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def contents(folder):
    """All files below a folder with their bytes: to see that nothing changed."""
    return {name: (pathlib.Path(folder) / name).read_bytes() for name in files_in(folder)}


class Page(html.parser.HTMLParser):
    """A page's tags, what they refer to, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data):
        self.text += data


class CommandLineTest(unittest.TestCase):
    """A test with an empty folder of its own, self.folder, in which the program runs."""

    maxDiff = 2000

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="dinoft-test-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def run_here(self, *arguments, **options):
        return run_program(*arguments, cwd=self.folder, **options)

    def read_json(self, name):
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def succeed(self, *arguments, **options):
        """Runs the program, which must succeed."""
        result = self.run_here(*arguments, **options)
        self.assertEqual(result.status, 0, f"{' '.join(map(str, arguments))}\n{result.stderr}")
        self.assertEqual(error_lines(result.stderr), [])
        return result

    def assert_one_error(self, result, status, *mentions):
        """One error line, the last one of stderr, with all words in it; and that exit status."""
        self.assertEqual(result.status, status, result.stderr)
        errors = error_lines(result.stderr)
        self.assertEqual(len(errors), 1, result.stderr)
        self.assertEqual(result.stderr.splitlines()[-1], errors[0])
        for mention in mentions:
            self.assertIn(str(mention), errors[0])
        self.assertNotRegex(errors[0], r"\(null\)|: *$")
        return errors[0]

    def refused(self, *arguments, status=1, mentions=(), **options):
        """Runs the program, which must fail with one error line that holds all of `mentions`."""
        result = self.run_here(*arguments, **options)
        return self.assert_one_error(result, status, *mentions)

    def assert_values_near(self, found, expected, tolerance):
        self.assertEqual(len(found), len(expected))
        worst = max((abs(a - b) for a, b in zip(found, expected)), default=0.0)
        self.assertLessEqual(worst, tolerance)


def unknown_log_lines(stderr):
    """The lines of stderr that are neither the log's nor progress ("epoch 1/2 3/3  loss ...")."""
    known = re.compile(r"dinoft: |[a-z]+ (\d+/\d+ )?\d+/\d+ ")
    return [line for line in stderr.splitlines() if not known.match(line)]


def main():
    unittest.main(module="__main__", verbosity=2)  # 2 prints the reasons of skipped tests
