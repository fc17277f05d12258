"""Backbones that are not what they are taken for."""

import json
import shutil
import struct

from datasets import draw_image
from support import DINOV2, DINOV3, FIXTURES, CommandLineTest, img_dim, main
from tensor_files import read_checkpoint, read_safetensors, values, write_safetensors
from training import TrainingTest


class HuggingFaceConfiguration(CommandLineTest):
    """config.json beside weights that have Hugging Face's names."""

    def setUp(self):
        super().setUp()
        draw_image(self.folder / "a.png", 50, 40, 0)
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
        self.assertRegex(result.stderr, r"dinoft: warning: model/config.json is of another model .*hidden_size 768, not 128")

    def test_weights_and_configuration_that_belong_together(self):
        self.change(hidden_size=768)
        self.refused(*self.features(), mentions=["model/config.json", "model/model.safetensors", "hidden_size 768"])

    def test_of_something_else(self):
        self.change(model_type="bert")
        self.assertRegex(self.succeed(*self.features()).stderr, r"dinoft: warning: model/config.json .*bert.*not used")

    def test_damaged(self):
        path = self.folder / "model" / "config.json"
        path.write_text(path.read_text()[:100])
        self.refused(*self.features(), mentions=["model/config.json", "not JSON"])


class OtherBackbone(TrainingTest):
    """A checkpoint is for the backbone that it was trained on, in whatever file that lies."""

    RUN = "output/run.pt"

    def setUp(self):
        super().setUp()
        self.train("--use_lora", backbone=DINOV3)
        self.image = self.data / "images" / "val" / "00.png"

    def commands(self, weights, checkpoint=RUN):
        model = ["--weights", weights, "--lora_weights", checkpoint, "--img_dim", 112, 112]
        data = ["--data_root", self.data]
        return {
            "eval": ["eval", *data, *model],
            "corrupt": ["corrupt", *data, *model, "--corruptions", "contrast", "--severity", 1],
            "predict": ["predict", self.image, *model, "--overwrite"],
            "features": ["features", self.image, *model, "--output", "f.safetensors"],
            "pca": ["pca", self.image, *model],
            "train": ["train", *self.folder_flags(), *model, "--epochs", 1, "--output_dir", "more", "--exp_name", "a"],
        }

    def other_training(self, name="blocks.3.attn.proj.weight", factor=1.05):
        """The same architecture, with one tensor trained on."""
        self.succeed("convert", DINOV3.weights, "other.safetensors", "--dtype", "fp32")
        tensors, _ = read_safetensors(self.folder / "other.safetensors")
        numbers = [factor * value for value in values(tensors[name])]
        tensors[name] = tensors[name]._replace(data=struct.pack(f"<{len(numbers)}f", *numbers))
        write_safetensors(self.folder / "other.safetensors", tensors)
        return "other.safetensors"

    def with_record(self, change):
        """A copy of the checkpoint whose record is changed; None: it has none."""
        self.succeed("convert", self.RUN, "run.safetensors")
        tensors, metadata = read_safetensors(self.folder / "run.safetensors")
        record = change(json.loads(metadata["dinoft"])) if change else None
        metadata = {"dinoft": json.dumps(record)} if change else None
        write_safetensors(self.folder / "changed.safetensors", tensors, metadata)
        return "changed.safetensors"

    def test_the_same_one_in_other_files(self):
        for name, flags in {
            "a.safetensors": ["--dtype", "fp16"],
            "b.pth": ["--dtype", "bf16"],
            "c.safetensors": ["--naming", "huggingface"],
            "d.pth": ["--naming", "huggingface", "--dtype", "bf16"],
        }.items():
            self.succeed("convert", DINOV3.weights, name, *flags)
            result = self.succeed(*self.commands(name)["predict"])
            self.assertNotIn("trained on", result.stderr)

    def test_another_family(self):
        for name, command in self.commands(DINOV2.weights).items():
            with self.subTest(name):
                self.refused(
                    *command,
                    mentions=[self.RUN, "trained on a dinov3", "(backbone.pth)", DINOV2.weights, "is a dinov2",
                              "--weights", "--allow_other_backbone"],
                )

    def test_another_training_of_the_same_architecture(self):
        other = self.other_training()
        for name, command in self.commands(other).items():
            with self.subTest(name):
                self.refused(
                    *command,
                    mentions=[self.RUN, other, "blocks.3.attn.proj.weight has", "--allow_other_backbone"],
                )

    def test_who_means_it(self):
        other = self.other_training()
        for name, command in self.commands(other).items():
            with self.subTest(name):
                stderr = self.succeed(*command, "--allow_other_backbone").stderr
                self.assertRegex(stderr, rf"dinoft: warning: {self.RUN} was trained on .*{other} .*--allow_other_backbone")
        record = read_checkpoint(self.folder / "more" / "a.pt")[1]
        self.assertEqual(record["backbone_file"], other, "what was trained is of the other backbone from now on")
        self.succeed(*self.commands(other, "more/a.pt")["predict"])

    def test_what_cannot_be_is_refused_all_the_same(self):
        shallow = FIXTURES / "dinov3_tiny_swiglu" / "backbone.pth"
        self.refused(
            *self.commands(shallow)["predict"], "--allow_other_backbone", mentions=[self.RUN, "4 blocks", "has 2"]
        )

    def test_records_of_earlier_versions(self):
        """They have no more than a published name."""

        def earlier(backbone):
            keys = ("backbone_file", "backbone_shape", "fingerprint")
            return lambda record: {k: v for k, v in dict(record, backbone=backbone).items() if k not in keys}

        self.succeed(*self.commands(self.other_training(), self.with_record(earlier("")))["predict"])
        self.assertRegex(self.succeed("info", self.with_record(earlier(""))).stdout, "fingerprint: +not recorded")
        changed = self.with_record(earlier("dinov2_vits14_reg"))
        self.refused(
            *self.commands(DINOV3.weights, changed)["eval"],
            mentions=[changed, "trained on dinov2_vits14_reg, ", DINOV3.weights, "a dinov3 of 128 channels"],
        )

    def test_without_a_record(self):
        self.succeed(*self.commands(DINOV2.weights, self.with_record(None))["predict"])

    def test_a_damaged_fingerprint(self):
        changed = self.with_record(lambda record: dict(record, fingerprint={"norm.weight": "x"}))
        self.refused(*self.commands(DINOV3.weights, changed)["predict"], mentions=[changed, "fingerprint"])

    def test_info(self):
        trained = self.succeed("info", self.RUN).stdout
        weights = self.succeed("info", DINOV3.weights).stdout
        line = [line for line in weights.splitlines() if line.startswith("fingerprint: ")]
        self.assertEqual([line for line in trained.splitlines() if line.startswith("fingerprint: ")], line)
        self.assertRegex(trained, r"backbone a dinov3 of 128 channels in 2 heads, 4 blocks.* \(backbone.pth\)\n")

    def test_convert_keeps_the_record(self):
        before = read_checkpoint(self.folder / self.RUN)[1]
        self.assertEqual(len(before["fingerprint"]), 15)
        self.succeed("convert", self.RUN, "a.safetensors")
        self.succeed("convert", "a.safetensors", "b.pt", "--dtype", "fp16")
        self.assertEqual(read_checkpoint(self.folder / "b.pt")[1], before)


if __name__ == "__main__":
    main()
