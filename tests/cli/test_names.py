"""Files and folders whose names hold any bytes: what is written about them stays JSON and CSV for strict readers."""

import csv
import io
import json
import os
import re

from datasets import draw_scene
from png_files import write_png
from support import DINOV2, CommandLineTest, folder_data, main, model_flags
from tensor_files import read_checkpoint

CLASSES = 4
LATIN_1 = b"caf\xe9"
# File names of images, and what the first column of --images_csv has for them.
NAMES = {
    LATIN_1: "caf\\xE9",
    "café".encode(): "café",
    b"\xff\xfe,": "\\xFF\\xFE,",
    b"=1+1": "'=1+1",
    b"-2_left": "'-2_left",
    b"+x": "'+x",
    b"@SUM(A1)": "'@SUM(A1)",
    b"\tx": "'\tx",
    b'say "no"': 'say "no"',
    b"plain": "plain",
}


def bytes_of(text):
    """The bytes behind a text that the program wrote to a file of UTF-8."""
    return re.sub(rb"\\x([0-9A-F]{2})", lambda match: bytes([int(match[1], 16)]), text.encode())


class Names(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.root = self.folder / os.fsdecode(LATIN_1)
        try:
            self.root.mkdir()
        except OSError as error:
            self.skipTest(f"this file system takes no such names: {error}")
        for split, names in (("train", [b"0", b"1"]), ("val", NAMES)):
            for kind in ("images", "masks"):
                (self.root / kind / split).mkdir(parents=True)
            for number, name in enumerate(names):
                image, mask = draw_scene(f"{split} {number}", 60, 48, CLASSES)
                file = os.fsdecode(name + b".png")
                write_png(self.root / "images" / split / file, image)
                write_png(self.root / "masks" / split / file, mask)
        self.data = [*folder_data(self.root), "--n_classes", CLASSES]
        self.model = model_flags(DINOV2, (28, 42))

    def train(self):
        name = os.fsdecode(b"run\xe9")
        self.succeed("train", *self.data, *self.model, "--epochs", 1, "--output_dir", self.root, "--exp_name", name)
        return self.root / name

    def read_json(self, path):
        return json.loads(path.read_bytes().decode("utf-8"))

    def test_configuration(self):
        run = self.train()
        config = self.read_json(run.with_name(run.name + "_config.json"))
        self.assertEqual(bytes_of(config["exp_name"]), b"run\xe9")
        self.assertEqual(bytes_of(config["data_root"]), os.fsencode(self.root))
        self.assertIn("caf\\xE9", config["output_dir"])
        self.read_json(run.with_name(run.name + "_metrics.json"))
        self.assertEqual(read_checkpoint(run.with_name(run.name + ".pt"))[1]["dataset"], "folder")

    def test_evaluation(self):
        checkpoint = self.train().with_name(os.fsdecode(b"run\xe9.pt"))
        target = os.fsdecode(b"\xe9.")
        self.succeed(
            *["eval", *self.data, *self.model, "--lora_weights", checkpoint, "--images_csv", target + "csv"],
            *["--metrics_json", target + "json", "--report_html", target + "html"],
        )
        text = (self.folder / (target + "csv")).read_bytes().decode("utf-8")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        self.assertEqual({row["image"] for row in rows}, set(NAMES.values()))
        for row in rows:
            float(row["loss"])
        names = {bytes_of(row["image"].removeprefix("'")) for row in rows}
        self.assertEqual(names, set(NAMES))
        self.read_json(self.folder / (target + "json"))
        (self.folder / (target + "html")).read_bytes().decode("utf-8")

    def test_corruptions(self):
        """The run goes on where the file of an earlier one ended, whatever is in its key."""
        checkpoint = self.train().with_name(os.fsdecode(b"run\xe9.pt"))
        command = ["corrupt", *self.data, *self.model, "--lora_weights", checkpoint, "--corruptions", "contrast"]
        self.succeed(*command, "--severity", 1)
        path = next((self.folder / "output").glob("*.json"))
        facts = self.read_json(path)["facts"]
        self.assertIn(os.fsencode(checkpoint), [bytes_of(value) for value in facts.values()])
        again = self.succeed(*command, "--severity", "1,2")
        self.assertRegex(again.stderr, r"2 cells of .* kept")
        cells = self.read_json(path)["corruptions"][0]["cells"]
        self.assertNotIn(None, cells)


if __name__ == "__main__":
    main()
