"""What the tests of training share: a small data set, a short run, its files read."""

import collections
import csv

from datasets import make_folder
from support import DINOV2, CommandLineTest, folder_data, model_flags
from tensor_files import read_checkpoint

STEP_COLUMNS = ["epoch", "step", "loss", "lr", "images_per_second", "gradient_norm"]
CLASSES = 4

# The simplest training step, for what does not depend on the recipe. The last of a repeated flag counts.
PLAIN = {"--lr": "3e-4", "--lr_head": 1, "--schedule": "constant", "--warmup_steps": 0, "--augment": "none", "--head_norm": "none"}
WITHOUT_WARMUP_STEPS = ("--warmup_epochs", "onecycle")


def plain(flags):
    """What makes a run of these flags plain: nothing where they say a recipe or take a whole configuration."""
    if "--recipe" in flags or "--config" in flags:
        return []
    left_out = ["--warmup_steps"] if any(word in flags for word in WITHOUT_WARMUP_STEPS) else []
    if "--lora_weights" in flags:
        left_out.append("--head_norm")  # the checkpoint's
    return [word for flag, value in PLAIN.items() if flag not in left_out for word in (flag, value)]


# tensors, record: of the checkpoint. steps: the CSV's rows as dicts of texts.
Run = collections.namedtuple("Run", "result tensors record metrics steps config")


class TrainingTest(CommandLineTest):
    """A test with five training and three validation images of four classes in self.data."""

    def setUp(self):
        super().setUp()
        self.data = make_folder(self.folder / "data", n_classes=CLASSES)

    def folder_flags(self):
        return [*folder_data(self.data), "--n_classes", CLASSES]

    def train_command(self, *flags, backbone=DINOV2, data=None, output="output"):
        """One plain epoch of two steps, whatever was there, and what the flags say."""
        return ["train", *(data or self.folder_flags()), *model_flags(backbone), "--exp_name", "run", "--overwrite",
                "--output_dir", output, "--epochs", 1, "--batch_size", 3, *plain(flags), *flags]  # fmt: skip

    def read_run(self, result=None, output="output", name="run"):
        folder = self.folder / output
        tensors, record = read_checkpoint(folder / f"{name}.pt")
        with open(folder / f"{name}_steps.csv", newline="") as stream:
            reader = csv.DictReader(stream)
            steps = list(reader)
        self.assertEqual(reader.fieldnames, STEP_COLUMNS)
        return Run(
            result,
            tensors,
            record,
            self.read_json(folder / f"{name}_metrics.json"),
            steps,
            self.read_json(folder / f"{name}_config.json"),
        )

    def train(self, *flags, **options):
        """Trains, and reads all that it leaves."""
        result = self.succeed(*self.train_command(*flags, **options))
        return self.read_run(result, options.get("output", "output"))

    def trained_bytes(self, *flags, output, **options):
        """The checkpoint of a run, as it lies on the disk."""
        self.succeed(*self.train_command(*flags, output=output, **options))
        return (self.folder / output / "run.pt").read_bytes()
