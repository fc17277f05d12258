"""dinoft train: the best epoch, and the checkpoints that are kept."""

from datasets import make_folder
from support import DINOV2, contents, files_in, main, model_flags
from tensor_files import read_checkpoint
from training import CLASSES, TrainingTest


class BestTest(TrainingTest):
    def checkpoints(self):
        return [name for name in files_in(self.folder / "output") if name.endswith(".pt")]

    def tensors(self, ending):
        return read_checkpoint(self.folder / "output" / f"run{ending}.pt")[0]

    def check_best(self, run, epoch, score, title="mIoU"):
        """The last line names it, and its file is that epoch's."""
        epochs = run.config["epochs"]
        shown = f"{score:.4f}" if title == "validation loss" else f"{100 * score:.2f} %"
        expected = f"dinoft: the best epoch was {epoch}/{epochs} with {title} {shown}: output/run_best.pt"
        self.assertEqual(run.result.stderr.splitlines()[-1], expected)
        self.assertEqual(self.tensors("_best"), self.tensors(f"_e{epoch}"))


class Best(BestTest):
    FLAGS = ["--use_lora", "--val_every", 1, "--keep_checkpoints", "all", "--lr", 0.03]

    def check_metric(self, column, title, *flags, least=False):
        run = self.train(*self.FLAGS, "--epochs", 5, *flags)
        scores = run.metrics[column]
        score = min(scores) if least else max(scores)
        self.check_best(run, scores.index(score) + 1, score, title)
        return run

    def test_by_miou(self):
        self.check_metric("val_iou", "mIoU")

    def test_by_loss(self):
        self.check_metric("val_loss", "validation loss", "--best_metric", "loss", least=True)

    def test_by_the_reference_s_number(self):
        self.check_metric("val_reference_miou", "reference mIoU", "--best_metric", "reference_miou")

    def test_of_the_average(self):
        run = self.check_metric("val_iou", "mIoU", "--ema", 0.5)
        self.assertEqual(read_checkpoint(self.folder / "output" / "run_best.pt")[1], run.record)
        self.assertEqual(run.record["ema"], 0.5)

    def test_it_evaluates_as_it_was_judged(self):
        run = self.train(*self.FLAGS, "--epochs", 3, "--precision", "fp32")
        self.succeed("eval", *self.folder_flags(), *model_flags(DINOV2), "--batch_size", 3,
                     "--lora_weights", "output/run_best.pt", "--metrics_json", "metrics.json", "--precision", "fp32")  # fmt: skip
        self.assertAlmostEqual(self.read_json("metrics.json")["miou"], max(run.metrics["val_iou"]), places=4)

    def test_of_equal_ones_the_first(self):
        """Without a learning rate nothing changes, and the run ends after the third epoch."""
        flags = ["--lr", 1e-30, "--weight_decay", 0, "--epochs", 9, "--early_stop", 2]
        run = self.train(*self.FLAGS, *flags)
        self.assertEqual(run.metrics["val_epoch"], [1, 2, 3])
        self.assertEqual(len(run.metrics["train_loss"]), 3)
        self.assertIn("stopped early: 2 validations without a better mIoU", run.result.stderr)
        self.check_best(run, 1, run.metrics["val_iou"][0])

    def test_no_early_stop_at_the_end(self):
        flags = ["--lr", 1e-30, "--weight_decay", 0, "--epochs", 3, "--early_stop", 2]
        self.assertNotIn("stopped early", self.train(*self.FLAGS, *flags).result.stderr)

    def test_it_does_not_replace_what_is_read(self):
        self.train()
        flags = ["--lora_weights", "output/run_best.pt"]
        self.refused(*self.train_command(*flags), mentions=["run_best.pt", "is read"])
        self.succeed(*self.train_command(*flags, "--exp_name", "other"))

    def test_a_folder_in_its_place(self):
        """Told before the training."""
        (self.folder / "output" / "run_best.pt").mkdir(parents=True)
        self.assertNotIn("epoch 1/1", self.refused(*self.train_command(), mentions=["run_best.pt"]))


class Kept(BestTest):
    FLAGS = ["--epochs", 5, "--val_every", 1, "--keep_checkpoints"]

    def test_none(self):
        self.train(*self.FLAGS, "none")
        self.assertEqual(self.checkpoints(), ["run.pt", "run_best.pt"])

    def test_the_newest(self):
        """What another run has left stays."""
        self.succeed(*self.train_command("--exp_name", "other"))
        other = self.folder / "output" / "other.pt"
        other.rename(self.folder / "output" / "run_e7.pt")
        self.train(*self.FLAGS, 2)
        self.assertEqual(self.checkpoints(), ["other_best.pt", "run.pt", "run_best.pt", "run_e4.pt", "run_e5.pt", "run_e7.pt"])
        self.assertEqual(self.tensors("_e5"), self.tensors(""))

    def test_all(self):
        self.train(*self.FLAGS, "all")
        self.assertEqual(self.checkpoints(), ["run.pt", "run_best.pt", *(f"run_e{epoch}.pt" for epoch in range(1, 6))])

    def test_the_reference_counts_from_0(self):
        flags = ["--recipe", "reference", "--warmup_epochs", 1, "--epochs", 2, "--val_every", 1, "--keep_checkpoints", "all"]
        run = self.train(*flags)
        self.assertEqual(self.checkpoints(), ["run.pt", "run_best.pt", "run_e0.pt", "run_e1.pt"])
        self.assertEqual(run.metrics["val_epoch"], [1, 2])

    def test_what_is_none(self):
        for text in ("0", "-1", "some", "2x", "99999999999", "1.5"):
            self.refused(*self.train_command(f"--keep_checkpoints={text}"), status=2, mentions=["--keep_checkpoints", text])


class Older(BestTest):
    """What an older run of the name has left, when a new one takes its place."""

    FLAGS = ["--epochs", 3, "--val_every", 1, "--keep_checkpoints", "all", "--log_dir", "none"]

    def test_it_goes_with_the_first_step(self):
        self.train(*self.FLAGS, "--use_lora")
        output = self.folder / "output"
        output.joinpath("run_stopped.pt").write_bytes(b"")
        output.joinpath("run_e7.pt").write_bytes(b"of whom it is nobody knows")
        before = contents(output)
        self.data = make_folder(self.folder / "broken", n_classes=CLASSES)
        for image in (self.data / "images" / "val").iterdir():
            image.write_bytes(b"")  # so the first validation fails
        self.refused(*self.train_command(*self.FLAGS, "--use_lora", "--seed", 1), mentions=["images/val"])
        after = contents(output)
        self.assertEqual(set(after), {"run.pt", "run.state", "run_e1.pt", "run_e7.pt", "run_config.json", "run_metrics.json",
                                      "run_steps.csv", "run_stopped.pt"})  # fmt: skip
        self.assertEqual([name for name in after if after[name] == before[name]], ["run_e7.pt"])

    def test_a_recipe_that_counts_from_0(self):
        """What goes is what the older run has written, however the new one counts."""
        self.train(*self.FLAGS)
        other = self.folder / "output" / "run_e0.pt"
        other.write_bytes(b"of whom it is nobody knows")
        self.train("--recipe", "reference-2025-08", "--batch_size", 3)
        self.assertEqual(self.checkpoints(), ["run.pt", "run_best.pt", "run_e0.pt"])
        self.assertEqual(other.read_bytes(), b"of whom it is nobody knows")

    def test_it_stays_until_then(self):
        self.train(*self.FLAGS)
        before = contents(self.folder / "output")
        self.refused(*self.train_command("--lora_weights", "output/run_best.pt"), mentions=["run_best.pt"])
        self.assertEqual(contents(self.folder / "output"), before)

    def test_what_the_new_one_starts_from_stays(self):
        self.train(*self.FLAGS)
        start = self.folder / "output" / "run_e1.pt"
        before = start.read_bytes()
        self.train("--lora_weights", start)
        self.assertEqual(self.checkpoints(), ["run.pt", "run_best.pt", "run_e1.pt"])
        self.assertEqual(start.read_bytes(), before)

    def test_a_best_one_that_was_deleted(self):
        self.train(*self.FLAGS)
        (self.folder / "output" / "run_best.pt").unlink()
        stderr = self.succeed(*self.train_command(*self.FLAGS, "--resume")).stderr
        self.assertTrue(stderr.splitlines()[-1].endswith("run_best.pt, which is not there any more"), stderr)


class Start(TrainingTest):
    def test_it_is_not_replaced(self):
        """By the checkpoint of its epoch, which the run would write."""
        flags = ["--use_lora", "--keep_checkpoints", "all"]
        self.train(*flags)
        start = self.folder / "output" / "run_e1.pt"
        before = start.read_bytes()
        self.refused(*self.train_command(*flags, "--lora_weights", start), mentions=["run_e1.pt", "would overwrite"])
        self.assertEqual(start.read_bytes(), before)
        self.train(*flags, "--lora_weights", start, output="other")


if __name__ == "__main__":
    main()
