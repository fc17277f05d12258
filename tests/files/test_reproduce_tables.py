"""scripts/reproduce_tables.sh with a stand-in for the program, which notes what it is asked and makes up scores.

Usage: test_reproduce_tables.py SOURCE_FOLDER
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

STAND_IN = """#!/bin/sh
echo "$@" >>"$CALLS"
command=$1
while [ $# -gt 1 ]; do
    case $1 in --exp_name) name=$2 ;; --output_dir) folder=$2 ;; --data_root) [ -d "$2" ] || exit 1 ;; esac
    shift
done
if [ $command = train ]; then
    : >"$folder/$name.pt"
else
    printf '{"clean": {"miou": 0.5, "reference_iou": 0.75},' >"$folder/${name}_corruptions.json"
    printf '"corruptions": [{"cells": [{"miou": null, "reference_iou": 0.625}]}]}' >>"$folder/${name}_corruptions.json"
fi
"""


class ReproduceTables(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="dinoft-test-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.calls = self.folder / "calls"
        self.calls.touch()
        program = self.folder / "dinoft"
        program.write_text(STAND_IN)
        program.chmod(0o755)
        (self.folder / "data").mkdir()
        (self.folder / "checkpoints").mkdir()

    def run_script(self, *flags, data="data"):
        command = [SCRIPT, "--data_root", self.folder / data, "--checkpoints", self.folder / "checkpoints"]
        return subprocess.run(
            [*command, "--output_dir", self.folder / "tables", *flags],
            env=dict(os.environ, DINOFT=str(self.folder / "dinoft"), CALLS=str(self.calls)),
            capture_output=True,
            text=True,
            check=False,
        )

    def rows(self):
        lines = (self.folder / "tables" / "tables.txt").read_text().splitlines()
        return [line.split("|") for line in lines[1:]]

    def test_what_is_missing_is_said(self):
        result = self.run_script()
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        rows = self.rows()
        self.assertEqual(len(rows), 8)
        self.assertEqual(rows[0][:6], ["voc", "1x1", "dinov2", "70.9", "66.6", "no checkpoint (dinov2/large_voc_no_lora.pt)"])
        shown = result.stdout.splitlines()
        self.assertEqual(shown[0].index("published clean"), shown[1].index("70.9"))
        self.assertEqual(self.calls.read_text(), "")

    def test_published_and_trained_checkpoints(self):
        published = self.folder / "checkpoints" / "dinov2" / "large_voc_lora.pt"
        published.parent.mkdir()
        published.touch()
        result = self.run_script("--only", "voc", "--family", "dinov2", "--train", "--epochs", "3")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([row[5:] for row in self.rows()], [["75.0", "62.5", "50.0", "-"]] * 3)
        calls = self.calls.read_text().splitlines()
        self.assertEqual([call.split()[0] for call in calls], ["train", "corrupt", "corrupt", "train", "corrupt"])
        self.assertIn("--recipe reference --epochs 3", calls[0])
        self.assertNotIn("--use_lora", calls[0])
        self.assertIn("--use_lora --use_fpn", calls[3])
        self.assertIn(f"--lora_weights {published} --suite reference --severity 5", calls[2])

    def test_training_that_fails_ends_it(self):
        result = self.run_script("--train", data="nowhere")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(self.calls.read_text().splitlines()), 1)

    def test_wrong_words(self):
        for flags in (["--only"], ["--bogus", "x"], ["x"], ["--help"]):
            result = self.run_script(*flags)
            self.assertEqual(result.returncode, 2)
            self.assertIn("usage:", result.stderr)
        result = self.run_script("--only", "vocc")
        self.assertEqual(result.returncode, 2)
        self.assertIn("no row is of data set 'vocc'", result.stderr)


if __name__ == "__main__":
    SCRIPT = pathlib.Path(sys.argv.pop(1)).resolve() / "scripts" / "reproduce_tables.sh"
    unittest.main()
