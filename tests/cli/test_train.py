"""dinoft train: what is trained, on which data, and what the flags change."""

import math
import shutil

from datasets import IGNORE, make_ade20k, voc_demo
from png_files import read_png, write_png
from support import CHANNELS, DINOV2, DINOV3, LINEAR, main
from tensor_files import read_torch, values
from training import CLASSES, TrainingTest

LORA = [f"w_{side}_{pair:03}" for side in "ab" for pair in range(2 * DINOV2.depth)]


class Models(TrainingTest):
    """LoRA on and off, all decoders, both families."""

    KEYS = {"linear": "classifier.weight", "multi": "multi.classifier.weight", "mlp": "mlp.project.weight", "fpn": "conv1.0.weight"}
    RECIPE = ["--head_norm", "bn", "--head_dropout", 0.1]

    def test_dinov3s_recipe(self):
        """The keys of a head with a norm are others, since main.py would read the plain ones and leave the norm out."""
        for decoder, width in (("linear", CHANNELS), ("multi", 4 * CHANNELS)):
            run = self.train("--decoder", decoder, *self.RECIPE)
            shapes = {name: tensor.shape for name, tensor in run.tensors.items()}
            norm = {f"{decoder}.norm.{key}": (width,) for key in ("weight", "bias", "running_mean", "running_var")}
            norm[f"{decoder}.norm.num_batches_tracked"] = ()
            self.assertEqual(shapes, {**norm, f"{decoder}.classifier.weight": (CLASSES, width, 1, 1), f"{decoder}.classifier.bias": (CLASSES,)})
            self.assertEqual(values(run.tensors[f"{decoder}.norm.num_batches_tracked"]), (2,))
            self.assertEqual((run.record["head_norm"], run.record["head_dropout"]), ("bn", 0.1))
            self.assertIn("main.py does not know this decoder", run.result.stderr)
            info = self.succeed("info", "output/run.pt").stdout
            self.assertRegex(info, r"head: .*BatchNorm, dropout 0.1\)")
        still = self.train("--head_norm", "bn", "--lr", 1e-30, "--weight_decay", 0)
        weights = values(still.tensors["linear.classifier.weight"])
        self.assertAlmostEqual(sum(w * w for w in weights) / len(weights), 1e-4, delta=2e-5)
        self.assertLess(max(map(abs, values(still.tensors["linear.classifier.bias"]))), 1e-20)

    def test_dropout_alone(self):
        """A checkpoint that main.py can read, of other values than without."""
        run, plain = self.train("--head_dropout", 0.5), self.train(output="plain")
        self.assertEqual(run.tensors.keys(), plain.tensors.keys())
        self.assertNotEqual(run.tensors, plain.tensors)
        self.assertNotIn("main.py", run.result.stderr)

    def check(self, backbone, *flags):
        run = self.train(*flags, backbone=backbone)
        lora = "--use_lora" in flags
        decoder = "fpn" if "--use_fpn" in flags else flags[flags.index("--decoder") + 1] if "--decoder" in flags else "linear"
        self.assertEqual([name for name in run.tensors if name.startswith("w_")], LORA if lora else [])
        self.assertEqual([kind for kind, key in self.KEYS.items() if key in run.tensors], [decoder])
        self.assertEqual("main.py does not know this decoder" in run.result.stderr, decoder not in ("linear", "fpn"))
        if lora:
            self.assertEqual(run.tensors["w_a_000"].shape, (3, CHANNELS))
            self.assertEqual(run.tensors["w_b_000"].shape, (CHANNELS, 3))
            still = [name for name in LORA if "_b_" in name and not any(values(run.tensors[name]))]
            self.assertEqual(still, [], "every B starts at zero and is trained")
        for tensor in run.tensors.values():
            self.assertTrue(all(map(math.isfinite, values(tensor))))
        self.assertEqual(run.record["decoder"], decoder)
        self.assertEqual(run.record["rank"], 3 if lora else 0)
        self.assertEqual(run.record["n_classes"], CLASSES)
        self.assertEqual(run.record["img_dim"], list(backbone.size))
        self.assertEqual(len(run.steps), 2)

    def test_families_decoders_and_lora(self):
        for backbone in (DINOV2, DINOV3):
            for flags in ([], ["--use_lora"], ["--use_fpn"], ["--use_fpn", "--use_lora"], ["--decoder", "multi"],
                          ["--decoder", "multi", "--use_lora"], ["--decoder", "mlp"], ["--decoder", "mlp", "--use_lora"]):  # fmt: skip
                with self.subTest(backbone.family, flags=flags):
                    self.check(backbone, *flags)

    def test_rank(self):
        run = self.train("--use_lora", "--r", 5)
        self.assertEqual(run.tensors["w_a_007"].shape, (5, CHANNELS))
        self.assertEqual(run.tensors["w_b_007"].shape, (CHANNELS, 5))
        self.assertEqual(run.record["rank"], 5)

    def test_it_learns(self):
        run = self.train("--epochs", 8, "--lr", 0.01, "--use_lora", "--val_every", 7)
        first, last = run.metrics["train_loss"][0], run.metrics["train_loss"][-1]
        self.assertLess(last, 0.6 * first)
        self.assertLess(run.metrics["val_loss"][-1], run.metrics["val_loss"][0])


class DataSets(TrainingTest):
    def test_voc(self):
        run = self.train(data=["--dataset", "voc", "--data_root", voc_demo()])
        self.assertEqual(run.tensors["classifier.weight"].shape, (21, CHANNELS, 1, 1))
        self.assertEqual(run.record["class_names"][:2], ["background", "aeroplane"])
        self.assertIn("3 training and 2 validation images of voc", run.result.stderr)

    def test_ade20k(self):
        make_ade20k(self.folder / "ade")
        run = self.train(data=["--dataset", "ade20k", "--data_root", self.folder / "ade"])
        self.assertEqual(run.tensors["classifier.weight"].shape, (150, CHANNELS, 1, 1))
        self.assertEqual(run.record["class_names"][0], "wall")
        self.assertEqual(len(run.record["class_names"]), 150)

    def test_folder(self):
        names = ["sky", "a house", 'the "tree"', "chemin d'\u00e9t\u00e9"]
        (self.folder / "names.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
        run = self.train("--class_names", self.folder / "names.txt")
        self.assertEqual(run.tensors["classifier.weight"].shape, (CLASSES, CHANNELS, 1, 1))
        self.assertEqual(run.record["class_names"], names)

    def test_small_last_batch_is_used(self):
        run = self.train("--batch_size", 2, "--epochs", 2)
        self.assertEqual([row["step"] for row in run.steps], ["1", "2", "3", "4", "5", "6"])

    def test_a_batch_without_any_label(self):
        """Its loss does not exist, and the other steps are not spoilt."""
        for path in sorted((self.data / "masks" / "train").iterdir())[:3]:
            mask = read_png(path)
            write_png(path, mask._replace(pixels=bytes([IGNORE]) * len(mask.pixels)))
        run = self.train("--use_lora", "--no_shuffle", "--epochs", 2)
        losses = [float(row["loss"]) for row in run.steps]
        self.assertEqual([math.isnan(loss) for loss in losses], [True, False, True, False])
        self.assertAlmostEqual(run.metrics["train_loss"][0], losses[1], places=6)
        self.assertTrue(math.isfinite(run.metrics["val_loss"][0]))
        self.assertTrue(
            all(math.isfinite(value) for tensor in run.tensors.values() for value in values(tensor))
        )

    def test_batch_larger_than_the_data_set(self):
        self.assertEqual(len(self.train("--batch_size", 64).steps), 1)


class Flags(TrainingTest):
    def test_without_the_command(self):
        """As `python main.py FLAGS`: data in ./data, results in ./output, the backbone in ./weights."""
        weights = self.folder / "weights" / "dinov3_vitl16.pth"
        weights.parent.mkdir()
        shutil.copy(DINOV3.weights, weights)
        shutil.copytree(voc_demo() / "VOCdevkit", self.data / "VOCdevkit")
        result = self.succeed("--dataset", "voc", "--use_lora", "--img_dim", 128, 128, "--max_steps", 1)
        run = self.read_run(result, name="voc_128x4_linear")
        self.assertEqual(run.config["command"], "train")
        self.assertEqual(run.record["dataset"], "voc")

    def test_all_flags_of_main_py(self):
        data = ["--dataset", "voc", "--data_root", voc_demo()]
        run = self.train("--exp_name", "run", "--dino_type", "dinov2", "--use_lora", "--r", 3, "--img_dim", 70, 84,
                         "--lora_weights", LINEAR, "--epochs", 1, "--lr", 3e-4, "--batch_size", 2, "--debug", data=data)  # fmt: skip
        self.assertEqual(run.config["r"], 3)
        self.assertEqual(run.config["lr"], 3e-4)
        self.assertEqual(run.config["img_dim"], [70, 84])

    def test_image_size_is_lowered_with_a_log_line(self):
        run = self.train("--img_dim", 80, 97)
        self.assertRegex(run.result.stderr, r"dinoft: .*lowered from 80 x 97 to 70 x 84.* 14\n")
        self.assertEqual(run.record["img_dim"], [70, 84])

    def test_fitting_image_size_is_not_spoken_of(self):
        self.assertNotIn("lowered", self.train("--img_dim", 70, 84).result.stderr)

    def test_max_steps(self):
        run = self.train("--epochs", 5, "--max_steps", 3)
        self.assertEqual(
            [(row["epoch"], row["step"]) for row in run.steps], [("1", "1"), ("1", "2"), ("2", "3")]
        )
        self.assertEqual(run.metrics["val_epoch"], [1, 2])
        self.assertEqual(len(run.metrics["train_loss"]), 2)

    def test_learning_rate(self):
        run = self.train("--lr", 0.002)
        self.assertEqual({float(row["lr"]) for row in run.steps}, {0.002})

    def test_start_from_a_checkpoint(self):
        """With steps too small to move a float32, what comes out is what went in."""
        run = self.train("--use_lora", "--lora_weights", LINEAR, "--lr", 1e-12,
                         data=["--dataset", "voc", "--data_root", voc_demo()])  # fmt: skip
        start = read_torch(LINEAR)
        self.assertEqual(list(run.tensors), list(start))
        for name, tensor in start.items():
            self.assert_values_near(values(run.tensors[name]), values(tensor), 1e-9)

    def test_start_from_ones_own_checkpoint(self):
        self.train("--use_lora", "--r", 2)
        run = self.train("--use_lora", "--lora_weights", self.folder / "output" / "run.pt", output="more")
        self.assertEqual(
            run.tensors["w_a_000"].shape, (2, CHANNELS), "the checkpoint's rank, not the default"
        )

    def test_recipe_reference(self):
        run = self.train("--recipe", "reference", backbone=DINOV3)
        self.assertEqual((run.config["recipe"], run.config["normalize"]), ("reference", "none"))
        self.assertEqual((run.config["void_as_background"], run.config["rope_rescale"]), (True, 2))
        self.assertEqual(run.record["normalize"], "none")

    def test_recipe_default(self):
        run = self.train(backbone=DINOV3)
        self.assertEqual((run.config["recipe"], run.config["rope_rescale"]), ("default", 1))
        self.assertEqual(run.config["void_as_background"], False)
        self.assertEqual(run.record["normalize"], "imagenet")

    def test_a_typed_flag_wins_over_the_recipe(self):
        run = self.train("--normalize", "imagenet", "--recipe", "reference")
        self.assertEqual(run.record["normalize"], "imagenet")

    def test_rope_rescale_changes_the_training(self):
        plain = self.train("--use_lora", backbone=DINOV3, output="plain")
        rescaled = self.train("--use_lora", "--rope_rescale", 2, backbone=DINOV3, output="rescaled")
        self.assertNotEqual(plain.steps[0]["loss"], rescaled.steps[0]["loss"])

    def test_name_with_spaces_and_letters_of_all_kinds(self):
        name = "a run \u00fcber 9"
        self.read_run(self.succeed(*self.train_command("--exp_name", name)), name=name)

    def test_name_with_a_folder(self):
        self.succeed(*self.train_command("--exp_name", "dinov2/tiny"))
        self.assertTrue((self.folder / "output" / "dinov2" / "tiny.pt").is_file())
        self.assertTrue((self.folder / "output" / "dinov2" / "tiny_metrics.json").is_file())


class Repetition(TrainingTest):
    """The same seed gives the same bits."""

    FLAGS = ["--use_lora", "--epochs", 2]

    def test_same_command_same_bytes(self):
        self.assertEqual(
            self.trained_bytes(*self.FLAGS, output="a"), self.trained_bytes(*self.FLAGS, output="b")
        )

    def test_same_command_same_bytes_fpn_dinov3(self):
        flags = ["--use_fpn", "--recipe", "reference", "--use_lora"]
        self.assertEqual(
            self.trained_bytes(*flags, output="a", backbone=DINOV3),
            self.trained_bytes(*flags, output="b", backbone=DINOV3),
        )

    def test_number_of_workers_changes_nothing(self):
        self.assertEqual(
            self.trained_bytes("--num_workers", 1, output="a"),
            self.trained_bytes("--num_workers", 4, output="b"),
        )

    def test_another_seed_gives_another_model(self):
        self.assertNotEqual(
            self.trained_bytes("--seed", 1, output="a"), self.trained_bytes("--seed", 2, output="b")
        )

    def test_order_of_the_images(self):
        shuffled = self.trained_bytes("--seed", 3, output="a")
        in_order = self.trained_bytes("--seed", 3, "--no_shuffle", output="b")
        self.assertNotEqual(shuffled, in_order)
        self.assertEqual(in_order, self.trained_bytes("--seed", 3, "--no_shuffle", output="c"))


if __name__ == "__main__":
    main()
