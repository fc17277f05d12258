"""Ctrl-C: the program ends after the current step, and what was done is kept."""

import re
import signal

from interrupting import InterruptTest
from png_files import read_png
from support import DINOV2, DINOV3, LINEAR, contents, files_in, folder_data, leftovers, main, model_flags
from tensor_files import values



class Training(InterruptTest):
    def interrupted_run(self, pattern, *flags, number=signal.SIGINT):
        command = self.train_command("--use_lora", "--epochs", 100000, "--batch_size", 1, *flags)
        process = self.start(command)
        stderr = self.interrupt_at(process, pattern, number)
        return process.returncode, stderr

    def check_what_was_kept(self, stderr):
        run = self.read_run()
        told = re.search(r"dinoft: interrupted after step (\d+); the checkpoint is (\S+)\n", stderr)
        self.assertIsNotNone(told, stderr)
        self.assertEqual(told.group(2), "output/run.pt")
        self.assertEqual(int(told.group(1)), len(run.steps))
        self.assertEqual(int(told.group(1)), int(run.steps[-1]["step"]))
        self.assertEqual(len(run.metrics["train_loss"]), len(run.steps) // 5, "of whole epochs of five steps alone")
        self.assertNotIn(None, run.metrics["train_loss"])
        self.assertTrue(any(values(run.tensors["w_b_000"])), "trained values were saved")
        self.assertIn("rank 3 in 4 blocks", self.succeed("info", "output/run.pt").stdout)
        self.assertEqual(leftovers(self.folder), [])
        return run

    def test_in_a_later_epoch(self):
        status, stderr = self.interrupted_run(r"epoch 3/")
        self.assertEqual(status, 130, stderr)
        self.assertIn("dinoft: ending after this step", stderr)
        run = self.check_what_was_kept(stderr)
        self.assertEqual(run.metrics["val_epoch"][0], 1)
        self.assertRegex(stderr.splitlines()[-1], r"the best epoch was \d+/100000 with mIoU [\d.]+ %: output/run_best\.pt$")

    def test_in_a_validation_of_whole_images(self):
        """Their sizes differ from the batches', which the model has to be ready for again."""
        status, stderr = self.interrupted_run(r"validation 2/", "--resize", "short", "--val_every", 1, *model_flags(DINOV3))
        self.assertEqual(status, 130, stderr)
        self.assertNotIn("diverged", stderr)
        self.assertIn("interrupted after step ", stderr)

    def test_in_the_first_epoch(self):
        """No checkpoint is due yet: one is written all the same."""
        status, stderr = self.interrupted_run(r"epoch 1/\d+ 1/", "--val_every", 100000)
        self.assertEqual(status, 130, stderr)
        run = self.check_what_was_kept(stderr)
        self.assertEqual(run.metrics["val_epoch"], [])
        self.assertNotIn("the best epoch", stderr)
        self.assertFalse((self.folder / "output" / "run_best.pt").exists())

    def test_before_the_first_step(self):
        """Nothing was trained: no checkpoint is written, and none is spoken of."""
        status, stderr = self.interrupted_run(r"dinoft: ", "--img_dim", 490, 490)
        self.assertEqual(status, 130, stderr)
        if "before the first step" not in stderr:
            self.skipTest("the first step was faster than the signal")
        self.assertFalse((self.folder / "output" / "run.pt").exists())
        self.assertNotIn("the checkpoint is", stderr)

    def test_an_older_run_s_configuration(self):
        """It tells of the run that is there until another one takes its place."""
        self.train()
        before = contents(self.folder / "output")
        process = self.start(self.train_command("--epochs", 9, "--batch_size", 1, "--img_dim", 490, 490))
        stderr = self.interrupt_at(process, r"features 1/")
        self.assertEqual(process.returncode, 130, stderr)
        self.assertEqual(contents(self.folder / "output"), before)

    def test_while_features_are_computed(self):
        """No file of a part of them is left, and a later run begins anew."""
        flags = ["--cache_features", "file", "--img_dim", 490, 490]
        process = self.start(self.train_command("--epochs", 100000, "--batch_size", 1, *flags))
        stderr = self.interrupt_at(process, r"features 1/")
        self.assertEqual(process.returncode, 130, stderr)
        self.assertIn("interrupted before the first step: nothing was trained", stderr)
        self.assertFalse((self.folder / "output" / "run_features.cache").exists())
        self.assertFalse((self.folder / "output" / "run.pt").exists())
        self.assertEqual(leftovers(self.folder), [])
        self.assertIn("features are computed once", self.train(*flags).result.stderr)

    def test_sigterm(self):
        """What a batch system sends before it ends a job."""
        status, stderr = self.interrupted_run(r"epoch 2/", number=signal.SIGTERM)
        self.assertNotEqual(status, 0)
        self.check_what_was_kept(stderr)

    def test_what_was_kept_can_be_used(self):
        self.interrupted_run(r"epoch 2/")
        checkpoint = self.folder / "output" / "run.pt"
        self.train("--use_lora", "--lora_weights", checkpoint, output="more")
        self.succeed("eval", *folder_data(self.data), *model_flags(DINOV2),
                     "--lora_weights", checkpoint)  # fmt: skip


class OtherCommands(InterruptTest):
    def test_eval_gives_no_numbers_of_a_part(self):
        root = self.many_images(600)
        self.succeed(*self.train_command())
        process = self.start(
            ["eval", *folder_data(root), *model_flags(DINOV2),
             "--lora_weights", "output/run.pt", "--batch_size", 1, "--metrics_json", "m.json"]  # fmt: skip
        )
        stderr = self.interrupt_at(process, r"^eval 1/600")
        self.assertEqual(process.returncode, 130, stderr)
        self.assertFalse((self.folder / "m.json").exists())

    def test_predict_leaves_whole_files(self):
        root = self.many_images(600)
        images = sorted((root / "images" / "val").iterdir())
        process = self.start(
            ["predict", *images, *model_flags(DINOV2), "--lora_weights", LINEAR, "--output_dir", "out"]
        )
        stderr = self.interrupt_at(process, r"^predict 1/600")
        self.assertEqual(process.returncode, 130, stderr)
        written = files_in(self.folder / "out")
        self.assertTrue(0 < len(written) < 2 * len(images))
        self.assertEqual(len(written) % 2, 0, "a mask and an overlay of each")
        for name in written:
            read_png(self.folder / "out" / name)
        self.assertEqual(leftovers(self.folder), [])

    def test_features_writes_nothing(self):
        images = sorted((self.many_images(600) / "images" / "val").iterdir())
        process = self.start(["features", *images, *model_flags(DINOV2), "--output", "f.safetensors"])
        stderr = self.interrupt_at(process, r"^features 1/600")
        self.assertEqual(process.returncode, 130, stderr)
        self.assertFalse((self.folder / "f.safetensors").exists())

    def test_pca_writes_nothing_without_all_features(self):
        images = sorted((self.many_images(600) / "images" / "val").iterdir())
        process = self.start(["pca", *images, *model_flags(DINOV2), "--output_dir", "out", "--foreground"])
        stderr = self.interrupt_at(process, r"^features 1/600")
        self.assertEqual(process.returncode, 130, stderr)
        self.assertEqual(files_in(self.folder / "out"), [])


if __name__ == "__main__":
    main()
