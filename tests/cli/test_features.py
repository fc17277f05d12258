"""dinoft features: what a backbone says of images, as a .safetensors file."""

import json
import math
import os
import shutil

from datasets import draw_scene
from png_files import write_png
from support import CHANNELS, DINOV2, DINOV3, LINEAR, CommandLineTest, files_in, main, model_flags
from tensor_files import read_safetensors, read_torch, values, write_safetensors


class Features(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.images = []
        for number in range(2):
            self.images.append(self.folder / f"{number}.png")
            write_png(self.images[-1], draw_scene(number, 70 + number, 50, 4)[0])

    def features(self, *flags, backbone=DINOV2, images=None, output="f.safetensors"):
        self.succeed("features", *(images or self.images), *model_flags(backbone), "--output", output, "--overwrite", *flags)
        tensors, _ = read_safetensors(self.folder / output)
        for name, tensor in tensors.items():
            self.assertEqual(tensor.dtype, "F32", name)
            self.assertTrue(all(map(math.isfinite, values(tensor))), name)
        return tensors

    def check(self, backbone):
        tensors = self.features("--layers", 4, backbone=backbone)
        rows, columns = (side // backbone.patch for side in backbone.size)
        shapes = {"x_norm_clstoken": (2, CHANNELS), "x_norm_patchtokens": (2, rows * columns, CHANNELS)}
        shapes.update({f"intermediate_{layer}": (2, CHANNELS, rows, columns) for layer in range(4)})
        self.assertEqual({name: tensor.shape for name, tensor in tensors.items()}, shapes)
        # The last block's map holds the patch tokens, channels first.
        tokens, last, area = (
            values(tensors["x_norm_patchtokens"]),
            values(tensors["intermediate_3"]),
            rows * columns,
        )
        for image in range(2):
            start = image * area * CHANNELS
            for patch in range(area):
                row = start + patch * CHANNELS
                self.assertEqual(
                    tokens[row : row + CHANNELS], last[start + patch : start + area * CHANNELS : area]
                )
        self.assertNotEqual(tensors["intermediate_2"].data, tensors["intermediate_3"].data)

    def test_dinov2(self):
        self.check(DINOV2)

    def test_dinov3(self):
        self.check(DINOV3)

    def test_without_layers(self):
        self.assertEqual(list(self.features()), ["x_norm_clstoken", "x_norm_patchtokens"])
        self.assertEqual(files_in(self.folder), ["0.png", "1.png", "f.safetensors"])

    def test_repeated(self):
        self.features("--layers", 2, output="a.safetensors")
        self.features("--layers", 2, output="b.safetensors")
        self.assertEqual(
            (self.folder / "a.safetensors").read_bytes(), (self.folder / "b.safetensors").read_bytes()
        )

    def test_images_do_not_influence_each_other(self):
        together, alone = self.features(), self.features(images=self.images[1:])
        for name, tensor in alone.items():
            self.assertEqual(tensor.data, together[name].data[len(tensor.data) :], name)

    def test_more_layers_leave_the_tokens_alone(self):
        few, more = self.features("--layers", 1), self.features("--layers", 3)
        self.assertEqual(few["x_norm_patchtokens"], more["x_norm_patchtokens"])
        self.assertEqual(few["intermediate_0"], more["intermediate_2"])

    def test_normalization(self):
        usual = self.features()
        self.assertEqual(usual, self.features("--normalize", "imagenet"))
        self.assertNotEqual(usual, self.features("--normalize", "none"))

    def test_with_lora(self):
        """LoRA changes the features, and does not where every B is zero."""
        plain = self.features("--normalize", "none")
        tensors = read_torch(LINEAR)
        self.assertNotEqual(self.features("--lora_weights", LINEAR), plain)
        for name in tensors:
            if name.startswith("w_b_"):
                tensors[name] = tensors[name]._replace(data=bytes(len(tensors[name].data)))
        write_safetensors(self.folder / "zero.safetensors", tensors)
        self.assertEqual(self.features("--lora_weights", "zero.safetensors"), plain)

    def test_the_images_are_named(self):
        """In the order of the rows, as they were typed; a byte that is no UTF-8 as everywhere in JSON."""
        odd = os.fsencode(self.folder) + b"/caf\xe9.png"
        shutil.copy(self.images[0], odd)
        images = [self.images[1], "0.png", self.images[1], os.fsdecode(odd)]
        self.features(images=images)
        _, metadata = read_safetensors(self.folder / "f.safetensors")
        names = [str(self.images[1]), "0.png", str(self.images[1]), f"{self.folder}/caf\\xE9.png"]
        self.assertEqual(json.loads(metadata["images"]), names)

    def test_output_in_a_new_folder(self):
        self.features(output="new/folder/f.safetensors")

    def test_too_many_layers(self):
        for layers in (5, 1000):
            self.refused("features", *self.images, *model_flags(DINOV2), "--output", "f.safetensors",
                         "--layers", layers, mentions=[layers, 4])  # fmt: skip
        self.assertFalse((self.folder / "f.safetensors").exists())

    def test_output_of_another_kind(self):
        """What cannot be written is told before the work, not after."""
        result = self.run_here("features", *self.images, *model_flags(DINOV2), "--output", "f.npy")
        self.assert_one_error(result, 1, "f.npy", ".safetensors")
        self.assertNotIn("features 2/2", result.stderr)

    def test_output_is_required(self):
        self.refused("features", *self.images, *model_flags(DINOV2), status=2, mentions=["--output"])


if __name__ == "__main__":
    main()
