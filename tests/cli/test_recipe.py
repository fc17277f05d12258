"""What dinoft train does where nobody types how: the default recipe."""

import json
import math

from support import DINOV2, folder_data, main, model_flags
from training import CLASSES, TrainingTest


class DefaultRecipe(TrainingTest):
    def run_of(self, *flags):
        command = ["train", *folder_data(self.data), "--n_classes", CLASSES, *model_flags(DINOV2), "--exp_name", "run", "--overwrite",
                   "--epochs", 8, *flags]  # fmt: skip
        return self.read_run(self.succeed(*command))

    def lines(self, run):
        return [line for line in run.result.stderr.splitlines() if line.startswith("dinoft: recipe default: ")]

    def test_lora(self):
        run = self.run_of("--use_lora", "--batch_size", 3)
        steps, rate, augmentation = self.lines(run)
        self.assertIn("16 steps with 3 of the 5 images each, the first 1 of them as warm-up, since", steps)
        self.assertIn("learning rate of LoRA 0.001 and of the decoder 0.005, falling to 0 (poly), since", rate)
        self.assertIn("augmentation standard, since", augmentation)
        rates = [float(row["lr"]) for row in run.steps]
        self.assertAlmostEqual(rates[0], 2e-3 * math.sqrt(3 / 12), delta=1e-9)
        self.assertEqual(rates, sorted(rates, reverse=True))
        self.assertLess(rates[-1], 2e-4)
        self.assertIn("linear.norm.running_var", run.tensors)
        self.assertIn("--head_norm none", run.result.stderr)

    def test_batches_by_the_number_of_steps(self):
        few = self.run_of("--use_lora", "--epochs", 2)
        self.assertIn("4 steps with 4 of the 5 images each, without warm-up, since small batches", self.lines(few)[0])
        self.assertEqual(few.config["batch_size"], 4)
        self.assertAlmostEqual(few.config["lr"], 2e-3 * math.sqrt(4 / 12), delta=1e-12)
        self.assertEqual(len(few.steps), 4)
        lora = "--use_lora"
        for flags in ([lora, "--batch_size", 12], [lora, "--max_steps", 2], [lora, "--accumulate", 2], []):
            run = self.run_of("--epochs", 2, *flags)
            self.assertEqual((run.config["batch_size"], run.config["lr"]), (12, 2e-3), flags)

    def test_a_run_s_settings_are_its_own(self):
        """--config has it chosen as the first run had; and another recipe has its own."""
        first = self.run_of("--use_lora", "--epochs", 2)
        (self.folder / "again.json").write_text(json.dumps(first.config))
        again = self.run_of("--config", self.folder / "again.json", "--epochs", 3)
        self.assertEqual((again.config["batch_size"], again.config["lr"]), (4, first.config["lr"]))
        again = self.run_of("--config", self.folder / "again.json", "--epochs", 1000, "--max_steps", 3)
        self.assertEqual((again.config["batch_size"], again.config["lr"]), (12, 2e-3))
        other = self.run_of("--config", self.folder / "again.json", "--recipe", "reference-2025-08", "--epochs", 1)
        self.assertEqual((other.config["batch_size"], other.config["lr"]), (12, 3e-4))

    def test_printed_settings_leave_it_open(self):
        printed = json.loads(self.succeed("train", "--use_lora", "--print_config").stdout)
        self.assertFalse({"batch_size", "lr"} & printed.keys())
        printed = json.loads(self.succeed("train", "--use_lora", "--print_config", "--batch_size", 12).stdout)
        self.assertEqual((printed["batch_size"], printed["lr"]), (12, 2e-3))

    def test_frozen(self):
        lines = self.lines(self.run_of())
        self.assertIn("learning rate of the decoder 0.02,", lines[1])
        self.assertIn("augmentation none, since a frozen backbone", lines[2])
        self.assertIn("augmentation standard", self.lines(self.run_of("--cache_features", "off"))[2])

    def test_what_is_typed_needs_no_reason(self):
        run = self.run_of("--use_lora", "--batch_size", 3, "--lr", 1e-3, "--augment", "flip", "--warmup_steps", 2)
        for line in self.lines(run):
            self.assertNotIn("since", line)
        self.assertEqual([float(row["lr"]) for row in run.steps][:2], [5e-4, 1e-3])

    def test_decoders_of_their_own(self):
        run = self.run_of("--decoder", "mlp")
        self.assertIn("of the decoder 0.002,", self.lines(run)[1])
        self.assertEqual((run.config["head_norm"], run.config["lr_head"]), ("none", 1))

    def test_reference_recipes(self):
        run = self.run_of("--recipe", "reference-2025-08", "--epochs", 1)
        self.assertEqual(self.lines(run), [])
        self.assertEqual(run.config["augment"], "none")
        self.assertNotIn("linear.norm.running_var", run.tensors)


if __name__ == "__main__":
    main()
