"""Completions of bash, zsh and fish, as the shells themselves offer them."""

import functools
import re
import subprocess
from pathlib import Path

from shells import INSTALLED, PROGRAM, Bash, Fish, Zsh
from support import CommandLineTest, main, run_program

GENERAL = {"--help", "--help_man", "--help_markdown", "--completion", "--version"}
BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")


@functools.lru_cache(maxsize=None)
def commands():
    return re.findall(r"^\| `dinoft ([a-z-]+)", run_program("--help_markdown").stdout, re.MULTILINE)


@functools.lru_cache(maxsize=None)
def helped_flags(command):
    """The flags that --help lists, each with what it calls the value ("" for switches)."""
    text = run_program("help", command).stdout
    return dict(re.findall(r"^  (--\w+)(?: (\S+(?: [A-Z]+)?))?(?:  |$)", text, re.MULTILINE))


def all_flags(command):
    """--help's, and --no_NAME for its switches."""
    flags = helped_flags(command)
    negated = {f"--no_{flag[2:]}" for flag, value in flags.items() if not value and not flag.startswith("--no_")}
    return set(flags) | negated | {"--help"}


class ShellTest(CommandLineTest):
    """A shell in a folder with a few files. SHELL is its class, LINES and ENVIRONMENT what it starts with."""

    ENVIRONMENT = {}

    def setUp(self):
        super().setUp()
        if self.SHELL.missing():
            self.skipTest(self.SHELL.missing())
        self.work = self.folder / "work"
        for folder in ("data", "my photos"):
            (self.work / folder).mkdir(parents=True)
        for name in ("model.pt", "my photos/a b.jpg", "photo 1.jpg", "photo'2.jpg", "data/list.txt"):
            (self.work / name).touch()
        self.shell = self.SHELL(self.folder, self.work, self.LINES, self.ENVIRONMENT)
        self.addCleanup(self.shell.close)

    def offered(self, line, *expected):
        """Exactly these, in any order."""
        self.assertEqual(sorted(self.shell.complete(line)), sorted(expected), line)

    def offered_paths(self, line, *expected):
        """A folder may end with '/'."""
        self.assertEqual(sorted(path.rstrip("/") for path in self.shell.complete(line)), sorted(expected), line)


class Everything:
    """What each shell has to offer. LEFT_OUT: what it does not, once --use_lora is typed."""

    LEFT_OUT = set()

    def test_commands(self):
        self.offered("dinoft ", "help", *commands())
        self.offered("dinoft tr", "train")
        self.offered("dinoft corr", "corrupt", "corrupt-images")
        self.offered("dinoft nosuch")
        self.offered("dinoft help ", *commands())
        self.offered("dinoft help de", "demo-data")
        self.offered("dinoft --help_man pre", "predict")
        self.offered("dinoft --completion ", "bash", "zsh", "fish")
        self.offered("dinoft --completion=z", "zsh")

    def test_flags(self):
        for command in commands():
            self.offered(f"dinoft {command} --", *all_flags(command))
        self.offered("dinoft --", *(all_flags("train") | GENERAL))
        self.offered("dinoft --use_lora --", *(all_flags("train") - self.LEFT_OUT))
        self.offered("dinoft eval --images_", "--images_csv")
        self.offered("dinoft predict model.pt --no_sa", "--no_save_logits")

    def test_choices(self):
        for command in commands():
            for flag, value in helped_flags(command).items():
                if "|" in value and not value[0].isupper():  # "N|P%" is no list of words
                    words = [word for word in value.split("|") if not word.endswith(":N") and not word[0].isupper()]
                    self.offered(f"dinoft {command} {flag} ", *words)
                    self.offered(f"dinoft {command} {flag}=", *words)
        self.offered("dinoft --size sm", "small", "small+")
        self.offered("dinoft --size=sm", "small", "small+")
        self.offered("dinoft bench ", "train", "eval", "ops", "loader")
        self.offered("dinoft bench --steps 3 lo", "loader")
        self.offered("dinoft bench ops l")

    def test_lists(self):
        self.offered("dinoft corrupt --severity ", "all", "1", "2", "3", "4", "5")
        self.offered("dinoft corrupt --corruptions sn", "snow")
        self.offered("dinoft corrupt-images model.pt --corruptions fog,satu", "fog,saturate")
        self.offered("dinoft corrupt --corruptions=fog,satu", "fog,saturate")

    def test_files(self):
        everything = ["data", "model.pt", "my photos", "photo 1.jpg", "photo'2.jpg"]
        for line in ("info ", "predict ", "predict model.pt ", "convert model.pt ", "train --weights ", "train --data_root ",
                     "--lora_weights ", "eval --metrics_json=", "convert --dtype fp16 ", "predict --img_dim 70 70 ",
                     "pca --img_dim=70,70 ", "predict -- "):
            self.offered_paths(f"dinoft {line}", *everything)
        self.offered_paths("dinoft info ph", "photo 1.jpg", "photo'2.jpg")
        self.offered_paths("dinoft info photo\\ ", "photo 1.jpg")
        self.offered_paths("dinoft predict my\\ photos/", "my photos/a b.jpg")
        self.offered_paths("dinoft train --weights=mod", "model.pt")

    def test_folders(self):
        for line in ("train --output_dir ", "--output_dir ", "pca model.pt --output_dir="):
            self.offered_paths(f"dinoft {line}", "data", "my photos")
        self.offered_paths("dinoft corrupt --frost_dir=da", "data")

    def test_where_nothing_can_be_offered(self):
        for line in ("train --epochs ", "train --lr=", "--exp_name mod", "predict --img_dim ", "predict --img_dim 70 ",
                     "info model.pt mod", "convert model.pt data mod", "demo-data mod", "help train e"):
            self.offered(f"dinoft {line}")


class WhereItIsInstalled:
    """A file of the build's share/ is found."""

    def test_some(self):
        self.offered("dinoft tr", "train")
        self.offered("dinoft train --dino_t", "--dino_type")
        self.offered("dinoft eval --dataset ", "voc", "ade20k", "folder")
        self.offered_paths("dinoft info mod", "model.pt")


class WithDescriptions:
    """Zsh and fish show what a candidate means."""

    def test_descriptions(self):
        for line, first, second in (
                ("dinoft ", "convert +-- rewrite a backbone or checkpoint in another format",
                 "train +-- train a decoder, and LoRA in the backbone, on a data set"),
                ("dinoft demo-data --", "--seed +-- of everything random: the same seed gives the same result",
                 "--val_images +-- how many validation images to draw")):
            shown = self.shell.describe(line, second.split("-- ")[1])
            self.assertRegex(shown, first)
            self.assertRegex(shown, second)


class SourcedBash(Everything, ShellTest):
    SHELL, LINES = Bash, Bash.SOURCED

    def test_dashes_for_underscores(self):
        self.offered("dinoft --dino-type ", "dinov2", "dinov3")
        self.offered("dinoft train --no-use-l", "--no_use_lora")

    def test_an_equals_sign_that_breaks_no_word(self):
        self.shell.close()
        self.shell = Bash(self.folder, self.work, f"{self.LINES}\nCOMP_WORDBREAKS=' '", {})
        self.offered("dinoft --size=sm", "small", "small+")
        self.offered("dinoft corrupt --corruptions=fog,satu", "fog,saturate")
        self.offered_paths("dinoft train --weights=mod", "model.pt")
        self.offered_paths("dinoft predict --img_dim=70,70 mod", "model.pt")

    def test_the_function_alone(self):
        script = 'source /dev/stdin; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dinoft; printf "%s\\n" "${COMPREPLY[@]}"'
        for words, expected in ((["tr"], "train"), (["--size", "=", "gi"], "giant"), (["info", "mod"], "model.pt"),
                                (["--data_root", "da"], "data")):
            done = subprocess.run(["bash", "-c", script, "bash", "dinoft", *words], cwd=self.work, check=True,
                                  input=run_program("--completion", "bash").stdout.encode(),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual((done.stdout.decode().split(), done.stderr), ([expected], b""))


class InstalledBash(WhereItIsInstalled, ShellTest):
    SHELL, LINES, ENVIRONMENT = Bash, f"source {BASH_COMPLETION}", INSTALLED

    def setUp(self):
        if not BASH_COMPLETION.exists():
            self.skipTest("bash-completion is not installed")
        super().setUp()


class SourcedZsh(Everything, WithDescriptions, ShellTest):
    SHELL, LINES, LEFT_OUT = Zsh, Zsh.SOURCED, {"--use_lora", "--no_use_lora"}

    def test_dashes_for_underscores(self):
        self.offered("dinoft --dino-type ", "dinov2", "dinov3")
        self.offered("dinoft train --no-use-l", "--no_use_lora")

    def test_sourced_too_early(self):
        done = subprocess.run(["zsh", "-f", "-c", f'source <("{PROGRAM}" --completion zsh)'], stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(), "^dinoft: .*compinit\n$")


class InstalledZsh(WhereItIsInstalled, ShellTest):
    SHELL, LINES = Zsh, Zsh.INSTALLED


class SourcedFish(Everything, WithDescriptions, ShellTest):
    SHELL, LINES = Fish, Fish.SOURCED


class InstalledFish(WhereItIsInstalled, ShellTest):
    SHELL, LINES, ENVIRONMENT = Fish, "", INSTALLED


if __name__ == "__main__":
    main()
