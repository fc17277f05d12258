"""A disk that is full while a training run saves, at each file in turn."""

import os
import re
import shutil
import unittest

from support import contents, error_lines, main
from test_resume import ResumeTest

LIBRARY = os.environ.get("DINOFT_FULL_DISK_LIBRARY")  # tests/support/full_disk.c

# All that a run flushes to the disk; its lock needs no room. Without what TensorBoard is shown the run goes on.
FILES = {"run.pt", "run.state", "run_best.pt", "run_e1.pt", "run_e2.pt", "run_config.json", "run_metrics.json", "run_steps.csv",
         "run_tb", "run_report.html"}  # fmt: skip


@unittest.skipUnless(LIBRARY, "a build with sanitizers loads no library before theirs")
class FullDisk(ResumeTest):
    FLAGS = ["--use_lora", "--val_every", 1, "--keep_checkpoints", "all", "--lr", 0.01, "--best_metric", "loss"]

    def setUp(self):
        super().setUp()
        self.library = self.folder / "library.so"  # the loader takes no path with a space
        self.library.symlink_to(LIBRARY)

    def run_with_a_full_disk(self, number, *flags):
        variables = {"LD_PRELOAD": self.library, "DINOFT_FULL_DISK": str(number)}
        return self.run_here(*self.command(*self.FLAGS, *flags, epochs=2), variables=variables)

    def check_told(self, result):
        """In the error, or in a warning of a run that goes on: which file. Its name."""
        lines = error_lines(result.stderr) if result.status else re.findall(".*warning: .*", result.stderr)
        self.assertEqual(len(lines), 1, result.stderr)
        name = re.search(r"cannot (?:write|cut) output/(\w+(?:\.\w+)?)(?:/\S+)?: No space left on device", lines[0])
        self.assertTrue(name, lines[0])
        return name.group(1)

    def check(self, *flags, first=None):
        """Whatever is lost, what is there is whole, and the run can go on to the same bits."""
        told, number, full = set(), 0, True
        while full:
            number += 1
            shutil.rmtree(self.folder / "output", ignore_errors=True)
            if first:
                shutil.copytree(first, self.folder / "output")
            result = self.run_with_a_full_disk(number, *flags)
            full = "the disk is full" in result.stderr
            with self.subTest(number):
                file = None
                if full and (result.status or "warning" in result.stderr):
                    file = self.check_told(result)
                    told.add(file)
                else:
                    self.assertEqual(result.status, 0, result.stderr)
                self.succeed(*self.command(*self.FLAGS, "--resume", "auto", epochs=2))
                self.assert_same(curves=file != "run_tb", page=file != "run_report.html")
                self.assert_same_checkpoints()
        return told

    def assert_same_checkpoints(self):
        found, expected = (contents(self.folder / folder) for folder in ("output", "whole"))
        for name in FILES:
            if name.endswith(".pt"):
                self.assertEqual(found[name], expected[name], name)

    def test_each_file(self):
        self.whole_run(*self.FLAGS, epochs=2)
        self.assertEqual(self.check(), FILES)

    def test_each_file_of_a_run_that_goes_on(self):
        """What was saved before stays."""
        self.whole_run(*self.FLAGS, epochs=2)
        self.succeed(*self.command(*self.FLAGS, "--max_steps", 4, epochs=2))
        first = self.folder / "first"
        shutil.copytree(self.folder / "output", first)
        self.assertEqual(self.check("--resume", "--save_every", 1e-9, first=first), FILES - {"run_e1.pt"})


if __name__ == "__main__":
    main()
