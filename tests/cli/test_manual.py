"""Manual pages: they say what --help says, and no program that reads them complains."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

from support import PROGRAM, CommandLineTest, main, run_program

SHARE = pathlib.Path(PROGRAM).resolve().parent / "share"
WIDTH = 90


def commands():
    return re.findall(r"^\| `dinoft ([a-z-]+)", run_program("--help_markdown").stdout, re.MULTILINE)


def reads(program):
    """Skips a test where there is no such program, or only a stub that says so."""
    done = shutil.which(program) and subprocess.run([program, "-V"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    there = done and b"minimized" not in done.stdout
    return unittest.skipUnless(there, f"{program} is not installed")


def output(*command, page):
    """What a program makes of a page on its standard input: its output and what it complains of."""
    environment = dict(os.environ, LC_ALL="C.UTF-8", MANWIDTH=str(WIDTH), MANPAGER="cat")
    done = subprocess.run(command, input=page.encode(), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.stdout.decode(), done.stderr.decode()


def plain(text):
    """Without line breaks, and without the gaps and strokes that come of them."""
    return re.sub(r"\s+", " ", re.sub(r".\x08|\x1b\[[0-9;]*m", "", text))


def helped(command):
    """Each flag of --help as it stands there, "--size small|base", with its text."""
    text = run_program("help", command).stdout
    entries = re.findall(r"^  (-\S+(?: [^ \n]+)*)(?:  +|\n +)((?:.+\n)(?: {26}.+\n)*)", text, re.MULTILINE)
    assert len(entries) == len(re.findall(r"^  -", text, re.MULTILINE))
    return {flag: plain(text).strip() for flag, text in entries}


class Pages(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.commands = commands()
        self.pages = {command: run_program("--help_man", command).stdout for command in self.commands}
        self.pages[""] = run_program("--help_man").stdout

    def test_the_build_writes_them_all(self):
        folder = SHARE / "man" / "man1"
        found = {path.name: path.read_text() for path in folder.iterdir()}
        self.assertEqual(found, {f"dinoft-{name}.1" if name else "dinoft.1": page for name, page in self.pages.items()})

    @reads("groff")
    def test_they_say_what_help_says(self):
        for command in self.commands:
            text, complaints = output("groff", "-man", "-Tutf8", "-ww", "-P-cbou", f"-rLL={WIDTH}n",
                                      page=self.pages[command])
            self.assertEqual(complaints, "", command)
            for flag, meaning in helped(command).items():
                if flag == "-h, --help":
                    continue
                self.assertRegex(text, rf"(?m)^ +{re.escape(flag)}( |$)", command)
                self.assertIn(f"{flag} {meaning}", plain(text), command)
            self.assertIn("EXAMPLES", text)

    @reads("groff")
    def test_the_program_s_page(self):
        text, complaints = output("groff", "-man", "-Tutf8", "-ww", "-P-cbou", page=self.pages[""])
        self.assertEqual(complaints, "")
        text = plain(text)
        for command in self.commands:
            self.assertIn(f"dinoft-{command}(1)", text)
        for word in ("--completion SHELL", "--help_man [COMMAND]", "dinoft help [COMMAND]", "EXIT STATUS", "ENVIRONMENT",
                     "DINOFT_WEIGHTS", "CUDA_VISIBLE_DEVICES", "GOMP_SPINCOUNT"):
            self.assertIn(word, text)

    @reads("man")
    def test_man_shows_them(self):
        for name, page in self.pages.items():
            text, complaints = output("man", "--warnings", "-l", "-", page=page)
            self.assertEqual(complaints, "", name)
            self.assertRegex(plain(text), rf"^ ?DINOFT{'-' * bool(name)}{name.upper()}\(1\).* NAME dinoft.* SEE ALSO ")

    @reads("lexgrog")
    def test_whatis_finds_their_names(self):
        summaries = dict(re.findall(r"^  ([a-z-]+) +(\S.*)$", run_program("--help").stdout, re.MULTILINE))
        for command in self.commands:
            (self.folder / "page.1").write_text(self.pages[command])
            done = subprocess.run(["lexgrog", self.folder / "page.1"], stdout=subprocess.PIPE, check=True)
            self.assertIn(f'"dinoft-{command} - {summaries[command]}"', done.stdout.decode())

    @reads("mandoc")
    def test_mandoc_finds_no_fault(self):
        for name, page in self.pages.items():
            faults, _ = output("mandoc", "-Tlint", "-Wstyle", page=page)
            faults = [line for line in faults.splitlines() if "missing date" not in line]  # a build has none
            self.assertEqual(faults, [], name)

    def test_what_is_asked_wrongly(self):
        self.refused("--help_man", "trian", status=2, mentions=["'trian'", "did you mean 'train'"])
        self.refused("--help_man", "train", "eval", status=2, mentions=["--help_man", "'eval'"])


if __name__ == "__main__":
    main()
