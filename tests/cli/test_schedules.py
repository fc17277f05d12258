"""dinoft train: the learning rate's schedules, the reference recipes, parts of a batch."""

import math
import shutil

from datasets import voc_demo
from support import DINOV2, DINOV3, LINEAR, files_in, main, model_flags
from tensor_files import values
from training import TrainingTest

VOC = ["--dataset", "voc", "--data_root", voc_demo()]


def rates(run):
    return [float(row["lr"]) for row in run.steps]


def cosine(first, last, share):
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2


class Schedules(TrainingTest):
    """Two steps an epoch."""

    def test_by_step(self):
        run = self.train("--schedule", "cosine", "--warmup_steps", "25%", "--lr", 0.01, "--min_lr", 0.001, "--epochs", 4)
        expected = [0.005, 0.01, *(cosine(0.01, 0.001, step / 6) for step in range(6))]
        self.assert_values_near(rates(run), expected, 1e-8)
        recorded = [run.config[key] for key in ("schedule", "warmup_steps", "warmup_epochs", "min_lr")]
        self.assertEqual(recorded, ["cosine", "25%", 0, 0.001])

    def test_max_steps_is_the_run(self):
        run = self.train("--schedule", "poly", "--lr", 0.01, "--epochs", 4, "--max_steps", 3)
        self.assert_values_near(rates(run), [0.01 * (1 - step / 3) ** 0.9 for step in range(3)], 1e-8)

    def test_every_epoch_is_printed(self):
        run = self.train("--epochs", 4, "--val_every", 3)
        lines = run.result.stdout.splitlines()
        self.assertEqual(["val loss" in line for line in lines], [True, False, False, True])
        for epoch, line in enumerate(lines):
            loss = run.metrics["train_loss"][epoch]
            self.assertRegex(line, rf"^epoch {epoch + 1}/4: train loss {loss:.4f}")

    def test_no_step_is_left(self):
        flags = ["--warmup_epochs", 3, "--epochs", 3]
        self.refused(*self.train_command(*flags), status=2, mentions=["--warmup_epochs 3", "--epochs 3"])
        flags = ["--warmup_steps", 6, "--epochs", 3]  # here the number of images decides
        self.refused(*self.train_command(*flags), mentions=["--warmup_steps 6", "--epochs 3"])
        self.assertEqual([name for name in files_in(self.folder) if name.startswith("output")], [])

    def test_a_rate_for_lora_that_is_not_trained(self):
        self.refused(*self.train_command("--lr_lora", 2), status=2, mentions=["--lr_lora", "--use_lora"])
        self.succeed(*self.train_command("--lr_lora", 2, "--lora_weights", LINEAR, data=VOC))


class Reference(TrainingTest):
    def test_october_2025(self):
        """Its schedule goes by epochs, as PyTorch's, and each validation leaves a checkpoint."""
        run = self.train("--recipe", "reference", "--epochs", 7, "--warmup_epochs", 1)
        expected = [0.003, *(cosine(3e-3, 3e-5, step / 6) for step in range(6))]
        self.assert_values_near(rates(run), [rate for rate in expected for _ in range(2)], 1e-9)
        kept = [name for name in files_in(self.folder / "output") if name.endswith(".pt")]
        self.assertEqual(kept, ["run.pt", "run_best.pt", "run_e0.pt", "run_e5.pt", "run_e6.pt"])
        last = self.read_run(name="run")
        shutil.copy(self.folder / "output" / "run_e6.pt", self.folder / "output" / "run.pt")
        for name, tensor in self.read_run(name="run").tensors.items():
            self.assertEqual(values(tensor), values(last.tensors[name]))

    def test_its_defaults_are_recorded(self):
        run = self.train_whole("--recipe", "reference", "--max_steps", 1)
        expected = {"epochs": 100, "lr": 3e-3, "batch_size": 64, "schedule": "cosine", "warmup_epochs": 20, "min_lr": 3e-5,
                    "weight_decay": 0.01, "decay_1d": True, "void_as_background": True, "rope_rescale": 2, "normalize": "none"}  # fmt: skip
        self.assertEqual({key: run.config[key] for key in expected}, expected)
        self.assert_values_near(rates(run), [0.003 / 20], 1e-12)

    def test_august_2025(self):
        run = self.train_whole("--recipe", "reference-2025-08", "--max_steps", 1)
        expected = {"epochs": 20, "lr": 3e-4, "batch_size": 12, "schedule": "constant", "warmup_epochs": 0, "min_lr": 0,
                    "weight_decay": 0.01, "decay_1d": True, "void_as_background": True, "rope_rescale": 2, "normalize": "none"}  # fmt: skip
        self.assertEqual({key: run.config[key] for key in expected}, expected)
        self.assertEqual(rates(run), [3e-4])
        self.assertNotIn("output/run_e0.pt", files_in(self.folder))

    def train_whole(self, *flags):
        """Without the few epochs and images in a batch of the other tests."""
        self.succeed(*self.folder_flags_of_train(), *flags)
        return self.read_run()

    def folder_flags_of_train(self):
        return ["train", *self.folder_flags(), *model_flags(DINOV3), "--exp_name", "run", "--output_dir", "output"]

    def test_all_flags_of_its_main_py(self):
        flags = ["--exp_name", "run", "--dataset", "voc", "--size", "huge", "--dino_type", "dinov3", "--use_lora",
                 "--r", 3, "--img_dim", 128, 160, "--epochs", 2, "--lr", 3e-3, "--batch_size", 64, "--warmup_epochs", 1,
                 "--min_lr", 3e-5, "--weight_decay", 1e-2, "--debug"]  # fmt: skip
        message = self.refused(*flags)
        self.assertIn("dinov3_vith16plus", message, "there is no such file here")
        here = [flag for flag in flags if flag not in ("--size", "huge")] + ["--data_root", voc_demo(), "--weights", DINOV3.weights]
        result = self.succeed(*here, "--recipe", "reference-2025-08")
        self.assertIn("--min_lr changes nothing: the schedule is constant", result.stderr)
        self.assertEqual(rates(self.read_run()), [3e-3, 3e-3])
        self.assertNotIn("--min_lr", self.succeed(*here, "--recipe", "reference", "--overwrite").stderr)
        for ending in (".pt", "_e0.pt", "_e1.pt", "_viz_0.png", "_metrics.json", "_config.json"):
            self.assertIn(f"output/run{ending}", files_in(self.folder))

    def test_a_checkpoint_does_not_replace_the_backbone(self):
        backbone = self.folder / "output" / "run_e0.pt"
        backbone.parent.mkdir()
        shutil.copy(DINOV2.weights, backbone)
        flags = [*self.train_command("--recipe", "reference"), "--weights", backbone]
        self.refused(*flags, mentions=["run_e0.pt"])
        self.assertEqual(backbone.read_bytes(), DINOV2.weights.read_bytes())

    def test_a_warm_up_that_main_py_cannot_take(self):
        for warmup in (0, 4):
            flags = ["--recipe", "reference", "--epochs", 4, "--warmup_epochs", warmup]
            self.refused(*self.train_command(*flags), status=2, mentions=[f"--warmup_epochs {warmup}", "--epochs 4"])

    def test_a_warm_up_longer_than_the_run(self):
        result = self.succeed(*self.train_command("--recipe", "reference", "--epochs", 2))
        line = "the warm-up of 20 epochs is longer than the run of 2: the learning rate reaches 0.0003 of 0.003"
        self.assertIn(line, result.stderr)
        self.assert_values_near(rates(self.read_run()), [1.5e-4, 1.5e-4, 3e-4, 3e-4], 1e-12)

    def test_a_rate_below_the_last(self):
        """As main.py's, it rises."""
        run = self.train("--recipe", "reference", "--lr", 1e-5, "--epochs", 3, "--warmup_epochs", 1)
        self.assertIn("--min_lr 3e-05 is more than --lr 1e-05", run.result.stderr)
        self.assert_values_near(rates(run), [1e-5] * 4 + [2e-5] * 2, 1e-11)


class Parts(TrainingTest):
    def plan(self, *flags):
        self.succeed("info", DINOV2.weights, "--memory", "--use_lora", "--batch_size", 12, "--device", "cpu", "--json", "plan.json", *flags)
        return self.read_json("plan.json")

    def test_the_plan_of_a_part(self):
        whole, parts = self.plan(), self.plan("--accumulate", 4)
        self.assertEqual([plan["train"]["accumulate"] for plan in (whole, parts)], [1, 4])
        self.assertEqual([plan["train"]["batch_size"] for plan in (whole, parts)], [12, 12])
        self.assertLess(parts["train"]["planned_memory_bytes"], 0.3 * whole["train"]["planned_memory_bytes"])
        self.assertEqual(parts["eval"], whole["eval"])

    def test_parts_are_spoken_of(self):
        result = self.succeed("info", DINOV2.weights, "--memory", "--accumulate", 3, "--device", "cpu")
        self.assertIn("batch 12 in 3 parts", result.stdout)

    def test_only_training_has_them(self):
        self.refused("bench", "eval", "--accumulate", 2, mentions=["--accumulate", "bench train"])
        self.refused("bench", "loader", "--ema", 0.5, mentions=["--ema", "bench train"])


class Update(TrainingTest):
    """What stands around AdamW; test_optimizer.c holds its numbers against PyTorch's. Five images: steps of four and one."""

    def run_of(self, output, *flags):
        return self.train("--use_lora", "--epochs", 2, "--batch_size", 4, "--precision", "fp32", *flags, output=output)

    def test_parts_of_a_batch(self):
        whole, parts = self.run_of("whole"), self.run_of("parts", "--accumulate", 2)
        self.assertEqual([row["step"] for row in parts.steps], ["1", "2", "3", "4"])
        for column, tolerance in (("loss", 1e-5), ("gradient_norm", 1e-3)):
            expected = [float(row[column]) for row in whole.steps]
            self.assert_values_near([float(row[column]) for row in parts.steps], expected, tolerance)
        for key in ("val_loss", "val_iou", "val_reference_iou", "val_reference_miou"):
            self.assert_values_near(parts.metrics[key], whole.metrics[key], 1e-3)

    def test_the_first_average_is_a_copy(self):
        raw, average = self.run_of("raw", "--max_steps", 1), self.run_of("average", "--max_steps", 1, "--ema", 0.9)
        self.assertEqual(raw.tensors, average.tensors)
        self.assertEqual((raw.record.get("ema"), average.record.get("ema")), (None, 0.9))
        self.assertIn("a moving average of decay 0.9", self.succeed("info", "average/run.pt").stdout)

    def test_the_average_is_what_is_kept(self):
        """Steps are those of the raw values, validation and checkpoint those of their average."""
        raw, average = self.run_of("raw"), self.run_of("average", "--ema", 0.5)
        self.assertEqual([row["loss"] for row in raw.steps], [row["loss"] for row in average.steps])
        self.assertNotEqual(raw.metrics["val_loss"], average.metrics["val_loss"])
        self.assertNotEqual(raw.tensors["w_a_000"], average.tensors["w_a_000"])

    def test_clipping(self):
        """The norm is that before it, and AdamW's first step hardly depends on it."""
        raw, clipped = self.run_of("raw"), self.run_of("clipped", "--grad_clip", 0.01)
        self.assertEqual(raw.steps[0]["gradient_norm"], clipped.steps[0]["gradient_norm"])
        self.assertGreater(float(raw.steps[0]["gradient_norm"]), 0.01)
        self.assertNotEqual(raw.tensors["w_b_000"], clipped.tensors["w_b_000"])

    def test_factors(self):
        """No learning rate for LoRA is none of its decay either."""
        start = self.run_of("start", "--max_steps", 1, "--lr", 1e-30)
        still = self.run_of("still", "--lr_lora", 1e-30, "--lr", 0.01)
        self.assertEqual(still.tensors["w_a_000"], start.tensors["w_a_000"])
        self.assertNotEqual(still.tensors["classifier.weight"], start.tensors["classifier.weight"])


if __name__ == "__main__":
    main()
