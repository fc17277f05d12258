"""dinoft train --config: a run's own NAME_config.json gives the run again, bit by bit."""

import json

from support import DINOV3, files_in, main, model_flags
from training import TrainingTest

OF_ONE_RUN = ["exp_name", "overwrite", "config"]


class RepeatTest(TrainingTest):
    def repeat(self, *flags, name="again", config="output/run_config.json"):
        """From the file, under another name; the bytes of the checkpoint."""
        self.succeed("train", "--config", config, "--exp_name", name, *flags)
        return self.checkpoint(name)

    def checkpoint(self, name="run"):
        return (self.folder / "output" / f"{name}.pt").read_bytes()

    def config_of(self, name):
        """Without what is of one run alone."""
        config = self.read_json(f"output/{name}_config.json")
        for name in OF_ONE_RUN:
            del config[name]
        del config["facts"]["command_line"], config["facts"]["machine"]["memory"]
        del config["facts"]["typed"], config["facts"]["chosen"]  # what auto became, the next file has typed
        return config


class PrintConfig(RepeatTest):
    """dinoft train --print_config: the settings of a run that nobody starts."""

    def printed(self, *flags):
        before = files_in(self.folder)
        result = self.succeed("train", *flags, "--print_config")
        self.assertEqual(files_in(self.folder), before)
        return json.loads(result.stdout)

    def again(self, printed, *flags):
        """Read back, and printed once more."""
        (self.folder / "base.json").write_text(json.dumps(printed))
        return self.printed("--config", "base.json", *flags)

    def assert_the_same(self, printed, first):
        """What follows from a flag, as fpn from --use_fpn, counts as typed the next time."""
        first["facts"]["typed"] = printed["facts"]["typed"]
        self.assertEqual(printed, first)

    def test_every_recipe(self):
        says = {
            "default": {"epochs": 20, "void_as_background": False},
            "reference": {"epochs": 100, "lr": 3e-3, "batch_size": 64, "schedule": "cosine", "warmup_epochs": 20,
                          "min_lr": 3e-5, "keep_checkpoints": "all", "rope_rescale": 2, "decay_1d": True,
                          "void_as_background": True, "exp_name": "lora"},
            "reference-2025-08": {"epochs": 20, "lr": 3e-4, "batch_size": 12, "schedule": "constant",
                                  "rope_rescale": 2, "decay_1d": True, "void_as_background": True},
        }  # fmt: skip
        for recipe, expected in says.items():
            with self.subTest(recipe):
                printed = self.printed("--recipe", recipe)
                self.assertEqual(printed, {**printed, **expected, "recipe": recipe})
                self.assert_the_same(self.again(printed), printed)
                changed = self.again(printed, "--lr", 0.5)
                self.assertIn("lr", changed["facts"]["typed"])
                self.assertEqual({**changed, "facts": 0}, {**printed, "lr": 0.5, "facts": 0})

    def test_what_is_typed(self):
        for flags in (
            ["--use_lora", "--lora_targets", "q,k", "--epochs", 3, "--schedule", "cosine", "--warmup_steps", "20%"],
            ["--recipe", "reference", "--schedule", "onecycle", "--use_fpn", "--img_dim", 490, 70],
            ["--dataset", "folder", "--n_classes", 3, "--augment", "strong", "--augment_scale", "0.7,1.3"],
            ["--seed", 2**62 + 1, "--decoder", "mlp", "--decoder_layers", "even", "--weights", "nowhere.pth"],
        ):
            with self.subTest(flags):
                printed = self.printed(*flags)
                self.assert_the_same(self.again(printed), printed)

    def test_what_the_checkpoint_says_is_left_open(self):
        """A checkpoint that nobody opens says later what nobody has typed."""
        printed = self.printed("--lora_weights", "nowhere.pt", "--head_norm", "none")
        for name in ("img_dim", "use_lora", "decoder", "decoder_layers", "head_dropout", "use_fpn"):
            self.assertNotIn(name, printed)
        self.assertEqual(printed["head_norm"], "none")
        self.assertEqual(self.again(printed), printed)

    def test_the_run_has_them(self):
        flags = ["--recipe", "reference", "--epochs", 3, "--warmup_epochs", 1, "--exp_name", "run"]
        printed = self.printed(*self.train_command(*flags)[1:])
        self.train(*flags)
        config = self.config_of("run")
        for name in ("weights", "device", "precision", "cache_features", "normalize"):  # what auto became
            config[name] = printed[name]
        for name in ("facts", *OF_ONE_RUN):
            config.pop(name, None)
            printed.pop(name, None)
        self.assertEqual(config, printed)

    def test_wrong_flags_are_refused_as_ever(self):
        self.refused("train", "--dataset", "folder", "--print_config", status=2, mentions=["--n_classes"])
        self.refused("eval", "--print_config", status=2, mentions=["--print_config belongs to train"])


class Repeating(RepeatTest):
    def test_the_same_bits(self):
        for flags in (
            ["--use_lora", "--epochs", 3, "--schedule", "cosine", "--warmup_steps", "20%", "--seed", 2**62 + 1],
            ["--use_fpn", "--lr", "0.012345678901234567", "--no_shuffle", "--mask_values", "0,1,2,3"],
            ["--cache_features", "memory", "--epochs", 2, "--ema", 0.9, "--precision", "fp32"],
            ["--recipe", "reference", "--epochs", 3, "--no_decay_1d", "--schedule", "constant", "--warmup_epochs", 1,
             "--use_lora"],
            ["--use_lora", "--augment", "standard", "--augment_scale", 0.7, 1.3, "--crop_class_balance"],
            ["--recipe", "reference-2025-08", "--accumulate", 3, "--use_lora", "--r", 2, "--grad_clip", 0.5],
        ):
            with self.subTest(flags):
                self.train(*flags)
                self.assertEqual(self.repeat("--overwrite"), self.checkpoint())
                self.assertEqual(self.config_of("again"), self.config_of("run"))
                other = self.repeat("--overwrite", "--seed", 5, name="other")
                self.assertNotEqual(other, self.checkpoint(), "what is typed wins")

    def test_what_was_chosen_is_chosen_anew(self):
        """A batch and its learning rate go together; a file that tells of nothing typed is as it was."""
        lora = [*self.folder_flags(), *model_flags(DINOV3), "--use_lora", "--epochs", 2, "--exp_name"]
        self.succeed("train", *lora, "run")
        first = self.config_of("run")
        self.assertEqual(self.repeat(), self.checkpoint())
        self.assertEqual(self.config_of("again"), first)
        self.repeat("--batch_size", 3, name="three")
        self.succeed("train", *lora, "typed", "--batch_size", 3)
        self.assertEqual(self.checkpoint("three"), self.checkpoint("typed"))
        old = self.read_json("output/run_config.json")
        del old["facts"]
        (self.folder / "old.json").write_text(json.dumps(old))
        self.repeat("--batch_size", 3, name="old", config="old.json")
        self.assertEqual(self.config_of("old")["lr"], first["lr"])
        old["facts"] = self.read_json("output/run_config.json")["facts"]
        (self.folder / "changed.json").write_text(json.dumps({**old, "lr": 0.02}))
        self.repeat(name="changed", config="changed.json")
        self.assertEqual([self.config_of("changed")[name] for name in ("lr", "batch_size")], [0.02, first["batch_size"]])

    def test_a_default_that_was_typed(self):
        for flags in (["--accumulate", 1], ["--max_steps", 0], ["--no_use_lora", "--augment", "standard"]):
            with self.subTest(flags):
                self.succeed("train", *self.folder_flags(), *model_flags(DINOV3), "--use_lora", "--epochs", 1,
                             "--exp_name", "run", "--overwrite", *flags)  # fmt: skip
                self.assertEqual(self.repeat("--overwrite"), self.checkpoint())

    def test_from_a_checkpoint(self):
        """What the checkpoint said, and what was typed in its place."""
        first = ["--use_lora", "--r", 2, "--normalize", "none", "--img_dim", 70, 98, "--exp_name", "first"]
        self.succeed(*self.train_command(*first))
        start = ["--lora_weights", "output/first.pt", "--img_dim", 490, 490, "--max_steps", 1]
        self.train(*start, "--normalize", "imagenet")
        self.assertEqual(self.repeat(), self.checkpoint())

    def test_names_are_not_taken(self):
        self.train("--overwrite")
        self.succeed("train", "--config", "output/run_config.json", "--output_dir", "more")
        self.assertIn("folder_128x4_linear.pt", files_in(self.folder / "more"))
        self.refused("train", "--config", "output/run_config.json", "--exp_name", "run", mentions=["--overwrite"])

    def test_without_the_augmentation_of_the_file(self):
        self.train("--use_lora", "--augment", "standard", "--augment_scale", 0.7, 1.3, "--crop_class_balance")
        plain = self.repeat("--augment", "flip", name="flipped")
        self.train("--use_lora", "--augment", "flip", "--overwrite")
        self.assertEqual(plain, self.checkpoint())

    def test_what_the_file_tells(self):
        self.train("--use_lora", "--num_workers", 3, "--threads", 1)
        config = self.read_json("output/run_config.json")
        facts = config["facts"]
        self.assertEqual(facts["command_line"][1], "train")
        self.assertIn("--use_lora", facts["command_line"])
        self.assertEqual(facts["command_line"][-1], "1")
        self.assertEqual((facts["device"], facts["threads"], facts["num_workers"]), ("cpu", 1, 3))
        self.assertEqual((facts["n_classes"], facts["training_images"], facts["validation_images"]), (4, 5, 3))
        self.assertEqual((facts["decoder"], facts["cache_features"]), ("linear", "off"))
        self.assertIn(facts["precision"], ("fp32", "bf16"))
        for key in ("device", "precision", "cache_features"):
            self.assertEqual(config[key], facts[key], "it is not left to another machine")
        for line in self.succeed("--version", "--verbose").stdout.splitlines():
            key, value = (part.strip() for part in line.split(":", 1))
            if key not in ("environment", "memory"):
                self.assertEqual(facts["machine"][key], value)

    def test_another_backbone(self):
        self.train()
        flags = model_flags(DINOV3)
        self.repeat(*flags)
        self.assertEqual(self.config_of("again")["weights"], str(DINOV3.weights))


class WrongFiles(RepeatTest):
    def test_refusals(self):
        self.train()
        config = self.read_json("output/run_config.json")
        for change, mention in (
            ({"epoch": 3}, "did you mean epochs"),
            ({"lr": "fast"}, "lr: expected a number"),
            ({"r": 0}, "--r: 0 is out of range"),
            ({"dinoft": 3}, "dinoft: expected a version"),
            ({"command": "eval"}, "command"),
        ):
            (self.folder / "wrong.json").write_text(json.dumps(config | change))
            self.refused("train", "--config", "wrong.json", "--exp_name", "b", status=2, mentions=["wrong.json", mention])
        (self.folder / "wrong.json").write_text(json.dumps(config | {"dinoft": "1000.0.0", "sharpness": 3}))
        result = self.succeed("train", "--config", "wrong.json", "--exp_name", "b")
        self.assertIn("dinoft: warning: wrong.json: 'sharpness' is not known to this version", result.stderr)


if __name__ == "__main__":
    main()
