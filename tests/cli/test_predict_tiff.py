"""dinoft predict of TIFFs: their masks are TIFFs that lie where they lie, also of those too large for memory."""

import csv
import struct

from datasets import draw_image
from png_files import read_png
from support import DINOV2, LINEAR, CommandLineTest, files_in, main
from tiff_files import BITS, COLORS, GEO_KEYS, GEO_TEXT, HEIGHT, NO_DATA, PIXEL_SCALE, PLACE, TIE_POINT, WIDTH, numbers, read_tags, read_tiles, write_rgb

CLASSES = 21
LENGTH = 33000  # more than a side of an image may have that is held in memory


class PredictTiff(CommandLineTest):
    def predict(self, *arguments, **options):
        model = ["--weights", DINOV2.weights, "--lora_weights", LINEAR, "--output_dir", "out"]
        return self.succeed("predict", *arguments, *model, **options)

    def check_place(self, name):
        tags = read_tags(self.folder / "out" / name)
        for number in (PIXEL_SCALE, TIE_POINT, GEO_KEYS, GEO_TEXT):
            self.assertEqual(tags[number], PLACE[number])
        return tags

    def test_the_pixels_of_other_formats(self):
        picture = read_png(draw_image(self.folder / "a.png", 300, 70, "a"))
        write_rgb(self.folder / "b.tif", 300, 70, picture.pixels, PLACE)
        flags = ["--img_dim", 112, 140, "--slide", 56, 40, "--resize", "none", "--write", "mask,confidence,probabilities"]
        self.predict("a.png", "b.tif", *flags)
        mask, confidence = read_png(self.folder / "out" / "a.png"), read_png(self.folder / "out" / "a_confidence.png")
        (found,), tags = read_tiles(self.folder / "out" / "b.tif")
        self.assertEqual(bytes(found), mask.pixels)
        self.assertGreater(len(set(found)), 1)
        colors = [tuple(value // 257 for value in numbers(tags, COLORS)[i::256]) for i in range(256)]
        self.assertEqual(colors, mask.palette)
        self.assertEqual(bytes(read_tiles(self.folder / "out" / "b_confidence.tif")[0][0]), confidence.pixels)
        bands, tags = read_tiles(self.folder / "out" / "b_probabilities.tif")
        self.assertEqual((numbers(tags, BITS), len(bands)), ([16] * CLASSES, CLASSES))
        for i in range(0, len(found), 97):
            values = [band[i] for band in bands]
            self.assertEqual(values[found[i]], max(values))
            self.assertLess(abs(sum(values) - 65535), CLASSES)
        self.assertEqual(read_tiles(self.folder / "out" / "a_probabilities.tif")[0], bands)
        self.assertNotIn(TIE_POINT, read_tags(self.folder / "out" / "a_probabilities.tif"))
        for name in ("b.tif", "b_confidence.tif", "b_probabilities.tif"):
            self.assertNotIn(NO_DATA, self.check_place(name))

    def test_unknown_is_nothing(self):
        picture = read_png(draw_image(self.folder / "a.png", 60, 40, "a"))
        write_rgb(self.folder / "a.tif", 60, 40, picture.pixels, PLACE)
        self.predict("a.tif", "--img_dim", 112, 140, "--write", "mask", "--threshold", 0.9)
        self.assertEqual(self.check_place("a.tif")[NO_DATA], (2, b"255\0"))

    def large(self, name, height):
        row = bytes((x * 7 + x // 90 * 31 + 85 * c) & 255 for x in range(LENGTH) for c in range(3))
        write_rgb(self.folder / name, LENGTH, height, row * height, PLACE)

    def test_larger_than_an_image_may_be(self):
        self.large("a.tif", 28)
        draw_image(self.folder / "b.png", 60, 40, "b")
        result = self.predict(
            "a.tif", "b.png", "--img_dim", 28, 28, "--write", "mask,overlay,confidence", "--save_logits", "--summary", "s.csv"
        )
        self.assertIn(f"a.tif: {LENGTH} x 28 pixels, in blocks: a window of 28 pixels slides over them, 18 apart", result.stderr)
        self.assertIn("out/a.safetensors is left out", result.stderr)
        self.assertIn("out/a_overlay.png shows one of 9 pixels in a row", result.stderr)
        outputs = ["a.tif", "a_confidence.tif", "a_overlay.png", "b.png", "b.safetensors", "b_confidence.png", "b_overlay.png"]
        self.assertEqual(files_in(self.folder / "out"), outputs)
        (found,), tags = read_tiles(self.folder / "out" / "a.tif")
        self.assertEqual((numbers(tags, WIDTH), numbers(tags, HEIGHT)), ([LENGTH], [28]))
        self.check_place("a.tif")
        self.check_place("a_confidence.tif")
        overlay = read_png(self.folder / "out" / "a_overlay.png")
        self.assertEqual((overlay.width, overlay.height), ((LENGTH - 1) // 9 + 1, 4))
        with open(self.folder / "s.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["image"] for row in rows], ["a.tif", "b.png"])
        background = next(key for key in rows[0] if "background" in key)
        self.assertEqual(int(rows[0][background]), found.count(0))

    def test_what_large_images_cannot_have(self):
        self.large("a.tif", 21)
        flags = ["--weights", DINOV2.weights, "--lora_weights", LINEAR, "--output_dir", "out", "--img_dim", 28, 28]
        self.refused("predict", "a.tif", *flags, mentions=["a.tif"])
        self.assertIn("narrower than a window of 28 pixels", self.run_here("predict", "a.tif", *flags).stderr)
        result = self.run_here("predict", "a.tif", *flags, "--tta")
        self.assertIn("--tta takes --scales 1", result.stderr)
        self.assertEqual(files_in(self.folder / "out"), [])

    def test_damaged(self):
        self.large("a.tif", 28)
        data = (self.folder / "a.tif").read_bytes()
        offset = struct.unpack("<I", data[4:8])[0]
        (self.folder / "cut.tif").write_bytes(data[: offset - 100])
        draw_image(self.folder / "b.png", 60, 40, "b")
        flags = ["--weights", DINOV2.weights, "--lora_weights", LINEAR, "--output_dir", "out", "--img_dim", 28, 28, "--write", "mask"]
        result = self.run_here("predict", "cut.tif", "b.png", *flags)
        self.assert_one_error(result, 1, "1 image", "cut.tif")
        self.assertEqual(files_in(self.folder / "out"), ["b.png"])

    def test_none_is_not_for_training(self):
        self.refused("train", "--resize", "none", status=2, mentions=["--resize none is for eval, corrupt and predict"])


if __name__ == "__main__":
    main()
