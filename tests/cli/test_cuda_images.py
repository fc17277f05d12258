"""dinoft predict, features and pca with --device cuda: the processor's pictures and numbers."""

from devices import FEATURE, PIXELS, SMALL2, SMALL3, SQUARE2, TRAINED3, DeviceTest
from png_files import read_png
from support import FIXTURES, FPN, LINEAR, contents, files_in, main, model_flags
from tensor_files import read_safetensors

BACKBONES = {"dinov2_tiny": 28, "dinov2_tiny_reg": 28, "dinov2_tiny_swiglu_reg": 28, "dinov3_tiny": 32,
             "dinov3_tiny_swiglu": 32, "dinov3_tiny_7b": 32}


class CudaImages(DeviceTest):
    def setUp(self):
        super().setUp()
        self.images = [self.draw_image("d.png", 60, 48), self.draw_image("e.png", 44, 60)]

    def on_both(self, command, *flags, precision="fp32"):
        """Once on each device, into a folder of its name."""
        for device in ("cpu", "cuda"):
            output = ["--output", f"{device}/f.safetensors"] if command == "features" else ["--output_dir", device]
            self.succeed(command, *self.images, *flags, "--precision", precision, "--device", device, "--overwrite", *output)
        self.assertEqual(files_in(self.folder / "cuda"), files_in(self.folder / "cpu"))

    def pair(self, read, name):
        return [read(self.folder / device / name) for device in ("cuda", "cpu")]

    def tensors(self, name):
        return self.pair(lambda path: read_safetensors(path)[0], name)

    def check_predictions(self, backbone, checkpoint, precision):
        flags = [*model_flags(backbone), "--lora_weights", checkpoint, "--save_logits"]
        self.on_both("predict", *flags, precision=precision)
        for name in ("d", "e"):
            self.assert_pixels_near(*self.pair(read_png, f"{name}.png"), PIXELS[precision])
            self.assert_pixels_near(*self.pair(read_png, f"{name}_overlay.png"), PIXELS[precision])
            self.assert_tensors_near(*self.tensors(f"{name}.safetensors"), FEATURE[precision])

    def test_predictions(self):
        for precision in ("fp32", "bf16"):
            self.check_predictions(SMALL2, LINEAR, precision)
            self.check_predictions(SMALL3, TRAINED3, precision)
        self.check_predictions(SQUARE2, FPN, "fp32")

    def test_features(self):
        for precision in ("fp32", "bf16"):
            for name, side in BACKBONES.items():
                backbone = SMALL2._replace(weights=FIXTURES / name / "backbone.pth", size=(side, 2 * side))
                self.on_both("features", *model_flags(backbone), "--layers", 2, precision=precision)
                found, expected = self.tensors("f.safetensors")
                self.assertEqual(len(expected), 4)
                self.assert_tensors_near(found, expected, FEATURE[precision])

    def test_features_of_a_tuned_backbone(self):
        self.on_both("features", *model_flags(SMALL3), "--lora_weights", TRAINED3)
        self.assert_tensors_near(*self.tensors("f.safetensors"), FEATURE["fp32"])

    def test_components(self):
        """A level of rounding; with --foreground a patch at the border of the two halves may change sides."""
        for flags, share in (([], 0), (["--upsample"], 0), (["--foreground", "--upsample"], 0.03)):
            for backbone in (SMALL2, SMALL3):
                self.on_both("pca", *model_flags(backbone, [4 * side for side in backbone.size]), *flags)
                for name in ("d_pca.png", "e_pca.png"):
                    self.assert_pixels_near(*self.pair(read_png, name), share, levels=1)

    def test_repeated(self):
        """Whatever the number of the host's threads."""
        flags = [*model_flags(SMALL2), "--device", "cuda"]
        for command, more in (("predict", ["--lora_weights", LINEAR, "--save_logits"]), ("pca", ["--upsample"])):
            for threads in (1, 2):
                threaded = ["--threads", threads, "--output_dir", f"{command}{threads}"]
                self.succeed(command, *self.images, *flags, *more, *threaded)
            self.assertEqual(contents(self.folder / f"{command}1"), contents(self.folder / f"{command}2"))


if __name__ == "__main__":
    main()
