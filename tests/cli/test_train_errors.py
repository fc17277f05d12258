"""dinoft train when the data, the checkpoint or the disk is wrong. What was saved before stays whole."""

import csv
import math
import os
import re
import shutil

from datasets import make_folder, voc_demo
from png_files import GREY, RGB, Picture, write_png
from support import CHANNELS, DINOV3, FIXTURES, LINEAR, contents, file_size_limit, files_in, folder_data, leftovers, main
from tensor_files import read_checkpoint
from training import CLASSES, TrainingTest

SEED = FIXTURES / "seed_checkpoints" / "dinov3" / "large_voc_lora.pt"  # of a backbone of 1024 channels
SPACE = 8192  # bytes: enough for all that train writes but for the checkpoint


class RefusalTest(TrainingTest):
    def check(self, flags, *mentions, **options):
        """The run is refused before its first step: nothing is written."""
        self.refused(*self.train_command(*flags, **options), mentions=mentions)
        self.assertEqual([name for name in files_in(self.folder) if name.startswith("output")], [])


class Data(RefusalTest):
    def image(self, split="train", number=1):
        return self.data / "images" / split / f"{number:02}.png"

    def mask(self, split="train", number=1):
        return self.data / "masks" / split / f"{number:02}.png"

    def stopped(self, *mentions):
        """The fault comes up at the file, which may be during the run: no checkpoint is made from it."""
        self.refused(*self.train_command("--batch_size", 5), mentions=mentions)
        self.assertFalse((self.folder / "output" / "run.pt").exists())
        self.assertEqual(leftovers(self.folder), [])

    def test_missing_folder(self):
        shutil.rmtree(self.data / "masks" / "val")
        self.check([], self.data / "masks" / "val")

    def test_empty_folder(self):
        for path in list((self.data / "images" / "train").iterdir()) + list(
            (self.data / "masks" / "train").iterdir()
        ):
            path.unlink()
        self.check([], self.data / "images" / "train")

    def test_missing_mask(self):
        self.mask().unlink()
        self.check([], self.mask(), "missing")

    def test_missing_image(self):
        self.image("val").unlink()
        self.check([], "01.png")

    def test_missing_data_set(self):
        self.check([], "nowhere", "train.txt", data=["--dataset", "voc", "--data_root", "nowhere"])
        self.check([], "nowhere", data=["--dataset", "ade20k", "--data_root", "nowhere"])

    def test_listed_image_is_missing(self):
        shutil.copytree(voc_demo(), self.folder / "voc")
        picture = sorted((self.folder / "voc" / "VOCdevkit" / "VOC2012" / "JPEGImages").glob("train*"))[0]
        picture.unlink()
        self.check([], picture, "missing", data=["--dataset", "voc", "--data_root", self.folder / "voc"])

    def test_unreadable_image(self):
        self.image().write_bytes(self.image().read_bytes()[:200])
        self.stopped(self.image())

    def test_image_that_is_none(self):
        self.image().write_text("not a picture")
        self.stopped(self.image())

    def test_unreadable_mask(self):
        self.mask().write_bytes(self.mask().read_bytes()[:60])
        self.stopped(self.mask())

    def test_colour_picture_as_a_mask(self):
        write_png(self.mask(), Picture(61, 48, RGB, bytes([0, 1, 2] * (61 * 48))))
        self.stopped(self.mask(), "mask", "#000102", "--palette")

    def test_sizes_that_differ(self):
        write_png(self.mask(), Picture(40, 30, GREY, bytes(40 * 30)))
        self.stopped(self.image(), self.mask(), "61 x 48", "40 x 30")

    def test_label_out_of_range(self):
        pixels = bytearray(61 * 48)
        pixels[61 * 7 + 9] = CLASSES
        write_png(self.mask(), Picture(61, 48, GREY, bytes(pixels)))
        self.stopped(self.mask(), f"label {CLASSES}", "column 9, row 7", f"largest allowed is {CLASSES - 1}")

    def test_class_names_of_another_number(self):
        (self.folder / "names.txt").write_text("one\ntwo\n")
        self.check(["--class_names", "names.txt"], "names.txt", 2, CLASSES)

    def test_class_names_that_are_no_text(self):
        """The checkpoint records them, and nobody could read it: PyTorch wants UTF-8."""
        (self.folder / "names.txt").write_bytes(b"sky\nh\xe4user\ntree\nroad\n")
        self.check(["--class_names", "names.txt"], "names.txt", "line 2", "UTF-8")

    def test_faulty_validation_image_does_not_cost_the_training(self):
        """The checkpoint is written before the validation."""
        self.image("val").write_text("not a picture")
        for flags in ([], ["--use_lora"], ["--use_lora", "--resize", "short"], ["--resize", "short"]):
            self.refused(*self.train_command(*flags), mentions=[self.image("val")])
            tensors, _ = read_checkpoint(self.folder / "output" / "run.pt")
            self.assertIn("classifier.weight", tensors)


class Checkpoints(RefusalTest):
    """--lora_weights must be what the flags ask for; both sides are named."""

    VOC = ["--dataset", "voc", "--data_root"]

    def check_voc(self, flags, *mentions, **options):
        self.check(flags, *mentions, data=[*self.VOC, voc_demo()], **options)

    def test_another_rank(self):
        self.check_voc(["--use_lora", "--r", 5, "--lora_weights", LINEAR], LINEAR, 3, 5)

    def test_lora_that_was_not_asked_for(self):
        self.check_voc(["--no_use_lora", "--lora_weights", LINEAR], LINEAR, "--no_use_lora")

    def test_another_backbone(self):
        self.check_voc(["--use_lora", "--lora_weights", SEED], SEED, 1024, CHANNELS, backbone=DINOV3)


class Saved(TrainingTest):
    """What an earlier run left."""

    def setUp(self):
        super().setUp()
        self.train("--use_lora", "--seed", 1)
        self.before = contents(self.folder / "output")

    def test_early_failures_touch_nothing(self):
        for flags in (
            ["--weights", "gone.pth"],
            ["--lora_weights", "gone.pt"],
            ["--no_use_lora", "--lora_weights", LINEAR],
            ["--img_dim", 8, 8],
            ["--data_root", "nowhere"],
            ["--use_fpn", "--img_dim", 56, 56],
        ):
            self.refused(*self.train_command(*flags))
            self.assertEqual(contents(self.folder / "output"), self.before, flags)

    def test_wrong_usage_touches_nothing(self):
        self.refused(*self.train_command("--lr", "x"), status=2, mentions=["--lr"])
        self.assertEqual(contents(self.folder / "output"), self.before)

    def test_failure_during_the_run(self):
        (self.data / "images" / "train" / "04.png").write_text("not a picture")
        self.refused(*self.train_command("--no_shuffle", "--batch_size", 1), mentions=["04.png"])
        after = contents(self.folder / "output")
        self.assertEqual(after["run.pt"], self.before["run.pt"])
        self.assertEqual(leftovers(self.folder), [])

    def test_what_was_trained_until_a_failure_is_kept(self):
        (self.data / "images" / "train" / "04.png").write_text("not a picture")
        command = self.train_command("--no_shuffle", "--batch_size", 1)
        result = self.run_here(*command)
        self.assertEqual(result.status, 1)
        self.assertIn("run_stopped.pt", result.stderr)
        info = self.run_here("info", self.folder / "output" / "run_stopped.pt")
        self.assertEqual(info.status, 0, info.stderr)

    def test_divergence(self):
        self.refused(
            *self.train_command(
                "--use_lora", "--lr", 1e30, "--epochs", 3, "--batch_size", 1, "--val_every", 3
            ),
            mentions=["learning rate", "step"],
        )
        after = contents(self.folder / "output")
        for name in ("run.pt", "run_best.pt"):
            self.assertEqual(after[name], self.before[name])

    def divergence(self, *flags):
        """The line of error, and the step that it is about. Of ten images in their order."""
        if not (self.folder / "ten").exists():
            make_folder(self.folder / "ten", train=10, n_classes=CLASSES)
        data = [*folder_data(self.folder / "ten"), "--n_classes", CLASSES]
        flags = ["--use_lora", "--lr", 1e30, "--no_shuffle", *flags]
        line = self.refused(*self.train_command(*flags, data=data))
        step = int(re.search(r"error: step (\d+): training diverged", line).group(1))
        with open(self.folder / "output" / "run_steps.csv", newline="") as stream:
            rows = list(csv.DictReader(stream))
        bad = [not all(math.isfinite(float(row[key])) for key in ("loss", "gradient_norm")) for row in rows]
        self.assertEqual(bad, [False] * (step - 1) + [True])
        self.assertNotIn("-nan", line + str(rows))
        self.assertNotIn("run_stopped.pt", files_in(self.folder / "output"))
        return line, step

    def image(self, number):
        return f"{self.folder}/ten/images/train/{number:02}.png"

    def test_divergence_names_the_images(self):
        line, step = self.divergence("--batch_size", 1)
        self.assertTrue(line.endswith(f"; images: {self.image(step - 1)}"), line)
        self.assertRegex(line, "; the first tensor that is not finite: (the logits|the (parameter|gradient of) [a-z]+[\\w.]+); ")
        for flags in ([], ["--accumulate", 5]):
            line, step = self.divergence("--batch_size", 5, *flags)
            self.assertEqual(step, 2)
            self.assertTrue(line.endswith(f"; images: {self.image(5)}, {self.image(6)}, {self.image(7)} and 2 more"), line)

    def test_full_disk(self):
        """A limit on the size of files stands for a disk that has no space for the checkpoint."""
        self.assertGreater(len(self.before["run.pt"]), 2 * SPACE)
        result = self.run_here(
            *self.train_command("--use_lora", "--seed", 2), preexec_fn=file_size_limit(SPACE)
        )
        self.assert_one_error(result, 1, "output/run.", "File too large")
        self.assertEqual(contents(self.folder / "output")["run.pt"], self.before["run.pt"])
        self.assertEqual(leftovers(self.folder), [])

    def test_device_in_the_place_of_the_log(self):
        """A log that could not be kept is refused before the training, not at its first line."""
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full here")
        (self.folder / "output" / "run_steps.csv").unlink()
        (self.folder / "output" / "run_steps.csv").symlink_to("/dev/full")
        self.refused(*self.train_command(), mentions=["run_steps.csv", "not a regular file"])


class Outputs(TrainingTest):
    def test_folder_below_a_file(self):
        (self.folder / "file").write_text("kept")
        self.refused(*self.train_command(output="file/out"), mentions=["file"])
        self.assertEqual((self.folder / "file").read_text(), "kept")

    def test_read_only_folder(self):
        if os.geteuid() == 0:
            self.skipTest("root may write to every folder")
        (self.folder / "output").mkdir(mode=0o555)
        self.refused(*self.train_command(), mentions=["output", "Permission denied"])

    def test_folder_in_the_place_of_the_checkpoint(self):
        """Told before the training, not after its first epoch."""
        (self.folder / "output" / "run.pt").mkdir(parents=True)
        result = self.run_here(*self.train_command())
        self.assert_one_error(result, 1, "output/run.pt")
        self.assertNotIn("epoch 1/1 2/2", result.stderr)


if __name__ == "__main__":
    main()
