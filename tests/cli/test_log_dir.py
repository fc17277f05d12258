"""dinoft train: what TensorBoard is shown."""

import json

from event_records import Events, paths
from png_files import read_png
from support import files_in, main
from training import CLASSES, TrainingTest

FLAGS = ["--epochs", 3, "--val_every", 2, "--batch_size", 2, "--grad_clip", 1]


class LogDir(TrainingTest):
    def events(self, folder="output/run_tb"):
        return Events(self.folder / folder)

    def test_steps(self):
        run = self.train(*FLAGS)
        events = self.events()
        for tag, column in (("loss", "loss"), ("learning_rate", "lr"), ("gradient_norm", "gradient_norm"),
                            ("images_per_second", "images_per_second")):  # fmt: skip
            points = events.scalars[f"train/{tag}"]
            self.assertEqual([point.step for point in points], [int(row["step"]) for row in run.steps])
            for point, row in zip(points, run.steps, strict=True):
                self.assertAlmostEqual(point.value / float(row[column]), 1, places=4)

    def test_epochs_and_validations(self):
        run = self.train(*FLAGS)
        events = self.events()
        self.assertEqual(events.values("epoch/epoch"), [1, 2, 3])
        self.assertEqual(events.steps("epoch/epoch"), [3, 6, 9])
        self.assert_values_near(events.values("epoch/train_loss"), run.metrics["train_loss"], 1e-6)
        for tag, key in (("loss", "loss"), ("miou", "iou"), ("pixel_accuracy", "pixel_accuracy"),
                         ("reference_miou", "reference_miou")):  # fmt: skip
            self.assertEqual(events.steps(f"validation/{tag}"), [3, 9])
            self.assert_values_near(events.values(f"validation/{tag}"), run.metrics[f"val_{key}"], 1e-6)
        memory = next(tag for tag in events.scalars if tag.startswith("memory/"))
        self.assertTrue(all(value > 1 for value in events.values(memory)))

    def test_classes(self):
        run = self.train(*FLAGS)
        events = self.events()
        self.assertEqual(len(run.metrics["class_names"]), CLASSES)
        for i, name in enumerate(run.metrics["class_names"]):
            known = [iou[i] for iou in run.metrics["val_class_iou"] if iou[i] is not None]
            self.assert_values_near(events.values(f"iou/{i} {name}"), known, 1e-6)

    def test_images(self):
        """All three validation images, the same each time; the predictions change."""
        self.train(*FLAGS, "--lr", 0.03)
        images = self.events().images
        self.assertEqual(sorted(images), ["validation/0 00", "validation/1 01", "validation/2 02"])
        for shown in images.values():
            self.assertEqual([image.step for image in shown], [3, 9])
            for image in shown:
                (self.folder / "image.png").write_bytes(image.png)
                picture = read_png(self.folder / "image.png")
                self.assertEqual((picture.width, picture.height), (image.width, image.height))
                self.assertGreater(image.width, 2 * image.height)
        self.assertTrue(any(shown[0].png != shown[1].png for shown in images.values()))

    def test_configuration(self):
        self.train(*FLAGS)
        (text,) = self.events().texts["config"]
        self.assertEqual(text.step, 0)
        written = (self.folder / "output" / "run_config.json").read_text()
        self.assertEqual(json.loads(text.text.removeprefix("```json").removesuffix("```\n")), json.loads(written))

    def test_another_folder(self):
        self.train("--log_dir", "logs/a")
        self.assertEqual(len(self.events("logs/a").steps("train/loss")), 2)
        self.assertNotIn("run_tb", files_in(self.folder / "output"))

    def test_none(self):
        self.train("--log_dir", "none")
        self.assertEqual([path for path in self.folder.rglob("*tfevents*")], [])
        self.assertFalse((self.folder / "none").exists())

    def test_an_older_run_s_are_replaced(self):
        self.train(*FLAGS)
        (older,) = paths(self.folder / "output" / "run_tb")
        other = self.folder / "output" / "run_tb" / "events.out.tfevents.1.host"
        other.write_bytes(b"another program's")
        self.train()
        self.assertFalse(older.exists())
        self.assertTrue(other.exists())
        self.assertEqual(self.events().steps("train/loss"), [1, 2])

    def test_another_run_s_are_not(self):
        self.train("--log_dir", "logs")
        before = self.events("logs").scalars
        flags = ["--log_dir", "logs", "--exp_name", "other"]
        command = [word for word in self.train_command(*flags) if word != "--overwrite"]
        self.refused(*command, mentions=["logs", "--log_dir", "--overwrite"])
        self.assertEqual(self.events("logs").scalars, before)
        self.assertNotIn("other.pt", files_in(self.folder / "output"))
        self.refused(*command, "--resume", "auto", mentions=["logs", "another run"])
        self.assertEqual(self.events("logs").scalars, before)
        self.succeed(*self.train_command(*flags))

    def test_its_own_of_a_run_that_was_killed_early(self):
        """Before its first state; it begins once more."""
        flags = ["--log_dir", "logs", "--resume", "auto"]
        self.train(*flags)
        for name in ("run.pt", "run.state", "run_best.pt"):
            (self.folder / "output" / name).unlink()
        self.succeed(*[word for word in self.train_command(*flags) if word != "--overwrite"])
        self.assertEqual(self.events("logs").steps("train/loss"), [1, 2])

    def test_another_run_s_are_left_alone_by_one_that_goes_on(self):
        """It has a warning, the curves of the other stay, and the model goes on."""
        self.succeed(*self.train_command("--exp_name", "other", "--epochs", 2))
        self.train("--epochs", 1)
        before = self.events("output/other_tb").scalars
        command = self.train_command("--epochs", 2, "--resume", "--log_dir", "output/other_tb")
        stderr = self.succeed(*[word for word in command if word != "--overwrite"]).stderr
        self.assertIn("warning: the TensorBoard log does not go on", stderr)
        self.assertIn("is of another run", stderr)
        self.assertEqual(self.events("output/other_tb").scalars, before)
        self.assertEqual(len(self.read_run().steps), 4)

    def test_a_place_that_cannot_be_written(self):
        (self.folder / "logs").write_text("")
        self.refused(*self.train_command("--log_dir", "logs"), mentions=["logs"])


if __name__ == "__main__":
    main()
