"""--version, --version --verbose, and how often the program starts for what it does."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest
import unittest.mock

from support import DINOV2, PROGRAM, CommandLineTest, files_in, main

SOURCE = pathlib.Path(__file__).resolve().parents[2]
REVISION = r"(unknown|[0-9a-f]{40}(, with changes)?)"
LIBRARIES = ("oneDNN", "OpenMP", "zlib", "cJSON", "libspng", "LAPACK", "BLAS")
FACTS = ("version", "revision", "build", "options", "program", "system", "processor", "cores", "memory", "environment")


class Version(CommandLineTest):
    def facts(self, *arguments):
        """The values of each key, in the program's order; all values begin in one column."""
        result = self.succeed(*(arguments or ("--version", "--verbose")))
        self.assertEqual(result.stderr, "")
        facts = {}
        for line in result.stdout.splitlines():
            self.assertRegex(line, r"^(?=.{20} \S)[^:]+: +\S")
            facts.setdefault(line[:20].rstrip(" :"), []).append(line[21:])
        return facts

    def test_version(self):
        self.assertRegex(self.succeed("--version").stdout, r"^dinoft \d+\.\d+\.\d+\n$")

    def test_order(self):
        """The words may come in either."""
        self.assertEqual(list(self.facts("--verbose", "--version")), list(self.facts("--version", "--verbose")))

    def test_other_words(self):
        for arguments, mention in (
            (["--verbose"], "--verbose is for --version"),
            (["--verbose", "train"], "--verbose is for --version"),
            (["--version", "--verbos"], "nothing but --verbose: found '--verbos'"),
            (["--version", "train"], "nothing but --verbose: found 'train'"),
            (["train", "--verbose"], "--verbose"),
        ):
            self.refused(*arguments, status=2, mentions=[mention])

    def test_facts(self):
        facts = self.facts()
        for key in (*FACTS, *LIBRARIES, "instruction sets", "backend cpu", "backend cuda", "default device"):
            self.assertIn(key, facts)
        for key, values in facts.items():
            self.assertTrue(key == "environment" or len(values) == 1, key)
        self.assertEqual(facts["version"], [self.succeed("--version").stdout.strip()])
        self.assertRegex(facts["revision"][0], f"^{REVISION}$")
        self.assertEqual(facts["program"], [os.path.realpath(PROGRAM)])
        self.assertEqual(facts["backend cpu"], ["usable"])
        self.assertRegex(facts["default device"][0], "^(cpu|cuda), (float32|bfloat16)$")

    def test_files_of_the_libraries(self):
        """They are there, and they are those that the program has loaded."""
        facts = self.facts()
        for key in LIBRARIES:
            file = pathlib.Path(facts[key][0].split(", ")[-1])
            self.assertTrue(file.is_file(), facts[key])
        for key in ("oneDNN", "zlib", "cJSON", "libspng", "LAPACK"):
            self.assertRegex(facts[key][0], r"^\d+\.\d+\.\d+[ ,]")

    def test_library_from_another_folder(self):
        file = self.facts()["zlib"][0].split(", ")[-1]
        (self.folder / "libz.so.1").write_bytes(pathlib.Path(file).read_bytes())
        with unittest.mock.patch.dict(os.environ, LD_LIBRARY_PATH=str(self.folder)):
            found = self.facts()["zlib"][0].split(", ")[-1]
        self.assertEqual(found, str((self.folder / "libz.so.1").resolve()))

    def test_limit_of_instruction_sets(self):
        with unittest.mock.patch.dict(os.environ, ONEDNN_MAX_CPU_ISA="SSE41"):
            facts = self.facts()
        self.assertEqual(facts["oneDNN uses"], ["SSE4.1"])
        self.assertEqual(facts["attention uses"], ["no special ones in float32, no special ones in bfloat16"])
        self.assertIn("ONEDNN_MAX_CPU_ISA=SSE41", facts["environment"])

    def test_environment(self):
        """What changes the program's work is listed, on a line each; what may be a secret is not."""
        variables = {"OMP_NUM_THREADS": "3", "DINOFT_CUDA_ALGO": "first\nversion: 2", "CUDA_VISIBLE_DEVICES": ""}
        others = {"NVIDIA_API_KEY": "secret", "HF_TOKEN": "secret", "OMPI": "secret", "XDG_CACHE_HOMES": "secret"}
        with unittest.mock.patch.dict(os.environ, **variables, **others):
            facts = self.facts()
        expected = ["OMP_NUM_THREADS=3", "DINOFT_CUDA_ALGO=first?version: 2", "CUDA_VISIBLE_DEVICES="]
        self.assertLessEqual(set(expected), set(facts["environment"]))
        self.assertNotIn("secret", str(facts))

    def test_empty_environment(self):
        done = subprocess.run([PROGRAM, "--version", "--verbose"], env={}, stdout=subprocess.PIPE, check=True)
        self.assertIn(b"environment:         nothing is set", done.stdout)

    def test_unwritable(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([PROGRAM, "--version", "--verbose"], stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot write to standard output", done.stderr)


class Starts(CommandLineTest):
    """GNU's OpenMP reads how long to spin before main(): to shorten it the program starts itself again, which takes
    time. Only what computes may."""

    def starts(self, *arguments, **variables):
        """How often the dynamic loader has begun, and what the program wrote to stderr."""
        environment = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
        environment.update(LD_DEBUG="statistics", LD_DEBUG_OUTPUT=str(self.folder / "loader"), **variables)
        done = subprocess.run(
            [PROGRAM, *map(str, arguments)],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        logs = list(self.folder.glob("loader.*"))
        if not logs:
            self.skipTest("the dynamic loader keeps no statistics")
        text = "".join(log.read_text() for log in logs)
        for log in logs:
            log.unlink()
        return text.count("total startup time in dynamic loader"), done.stderr.decode()

    def test_once(self):
        for arguments in (
            ["--version"],
            ["--version", "--verbose"],
            [],
            ["--help"],
            ["train", "--help"],
            ["--help_markdown"],
            ["--epocs", 3],
            ["info", DINOV2.weights],
            ["convert", DINOV2.weights, "converted.safetensors"],
            ["demo-data", "--data_root", "demo", "--train_images", 1, "--val_images", 1],
        ):
            self.assertEqual(self.starts(*arguments)[0], 1, arguments)

    def test_twice(self):
        """With the words that were typed, in their order."""
        starts, error = self.starts("features", "--output", "f.safetensors", "a.png", "--weights", "b.pth", "c.png")
        self.assertEqual((starts, error), (2, "dinoft: error: cannot read a.png: No such file or directory\n"))

    def test_what_is_said_of_flags_is_said_once(self):
        flags = ["--recipe", "reference-2025-08", "--min_lr", "1e-5", "--weights", "nowhere"]  # the recipe's schedule is constant
        starts, lines = self.starts("train", *flags)
        self.assertEqual((starts, lines.count("warning: --min_lr changes nothing")), (2, 1), lines)

    def test_user_s_choice_is_kept(self):
        command = ["features", "a.png", "--output", "f.safetensors", "--weights", "b.pth"]
        for variable in ({"OMP_WAIT_POLICY": "active"}, {"GOMP_SPINCOUNT": "1"}):
            self.assertEqual(self.starts(*command, **variable)[0], 1)


@unittest.skipUnless(shutil.which("git") and shutil.which("cmake"), "git and cmake are needed")
class Revision(CommandLineTest):
    """cmake/revision.cmake, which each build runs."""

    def setUp(self):
        super().setUp()
        self.tree = self.folder / "a tree"
        self.header = self.folder / "generated" / "revision.h"
        self.tree.mkdir()
        (self.tree / "file").write_text("1\n")

    def git(self, *arguments, tree=None):
        names = {f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        command = ["git", "-c", "safe.directory=*", *arguments]
        environment = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", **names)
        done = subprocess.run(command, cwd=tree or self.tree, env=environment, stdout=subprocess.PIPE, check=True)
        return done.stdout.decode().strip()

    def commit(self, tree=None):
        self.git("add", "file", tree=tree)
        self.git("commit", "--quiet", "--message=x", tree=tree)
        return self.git("rev-parse", "HEAD", tree=tree)

    def revision(self, git="git", tree=None):
        definitions = [f"-DGIT={git}", f"-DSOURCE={tree or self.tree}", f"-DHEADER={self.header}"]
        script = SOURCE / "cmake" / "revision.cmake"
        done = subprocess.run(["cmake", *definitions, "-P", script], cwd=self.folder, stderr=subprocess.PIPE, check=True)
        self.assertEqual(done.stderr, b"")
        found = re.fullmatch(r'#define DINOFT_REVISION "(.*)"\n', self.header.read_text())
        self.assertIsNotNone(found, self.header.read_text())
        return found.group(1)

    def test_revision(self):
        self.git("init", "--quiet")
        first = self.commit()
        self.assertEqual(self.revision(), first)
        (self.tree / "new").write_text("not git's\n")
        self.assertEqual(self.revision(), first)
        (self.tree / "file").write_text("2\n")
        self.assertEqual(self.revision(), f"{first}, with changes")
        second = self.commit()
        self.git("tag", "--annotate", "--message=x", "v1")
        self.assertEqual(self.revision(), second)
        self.assertNotEqual(first, second)

    def test_header_is_kept(self):
        """Nothing is compiled again for the same revision."""
        self.git("init", "--quiet")
        self.commit()
        self.revision()
        os.utime(self.header, (1, 1))
        self.revision()
        self.assertEqual(self.header.stat().st_mtime, 1)
        (self.tree / "file").write_text("2\n")
        self.revision()
        self.assertGreater(self.header.stat().st_mtime, 1)

    def test_unknown(self):
        """Without git, in a tree without it, also if that lies in another one, and before the first commit."""
        self.assertEqual(self.revision(), "unknown")
        self.git("init", "--quiet")
        self.assertEqual(self.revision(), "unknown")
        self.commit()
        self.assertEqual(self.revision(git=""), "unknown")
        self.assertEqual(self.revision(git="GIT-NOTFOUND"), "unknown")
        inner = self.tree / "inner"
        inner.mkdir()
        self.assertEqual(self.revision(tree=inner), "unknown")
        self.assertEqual(files_in(inner), [])

    def test_worktree(self):
        self.git("init", "--quiet")
        first = self.commit()
        tree = self.folder / "worktree"
        self.git("worktree", "add", "--quiet", "--detach", tree)
        self.assertEqual(self.revision(tree=tree), first)


if __name__ == "__main__":
    main()
