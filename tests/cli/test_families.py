"""Families that share the architecture, and what a model is given: how positions are placed, how colours are normalised."""

import json
import shutil

from datasets import draw_image
from support import DINOV2, DINOV3, FIXTURES, LINEAR, CommandLineTest, img_dim, main, model_flags
from tensor_files import read_safetensors
from training import TrainingTest

PLAIN = DINOV2._replace(weights=FIXTURES / "dinov2_tiny" / "backbone.pth", size=(70, 84))  # without registers
TIPS = DINOV2._replace(weights=FIXTURES / "tips_tiny" / "backbone.safetensors", patch=4, size=(24, 40))
OWN = "0.5,0.5,0.5:0.25,0.25,0.25"


class FamiliesTest(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.image = draw_image(self.folder / "image.png", 90, 70, 1)

    def features(self, *flags, backbone=PLAIN):
        """(tensors, stderr)"""
        result = self.succeed("features", self.image, *model_flags(backbone), "--output", "f.safetensors", "--overwrite", *flags)
        return read_safetensors(self.folder / "f.safetensors")[0], result.stderr


class Positions(FamiliesTest):
    def placed(self, backbone):
        """Features by each way of placing positions."""
        return [self.features("--pos_interpolation", name, backbone=backbone)[0] for name in ("official", "huggingface", "timm")]

    def test_three_ways(self):
        official, huggingface, timm = self.placed(PLAIN)
        self.assertEqual(official, self.features()[0])
        self.assertNotEqual(official, huggingface)
        self.assertNotEqual(official, timm)
        self.assertNotEqual(huggingface, timm)

    def test_with_registers_all_do_the_same(self):
        self.assertEqual(*self.placed(DINOV2)[:2])
        self.assertEqual(*self.placed(DINOV2)[1:])

    def test_the_grid_of_the_table_is_left_alone(self):
        whole = TIPS._replace(size=(32, 32))
        self.assertEqual(*self.placed(whole)[1:])

    def test_there_is_none_in_dinov3(self):
        plain, stderr = self.features(backbone=DINOV3)
        self.assertNotIn("--pos_interpolation", stderr)
        typed, stderr = self.features("--pos_interpolation", "timm", backbone=DINOV3)
        self.assertIn("warning: --pos_interpolation has no effect: ", stderr)
        self.assertEqual(typed, plain)


class Normalization(FamiliesTest):
    def named(self, name, backbone=DINOV3):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(backbone.weights, path)
        return backbone._replace(weights=path)

    def test_numbers(self):
        own, stderr = self.features("--normalize", OWN)
        self.assertNotIn("warning", stderr)
        self.assertNotEqual(own, self.features()[0])
        self.assertEqual(self.features("--normalize", "0.485,0.456,0.406:0.229,0.224,0.225")[0], self.features()[0])
        self.assertEqual(self.features("--normalize", "0,0,0:1,1,1")[0], self.features("--normalize", "none")[0])

    def test_other_texts_are_refused(self):
        for text, word in (("Imagenet", "imagenet, sat493m, none"), ("0.5,0.5,0.5:0.5,0.5,0", "deviation 0"),
                           ("123.7,116.3,103.5:58.4,57.1,57.4", "divided by 255")):  # fmt: skip
            self.refused("features", self.image, *model_flags(PLAIN), "--output", "f.safetensors", "--normalize", text,
                         status=2, mentions=["--normalize: ", text, word])  # fmt: skip

    def test_satellite_images(self):
        expected, stderr = self.features("--normalize", "sat493m", backbone=DINOV3)
        self.assertNotIn("warning", stderr)
        for name in ("dinov3_sat493m.pth", "dinov3-vitl16-pretrain-sat493m/model.pth"):
            backbone = self.named(name)
            found, stderr = self.features(backbone=backbone)
            self.assertIn(f"dinoft: normalize sat493m, which {backbone.weights} wants, by its name (", stderr)
            self.assertEqual(found, expected)
            info = self.succeed("info", backbone.weights).stdout
            self.assertIn("normalize:       sat493m, by its name\n", info)
        typed, stderr = self.features("--normalize", "imagenet", backbone=backbone)
        self.assertIn(f"warning: --normalize imagenet, where {backbone.weights} wants sat493m", stderr)
        self.assertEqual(typed, self.features(backbone=DINOV3)[0])

    def test_a_preprocessor_beside_the_weights(self):
        backbone = self.named("model/model.pth")
        (self.folder / "model" / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.5] * 3, "image_std": [0.25] * 3}))
        found, stderr = self.features(backbone=backbone)
        self.assertIn(f"normalize {OWN}, which {backbone.weights} wants, as its preprocessor_config.json says", stderr)
        self.assertEqual(found, self.features("--normalize", OWN, backbone=backbone)[0])
        (self.folder / "model" / "preprocessor_config.json").write_text(json.dumps({"image_mean": 0.5, "image_std": 9}))
        self.refused("features", self.image, *model_flags(backbone), "--output", "g.safetensors", mentions=["preprocessor_config.json: the deviation 9"])
        self.assertIn("warning: ", self.features("--normalize", OWN, backbone=backbone)[1])
        self.assertIn("normalize:       not known: ", self.succeed("info", backbone.weights).stdout)

    def test_converting_loses_a_name(self):
        backbone = self.named("w/dinov3_sat493m.pth")
        self.assertIn("wants --normalize sat493m, by its name: nothing tells so of other.pth", self.succeed("convert", backbone.weights, "other.pth").stderr)
        self.assertNotIn("warning", self.succeed("convert", backbone.weights, "own_sat493m.safetensors").stderr)
        self.assertNotIn("warning", self.succeed("convert", TIPS.weights, "tips.pth").stderr)

    def test_tips(self):
        found, stderr = self.features(backbone=TIPS)
        self.assertIn(f"normalize none, which {TIPS.weights} wants", stderr)
        self.assertEqual(found, self.features("--normalize", "none", backbone=TIPS)[0])
        self.assertNotIn("normalize:", self.succeed("info", PLAIN.weights).stdout)


class Shapes(FamiliesTest):
    def test_info_says_what_differs(self):
        info = self.succeed("info", FIXTURES / "dinov3_tiny_7b" / "backbone.pth").stdout
        self.assertIn("qkv:             without a bias\n", info)
        self.assertNotIn("qkv:", self.succeed("info", DINOV3.weights).stdout)
        self.assertIn("registers:       1\n", self.succeed("info", TIPS.weights).stdout)


class Recorded(TrainingTest):
    """What a training was given, and what others make of its checkpoint."""

    def setUp(self):
        super().setUp()
        self.checkpoint = self.folder / "output" / "run.pt"

    def train_given(self, *flags, backbone=PLAIN, **options):
        return self.train(*flags, *img_dim(*backbone.size), backbone=backbone, **options)

    def evaluate(self, *flags, backbone=PLAIN):
        result = self.succeed("eval", *self.folder_flags(), *model_flags(backbone), "--lora_weights", self.checkpoint,
                              "--metrics_json", "m.json", *flags)  # fmt: skip
        return self.read_json("m.json"), result.stderr

    def test_positions(self):
        flags = ["--pos_interpolation", "huggingface"]
        run = self.train_given(*flags)
        self.assertEqual((run.config["pos_interpolation"], run.record["pos_interpolation"]), ("huggingface", "huggingface"))
        metrics, stderr = self.evaluate()
        self.assertAlmostEqual(metrics["loss"], run.metrics["val_loss"][-1], places=5)
        self.assertIn(f"pos_interpolation huggingface, as {self.checkpoint} records (the flag says otherwise)", stderr)
        same, stderr = self.evaluate("--pos_interpolation", "huggingface")
        self.assertEqual(same, metrics)
        self.assertNotIn("pos_interpolation", stderr)
        other, stderr = self.evaluate("--pos_interpolation", "official")
        self.assertIn(f"warning: other than in the training of {self.checkpoint}: pos_interpolation official (it was huggingface)", stderr)
        self.assertNotEqual(other["loss"], metrics["loss"])
        self.evaluate("--report_html", "r.html")
        self.assertIn("placed as by huggingface", (self.folder / "r.html").read_text())
        info = self.succeed("info", self.checkpoint).stdout
        self.assertIn("positions:       placed as by huggingface\n", info)
        self.refused(*self.train_command("--resume", *img_dim(*PLAIN.size), "--epochs", 2, backbone=PLAIN),
                     mentions=["the backbone was ", "--pos_interpolation huggingface and is "])  # fmt: skip
        self.refused(*self.train_command("--resume", *flags[:1], "timm", *img_dim(*PLAIN.size), "--epochs", 2, backbone=PLAIN),
                     mentions=["--pos_interpolation huggingface and is "])  # fmt: skip
        more = self.train_given("--lora_weights", self.checkpoint, output="more")
        self.assertIn("pos_interpolation huggingface", more.result.stderr)
        self.assertEqual((more.config["pos_interpolation"], more.record["pos_interpolation"]), ("huggingface", "huggingface"))
        again = self.succeed("train", "--config", self.folder / "more" / "run_config.json", "--print_config").stdout
        self.assertEqual(json.loads(again)["pos_interpolation"], "huggingface")

    def test_official_positions_are_not_spoken_of(self):
        run = self.train_given()
        self.assertNotIn("pos_interpolation", run.record)
        self.assertNotIn("pos_interpolation", self.evaluate()[1])
        other, stderr = self.evaluate("--pos_interpolation", "timm")
        self.assertIn("pos_interpolation timm (it was official)", stderr)

    def test_kept_features_are_of_one_way(self):
        cache = ["--cache_features", "file"]
        self.train_given(*cache)
        again = self.train_given(*cache, "--pos_interpolation", "huggingface")
        fresh = self.train_given("--cache_features", "off", "--pos_interpolation", "huggingface", output="fresh")
        self.assert_values_near(again.metrics["train_loss"], fresh.metrics["train_loss"], 1e-4)

    def test_normalization(self):
        run = self.train_given("--normalize", OWN)
        self.assertEqual((run.config["normalize"], run.record["normalize"]), (OWN, OWN))
        metrics, stderr = self.evaluate()
        self.assertIn(f"normalize {OWN}, LoRA rank 0", stderr)
        self.assertAlmostEqual(metrics["loss"], run.metrics["val_loss"][-1], places=5)
        self.assertNotIn("warning", self.evaluate("--normalize", "0.50,.5,0.5:0.25,0.25,0.25")[1])
        self.assertIn(f"normalize imagenet (it was {OWN})", self.evaluate("--normalize", "imagenet")[1])
        self.assertIn(f"taken from {self.checkpoint}: normalize {OWN} (",
                      self.train("--lora_weights", self.checkpoint, backbone=PLAIN, output="more").result.stderr)  # fmt: skip

    def test_without_a_record_nothing_is_contradicted(self):
        self.checkpoint = LINEAR
        result = self.succeed("features", draw_image(self.folder / "i.png", 50, 50, 1), *model_flags(DINOV2), "--lora_weights", LINEAR,
                              "--output", "f.safetensors", "--normalize", "imagenet", "--pos_interpolation", "timm")  # fmt: skip
        self.assertNotIn("other than", result.stderr)

    def test_satellite_images(self):
        backbone = DINOV3._replace(weights=self.folder / "own_sat493m.pth", size=(64, 64))
        shutil.copy(DINOV3.weights, backbone.weights)
        self.assertEqual(self.train_given(backbone=backbone).record["normalize"], "sat493m")
        reference = self.train_given("--recipe", "reference", "--epochs", 1, backbone=backbone, output="reference")
        self.assertEqual(reference.record["normalize"], "none")


if __name__ == "__main__":
    main()
