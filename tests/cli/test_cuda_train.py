"""dinoft train --device cuda: what the processor trains, and the same bits twice."""

import math
import os
import re
import shutil
import unittest.mock

from datasets import IGNORE
from devices import LOSS, SCORE, SMALL2, SMALL3, SQUARE2, DeviceTest, differences
from png_files import read_png, write_png
from support import FIXTURES, LINEAR, contents, main
from tensor_files import read_torch, values

LR = 3e-4


def follows_rounding(name):
    """The bias of a 1x1 convolution in front of a batch normalisation: it cancels, so that its gradient is what the
    rounding leaves, and AdamW makes steps of the learning rate of that. The running means follow it."""
    return name.endswith("running_mean") or (name.startswith("inter_conv") and name.endswith("bias"))


class CudaTraining(DeviceTest):
    def train_on(self, device, *flags, **options):
        run = self.train("--device", device, *flags, **options)
        self.assertIn(f"; device {device}, ", run.result.stderr)
        self.assertEqual(run.config["device"], device)
        return run

    def assert_trained_alike(self, found, expected):
        """AdamW divides by the gradient's size, so that an element whose gradient is nearly 0 may go either way."""
        steps = len(expected.steps)
        self.assertEqual(list(found.tensors), list(expected.tensors))
        for name, tensor in expected.tensors.items():
            ours = found.tensors[name]
            self.assertEqual((ours.dtype, ours.shape, ours.device), (tensor.dtype, tensor.shape, "cpu"), name)
            if tensor.dtype != "F32":
                self.assertEqual(ours.data, tensor.data, name)
                continue
            apart = differences(values(ours), values(tensor))
            self.assertLessEqual(apart[-1], 2 * LR * steps, name)
            if not follows_rounding(name):
                self.assertLessEqual(apart[len(apart) * 99 // 100], 0.01 * LR, name)

    def assert_measured_alike(self, found, expected, precision, updated):
        """updated: how far apart losses may be once AdamW has changed the weights."""
        for i, (ours, theirs) in enumerate(zip(found.steps, expected.steps, strict=True)):
            tolerance = updated if i > 0 else LOSS[precision]
            self.assert_relative(float(ours["loss"]), float(theirs["loss"]), tolerance, "loss")
        self.assertEqual(found.metrics["val_epoch"], expected.metrics["val_epoch"])
        for key in ("train_loss", "val_loss"):
            for ours, theirs in zip(found.metrics[key], expected.metrics[key], strict=True):
                self.assert_relative(ours, theirs, updated, key)
        for key in ("val_iou", "val_reference_iou", "val_reference_miou"):
            self.assert_values_near(found.metrics[key], expected.metrics[key], SCORE[precision])

    def compare(self, *flags, precision="fp32", **options):
        """Three images, then two: the last batch is smaller."""
        flags = [*flags, "--precision", precision]
        cpu = self.train_on("cpu", *flags, output="cpu", **options)
        cuda = self.train_on("cuda", *flags, output="cuda", **options)
        self.assertEqual(len(cpu.steps), 2)
        moved = [values(tensor) for name, tensor in cpu.tensors.items() if name.startswith("w_b_")]
        for b in moved:
            self.assertGreater(max(map(abs, b)), LR, "every B starts at zero and is trained")
        self.assertEqual(cuda.record, cpu.record)
        updated = max(5e-4 if "--use_fpn" in flags else 0, LOSS[precision])
        self.assert_measured_alike(cuda, cpu, precision, updated)
        if precision == "fp32":
            self.assert_trained_alike(cuda, cpu)
        return cuda

    def test_linear(self):
        self.compare(backbone=SMALL2)

    def test_repeated_from_its_configuration(self):
        """What auto chose is not left to be chosen again."""
        run = self.train("--use_lora", backbone=SMALL2)
        self.assertEqual((run.config["device"], run.config["precision"]), ("cuda", run.config["facts"]["precision"]))
        self.succeed("train", "--config", "output/run_config.json", "--exp_name", "again")
        files = contents(self.folder / "output")
        self.assertEqual(files["again.pt"], files["run.pt"])

    def test_lora(self):
        self.compare("--use_lora", backbone=SMALL2)

    def test_lora_in_bf16(self):
        self.compare("--use_lora", precision="bf16", backbone=SMALL2)

    def test_dora(self):
        flags = ["--use_lora", "--dora", "--lora_targets", "q,v,proj,fc1", "--lora_dropout", 0.1]
        self.compare(*flags, backbone=SMALL3)
        self.compare(*flags, precision="bf16", backbone=SMALL2)

    def test_fpn(self):
        self.compare("--use_fpn", "--use_lora", backbone=SQUARE2)

    def test_fpn_in_bf16(self):
        self.compare("--use_fpn", "--use_lora", precision="bf16", backbone=SQUARE2)

    def test_dinov3_rescaled(self):
        """The positions of every batch are drawn on the host and go to the device."""
        self.compare("--use_lora", "--rope_rescale", 2, backbone=SMALL3)

    def test_dinov3_rescaled_in_bf16(self):
        self.compare("--use_lora", "--rope_rescale", 2, precision="bf16", backbone=SMALL3)

    def test_parts_and_an_average(self):
        """Four images, then one, in parts of two; the average of the two steps' values is what is left."""
        self.compare("--use_lora", "--batch_size", 4, "--accumulate", 2, "--ema", 0.9, "--grad_clip", 1, backbone=SMALL2)

    def test_losses(self):
        weights = ["--class_weights", "auto"]
        self.compare("--loss", "ce+dice", "--label_smoothing", 0.1, *weights, backbone=SMALL2)
        self.compare("--loss", "ohem", "--ohem_threshold", 0.3, "--ohem_min_kept", 300, *weights, backbone=SMALL2)
        self.compare("--loss", "lovasz", "--use_lora", backbone=SMALL2)
        self.compare("--loss", "ce+lovasz", "--region_factor", 0.5, "--label_smoothing", 0.1, *weights, backbone=SMALL2)

    def test_other_backbones(self):
        """SwiGLU instead of an MLP; heads of 128 instead of 64."""
        for name, side in (("dinov2_tiny_swiglu_reg", 28), ("dinov3_tiny_swiglu", 32), ("dinov3_tiny_7b", 32)):
            for precision in ("fp32", "bf16"):
                backbone = SMALL2._replace(weights=FIXTURES / name / "backbone.pth", size=(side, side))
                self.compare("--use_lora", precision=precision, backbone=backbone)

    def test_augmented(self):
        """By the loader's threads here, whichever device resizes what is not."""
        for augmentation in ("flip", "strong"):
            self.compare("--use_lora", "--augment", augmentation, backbone=SMALL2)

    def test_the_ratio_kept(self):
        """Steps that were captured go on behind a validation of images one by one, in sizes of their own."""
        short = ["--resize", "short", "--val_every", 1]
        self.compare(*short, "--class_weights", "auto", backbone=SMALL2)
        twice = ["--batch_size", 5, "--epochs", 2]
        self.compare(*short, *twice, "--use_lora", "--augment", "flip", backbone=SMALL3)
        self.compare(*short, *twice, "--cache_features", "memory", backbone=SMALL3)

    def test_continued(self):
        """From a checkpoint of the processor's, on either device; and from the GPU's own."""
        self.train_on("cpu", "--use_lora", "--r", 2, "--precision", "fp32", backbone=SMALL2, output="first")
        start = self.folder / "first" / "run.pt"
        cuda = self.compare("--use_lora", "--lora_weights", start, backbone=SMALL2)
        self.assertEqual(cuda.record["rank"], 2)
        self.compare("--use_lora", "--lora_weights", self.folder / "cuda" / "run.pt", "--lr", LR, backbone=SMALL2)

    def test_continued_with_merged_lora(self):
        self.compare("--merge_lora", "--lora_weights", LINEAR, "--n_classes", 21, backbone=SMALL2)

    def test_nothing_is_lost_on_the_way(self):
        """With steps too small to move a float32, what comes out is what went in."""
        start = read_torch(LINEAR)
        flags = ["--use_lora", "--lora_weights", LINEAR, "--lr", 1e-12, "--n_classes", 21]
        run = self.train_on("cuda", *flags, backbone=SMALL2)
        self.assertEqual(list(run.tensors), list(start))
        for name, tensor in start.items():
            self.assert_values_near(values(run.tensors[name]), values(tensor), 1e-9)

    def test_a_batch_without_any_label(self):
        for path in sorted((self.data / "masks" / "train").iterdir())[:3]:
            mask = read_png(path)
            write_png(path, mask._replace(pixels=bytes([IGNORE]) * len(mask.pixels)))
        run = self.train_on("cuda", "--use_lora", "--no_shuffle", backbone=SMALL2)
        self.assertEqual([math.isnan(float(row["loss"])) for row in run.steps], [True, False])
        for name, tensor in run.tensors.items():
            self.assertTrue(all(map(math.isfinite, values(tensor))), name)

    def test_resumed(self):
        """In the middle of an epoch, to the bits of a run that was not stopped."""
        flags = ["--use_lora", "--ema", 0.9, "--rope_rescale", 2, "--batch_size", 1]
        whole = self.train_on("cuda", *flags, backbone=SMALL3, output="whole")
        self.train_on("cuda", *flags, "--max_steps", 2, backbone=SMALL3, output="parts")
        resumed = self.train_on("cuda", *flags, "--resume", backbone=SMALL3, output="parts")
        self.assertEqual(len(resumed.steps), 5)
        self.assertEqual(whole.tensors, resumed.tensors)

    def test_debug_picture(self):
        for device in ("cpu", "cuda"):
            self.train_on(device, "--debug", "--precision", "fp32", backbone=SMALL2, output=device)
        found, expected = (read_png(self.folder / device / "run_viz_1.png") for device in ("cuda", "cpu"))
        self.assert_pixels_near(found, expected, 0.01)


class Divergence(DeviceTest):
    """The result of a step is there when the next has begun: its images are named all the same, and tensors of the next."""

    def test_divergence(self):
        flags = ["--device", "cuda", "--lr", 1e30, "--use_lora", "--no_shuffle", "--batch_size", 1, "--debug"]
        line = self.refused(*self.train_command(*flags, backbone=SMALL2))
        found = re.search(r"step (\d+): training diverged .*; the first tensor that is not finite \(of step (\d+), which had begun\): "
                          r"the logits; images: \S+/(\d+)\.png$", line)  # fmt: skip
        self.assertIsNotNone(found, line)
        step, begun, image = map(int, found.groups())
        self.assertEqual((begun, image), (step + 1, step - 1))


class Repetition(DeviceTest):
    """The same bits: of the same command, and of those that promise it."""

    def trained(self, output, *flags, backbone=SMALL2):
        """All that a run leaves but the times."""
        self.succeed(*self.train_command("--device", "cuda", *flags, output=output, backbone=backbone))
        return [(self.folder / output / name).read_bytes() for name in ("run.pt", "run_metrics.json")]

    def assert_repeated(self, *flags, **options):
        first = self.trained("a", *flags, **options)
        self.assertEqual(first, self.trained("b", *flags, **options))
        return first

    def test_same_command(self):
        for precision in ("fp32", "bf16"):
            flags = ["--use_lora", "--epochs", 2, "--precision", precision]
            self.assertNotEqual(self.assert_repeated(*flags), self.trained("c", *flags, "--seed", 1))

    def test_same_command_fpn(self):
        self.assert_repeated("--use_fpn", "--use_lora", backbone=SQUARE2)

    def test_same_command_dinov3(self):
        self.assert_repeated("--use_lora", "--recipe", "reference", backbone=SMALL3)

    def test_autotune_cache(self):
        """Which algorithm a product takes is timed once and cached; another run reads it."""
        cache = self.folder / "cache"
        with unittest.mock.patch.dict(os.environ, XDG_CACHE_HOME=str(cache)):
            os.environ.pop("DINOFT_CUDA_ALGO", None)
            first = self.trained("a", "--use_lora")
            algorithms = contents(cache)
            self.assertEqual(len(algorithms), 2)  # cuBLASLt's, and cuDNN's of attention
            self.assertEqual(first, self.trained("b", "--use_lora"))
        self.assertEqual(contents(cache), algorithms)

    def test_recompute(self):
        for backbone, precision in ((SMALL2, "fp32"), (SMALL3, "bf16")):
            flags = ["--use_lora", "--rope_rescale", 2, "--precision", precision]
            kept = self.trained("a", *flags, backbone=backbone)
            self.assertEqual(kept, self.trained("b", *flags, "--recompute", backbone=backbone))


class Cache(DeviceTest):
    """--cache_features on the GPU. Batches are those of the filling: a product of other sizes may round otherwise."""

    FLAGS = ["--epochs", 2, "--val_every", 1, "--no_shuffle"]

    def train_cached(self, place, *flags, device="cuda", output="output", backbone=SMALL2):
        flags = ["--device", device, "--cache_features", place, *self.FLAGS, *flags]
        run = self.train(*flags, output=output, backbone=backbone)
        return run, (self.folder / output / "run.pt").read_bytes()

    def test_places(self):
        for backbone, flags in ((SMALL2, []), (SQUARE2, ["--use_fpn", "--max_steps", 3])):
            off, expected = self.train_cached("off", *flags, output="off", backbone=backbone)
            for place in ("memory", "file"):
                run, found = self.train_cached(place, *flags, output=place, backbone=backbone)
                self.assertIn("features are computed once", run.result.stderr)
                self.assertEqual(found, expected, place)
                self.assertEqual(run.metrics, off.metrics)
            shutil.rmtree(self.folder / "file")

    def test_a_file_is_of_one_device(self):
        """The processor's features are not taken for the GPU's, whose last bits are others."""
        self.train_cached("file", "--precision", "fp32", device="cpu")
        cuda, first = self.train_cached("file", "--precision", "fp32")
        self.assertIn("computed anew", cuda.result.stderr)
        again, second = self.train_cached("file", "--precision", "fp32")
        self.assertIn("nothing is computed again", again.result.stderr)
        self.assertEqual(first, second)
        bf16, _ = self.train_cached("file", "--precision", "bf16")
        self.assertIn("computed anew", bf16.result.stderr)


if __name__ == "__main__":
    main()
