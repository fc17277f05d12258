"""TIFFs of 16 bits and of many bands: --image_range and --bands, in each command, and in what a checkpoint records."""

import shutil
import struct

from png_files import read_png, write_png
from support import DINOV2, FIXTURES, contents, main
from tensor_files import read_safetensors
from tiff_files import read_tiles
from training import CLASSES, TrainingTest

FLAGS = ["--image_range", "0,4080", "--bands", "4,3,2"]
TAGS = {"width": 256, "height": 257, "bits": 258, "compression": 259, "photometric": 262, "strip": 273, "bands": 277, "bytes": 279}


def write_tiff(path, width, height, bands, values):
    """Uncompressed, of 16 bits, in one strip; values: of all bands of a pixel, then of the next."""
    data = struct.pack(f"<{len(values)}H", *values)
    bits = 8 + len(data)  # where the sizes of bands stand, and behind them the directory
    entries = {"width": width, "height": height, "compression": 1, "photometric": 1, "strip": 8, "bands": bands, "bytes": len(data)}
    rows = [struct.pack("<HHII", TAGS[name], 4, 1, value) for name, value in entries.items()]
    rows.append(struct.pack("<HHII", TAGS["bits"], 3, bands, bits))
    header = struct.pack("<2sHI", b"II", 42, bits + 2 * bands)
    directory = struct.pack("<H", len(rows)) + b"".join(sorted(rows)) + bytes(4)
    path.write_bytes(header + data + struct.pack(f"<{bands}H", *[16] * bands) + directory)


def as_tiff(path):
    """In its place, five bands of twelve bits: red is the fourth, green the third, blue the second. Its path."""
    picture = read_png(path)
    values = []
    for i in range(0, len(picture.pixels), 3):
        red, green, blue = (16 * value for value in picture.pixels[i : i + 3])
        values += [i % 4096, blue, green, red, 65535]
    write_tiff(path.with_suffix(".tif"), picture.width, picture.height, 5, values)
    path.unlink()
    return path.with_suffix(".tif")


class ImageFiles(TrainingTest):
    def setUp(self):
        super().setUp()
        self.plain = self.folder / "plain"
        shutil.copytree(self.data, self.plain)
        for path in sorted(self.data.glob("images/*/*.png")):
            as_tiff(path)

    def measured(self, root, *flags):
        result = self.succeed(
            *["eval", "--weights", DINOV2.weights, "--lora_weights", "output/run.pt", "--data_root", root],
            *["--metrics_json", "m.json", *flags],
        )
        return self.read_json("m.json"), result.stderr

    def test_the_same_model_as_of_bytes(self):
        expected = self.train(data=["--dataset", "folder", "--data_root", self.plain, "--n_classes", CLASSES], output="plain_run")
        run = self.train(*FLAGS)
        self.assertEqual(run.tensors, expected.tensors)
        self.assertEqual((run.record["image_range"], run.record["bands"]), ("0,4080", "4,3,2"))
        self.assertNotIn("bands", expected.record)
        self.assertIn("bands:           4,3,2\n", self.succeed("info", "output/run.pt").stdout)

        found, stderr = self.measured(self.data)
        self.assertIn("dinoft: --image_range 0,4080, as output/run.pt records (", stderr)
        self.assertIn("dinoft: --bands 4,3,2, as output/run.pt records (", stderr)
        plain, stderr = self.measured(self.plain, "--image_range", "0,255", "--bands", "1,2,3")
        self.assertIn("warning: --bands 1,2,3, the training of output/run.pt had 4,3,2", stderr)
        self.assertEqual(found, plain)
        self.refused(
            *self.train_command("--resume", "--image_range", "0,4000", "--bands", "4,3,2"),
            mentions=["it cannot be resumed", "the training images"],
        )

    def outputs(self, command, image, *flags):
        """What a command of single images writes."""
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        out = ["--output", "out/f.safetensors"] if command == "features" else ["--output_dir", "out"]
        model = ["--weights", DINOV2.weights, "--img_dim", 70, 70] if command != "corrupt-images" else []
        (self.folder / "out").mkdir()
        self.succeed(command, image, *model, *out, *flags)
        if command == "features":  # the names of images are beside the tensors
            return read_safetensors(self.folder / "out" / "f.safetensors")[0]
        return contents(self.folder / "out")

    def test_commands_of_single_images(self):
        image, plain = self.data / "images/train/00.tif", self.plain / "images/train/00.png"
        for command, flags in {"features": [], "pca": ["--upsample"], "corrupt-images": ["--corruptions", "contrast"]}.items():
            self.assertEqual(self.outputs(command, image, *FLAGS, *flags), self.outputs(command, plain, *flags), command)
        self.train(*FLAGS, "--use_lora")
        checkpoint = ["--lora_weights", "output/run.pt"]
        expected = self.outputs("predict", plain, *checkpoint, "--image_range", "0,255", "--bands", "1,2,3")
        mask = read_png(self.folder / "out" / "00.png")
        found = self.outputs("predict", image, *checkpoint)
        self.assertEqual(found["00_overlay.png"], expected["00_overlay.png"])
        self.assertEqual(bytes(read_tiles(self.folder / "out" / "00.tif")[0][0]), mask.pixels)

    def test_what_is_missing_or_wrong(self):
        path = self.data / "images" / "train" / "00.tif"
        self.refused(*self.train_command(), mentions=["it has 5 bands", "--bands"])
        self.refused("corrupt-images", path, "--corruptions", "fog", "--bands", "1,2,9", mentions=[path, "no band 9: it has 5"])
        for flags in (["--bands", "0"], ["--bands", "1,2"], ["--image_range", "9,1"]):
            self.refused(*self.train_command(*flags), status=2, mentions=[flags[0], flags[1]])

    def test_a_jpeg_without_its_end_is_told_of_once(self):
        image, mask = (self.data / kind / "train" for kind in ("images", "masks"))
        for path in (image / "00.tif", mask / "00.png"):
            path.unlink()
        (image / "00.jpg").write_bytes((FIXTURES / "images" / "rgb420.jpg").read_bytes()[:-2])
        picture = read_png(mask / "01.png")
        write_png(mask / "00.png", picture._replace(width=37, height=24, pixels=bytes(37 * 24)))
        run = self.train("--image_range", "0,4080", "--bands", "3,2,1", "--epochs", 3, "--cache_features", "off")
        self.assertEqual(run.result.stderr.count("warning: the image"), 1)
        self.assertIn("00.jpg: it ends without", run.result.stderr)


if __name__ == "__main__":
    main()
