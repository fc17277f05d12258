"""dinoft train without validation images: what is trained is the same, and nothing is measured."""

import csv
import shutil

from datasets import make_folder
from event_records import Events
from support import DINOV2, Page, files_in, leftovers, main, model_flags
from tensor_files import read_safetensors
from training import CLASSES, TrainingTest

WARNING = "warning: there are no validation images: nothing is measured"
NOTE = "has no validation images: nothing was measured"


class UnmeasuredTest(TrainingTest):
    """The data of TrainingTest as self.measured, and the training images alone as self.data."""

    def setUp(self):
        super().setUp()
        self.measured = self.data
        self.data = self.folder / "alone"
        for kind in ("images", "masks"):
            shutil.copytree(self.measured / kind / "train", self.data / kind / "train")

    def folder_of(self, kind):
        folder = self.data / kind / "val"
        folder.mkdir(exist_ok=True)
        return folder

    def measured_flags(self):
        return ["--dataset", "folder", "--data_root", self.measured, "--n_classes", CLASSES]


class Training(UnmeasuredTest):
    FLAGS = ["--use_lora", "--epochs", 3, "--val_every", 2]

    def test_what_a_run_leaves(self):
        run = self.train(*self.FLAGS, "--keep_checkpoints", "all")
        self.assertEqual(run.result.stderr.count(WARNING), 1)
        self.assertIn("5 training and 0 validation images", run.result.stderr)
        self.assertNotIn("best epoch", run.result.stderr)
        lines = run.result.stdout.splitlines()
        self.assertEqual([line.split(":")[0] for line in lines], ["epoch 1/3", "epoch 2/3", "epoch 3/3"])
        self.assertNotRegex(run.result.stdout, "val loss|mIoU")

        names = [name for name in files_in(self.folder / "output") if "/" not in name]
        self.assertEqual(names, [f"run{ending}" for ending in (".pt", ".state", "_config.json", "_e1.pt", "_e3.pt", "_metrics.json",
                                                               "_report.html", "_steps.csv")])  # fmt: skip
        self.assertEqual(leftovers(self.folder), [])
        self.assertEqual(len(run.steps), 6)
        self.assertEqual(len(run.metrics["train_loss"]), 3)
        self.assertEqual(len(run.metrics["class_names"]), CLASSES)
        self.assertEqual({key: value for key, value in run.metrics.items() if key.startswith("val_") and value != []}, {})
        self.assertIn("val_iou", run.metrics)
        self.assertEqual(run.config["facts"]["validation_images"], 0)
        tags = Events(self.folder / "output" / "run_tb").scalars
        self.assertIn("epoch/train_loss", tags)
        self.assertEqual([tag for tag in tags if tag.startswith(("validation/", "iou/"))], [])
        page = Page((self.folder / "output" / "run_report.html").read_text())
        self.assertEqual(page.text.count(NOTE), 1)
        self.assertIn("3 of 3", page.text)
        self.assertNotIn("best by", page.text)

        trained = (self.folder / "output" / "run.pt").read_bytes()
        self.assertEqual(trained, (self.folder / "output" / "run_e3.pt").read_bytes())
        self.succeed("train", "--config", "output/run_config.json", "--exp_name", "run", "--output_dir", "again")
        self.assertEqual(trained, (self.folder / "again" / "run.pt").read_bytes())

    def test_the_same_model(self):
        """As with validation images, however those would have been looked at."""
        for flags in (["--use_lora", "--augment", "standard", "--ema", 0.5], ["--cache_features", "memory"],
                      ["--augment", "flip", "--resize", "short", "--cache_views", 2, "--cache_features", "file"],
                      ["--cache_features", "off", "--resize", "short"], ["--decoder", "mlp", "--accumulate", 3]):  # fmt: skip
            with self.subTest(flags):
                flags = ["--epochs", 3, *flags]
                self.succeed(*self.train_command(*flags))
                self.succeed(*self.train_command(*flags, data=self.measured_flags(), output="measured"))
                self.assertEqual((self.folder / "output" / "run.pt").read_bytes(), (self.folder / "measured" / "run.pt").read_bytes())

    def test_features_in_a_file(self):
        """Are found again; those with validation images are others."""
        flags = ["--cache_features", "file", "--epochs", 2]
        self.succeed(*self.train_command(*flags))
        again = self.train(*flags)
        self.assertIn("nothing is computed again", again.result.stderr)
        self.assertEqual(again.config["facts"]["num_workers"], 0)
        other = self.succeed(*self.train_command(*flags, data=self.measured_flags()))
        self.assertIn("computed anew", other.stderr)

    def test_an_older_run_of_the_name(self):
        """Its best checkpoint is not taken for the new run's."""
        self.succeed(*self.train_command(*self.FLAGS, data=self.measured_flags()))
        self.assertIn("run_best.pt", files_in(self.folder / "output"))
        self.succeed(*self.train_command(*self.FLAGS))
        self.assertNotIn("run_best.pt", files_in(self.folder / "output"))

    def test_divergence(self):
        """Images of another step tell that there is nothing to save."""
        for flags in (["--use_lora", "--accumulate", 2], ["--cache_features", "memory"]):
            result = self.run_here(*self.train_command("--lr", 1e30, "--batch_size", 2, "--no_shuffle", *flags))
            self.assert_one_error(result, 1, "training diverged")
            self.assertRegex(result.stderr, "since the last checkpoint is not saved: step .*: training diverged and is not saved")
            self.assertEqual([name for name in files_in(self.folder / "output") if name.endswith(".pt")], [])

    def test_class_weights_and_shots(self):
        run = self.train("--use_lora", "--shots", 1, "--class_weights", "auto")
        self.assertEqual(len(run.config["facts"]["class_weights"]), CLASSES)
        self.assertEqual(run.config["facts"]["training_images"], len(run.config["facts"]["training_image_names"]))

    def test_reference_recipe(self):
        """Its picture is one of the training batch."""
        self.succeed(*self.train_command("--recipe", "reference-2025-08", "--epochs", 1, "--debug"))
        self.assertIn("run_viz_0.png", files_in(self.folder / "output"))


class Flags(UnmeasuredTest):
    def test_flags_of_validation(self):
        for flag, *value in (["--early_stop", 2], ["--best_metric", "miou"], ["--best_metric", "loss"], ["--debug"]):
            self.refused(*self.train_command(flag, *value), mentions=[f"{flag} needs validation images", self.data])
        self.succeed(*self.train_command("--early_stop", 0, "--val_every", 1))

    def test_pictures_of_augmented_images(self):
        self.succeed(*self.train_command("--debug", "--augment", "flip", "--use_lora"))
        pictures = [name for name in files_in(self.folder / "output") if name.endswith(".png")]
        self.assertEqual(pictures, ["run_augmented.png"])


class Halves(UnmeasuredTest):
    """What is half there is an error."""

    def test_empty_folders(self):
        for kind in ("images", "masks"):
            (self.folder_of(kind) / ".gitkeep").touch()
            self.assertIn(WARNING, self.succeed(*self.train_command()).stderr)

    def test_half_a_split(self):
        for kind, other in (("images", "masks"), ("masks", "images")):
            shutil.copytree(self.measured / kind / "val", self.folder_of(kind), dirs_exist_ok=True)
            self.refused(*self.train_command(), mentions=[f"{other}/val"])
            self.folder_of(other)
            self.refused(*self.train_command(), mentions=[f"{other}/val"])
            for folder in (kind, other):
                shutil.rmtree(self.data / folder / "val")

    def test_a_link_to_nothing(self):
        (self.data / "images" / "val").symlink_to("nowhere")
        self.refused(*self.train_command(), mentions=["images/val"])

    def test_other_commands(self):
        """They measure, and have nothing to do."""
        self.succeed(*self.train_command())
        for command in ("eval", "corrupt"):
            flags = ["--lora_weights", "output/run.pt", "--data_root", self.data, *model_flags(DINOV2)]
            self.refused(command, *flags, mentions=["no validation images", self.data / "images" / "val"])
        self.refused("eval", "--prototypes", *self.folder_flags(), *model_flags(DINOV2), mentions=["no validation images"])


class GoingOn(UnmeasuredTest):
    FLAGS = ["--use_lora", "--epochs", 4, "--val_every", 2, "--ema", 0.5, "--keep_checkpoints", "all"]

    def resume(self, *flags, **options):
        return self.succeed(*self.train_command(*self.FLAGS, *flags, "--resume", **options))

    def test_resume(self):
        """In the middle of an epoch, and at the end of one: to the same bits."""
        self.succeed(*self.train_command(*self.FLAGS, output="whole"))
        for steps in (2, 5, 6, 8):
            self.succeed(*self.train_command(*self.FLAGS, "--max_steps", steps))
            resumed = self.resume()
            self.assertIn(WARNING, resumed.stderr)
            self.assertNotIn("make no sense", resumed.stderr)
            for name in ("run.pt", "run_e1.pt", "run_e3.pt", "run_e4.pt", "run_metrics.json"):
                self.assertEqual((self.folder / "whole" / name).read_bytes(), (self.folder / "output" / name).read_bytes(), (steps, name))

    def test_a_checkpoint_that_was_owed(self):
        """As where a process ended between the last epoch's state and the checkpoint that is kept."""
        self.succeed(*self.train_command(*self.FLAGS))
        kept = (self.folder / "output" / "run_e4.pt").read_bytes()
        self.succeed(*self.train_command(*self.FLAGS, "--keep_checkpoints", "none"))
        self.resume()
        self.assertEqual((self.folder / "output" / "run_e4.pt").read_bytes(), kept)

    def test_images_that_come_or_go(self):
        self.succeed(*self.train_command(*self.FLAGS, "--max_steps", 3))
        with_images = self.train_command(*self.FLAGS, "--resume", data=self.measured_flags())
        self.refused(*with_images, mentions=["the validation images was none and is folder, 3 images"])
        self.succeed(*self.train_command(*self.FLAGS, "--max_steps", 3, data=self.measured_flags()))
        without = self.train_command(*self.FLAGS, "--resume")
        self.refused(*without, mentions=["the validation images was folder, 3 images", "and is none"])

    def test_state(self):
        self.succeed(*self.train_command(*self.FLAGS))
        texts = read_safetensors(self.folder / "output" / "run.state")[1]
        self.assertEqual(texts["best_epoch"], "-1")


class Reports(UnmeasuredTest):
    def sweep(self, *flags, data=None):
        return self.succeed("sweep", *(data or self.folder_flags()), *model_flags(DINOV2), "--epochs", 2, "--batch_size", 3, *flags)

    def test_a_comparison(self):
        self.succeed(*self.train_command("--exp_name", "blind"))
        self.succeed(*self.train_command("--exp_name", "seen", data=self.measured_flags()))
        self.succeed("report", "output", "--output", "runs.html")
        text = Page((self.folder / "runs.html").read_text()).text
        self.assertIn(f"blind {NOTE}", text)
        self.assertNotIn(f"seen {NOTE}", text)
        self.assertLess(text.index("1: seen"), text.index("2: blind"))

    def test_a_sweep(self):
        lists = ["--lr", "1e-3,1e-2", "--seed", "0,1", "--keep_checkpoints", 1]
        sentence = "4 of the 4 runs had no validation images: they have no scores"
        swept = self.sweep(*lists)
        self.assertEqual(swept.stderr.count(WARNING), 4)
        self.assertEqual(swept.stdout.count(sentence), 1)
        page = Page((self.folder / "output" / "run_sweep.html").read_text()).text
        self.assertEqual(page.count(sentence), 1)
        self.assertIn("that of the first run", page)
        with open(self.folder / "output" / "run_sweep.csv", newline="") as stream:
            rows = list(csv.DictReader(stream))
        self.assertEqual([row["run"].rsplit("/")[-1] for row in rows], [f"run_lr={lr}_seed={seed}" for lr in ("1e-3", "1e-2") for seed in (0, 1)])
        self.assertEqual({(row["best"], row["best_epoch"], row["val_loss"], row["group_mean"]) for row in rows}, {("", "", "", "")})
        self.assertIn("4 of them finished already", self.sweep(*lists).stderr)


if __name__ == "__main__":
    main()
