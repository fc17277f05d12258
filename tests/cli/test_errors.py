"""Errors: one line that says what, where, found and expected. Exit status 2 for wrong usage, otherwise 1."""

import os
import pickle
import shutil

from datasets import draw_image, make_ade20k, make_folder, voc_demo
from support import (CHANNELS, DINOV2, DINOV3, FIXTURES, FPN, LINEAR, CommandLineTest, contents, file_size_limit,
                     files_in, folder_data, img_dim, leftovers, main, model_flags)
from tensor_files import read_torch, write_safetensors, write_torch_pickle

SEED = FIXTURES / "seed_checkpoints" / "dinov3" / "large_voc_lora.pt"  # of a backbone of 1024 channels


class Usage(CommandLineTest):
    """Exit status 2, and nothing is written."""

    def check(self, arguments, *mentions):
        self.refused(*arguments, status=2, mentions=mentions)
        self.assertEqual(files_in(self.folder), [])

    def test_unknown_flag(self):
        self.check(["train", "--epocs", 3], "--epocs", "did you mean --epochs")
        self.check(["--use_lore"], "--use_lore", "did you mean --use_lora")
        self.check(["predict", "a.png", "--save_logit_s"], "--save_logit_s", "--save_logits")
        self.check(["train", "--zzzzzzzz"], "--zzzzzzzz")

    def test_unknown_command(self):
        self.check(["evall"], "'evall'", "'eval'")
        self.check(["xyzzy"], "'xyzzy'", "demo-data")

    def test_numbers(self):
        self.check(["--epochs", "three"], "--epochs", "'three'", "whole number")
        self.check(["--epochs", "2.5"], "--epochs", "2.5", "whole number")
        self.check(["--batch_size", 0], "--batch_size", "0", "1")
        self.check(["--r", -1], "--r", "-1")
        self.check(["--lr", "fast"], "--lr", "'fast'", "number")
        self.check(["--lr", "nan"], "--lr", "nan")
        self.check(["--seed", "99999999999999999999"], "--seed", "99999999999999999999")
        self.check(["--n_classes", 300], "--n_classes", 300, 255)

    def test_image_size(self):
        self.check(["--img_dim", 112], "--img_dim", "two", "112")
        self.check(["--img_dim", 112, "wide"], "--img_dim", "'wide'")

    def test_choices(self):
        self.check(["--dataset", "coco"], "--dataset", "'coco'", "voc", "ade20k", "folder")
        self.check(["--size", "lagre"], "--size", "'lagre'", "'large'")
        self.check(["--dino_type", "dinov1"], "--dino_type", "'dinov1'", "dinov2", "dinov3")
        self.check(["--device", "gpu"], "--device", "'gpu'", "cuda")

    def test_missing_value(self):
        self.check(["--exp_name"], "--exp_name", "NAME")
        self.check(["--epochs", "--use_lora"], "--epochs")

    def test_missing_arguments(self):
        self.check(["eval"], "--lora_weights")
        self.check(["predict", "--lora_weights", "x.pt"], "IMAGE")
        self.check(["features", "--output", "f.safetensors"], "IMAGE")
        self.check(["convert", "a.pth"], "IN OUT")
        self.check(["info"], "FILE")

    def test_too_many_arguments(self):
        self.check(["info", "a.pt", "b.pt"], "b.pt")
        self.check(["train", "a.pt"], "a.pt")

    def test_flag_of_another_command(self):
        self.check(["eval", "--lora_weights", "x.pt", "--use_fpn"], "--use_fpn", "checkpoint")
        self.check(["train", "--save_logits"], "--save_logits", "predict")

    def test_classes_of_the_folder_data_set(self):
        self.check(["train", "--dataset", "folder"], "--n_classes")
        self.check(["train", "--dataset", "voc", "--n_classes", 5], "--n_classes", "21")


class WeightFiles(CommandLineTest):
    """What can be wrong with a file of weights; every command reads them in one way."""

    def check(self, path, *mentions):
        return self.refused("info", path, mentions=[path, *mentions])

    def test_missing(self):
        self.check("gone.pth", "No such file")

    def test_a_folder(self):
        self.check(".", "folder")

    def test_default_backbone_is_missing(self):
        """The error says how to get it."""
        self.refused(
            "features",
            self.image(),
            "--output",
            "f.safetensors",
            "--dino_type",
            "dinov2",
            "--size",
            "base",
            mentions=[
                "no backbone dinov2_vitb14_reg: ",
                "scripts/get_weights.py dinov2_vitb14_reg",
                "--weights",
            ],
        )

    def test_truncated(self):
        """Cut at any length: never a crash, never silence."""
        files = [DINOV2.weights, LINEAR, FIXTURES / "hf" / "dinov2_tiny_reg" / "model.safetensors"]
        for source in files:
            data = source.read_bytes()
            for length in (1, 7, 8, 9, 30, 1000, len(data) // 2, len(data) - 25, len(data) - 1):
                with self.subTest(f"{source.name} cut to {length}"):
                    (self.folder / "cut.pth").write_bytes(data[:length])
                    self.check("cut.pth")

    def test_not_weights(self):
        for text, mention in (
            ("", "empty"),
            ("<!DOCTYPE html><html>", "web page"),
            ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
            ("hello, world\n", "safetensors"),
        ):
            (self.folder / "file.pth").write_text(text)
            self.check("file.pth", mention)

    def test_a_pickle_that_would_run_a_program(self):
        class Attack:
            def __reduce__(self):
                return os.system, (f"touch {marker}",)

        marker = self.folder / "executed"
        for protocol in (2, 4):
            write_torch_pickle(self.folder / "evil.pth", pickle.dumps({"cls_token": Attack()}, protocol))
            self.check("evil.pth", "system")
            self.refused("train", *model_flags(DINOV2), "--dataset", "voc", "--data_root", voc_demo(),
                         "--lora_weights", "evil.pth", mentions=["evil.pth", "system"])  # fmt: skip
        self.assertFalse(marker.exists())

    def test_a_backbone_that_lacks_a_tensor(self):
        tensors = read_torch(DINOV2.weights)
        del tensors["blocks.2.mlp.fc1.weight"]
        write_safetensors(self.folder / "b.safetensors", tensors)
        self.check("b.safetensors", "blocks.2.mlp.fc1.weight")

    def test_a_tensor_of_another_shape(self):
        tensors = read_torch(DINOV2.weights)
        tensors["blocks.1.norm1.bias"] = tensors["cls_token"]._replace(shape=(64,), data=bytes(128))
        write_safetensors(self.folder / "b.safetensors", tensors)
        self.check("b.safetensors", "blocks.1.norm1.bias", "64", CHANNELS)

    def image(self):
        draw_image(self.folder / "a.png", 40, 30, 0)
        return "a.png"


class Models(CommandLineTest):
    """What does not go together."""

    def setUp(self):
        super().setUp()
        draw_image(self.folder / "a.png", 40, 30, 0)

    def check(self, flags, *mentions):
        self.refused("predict", "a.png", "--output_dir", "out", *flags, mentions=mentions)
        self.assertEqual(files_in(self.folder), ["a.png"])

    def test_size_typed_for_another_file(self):
        self.check(
            [*model_flags(DINOV2), "--lora_weights", LINEAR, "--size", "small"], DINOV2.weights, CHANNELS, 384
        )

    def test_family_typed_for_another_file(self):
        self.check([*model_flags(DINOV2), "--lora_weights", LINEAR, "--dino_type", "dinov3"], DINOV2.weights, "dinov2",
                   "--dino_type", "dinov3")  # fmt: skip

    def test_size_that_a_family_lacks(self):
        self.check(
            ["--dino_type", "dinov3", "--size", "giant", "--lora_weights", LINEAR], "giant", "dinov3", "huge+"
        )
        self.check(
            ["--dino_type", "dinov2", "--size", "7b", "--lora_weights", LINEAR], "7b", "dinov2", "giant"
        )

    def test_checkpoint_of_another_size(self):
        self.check([*model_flags(DINOV3), "--lora_weights", SEED], SEED, 1024, CHANNELS)

    def test_checkpoint_of_another_depth(self):
        shallow = FIXTURES / "dinov2_tiny" / "backbone.pth"
        self.check(
            ["--weights", shallow, *img_dim(70, 84), "--lora_weights", LINEAR], LINEAR, "4", "2", "blocks"
        )

    def test_backbone_in_place_of_a_checkpoint(self):
        self.check([*model_flags(DINOV2), "--lora_weights", DINOV2.weights], DINOV2.weights, "backbone")

    def test_checkpoint_in_place_of_a_backbone(self):
        self.check(["--weights", LINEAR, "--lora_weights", LINEAR], LINEAR)

    def test_missing_checkpoint(self):
        self.check([*model_flags(DINOV2), "--lora_weights", "gone.pt"], "gone.pt", "No such file")

    def test_image_smaller_than_a_patch(self):
        self.check(["--weights", DINOV2.weights, *img_dim(8, 112), "--lora_weights", LINEAR], "8", "14")

    def test_all_commands_say_the_same_of_the_size(self):
        small = ["--dino_type", "dinov2", "--size", "small", *img_dim(8, 112)]
        words = "--img_dim 8 112 is smaller than one patch of 14 x 14"
        for command in (["bench", "train"], ["bench", "loader", "--dataset", "voc"], ["info"], ["selftest"]):
            self.refused(*command, *small, mentions=[words])
        self.refused("features", "a.png", "--output", "f.safetensors", "--weights", DINOV2.weights, *img_dim(8, 112),
                     mentions=[words])

    def test_grid_too_small_for_the_fpn(self):
        flags = ["--weights", DINOV2.weights, "--lora_weights", FPN]
        self.check([*flags, *img_dim(56, 140)], "56 x 140", "--img_dim 98 98")
        self.succeed("predict", "a.png", "--output_dir", "out", *flags, *img_dim(98, 98))

    def test_device_that_is_not_there(self):
        result = self.run_here("predict", "a.png", "--output_dir", "out", *model_flags(DINOV2),
                               "--lora_weights", LINEAR, "--device", "cuda")  # fmt: skip
        if result.status == 0:
            self.skipTest("this build computes on a GPU: there is no missing device to name")
        self.assert_one_error(result, 1, "device cuda: ")

    def test_classes_of_another_data_set(self):
        make_ade20k(self.folder / "ade")
        self.refused("eval", "--dataset", "ade20k", "--data_root", "ade", *model_flags(DINOV2),
                     "--lora_weights", LINEAR, mentions=[LINEAR, 21, 150])  # fmt: skip
        make_folder(self.folder / "data")
        self.refused("eval", *folder_data("data"), "--n_classes", 5, *model_flags(DINOV2),
                     "--lora_weights", LINEAR, mentions=[LINEAR, 21, 5])  # fmt: skip


class Outputs(CommandLineTest):
    """Nothing that was saved is lost, and no half of a file is left."""

    def test_folder_below_a_file(self):
        (self.folder / "file").write_text("kept")
        draw_image(self.folder / "a.png", 40, 30, 0)
        self.refused("predict", "a.png", *model_flags(DINOV2), "--lora_weights", LINEAR, "--output_dir", "file/out",
                     mentions=["file"])  # fmt: skip
        self.refused(
            "features", "a.png", *model_flags(DINOV2), "--output", "file/f.safetensors", mentions=["file"]
        )
        self.refused("convert", LINEAR, "file/c.pt", mentions=["file/c.pt"])
        self.refused("demo-data", "--data_root", "file/data", mentions=["file"])
        self.assertEqual((self.folder / "file").read_text(), "kept")

    def test_read_only_folder(self):
        if os.geteuid() == 0:
            self.skipTest("root may write to every folder")
        (self.folder / "locked").mkdir(mode=0o555)
        self.refused("convert", LINEAR, "locked/c.pt", mentions=["locked", "Permission denied"])

    def test_full_disk(self):
        """An error that names the file, and no part of it is left."""
        draw_image(self.folder / "a.png", 90, 70, 0)
        model = model_flags(DINOV2)
        commands = {
            "out/a.png": ["predict", "a.png", *model, "--lora_weights", LINEAR, "--output_dir", "out"],
            "c.pt": ["convert", LINEAR, "c.pt"],
            "c.safetensors": ["convert", LINEAR, "c.safetensors"],
            "f.safetensors": ["features", "a.png", *model, "--output", "f.safetensors"],
            "data/VOCdevkit": ["demo-data", "--data_root", "data", "--train_images", 1],
        }
        for target, command in commands.items():
            self.refused(*command, mentions=[target, "File too large"], preexec_fn=file_size_limit(100))
        self.assertEqual(files_in(self.folder), ["a.png"])

    def test_old_output_survives_a_failure(self):
        shutil.copy(LINEAR, self.folder / "c.pt")
        (self.folder / "bad.pt").write_bytes(LINEAR.read_bytes()[:5000])
        before = contents(self.folder)
        self.refused("convert", "bad.pt", "c.pt", mentions=["bad.pt"])
        self.assertEqual(contents(self.folder), before)

    def test_metrics_file_that_cannot_be_written(self):
        """Told before the evaluation, which may take hours, not after."""
        data = make_folder(self.folder / "data", n_classes=4)
        (self.folder / "file").write_text("kept")
        result = self.run_here("eval", *folder_data(data), *model_flags(DINOV2),
                               "--lora_weights", LINEAR, "--metrics_json", "file/metrics.json")  # fmt: skip
        self.assert_one_error(result, 1, "file")
        self.assertNotIn("eval 1/1", result.stderr)
        self.assertEqual(leftovers(self.folder), [])


if __name__ == "__main__":
    main()
