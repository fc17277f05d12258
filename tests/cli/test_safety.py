"""What a run reads must survive it, and what is not a number must not pass for a result."""

import shlex
import shutil
import struct
import subprocess

from datasets import draw_image
from support import DINOV2, FIXTURES, PROGRAM, CommandLineTest, environment, img_dim, main


class Overwriting(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.image = draw_image(self.folder / "a.png", 60, 50, 1)
        self.weights = self.folder / "w.safetensors"
        self.succeed("convert", DINOV2.weights, self.weights)
        self.checkpoint = self.folder / "c.pt"
        shutil.copy(FIXTURES / "dinov2_tiny_reg" / "init_lora_linear.pt", self.checkpoint)

    def check(self, path, *command):
        before = path.read_bytes()
        self.refused(*command, mentions=["overwrite", path.name])
        self.assertEqual(path.read_bytes(), before)

    def test_features_over_the_backbone(self):
        self.check(self.weights, "features", self.image, "--weights", self.weights, "--output", self.weights,
                   *img_dim(28, 28))

    def test_features_over_the_backbone_by_another_path(self):
        (self.folder / "link.safetensors").symlink_to(self.weights)
        self.refused("features", self.image, "--weights", self.weights, "--output", "link.safetensors",
                     *img_dim(28, 28), mentions=["overwrite"])

    def test_logits_over_the_backbone(self):
        (self.folder / "in").mkdir()
        image = self.folder / "in" / "w.png"
        shutil.copy(self.image, image)
        self.check(self.weights, "predict", image, "--weights", self.weights, "--lora_weights", self.checkpoint,
                   "--save_logits", "--output_dir", ".", *img_dim(28, 28))


class NotNumbers(CommandLineTest):
    def test_weights_and_checkpoints(self):
        """A backbone whose last element is NaN."""
        image = draw_image(self.folder / "a.png", 30, 30, 1)
        self.succeed("convert", DINOV2.weights, "w.safetensors", "--dtype", "fp32")
        data = bytearray((self.folder / "w.safetensors").read_bytes())
        data[-4:] = struct.pack("<f", float("nan"))
        (self.folder / "w.safetensors").write_bytes(data)
        self.refused("features", image, "--weights", "w.safetensors", "--output", "f.safetensors",
                     *img_dim(28, 28), mentions=["w.safetensors", "not numbers"])


class Streams(CommandLineTest):
    def test_closed_output(self):
        """A file that is opened must not get the number of a stream that is closed, and what is printed."""
        command = f"exec {shlex.quote(str(PROGRAM))} info {shlex.quote(str(DINOV2.weights))} >&-"
        done = subprocess.run(["sh", "-c", command], env=environment(), stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"dinoft: error: cannot write to standard output", done.stderr)


if __name__ == "__main__":
    main()
