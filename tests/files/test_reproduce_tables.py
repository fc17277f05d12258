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
    printf '{"clean": {"miou": 0.5, "reference_iou": 0.75, "reference_miou": 0.25},' >"$folder/${name}_corruptions.json"
    printf '"corruptions": [{"cells": [{"miou": null, "reference_iou": 0.625, "reference_miou": 0.125}]}]}' \\
        >>"$folder/${name}_corruptions.json"
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
            [*command, "--output_dir", self.folder / "tables", *map(str, flags)],
            env=dict(os.environ, DINOFT=str(self.folder / "dinoft"), CALLS=str(self.calls)),
            capture_output=True,
            text=True,
            check=False,
        )

    def rows(self, time):
        lines = (self.folder / "tables" / f"tables_{time}.txt").read_text().splitlines()
        return [line.split("|") for line in lines[1:]]

    def test_what_is_missing_is_said(self):
        result = self.run_script()
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        august, october = self.rows("2025-08"), self.rows("2025-10")
        usual = self.rows("default")
        self.assertEqual([len(august), len(october), len(usual)], [8, 10, 10])
        missing = "no checkpoint (dinov2/large_voc_no_lora.pt)"
        self.assertEqual(august[0], ["voc", "1x1", "dinov2 large", "70.9", "66.6", missing, ""])
        self.assertEqual(october[0], ["voc", "1x1", "dinov2 large", "49.2", "40.0", missing, "", "", ""])
        self.assertEqual(
            [row[2:5] for row in october[1:4]],
            [["dinov3 base", "71.5", "-"], ["dinov3 large", "71.8", "65.4"], ["dinov3 huge", "73.3", "-"]],
        )
        missing = "no checkpoint (large_voc_dinov2_1x1_default.pt)"
        self.assertEqual(usual[0], ["voc", "1x1", "dinov2 large", missing, "", "82.1, +ms 86.0"])
        self.assertEqual([row[5] for row in usual[1:4]], ["-"] * 3)
        self.assertIn("52.09", usual[7][5])
        shown = result.stdout.splitlines()
        self.assertIn("August 2025", shown[0])
        self.assertEqual(shown[1].index("published clean"), shown[2].index("70.9"))
        self.assertIn("October 2025", shown[11])
        self.assertEqual(shown[12].index("published clean"), shown[13].index("49.2"))
        self.assertIn("default recipe", shown[24])
        self.assertEqual(shown[25].index("published by others"), shown[26].index("82.1"))
        self.assertEqual(self.calls.read_text(), "")

    def test_published_and_trained_checkpoints(self):
        published = self.folder / "checkpoints" / "dinov2" / "large_voc_lora.pt"
        published.parent.mkdir()
        published.touch()
        result = self.run_script("--only", "voc", "--family", "dinov2", "--train", "--epochs", "3", "--recipes", "reference")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([row[5:] for row in self.rows("2025-08")], [["75.0", "62.5"]] * 3)
        self.assertEqual([row[5:] for row in self.rows("2025-10")], [["25.0", "12.5", "50.0", "-"]] * 3)
        calls = self.calls.read_text().splitlines()
        self.assertEqual([call.split()[0] for call in calls], ["train", "corrupt", "corrupt", "train", "corrupt"])
        self.assertIn("--recipe reference-2025-08 --epochs 3", calls[0])
        self.assertNotIn("--use_lora", calls[0])
        self.assertIn("--use_lora --use_fpn", calls[3])
        self.assertIn(f"--lora_weights {published} --suite reference --severity 5 --exp_name large_voc_dinov2_lora_1x1", calls[2])
        self.assertIn("--batch_size 64", calls[2])

    def test_three_models_are_trained_as_in_october(self):
        result = self.run_script("--family", "dinov3", "--train", "--recipes", "reference")
        self.assertEqual(result.returncode, 0, result.stderr)
        trained = [call for call in self.calls.read_text().splitlines() if call.startswith("train")]
        self.assertEqual(len(trained), 4)
        for call, size in zip(trained, ("base", "large", "huge")):
            for words in ("--dataset voc", "--recipe reference --epochs 100", f"--size {size}"):
                self.assertIn(words, call)
        self.assertIn("--recipe reference-2025-08", trained[3])

    def test_the_default_recipe(self):
        """Few epochs are enough for its schedule, and the project's own files are not looked at."""
        published = self.folder / "checkpoints" / "dinov2" / "large_voc_lora.pt"
        published.parent.mkdir()
        published.touch()
        result = self.run_script("--only", "voc", "--train", "--epochs", "3", "--recipes", "default")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([row[3:5] for row in self.rows("default")], [["50.0", "-"]] * 6)
        self.assertFalse((self.folder / "tables" / "tables_2025-10.txt").exists())
        calls = self.calls.read_text().splitlines()
        self.assertEqual([call.split()[0] for call in calls], ["train", "corrupt"] * 6)
        self.assertIn("--recipe default --epochs 3 --exp_name large_voc_dinov2_1x1_default", calls[0])
        self.assertIn("--eval_size original", calls[1])

    def test_too_few_epochs_for_october(self):
        """Said before the first row."""
        for epochs in (1, 20):
            result = self.run_script("--train", "--epochs", epochs)
            self.assertEqual(result.returncode, 2)
            self.assertIn(f"--epochs {epochs}: with the recipe of October", result.stderr)
        self.assertEqual(self.calls.read_text(), "")
        for flags in (["--only", "ade20k", "--family", "dinov3", "--train"], ["--only", "voc"]):
            self.assertEqual(self.run_script("--epochs", 20, *flags).returncode, 0)

    def test_another_size_stands_for_the_large_one(self):
        result = self.run_script("--family", "dinov3", "--size", "small", "--train")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([row[2] for row in self.rows("2025-10")], ["dinov3 small"] * 2)
        self.assertEqual(self.calls.read_text().count("--size small"), 8)

    def test_training_that_fails_ends_it(self):
        result = self.run_script("--train", data="nowhere")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(self.calls.read_text().splitlines()), 1)

    def test_wrong_words(self):
        for flags in (["--only"], ["--bogus", "x"], ["x"], ["--help"], ["--recipes"]):
            result = self.run_script(*flags)
            self.assertEqual(result.returncode, 2)
            self.assertIn("usage:", result.stderr)
        result = self.run_script("--recipes", "august")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--recipes is 'august'", result.stderr)
        result = self.run_script("--only", "vocc")
        self.assertEqual(result.returncode, 2)
        self.assertIn("no row is of data set 'vocc'", result.stderr)


if __name__ == "__main__":
    SCRIPT = pathlib.Path(sys.argv.pop(1)).resolve() / "scripts" / "reproduce_tables.sh"
    unittest.main()
