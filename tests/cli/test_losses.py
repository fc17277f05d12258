"""dinoft train: losses that are more than plain cross-entropy."""

import math

from datasets import make_folder
from png_files import read_png
from support import main
from training import CLASSES, TrainingTest


class LossTest(TrainingTest):
    def facts(self, run):
        return run.config["facts"]


class ClassWeights(LossTest):
    def shares(self):
        pixels = b"".join(read_png(path).pixels for path in sorted((self.data / "masks" / "train").iterdir()))
        counts = [pixels.count(label) for label in range(CLASSES)]
        return [count / sum(counts) for count in counts]

    def test_shares_of_the_masks(self):
        run = self.train("--class_weights", "auto", "--num_workers", 2)
        expected = [1 / math.log(1.02 + share) for share in self.shares()]
        for found, wanted in zip(self.facts(run)["class_weights"], expected):
            self.assertAlmostEqual(found, wanted, delta=1e-5 * wanted)
        self.assertIn("class weights: class_0 ", run.result.stderr)
        self.assertRegex(run.record["loss"], "^ce, class weights [0-9a-f]{16}$")

    def test_weights_change_what_is_trained(self):
        plain, again = self.train(output="plain"), self.train("--class_weights", "none", output="again")
        self.assertEqual(plain.tensors, again.tensors)
        self.assertNotIn("loss", plain.record)
        self.assertNotIn("class_weights", self.facts(plain))
        ones = self.train("--class_weights", "class_0=1", output="ones")
        self.assertAlmostEqual(float(ones.steps[-1]["loss"]), float(plain.steps[-1]["loss"]), places=5)
        other = self.train("--class_weights", "class_0=10,class_2=0", output="other")
        self.assertNotAlmostEqual(float(other.steps[0]["loss"]), float(plain.steps[0]["loss"]), places=3)

    def test_validation_stays_plain(self):
        flags = ["--lr", "1e-12", "--grad_clip", "1e-6"]
        plain = self.train(*flags, output="plain")
        weighted = self.train(*flags, "--class_weights", "class_0=10,class_2=0", "--label_smoothing", 0.2, output="weighted")
        self.assertNotAlmostEqual(plain.metrics["train_loss"][0], weighted.metrics["train_loss"][0], places=3)
        self.assertAlmostEqual(plain.metrics["val_loss"][0], weighted.metrics["val_loss"][0], places=6)

    def test_only_classes_without_weight(self):
        """A step whose labels all weigh 0 has no loss, and has not diverged."""
        self.data = make_folder(self.folder / "one", n_classes=1)
        flags = ["--mask_values", "0,1,2,3", "--class_weights", "class_0=0", "--label_smoothing", 0.1]
        self.refused(*self.train_command(*flags), mentions=["a label whose class weighs more than 0"])

    def test_what_is_no_weight(self):
        self.refused(*self.train_command("--class_weights", "class_9=2"), mentions=["there is no class 'class_9'"])
        self.refused(*self.train_command("--class_weights", "nowhere.txt"), mentions=["cannot open"])
        self.refused(*self.train_command("--label_smoothing", 1), status=2, mentions=["--label_smoothing: 1"])


class OtherLosses(LossTest):
    def check(self, recorded, *flags, factor=0.8):
        run = self.train("--lr", 0.01, "--epochs", 6, "--use_lora", *flags)
        self.assertEqual(run.record["loss"], recorded)
        self.assertLess(run.metrics["train_loss"][-1], factor * run.metrics["train_loss"][0])

    def test_dice(self):
        self.check("dice", "--loss", "dice")
        self.check("ce+dice, factor 0.5, label smoothing 0.1", "--loss", "ce+dice", "--region_factor", 0.5, "--label_smoothing", 0.1)

    def test_lovasz(self):
        self.check("lovasz", "--loss", "lovasz")
        self.check("ce+lovasz, factor 2", "--loss", "ce+lovasz", "--region_factor", 2)

    def test_ohem(self):
        flags = ["--loss", "ohem", "--ohem_threshold", 0.6, "--ohem_min_kept", 500]
        self.check("ohem, below 0.6 or 500 pixels", *flags, factor=1)  # the worst pixels stay bad
        # With 1 all pixels count but those that are predicted with certainty.
        plain = self.train(output="plain")
        every = self.train("--loss", "ohem", "--ohem_threshold", 1, output="every")
        self.assertEqual([row["loss"] for row in every.steps], [row["loss"] for row in plain.steps])

    def test_focal(self):
        self.check("focal, gamma 1.5", "--loss", "focal", "--focal_gamma", 1.5)
        flat = self.train("--loss", "focal", "--focal_gamma", 0, output="flat")
        self.assertEqual([row["loss"] for row in flat.steps], [row["loss"] for row in self.train(output="plain").steps])


class Resuming(LossTest):
    def test_another_loss_is_refused(self):
        flags = ["--label_smoothing", 0.1, "--class_weights", "class_1=3", "--epochs", 2]
        self.train(*flags, output="whole")
        self.train(*flags, "--max_steps", 3)
        again = ["--resume", "--no_overwrite"]
        self.refused(*self.train_command("--epochs", 2, *again), mentions=["the loss was ce, label smoothing 0.1, class weights"])
        self.succeed(*self.train_command(*flags, *again))
        self.assertEqual(self.read_run(output="whole").tensors, self.read_run().tensors)


if __name__ == "__main__":
    main()
