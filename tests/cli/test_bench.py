"""dinoft bench: that it measures and reports; never how fast."""

import math
import os

from datasets import make_folder
from support import DINOV2, DINOV3, CommandLineTest, files_in, folder_data, main, model_flags, start_program


class Bench(CommandLineTest):
    def figures(self, *flags, backbone=DINOV2):
        self.succeed("bench", *model_flags(backbone), "--steps", 2, "--json", "b.json", *flags)
        figures = self.read_json("b.json")
        self.assert_finite(figures)
        return figures

    def assert_finite(self, value, name=""):
        """Every figure is a number: none is null, which stands for NaN and infinity."""
        if isinstance(value, dict):
            for key, item in value.items():
                self.assert_finite(item, key)
        elif isinstance(value, list):
            for item in value:
                self.assert_finite(item, name)
        elif not isinstance(value, str):
            self.assertIsInstance(value, (int, float), name)
            self.assertTrue(math.isfinite(value), name)

    def check(self, figures):
        for name in ("images_per_second", "gflops", "gemm_peak_gflops", "gemm_share", "peak_memory_bytes",
                     "planned_memory_bytes", "step_seconds", "gflop_per_image"):
            self.assertGreater(figures[name], 0, name)
        rate = figures["batch_size"] / figures["step_seconds"]
        self.assertAlmostEqual(figures["images_per_second"] / rate, 1, places=6)
        self.assertAlmostEqual(figures["gflops"] / (rate * figures["gflop_per_image"]), 1, places=6)
        self.assertAlmostEqual(figures["gemm_share"] * figures["gemm_peak_gflops"] / figures["gflops"], 1, places=6)

    def test_training(self):
        figures = self.figures("train", "--use_lora", "--batch_size", 2)
        self.check(figures)
        self.assertEqual((figures["mode"], figures["rank"], figures["batch_size"]), ("train", 3, 2))
        self.assertEqual((figures["height"], figures["width"]), DINOV2.size)
        self.assertEqual(files_in(self.folder), ["b.json"])

    def test_recomputing_takes_less_memory(self):
        kept = self.figures("train", "--use_lora", "--batch_size", 2)
        recomputed = self.figures("train", "--use_lora", "--batch_size", 2, "--recompute")
        self.assertEqual((kept["recompute"], recomputed["recompute"]), (False, True))
        self.assertLess(recomputed["planned_memory_bytes"], kept["planned_memory_bytes"])
        self.assertEqual(recomputed["gflop_per_image"], kept["gflop_per_image"])

    def test_evaluation_needs_less(self):
        training = self.figures("--use_lora", "--use_fpn", backbone=DINOV3)
        evaluation = self.figures("eval", "--use_lora", "--use_fpn", backbone=DINOV3)
        self.check(evaluation)
        self.assertEqual((training["mode"], evaluation["mode"]), ("train", "eval"))
        self.assertLess(evaluation["gflop_per_image"], training["gflop_per_image"])
        self.assertLess(evaluation["planned_memory_bytes"], training["planned_memory_bytes"])

    def test_work_of_a_known_model(self):
        """Four blocks of 128 channels over 8 x 10 patches, counted by hand."""
        figures = self.figures("eval", "--batch_size", 1)
        tokens, dim, patches = 1 + 4 + 80, 128, 80
        block = 2 * tokens * dim * 12 * dim + 4 * tokens * tokens * dim
        embedding = 2 * patches * 3 * 14 * 14 * dim
        classes = 2 * patches * dim * 21
        self.assertAlmostEqual(figures["gflop_per_image"] * 1e9, 4 * block + embedding + classes, delta=1)

    def test_operations(self):
        figures = self.figures("ops", "--use_lora", "--batch_size", 2, backbone=DINOV3)
        setting = {key: value for key, value in figures.items() if key not in ("train", "eval")}
        self.assertEqual(setting["mode"], "ops")
        for name in ("train", "eval"):
            self.check({**setting, **figures[name]})
            self.check_operations({**setting, **figures[name]})
        operations = {name: {row["operation"] for row in figures[name]["operations"]} for name in ("train", "eval")}
        self.assertLessEqual({"linear_forward", "linear_backward", "attention_backward", "matmul", "rope", "adamw"},
                             operations["train"])
        self.assertLessEqual({"linear_forward", "attention_forward", "rope", "upsample_loss"}, operations["eval"])
        self.assertFalse({"linear_backward", "attention_backward", "adamw"} & operations["eval"])
        self.assertGreaterEqual(figures["train"]["peak_memory_bytes"], figures["eval"]["peak_memory_bytes"])

    def check_operations(self, figures):
        work = 0
        for row in figures["operations"]:
            self.assertGreaterEqual(row["calls_per_step"], 1)
            self.assertGreater(row["seconds_per_step"], 0)
            self.assertGreater(row["bytes_per_step"], 0)
            self.assertAlmostEqual(row["step_share"] * figures["step_seconds"] / row["seconds_per_step"], 1, places=9)
            self.assertAlmostEqual(row["gflops"] * row["seconds_per_step"], row["gflop_per_step"], places=9)
            self.assertAlmostEqual(row["gemm_share"] * figures["gemm_peak_gflops"], row["gflops"], places=6)
            work += row["gflop_per_step"]
        self.assertAlmostEqual(work / (figures["gflop_per_image"] * figures["batch_size"]), 1, places=9)
        self.assertGreaterEqual(figures["outside_seconds"], 0)
        times = [row["seconds_per_step"] for row in figures["operations"]]
        self.assertEqual(times, sorted(times, reverse=True))

    def test_the_table_of_operations(self):
        result = self.succeed("bench", "ops", *model_flags(DINOV2), "--batch_size", 1, "--steps", 1)
        self.assertEqual(result.stdout.count("\noperation "), 2)
        self.assertEqual(result.stdout.count("\noutside any operation "), 2)
        self.assertIn("attention_forward", result.stdout)
        self.assertNotIn("nan", result.stdout)
        self.assertNotIn("inf", result.stdout)

    def test_memory_is_that_of_the_steps(self):
        """The process grows beyond it when the GEMM peak is measured, with matrices of more than 60 MB."""
        process = start_program("bench", "eval", *model_flags(DINOV2), "--batch_size", 1, "--steps", 1,
                                "--json", self.folder / "b.json")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        self.assertLess(self.read_json("b.json")["peak_memory_bytes"] + 40e6, usage.ru_maxrss * 1024)

    def test_random_weights(self):
        self.succeed("bench", "eval", "--dino_type", "dinov2", "--size", "small", "--img_dim", 28, 28,
                     "--batch_size", 1, "--steps", 1)

    def test_loader(self):
        data = make_folder(self.folder / "data", n_classes=4)
        setting = [*folder_data(data), "--n_classes", 4, "--img_dim", 35, 48]
        flags = ["--num_workers", 3, "--device", "cpu", "--batch_size", 2, "--json", "b.json"]
        result = self.succeed("bench", "loader", *setting, *flags)
        self.assertIn("batches          10 of 2, resized to 32 x 48", result.stdout)
        figures = self.read_json("b.json")
        self.assertGreater(figures.pop("images_per_second"), 0)
        self.assertEqual(figures, {"mode": "loader", "dataset": "folder", "device": "cpu", "batch_size": 2,
                                   "height": 32, "width": 48, "augmentation": "standard, scale 0.5 to 2", "workers": 3, "steps": 10})
        result = self.succeed("bench", "loader", *setting, *flags, "--augment", "strong", "--augment_scale", 1, 1)
        self.assertIn("augmentation     strong, scale 1 to 1", result.stdout)
        self.assertEqual(self.read_json("b.json")["augmentation"], "strong, scale 1 to 1")
        result = self.succeed("bench", "loader", *setting, "--batch_size", 65536)
        self.assertIn("batches          10 of 5", result.stdout)

    def test_loader_of_bad_data(self):
        data = make_folder(self.folder / "data", n_classes=4)
        setting = [*folder_data(data), "--n_classes", 4]
        next((data / "images" / "train").iterdir()).write_bytes(b"no image")
        self.refused("bench", "loader", *setting, mentions=["images/train"])
        self.refused("bench", "loader", "--dataset", "voc", "--data_root", "none", mentions=["none"])

    def test_refusals(self):
        self.refused("bench", "walk", status=2, mentions=["train", "eval", "ops", "loader", "walk"])
        self.refused("bench", "train", "--data_root", "data", mentions=["--data_root is for bench loader"])
        self.refused("bench", "train", "--augment", "flip", mentions=["--augment is for bench loader"])
        self.refused("bench", "eval", "--json", "/proc/none/b.json", mentions=["/proc/none"])


if __name__ == "__main__":
    main()
