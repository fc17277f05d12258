"""dinoft train --shots: which images a run takes, and that they are its training images everywhere."""

import math

from datasets import IGNORE, voc_demo, voc_folder
from png_files import read_png
from support import main
from training import TrainingTest

DATA = ["--dataset", "voc", "--data_root", voc_demo(24, 2)]
CLASSES = 21


def labels_of(name):
    """Pixels of each label in an image's mask."""
    pixels = read_png(voc_folder(voc_demo(24, 2)) / "SegmentationClass" / f"{name}.png").pixels
    return {label: pixels.count(bytes([label])) for label in set(pixels) - {IGNORE}}


def all_names():
    return (voc_folder(voc_demo(24, 2)) / "ImageSets" / "Segmentation" / "train.txt").read_text().split()


class ShotsTest(TrainingTest):
    def shots(self, count, *flags, **options):
        """A run, and the names of its training images."""
        run = self.train("--shots", count, *flags, data=DATA, **options)
        facts = run.config["facts"]
        self.assertEqual(facts["training_images"], len(facts["training_image_names"]))
        self.assertEqual(run.config["shots"], count)
        return run, facts["training_image_names"]


class Choice(ShotsTest):
    def test_every_class_has_its_images(self):
        run, chosen = self.shots(6)
        shown = {name: set(labels_of(name)) for name in all_names()}
        few = []
        for label in range(CLASSES):
            count = sum(label in labels for labels in shown.values())
            taken = sum(label in shown[name] for name in chosen)
            self.assertGreaterEqual(taken, min(count, 6))
            few += [count] if 0 < count < 6 else []
        self.assertEqual(chosen, [name for name in all_names() if name in set(chosen)])  # the list's order
        self.assertLess(len(chosen), 24)
        self.assertIn(f"--shots 6, --seed 0: {len(chosen)} of the 24 training images", run.result.stderr)
        self.assertGreater(len(few), 0)
        self.assertRegex(
            run.result.stderr,
            rf"warning: {len(few)} of the 21 classes (is|are) in fewer than 6 training images, which are all taken: \w+ \({few[0]}\)",
        )

    def test_it_depends_on_the_seed_alone(self):
        _, chosen = self.shots(1, "--num_workers", 1, "--threads", 1)
        _, again = self.shots(1, "--num_workers", 3, "--threads", 2, "--img_dim", 84, 70, "--void_as_background")
        _, other = self.shots(1, "--seed", 1)
        self.assertEqual(chosen, again)
        self.assertNotEqual(chosen, other)

    def test_threads_change_no_bit(self):
        flags = ["--shots", 1, "--class_weights", "sqrt"]
        one = self.trained_bytes(*flags, "--num_workers", 1, "--threads", 1, data=DATA, output="one")
        more = self.trained_bytes(*flags, "--num_workers", 3, "--threads", 2, data=DATA, output="more")
        self.assertEqual(one, more)

    def test_all_images_where_none_is_typed(self):
        self.assertNotIn("training_image_names", self.train(data=DATA).config["facts"])


class Use(ShotsTest):
    def test_class_weights_are_those_of_the_chosen_images(self):
        run, chosen = self.shots(2, "--class_weights", "auto")
        pixels = [0] * CLASSES
        for name in chosen:
            for label, count in labels_of(name).items():
                pixels[label] += count
        expected = [1 / math.log(1.02 + count / sum(pixels)) for count in pixels]
        self.assert_values_near(run.config["facts"]["class_weights"], expected, 1e-5)

    def test_augmentation_balanced_by_class(self):
        flags = ["--augment", "standard", "--crop_class_balance"]
        _, plain = self.shots(2)
        _, chosen = self.shots(2, *flags)
        self.assertEqual(plain, chosen)

    def test_kept_features_are_of_these_images(self):
        self.shots(2, "--epochs", 2, "--cache_features", "file")
        run, _ = self.shots(2, "--epochs", 2, "--cache_features", "file")
        self.assertIn("nothing is computed again", run.result.stderr)
        run, _ = self.shots(2, "--epochs", 2, "--cache_features", "file", "--seed", 1)
        self.assertNotIn("nothing is computed again", run.result.stderr)

    def test_a_run_goes_on_with_the_same_images_alone(self):
        self.shots(2, "--epochs", 3, "--max_steps", 2)
        command = [word for word in self.train_command("--epochs", 3, data=DATA) if word != "--overwrite"]
        self.succeed(*command, "--shots", 2, "--resume")
        for flags in ([], ["--shots", 1]):
            self.refused(*command, *flags, "--resume", mentions=["the training images", "cannot be resumed"])

    def test_the_record_repeats_it(self):
        _, chosen = self.shots(2, "--seed", 3)
        self.succeed("train", "--config", self.folder / "output" / "run_config.json", "--exp_name", "again")
        facts = self.read_json(self.folder / "output" / "again_config.json")["facts"]
        self.assertEqual(facts["training_image_names"], chosen)


class Folders(TrainingTest):
    def test_a_folder_of_ones_own(self):
        run = self.train("--shots", 1)
        self.assertLess(run.config["facts"]["training_images"], 5)

    def test_no_number(self):
        self.refused(*self.train_command("--shots", 0), status=2, mentions=["--shots", "at least 1"])


if __name__ == "__main__":
    main()
