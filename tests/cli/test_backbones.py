"""Backbones that are not what they are taken for."""

import json
import shutil

from datasets import draw_scene
from png_files import write_png
from support import FIXTURES, CommandLineTest, img_dim, main


class HuggingFaceConfiguration(CommandLineTest):
    """config.json beside weights that have Hugging Face's names."""

    def setUp(self):
        super().setUp()
        write_png(self.folder / "a.png", draw_scene(0, 50, 40, 4)[0])
        shutil.copytree(FIXTURES / "hf" / "dinov3_tiny", self.folder / "model")

    def change(self, **keys):
        path = self.folder / "model" / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **keys}))

    def features(self, weights="model/model.safetensors"):
        return ["features", "a.png", "--weights", weights, *img_dim(64, 64), "--output", "f.safetensors"]

    def test_one_that_fits_is_not_spoken_of(self):
        self.assertNotIn("config.json", self.succeed(*self.features()).stderr)

    def test_every_command_refuses_what_it_would_compute_otherwise(self):
        self.change(rope_theta=10000.0)
        for command in (
            self.features(),
            ["info", "model/model.safetensors"],
            ["convert", "model/model.safetensors", "official.pth"],
            ["bench", "eval", "--weights", "model/model.safetensors"],
        ):
            self.refused(*command, mentions=["model/config.json", "rope_theta 10000", "100"])

    def test_other_heads(self):
        self.change(num_attention_heads=4)
        self.refused(*self.features(), mentions=["num_attention_heads 4", "heads of 32", "heads of 64"])

    def test_a_folder_of_several_models(self):
        """The configuration is of one of them, and the others are read all the same."""
        self.change(hidden_size=768)
        (self.folder / "model" / "model.safetensors").rename(self.folder / "model" / "tiny.safetensors")
        result = self.succeed(*self.features("model/tiny.safetensors"))
        self.assertRegex(result.stderr, r"dinoft: model/config.json is of another model .*hidden_size 768, not 128")

    def test_weights_and_configuration_that_belong_together(self):
        self.change(hidden_size=768)
        self.refused(*self.features(), mentions=["model/config.json", "model/model.safetensors", "hidden_size 768"])

    def test_of_something_else(self):
        self.change(model_type="bert")
        self.assertRegex(self.succeed(*self.features()).stderr, r"dinoft: model/config.json .*bert.*not used")

    def test_damaged(self):
        path = self.folder / "model" / "config.json"
        path.write_text(path.read_text()[:100])
        self.refused(*self.features(), mentions=["model/config.json", "not JSON"])


if __name__ == "__main__":
    main()
