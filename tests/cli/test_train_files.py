"""The files that dinoft train leaves, and what it prints."""

import os
import pty
import re
import unittest

import event_records
from png_files import RGB, read_png
from support import DINOV2, DINOV3, FIXTURES, files_in, main, read_terminal, start_program, unknown_log_lines
from tensor_files import read_torch
from training import CLASSES, TrainingTest

try:
    import torch
except ImportError:
    torch = None


class Checkpoint(TrainingTest):
    """NAME.pt is what the reference project would have saved, and one key more."""

    def check_like_the_reference(self, fixture, *flags, backbone=DINOV2):
        run = self.train(*flags, backbone=backbone)
        expected = read_torch(FIXTURES / fixture)
        self.assertEqual(list(run.tensors), list(expected), "the keys and their order")
        for name, tensor in run.tensors.items():
            self.assertEqual(tensor.parameter, expected[name].parameter, name)
            self.assertEqual(tensor.dtype, expected[name].dtype, name)
            self.assertEqual(tensor.device, "cpu", name)
            self.assertEqual(len(tensor.shape), len(expected[name].shape), name)
        return run

    def test_lora_linear(self):
        run = self.check_like_the_reference("dinov2_tiny_reg/init_lora_linear.pt", "--use_lora")
        self.assertTrue(run.tensors["w_a_000"].parameter)
        self.assertFalse(run.tensors["classifier.weight"].parameter)

    def test_linear(self):
        self.check_like_the_reference("dinov3_tiny/init_linear.pt", backbone=DINOV3)

    def test_lora_fpn(self):
        run = self.check_like_the_reference("dinov2_tiny_reg/init_lora_fpn.pt", "--use_lora", "--use_fpn")
        self.assertEqual(run.tensors["conv1.1.num_batches_tracked"].dtype, "I64")
        self.assertEqual(run.tensors["conv1.1.num_batches_tracked"].shape, ())

    def test_record_is_the_last_key(self):
        run = self.train("--use_lora")
        entries = read_torch(self.folder / "output" / "run.pt")
        self.assertEqual(list(entries)[-1], "dinoft")
        self.assertIsInstance(entries["dinoft"], str)
        for key in (
            "version",
            "backbone",
            "dataset",
            "normalize",
            "decoder",
            "rank",
            "n_classes",
            "img_dim",
            "class_names",
        ):
            self.assertIn(key, run.record)

    @unittest.skipIf(torch is None, "PyTorch cannot be imported: torch.load is not tried")
    def test_torch_reads_it(self):
        run = self.train("--use_lora", "--use_fpn")
        loaded = torch.load(self.folder / "output" / "run.pt", weights_only=True)
        self.assertEqual([key for key in loaded if key != "dinoft"], list(run.tensors))
        for name, tensor in run.tensors.items():
            self.assertEqual(isinstance(loaded[name], torch.nn.Parameter), tensor.parameter)
            self.assertEqual(tuple(loaded[name].shape), tensor.shape)


class Logs(TrainingTest):
    def test_metrics(self):
        run = self.train("--epochs", 3, "--val_every", 2)
        self.assertEqual(
            set(run.metrics),
            {"train_loss", "val_loss", "val_iou", "val_pixel_accuracy", "val_reference_iou", "val_reference_miou",
             "val_epoch", "class_names", "val_class_iou"},
        )
        self.assertEqual(len(run.metrics["train_loss"]), 3)
        self.assertEqual(run.metrics["val_epoch"], [1, 3])
        for key in ("val_loss", "val_iou", "val_pixel_accuracy", "val_class_iou", "val_reference_iou", "val_reference_miou"):
            self.assertEqual(len(run.metrics[key]), 2, key)
        for key in ("val_iou", "val_reference_iou", "val_reference_miou"):
            self.assertTrue(all(0 <= value <= 1 for value in run.metrics[key]), key)
        self.assertEqual(len(run.metrics["class_names"]), CLASSES)
        for miou, iou in zip(run.metrics["val_iou"], run.metrics["val_class_iou"], strict=True):
            self.assertEqual(len(iou), CLASSES)
            known = [value for value in iou if value is not None]
            self.assertAlmostEqual(miou, sum(known) / len(known))

    def test_validation_by_default(self):
        run = self.train("--epochs", 7, "--max_steps", 0, "--batch_size", 5)
        self.assertEqual(run.metrics["val_epoch"], [1, 6, 7])

    def test_train_loss_is_the_mean_of_the_steps(self):
        run = self.train("--epochs", 2, "--val_every", 1)
        for epoch in range(2):
            losses = [float(row["loss"]) for row in run.steps if row["epoch"] == str(epoch + 1)]
            self.assertAlmostEqual(run.metrics["train_loss"][epoch], sum(losses) / len(losses), places=5)

    def test_steps(self):
        run = self.train("--epochs", 3, "--batch_size", 2)
        self.assertEqual([row["step"] for row in run.steps], [str(step) for step in range(1, 10)])
        self.assertEqual([row["epoch"] for row in run.steps], list("111222333"))
        self.assertTrue(all(float(row["images_per_second"]) > 0 for row in run.steps))

    def test_config_has_every_setting(self):
        run = self.train("--seed", 12345678901234567)
        help_text = self.succeed("train", "--help").stdout
        flags = set(re.findall(r"^  --(\w+)", help_text, re.MULTILINE))
        self.assertGreater(len(flags), 20)
        self.assertEqual(set(run.config), flags | {"dinoft", "command", "facts"})
        self.assertEqual(run.config["command"], "train")
        self.assertEqual(run.config["seed"], "12345678901234567")  # which a double would round
        self.assertEqual((run.config["lr"], run.config["val_every"]), (3e-4, 5))
        self.assertEqual(run.config["img_dim"], list(DINOV2.size))

    def test_nothing_else_is_written(self):
        self.train()
        (events,) = event_records.paths(self.folder / "output" / "run_tb")
        self.assertEqual(
            sorted(set(files_in(self.folder / "output")) - {f"run_tb/{events.name}"}),
            ["run.pt", "run.state", "run_best.pt", "run_config.json", "run_metrics.json", "run_report.html", "run_steps.csv"],
        )
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["data", "output"])

    def test_debug_pictures(self):
        self.train("--debug", "--epochs", 3, "--val_every", 2)
        pictures = [name for name in files_in(self.folder / "output") if name.endswith(".png")]
        self.assertEqual(pictures, ["run_viz_1.png", "run_viz_3.png"])
        found = [read_png(self.folder / "output" / name) for name in pictures]
        for picture in found:
            self.assertEqual(picture.kind, RGB)
            self.assertGreater(len(set(picture.pixels)), 10)
        self.assertEqual(*[picture.width for picture in found])

    def test_augmented_images(self):
        """What the checkpoint's record and a picture say of them."""
        run = self.train("--debug", "--augment", "standard", "--augment_scale", 0.75, 1.5, "--use_lora")
        self.assertIn("augmentation standard, scale 0.75 to 1.5", run.result.stderr)
        self.assertEqual(run.record["augmentation"], "standard, scale 0.75 to 1.5")
        self.assertIn("standard, scale 0.75 to 1.5", self.succeed("info", "output/run.pt").stdout)
        picture = read_png(self.folder / "output" / "run_augmented.png")
        self.assertEqual(picture.kind, RGB)
        self.assertGreater(len(set(picture.pixels)), 10)
        short = self.train("--debug", "--resize", "short", "--use_lora", output="short")
        self.assertEqual((short.record["augmentation"], short.record["resize"], short.config["resize"]), ("none, resize short", "short", "short"))
        self.assertNotEqual(read_png(self.folder / "short" / "run_augmented.png"), picture)
        plain = self.train("--debug", "--use_lora", "--overwrite", output="plain")
        self.assertNotIn("augmentation", plain.record)
        self.assertNotIn("run_augmented.png", files_in(self.folder / "plain"))
        self.assertNotEqual(plain.tensors, run.tensors)

    def test_main_py_s_picture(self):
        self.train("--debug", "--recipe", "reference", "--warmup_epochs", 1, "--epochs", 2, "--val_every", 1)
        pictures = [name for name in files_in(self.folder / "output") if name.endswith(".png")]
        self.assertEqual(pictures, ["run_viz_0.png", "run_viz_1.png"])
        for name in pictures:
            picture = read_png(self.folder / "output" / name)
            self.assertEqual((picture.height, picture.width), DINOV2.size)
            self.assertEqual(picture.kind, RGB)
            self.assertGreater(len(set(picture.pixels)), 10)

    def test_main_py_s_picture_of_an_augmented_image(self):
        """The one that the model was given: small in its corner, and far from it the mean colour, under the classes' colours."""
        flags = ["--recipe", "reference", "--warmup_epochs", 1, "--epochs", 2, "--val_every", 2]
        self.train("--debug", *flags, "--augment", "standard", "--augment_scale", 0.1, 0.1)
        picture = read_png(self.folder / "output" / "run_viz_1.png")
        height, width = DINOV2.size
        far = [picture.pixels[3 * (y * width + x) :][:3] for y in range(height // 2, height) for x in range(width // 2, width)]
        self.assertLessEqual(len(set(far)), CLASSES)


class Output(TrainingTest):
    def test_plain_lines_in_a_file(self):
        stderr = self.train("--epochs", 2).result.stderr
        self.assertNotIn("\r", stderr)
        self.assertNotIn("\x1b", stderr)
        self.assertEqual(unknown_log_lines(stderr), [])
        self.assertRegex(stderr, r"(?m)^epoch 2/2 2/2  loss [\d.]+  best [\d.]+ %  lr 0.0003  [\d.]+ img/s  time 0:\d\d  eta 0:\d\d$")

    def test_what_is_logged(self):
        stderr = self.train("--use_lora", "--use_fpn", "--device", "cpu").result.stderr
        for words in (
            str(DINOV2.weights),
            "LoRA of rank 3",
            "decoder fpn",
            f"{CLASSES} classes",
            "112 x 140",
            "normalize imagenet",
            "trained parameters",
            "device cpu",
            "5 training and 3 validation images of folder",
        ):
            self.assertIn(words, stderr)

    def test_validation_is_printed(self):
        run = self.train("--epochs", 2, "--val_every", 1)
        lines = run.result.stdout.splitlines()
        self.assertEqual(len(lines), 2)
        for epoch, line in enumerate(lines):
            found = re.fullmatch(
                rf"epoch {epoch + 1}/2: train loss ([\d.]+), val loss ([\d.]+), mIoU ([\d.]+) %, "
                r"pixel accuracy ([\d.]+) %",
                line,
            )
            self.assertIsNotNone(found, line)
            printed = [float(text) for text in found.groups()]
            losses, shares = ("train_loss", "val_loss"), ("val_iou", "val_pixel_accuracy")
            self.assert_values_near(printed[:2], [run.metrics[key][epoch] for key in losses], 6e-5)
            self.assert_values_near(printed[2:], [100 * run.metrics[key][epoch] for key in shares], 6e-3)

    def test_the_reference_numbers_are_printed_for_its_recipe(self):
        run = self.train("--recipe", "reference", "--epochs", 1)
        found = re.search(
            r", reference IoU \(August 2025\) ([\d.]+) %, reference mIoU \(October 2025\) ([\d.]+) %$",
            run.result.stdout.strip(),
        )
        written = [100 * run.metrics[f"val_{key}"][0] for key in ("reference_iou", "reference_miou")]
        self.assert_values_near([float(text) for text in found.groups()], written, 6e-3)

    def test_progress_bar_on_a_terminal(self):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        process = start_program(*self.train_command(), cwd=self.folder, stderr=slave)
        os.close(slave)
        shown = read_terminal(master)
        self.assertEqual(process.wait(timeout=60), 0)
        self.assertIn("\r", shown)
        self.assertRegex(shown, r"epoch 1/1 \[=+>? *\] +2/2  loss ")
        longest = max(
            len(line)
            for line in re.split(r"[\r\n]+", shown.replace("\x1b[K", ""))
            if not line.startswith("dinoft: ")
        )
        self.assertLess(longest, 80)

    def test_help(self):
        for command, words in (
            (
                "train",
                ["--exp_name NAME", "(default: 490 490)", "(default: 2e-3)", "(default: 12)", "(default: ade20k)"],
            ),
            ("eval", ["--eval_size network|original"]),
            ("predict", ["--save_logits", "(required)"]),
            ("features", ["--layers N"]),
            ("convert", ["--naming official|huggingface"]),
            ("info", ["FILE"]),
            ("demo-data", ["--train_images N", "(default: 48)"]),
        ):
            text = self.succeed(command, "--help").stdout
            self.assertTrue(text.startswith("usage: dinoft "), command)
            for word in words:
                self.assertIn(word, text)

    def test_help_of_the_program(self):
        for arguments in ([], ["--help"], ["-h"], ["help"]):
            text = self.succeed(*arguments).stdout
            for command in ("train", "eval", "predict", "features", "convert", "info", "demo-data"):
                self.assertRegex(text, rf"(?m)^  {command} ")


if __name__ == "__main__":
    main()
