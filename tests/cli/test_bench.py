"""dinoft bench: that it measures and reports; never how fast."""

import json

from support import DINOV2, DINOV3, CommandLineTest, files_in, main, model_flags


class Bench(CommandLineTest):
    def figures(self, *flags, backbone=DINOV2):
        self.succeed("bench", *model_flags(backbone), "--steps", 2, "--json", "b.json", *flags)
        with open(self.folder / "b.json", encoding="utf-8") as file:
            return json.load(file)

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

    def test_random_weights(self):
        self.succeed("bench", "eval", "--dino_type", "dinov2", "--size", "small", "--img_dim", 28, 28,
                     "--batch_size", 1, "--steps", 1)

    def test_refusals(self):
        self.refused("bench", "walk", mentions=["train", "eval", "walk"])
        self.refused("bench", "eval", "--json", "/proc/none/b.json", mentions=["/proc/none"])


if __name__ == "__main__":
    main()
