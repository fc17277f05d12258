"""dinoft predict: masks, overlays and logits of images."""

import re
import shutil

from datasets import draw_image, voc_demo, voc_folder
from png_files import PALETTE, RGB, read_png, voc_palette
from support import DINOV2, DINOV3, FIXTURES, LINEAR, CommandLineTest, contents, files_in, main, model_flags
from tensor_files import read_safetensors, values

N_CLASSES = 21
CHECKPOINTS = {
    "linear": (DINOV2, LINEAR),
    "fpn": (DINOV3, FIXTURES / "dinov3_tiny" / "after5_lora_fpn.pt"),
}


class Predict(CommandLineTest):
    def image(self, name, width=90, height=70):
        return draw_image(self.folder / name, width, height, name)

    def command(self, *arguments, model="linear"):
        backbone, checkpoint = CHECKPOINTS[model]
        return ["predict", *arguments, *model_flags(backbone), "--lora_weights", checkpoint, "--output_dir", "out"]

    def predict(self, *arguments, **options):
        return self.succeed(*self.command(*arguments, **options))

    def read(self, name):
        return read_png(self.folder / "out" / name)

    def check_mask(self, name, width, height):
        mask = self.read(name)
        self.assertEqual((mask.width, mask.height, mask.kind), (width, height, PALETTE))
        self.assertLess(max(mask.pixels), N_CLASSES)
        self.assertEqual(mask.palette[:N_CLASSES], voc_palette()[:N_CLASSES])
        return mask

    def test_mask_and_overlay(self):
        for model in CHECKPOINTS:
            path = self.image(f"{model}.png")
            self.predict(path, model=model)
            mask, source, overlay = (
                self.check_mask(f"{model}.png", 90, 70),
                read_png(path),
                self.read(f"{model}_overlay.png"),
            )
            self.assertEqual((overlay.width, overlay.height, overlay.kind), (90, 70, RGB))
            self.assert_values_near(list(overlay.pixels), self.blend(source, mask, 0.5), 0.5)

    def blend(self, source, mask, opacity):
        """Of VOC: the background stays."""
        pixels = []
        for i, label in enumerate(mask.pixels):
            share = opacity if label > 0 else 0
            for before, color in zip(source.pixels[3 * i : 3 * i + 3], mask.palette[label]):
                pixels.append((1 - share) * before + share * color)
        return pixels

    def test_overlay_opacity(self):
        path = self.image("a.png")
        for opacity in (0, 0.25, 1):
            self.predict(path, "--overlay_opacity", opacity, "--overwrite")
            expected = self.blend(read_png(path), self.read("a.png"), opacity)
            self.assert_values_near(list(self.read("a_overlay.png").pixels), expected, 0.5)

    def test_outlines(self):
        """Without colours: what differs from the image is near an edge, white, or a class's colour."""
        path = self.image("a.png")
        self.predict(path, "--overlay_opacity", 0, "--outlines")
        source, mask, overlay = read_png(path), self.read("a.png"), self.read("a_overlay.png")
        self.assertGreater(len(set(mask.pixels)), 1)
        changed = 0
        for i, label in enumerate(mask.pixels):
            before, after = tuple(source.pixels[3 * i : 3 * i + 3]), tuple(overlay.pixels[3 * i : 3 * i + 3])
            if before == after:
                continue
            changed += 1
            self.assertGreater(label, 0)
            self.assertIn(after, [mask.palette[label], (255, 255, 255), (0, 0, 0)])
            x, y = i % mask.width, i // mask.width
            near = [(x + dx, y + dy) for d in (1, 2) for dx, dy in ((d, 0), (-d, 0), (0, d), (0, -d))]
            around = [
                mask.pixels[b * mask.width + a] for a, b in near if 0 <= a < mask.width and 0 <= b < mask.height
            ]
            self.assertNotEqual(set(around), {label})
        self.assertGreater(changed, 0)

    def test_legend(self):
        """All classes, once; the overlay gets their numbers, the mask does not change."""
        self.predict(self.image("a.png"), self.image("b.png"))
        before, mask = self.read("a_overlay.png"), self.read("a.png")
        self.predict("a.png", "b.png", "--legend", "--overwrite")
        self.assertEqual(
            files_in(self.folder / "out"), ["a.png", "a_overlay.png", "b.png", "b_overlay.png", "legend.png"]
        )
        legend = self.read("legend.png")
        self.assertEqual((legend.kind, legend.height), (RGB, 2 * 16 + 24 * N_CLASSES))
        for label, color in enumerate(voc_palette()[:N_CLASSES]):
            at = 3 * ((16 + 24 * label + 12) * legend.width + 16 + 3)
            self.assertEqual(tuple(legend.pixels[at : at + 3]), color)
        self.assertEqual(self.read("a.png"), mask)
        self.assertNotEqual(self.read("a_overlay.png").pixels, before.pixels)

    def test_an_image_called_legend(self):
        self.refused(
            *self.command(self.image("legend.jpg.png"), self.image("in/legend.png"), "--legend"),
            mentions=["legend.png"],
        )
        self.assertFalse((self.folder / "out").exists() and files_in(self.folder / "out"))
        self.predict("in/legend.png")

    def test_several_images(self):
        jpeg = sorted((voc_folder(voc_demo()) / "JPEGImages").iterdir())[0]
        self.predict(self.image("a.png", 50, 40), self.image("b c.png", 61, 130), jpeg)
        self.check_mask("a.png", 50, 40)
        self.check_mask("b c.png", 61, 130)
        truth = read_png(voc_folder(voc_demo()) / "SegmentationClass" / f"{jpeg.stem}.png")
        self.check_mask(f"{jpeg.stem}.png", truth.width, truth.height)

    def test_nothing_else_is_written(self):
        images = contents(self.image("photos/a.png").parent)
        self.predict("photos/a.png")
        self.assertEqual(files_in(self.folder / "out"), ["a.png", "a_overlay.png"])
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["out", "photos"])
        self.assertEqual(contents(self.folder / "photos"), images)

    def test_logits(self):
        """An image of the network's own size: its mask is the logits' largest class."""
        height, width = DINOV2.size
        self.predict(self.image("a.png", width, height), "--save_logits")
        tensors, _ = read_safetensors(self.folder / "out" / "a.safetensors")
        self.assertEqual(list(tensors), ["logits"])
        logits = tensors["logits"]
        self.assertEqual((logits.dtype, logits.shape), ("F32", (N_CLASSES, height, width)))
        flat, area = values(logits), height * width
        planes = [flat[label * area : (label + 1) * area] for label in range(N_CLASSES)]
        best = bytes(scores.index(max(scores)) for scores in zip(*planes))
        self.assertEqual(self.check_mask("a.png", width, height).pixels, best)

    def test_logits_have_the_networks_size(self):
        self.predict(self.image("a.png", 33, 44), "--save_logits")
        logits = read_safetensors(self.folder / "out" / "a.safetensors")[0]["logits"]
        self.assertEqual(logits.shape, (N_CLASSES, *DINOV2.size))

    def test_same_name_in_two_folders(self):
        """All keep the folders below the one that they share."""
        self.predict(self.image("in/x/a.png"), self.image("in/y/a.png"), self.image("in/b.png"), "--write", "mask")
        self.assertEqual(files_in(self.folder / "out"), ["b.png", "x/a.png", "y/a.png"])

    def test_images_that_differ_by_their_extension(self):
        self.image("in/a.png")
        shutil.copy(self.folder / "in" / "a.png", self.folder / "in" / "a.b.tif")
        shutil.copy(self.folder / "in" / "a.png", self.folder / "in" / "a.jpg")
        result = self.predict("in", "--write", "mask")
        self.assertIn("differ by their extension", result.stderr)
        self.assertEqual(files_in(self.folder / "out"), ["a.b.png", "a.jpg.png", "a.png.png"])

    def test_a_mask_in_the_place_of_anothers_overlay(self):
        """a.png and a_overlay.png: both would be written to a_overlay.png."""
        self.refused(*self.command(self.image("in/a.png"), self.image("in/a_overlay.png")), mentions=["a_overlay"])

    def test_the_image_itself_is_not_overwritten(self):
        """photos/a.png predicted into photos/: the photograph stays."""
        before = self.image("out/a.png").read_bytes()
        self.refused(*self.command("out/a.png"), mentions=["a.png"])
        self.assertEqual((self.folder / "out" / "a.png").read_bytes(), before)

    def test_jpegs_predicted_into_their_own_folder(self):
        jpeg = sorted((voc_folder(voc_demo()) / "JPEGImages").iterdir())[0]
        (self.folder / "out").mkdir()
        shutil.copy(jpeg, self.folder / "out" / "photo.jpg")
        self.predict("out/photo.jpg")
        self.assertEqual(files_in(self.folder / "out"), ["photo.jpg", "photo.png", "photo_overlay.png"])
        self.assertEqual((self.folder / "out" / "photo.jpg").read_bytes(), jpeg.read_bytes())

    def test_unreadable_images_are_told_and_the_others_are_done(self):
        (self.folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
        (self.folder / "empty.png").write_bytes(b"")
        result = self.run_here(*self.command("bad.png", self.image("a.png"), "empty.png", self.image("b.png")))
        self.assert_one_error(result, 1, "2 images", "bad.png")
        self.assertEqual(len(re.findall(r"warning: not done: .*(?:bad|empty)\.png", result.stderr)), 2)
        self.assertEqual(files_in(self.folder / "out"), ["a.png", "a_overlay.png", "b.png", "b_overlay.png"])

    def test_missing_image_is_told_before_the_work(self):
        self.refused(*self.command(self.image("a.png"), "gone.png"), mentions=["gone.png", "No such file"])
        self.assertFalse((self.folder / "out" / "a.png").exists())


if __name__ == "__main__":
    main()
