"""dinoft pca: pictures of the features' principal components."""

import math
import shutil

from datasets import draw_image, voc_demo, voc_folder
from png_files import RGB, Picture, read_png, write_png
from support import CHANNELS, DINOV2, DINOV3, LINEAR, CommandLineTest, contents, files_in, main, model_flags
from tensor_files import read_safetensors, values

MODES = {"patches": [], "upsample": ["--upsample"], "foreground": ["--foreground"],
         "both": ["--foreground", "--upsample"]}


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def components(rows, count=3, steps=300):
    """The scores of the rows' first principal components, by the power method on the centred rows."""
    dim = len(rows[0])
    mean = [sum(row[d] for row in rows) / len(rows) for d in range(dim)]
    rest = [[value - mean[d] for d, value in enumerate(row)] for row in rows]
    columns = []
    for _ in range(count):
        axis = [math.sin(d + 1.0) for d in range(dim)]
        for _ in range(steps):
            scores = [dot(row, axis) for row in rest]
            axis = [sum(score * row[d] for score, row in zip(scores, rest)) for d in range(dim)]
            length = math.sqrt(dot(axis, axis))
            axis = [value / length for value in axis]
        if max(axis, key=abs) < 0:
            axis = [-value for value in axis]
        columns.append([dot(row, axis) for row in rest])
        rest = [[value - score * axis[d] for d, value in enumerate(row)]
                for row, score in zip(rest, columns[-1])]
    return columns


def scaled(column):
    least, largest = min(column), max(column)
    return [(value - least) / (largest - least) for value in column]


class Pca(CommandLineTest):
    def image(self, name, width=90, height=70, seed=None):
        return draw_image(self.folder / name, width, height, seed or name)

    def pca(self, *images, flags=(), backbone=DINOV2, output="out", size=None):
        return self.succeed("pca", *images, *model_flags(backbone, size), "--output_dir", output, "--overwrite", *flags)

    def read(self, name, output="out"):
        picture = read_png(self.folder / output / name)
        self.assertEqual(picture.kind, RGB)
        return picture

    def test_names_and_sizes(self):
        """Every image has a picture of its own size, whatever the network's."""
        jpeg = sorted((voc_folder(voc_demo()) / "JPEGImages").iterdir())[0]
        images = [self.image("a.png", 50, 40), self.image("in/b c.png", 61, 130), self.image("e.png", 3, 2), jpeg]
        truth = read_png(voc_folder(voc_demo()) / "SegmentationClass" / f"{jpeg.stem}.png")
        sizes = {"a_pca.png": (50, 40), "b c_pca.png": (61, 130), "e_pca.png": (3, 2),
                 f"{jpeg.stem}_pca.png": (truth.width, truth.height)}
        for backbone in (DINOV2, DINOV3):
            for mode, flags in MODES.items():
                output = f"{backbone.family}_{mode}"
                self.pca(*images, flags=flags, backbone=backbone, output=output)
                self.assertEqual(files_in(self.folder / output), sorted(sizes))
                for name, size in sizes.items():
                    picture = self.read(name, output)
                    self.assertEqual((picture.width, picture.height), size, f"{output} {name}")
                self.assertGreater(len(set(self.read("b c_pca.png", output).pixels)), 3)

    def check_colors(self, *flags):
        """The pictures' colours from the features, computed anew here."""
        height, width = DINOV2.size
        rows, columns = height // DINOV2.patch, width // DINOV2.patch
        area = rows * columns
        images = [self.image(f"{i}.png", width, height) for i in range(2)]
        self.pca(*images, flags=flags)
        self.succeed("features", *images, *model_flags(DINOV2), "--output", "f.safetensors")
        flat = values(read_safetensors(self.folder / "f.safetensors")[0]["x_norm_patchtokens"])
        features = [flat[i : i + CHANNELS] for i in range(0, len(flat), CHANNELS)]
        pictures = [self.read(f"{i}_pca.png") for i in range(2)]
        shown = []
        for patch in range(2 * area):
            picture, y, x = pictures[patch // area], patch % area // columns, patch % columns
            at = 3 * (y * DINOV2.patch * width + x * DINOV2.patch)
            shown.append(tuple(picture.pixels[at : at + 3]))
            for line in range(DINOV2.patch):
                start = at + 3 * line * width
                found = picture.pixels[start : start + 3 * DINOV2.patch]
                self.assertEqual(found, bytes(shown[-1]) * DINOV2.patch)
        return features, shown

    def assert_colors(self, features, shown):
        for channel, column in enumerate(components(features)):
            expected = [math.floor(255 * value) for value in scaled(column)]
            self.assert_values_near([color[channel] for color in shown], expected, 1)

    def test_colors_are_the_components(self):
        self.assert_colors(*self.check_colors())

    def test_foreground(self):
        """Half of the first component's range is black; the rest has the colours of its own components."""
        features, shown = self.check_colors("--foreground")
        first = scaled(components(features, 1)[0])
        high = [value > 0.5 for value in first]
        black = [color == (0, 0, 0) for color in shown]
        self.assertIn(high, (black, [not value for value in black]))
        kept = [i for i, value in enumerate(black) if not value]
        self.assert_colors([features[i] for i in kept], [shown[i] for i in kept])

    def test_background_is_at_the_borders(self):
        """An object in the middle is shown, light on dark as dark on light."""
        for name, inside, outside in (("light", 230, 20), ("dark", 20, 230)):
            pixels = bytearray()
            for y in range(112):
                for x in range(140):
                    middle = 28 <= y < 84 and 42 <= x < 98
                    shade = (inside if middle else outside) + (x * 7 + y * 13) % 11
                    pixels += bytes((shade, shade, shade))
            write_png(self.folder / f"{name}.png", Picture(140, 112, RGB, bytes(pixels)))
            self.pca(f"{name}.png", flags=["--foreground"])
            picture = self.read(f"{name}_pca.png")
            shown = [any(picture.pixels[i : i + 3]) for i in range(0, len(picture.pixels), 3)]
            border = [shown[y * 140 + x] for y in range(112) for x in range(140) if y in (0, 111) or x in (0, 139)]
            self.assertLess(sum(border) / len(border), sum(shown) / len(shown), name)

    def test_an_image_looks_the_same_twice(self):
        """Colours are shared by all images, frames of a video among them."""
        self.image("a.png")
        shutil.copy(self.folder / "a.png", self.folder / "b.png")
        for mode, flags in MODES.items():
            self.pca("a.png", self.image("c.png", 60, 80), "b.png", flags=flags, output=mode)
            found = contents(self.folder / mode)
            self.assertEqual(found["a_pca.png"], found["b_pca.png"])
            self.assertNotEqual(found["a_pca.png"], found["c_pca.png"])

    def test_colors_depend_on_all_images(self):
        self.pca(self.image("a.png"), output="alone")
        self.pca("a.png", self.image("b.png"), output="together")
        self.assertNotEqual(self.read("a_pca.png", "alone"), self.read("a_pca.png", "together"))

    def test_threads_change_nothing(self):
        images = [self.image(f"{i}.png", 40 + 11 * i, 50) for i in range(5)]
        for mode, flags in MODES.items():
            for backbone in (DINOV2, DINOV3):
                found = []
                for threads in (1, 2, 3):
                    self.pca(*images, flags=[*flags, "--threads", threads], backbone=backbone)
                    found.append(contents(self.folder / "out"))
                self.assertEqual(len(found[0]), 5)
                self.assertEqual(found[0], found[1], mode)
                self.assertEqual(found[0], found[2], mode)

    def test_images_of_one_colour(self):
        """One patch, or patches that are all alike: black, and no number that is none."""
        write_png(self.folder / "grey.png", Picture(30, 30, RGB, bytes([90, 100, 110]) * 900))
        for mode, flags in MODES.items():
            self.pca("grey.png", flags=flags, output=mode, size=(14, 14))
            self.assertEqual(self.read("grey_pca.png", mode).pixels, bytes(2700))

    def test_with_lora(self):
        """Of the fine-tuned backbone."""
        self.pca(self.image("a.png"), flags=["--normalize", "none"], output="plain")
        self.pca("a.png", flags=["--lora_weights", LINEAR, "--normalize", "none"], output="lora")
        self.assertNotEqual(self.read("a_pca.png", "plain"), self.read("a_pca.png", "lora"))

    def test_what_is_told(self):
        result = self.pca(self.image("a.png"), self.image("b.png"), flags=["--foreground"])
        patches = 2 * (DINOV2.size[0] // 14) * (DINOV2.size[1] // 14)
        self.assertRegex(result.stderr, rf"dinoft: principal components of {patches} patches: [\d.]+, [\d.]+ and")
        self.assertRegex(result.stderr, r"dinoft: principal components of \d+ foreground patches: ")
        self.assertIn("features 2/2", result.stderr)
        self.assertIn("pictures 2/2", result.stderr)

    def refuse(self, *images, flags=(), **options):
        return self.refused("pca", *images, *model_flags(DINOV2), "--output_dir", "out", *flags, **options)

    def test_images_that_cannot_be_read(self):
        self.image("a.png")
        (self.folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
        self.refuse("a.png", "gone.png", mentions=["gone.png", "No such file"])
        self.assertEqual(files_in(self.folder / "out"), [], "it is told before the work")
        self.refuse("bad.png", mentions=["bad.png"])
        self.image("b.png")
        self.refuse("bad.png", "a.png", "b.png", mentions=["1 image could not", "bad.png"])
        without = contents(self.folder / "out")
        self.assertEqual(list(without), ["a_pca.png", "b_pca.png"])
        self.pca("a.png", "b.png")
        self.assertEqual(contents(self.folder / "out"), without, "the others are done as without it")

    def test_images_that_would_be_overwritten(self):
        before = self.image("out/a_pca.png").read_bytes()
        self.refuse(self.image("in/a.png"), mentions=["out/a_pca.png", "--overwrite"])
        self.refuse("in/a.png", "out/a_pca.png", mentions=["out/a_pca.png"])
        self.assertEqual((self.folder / "out" / "a_pca.png").read_bytes(), before)

    def test_flags_of_other_commands(self):
        self.refuse(self.image("a.png"), flags=["--layers", 2], status=2, mentions=["--layers", "features"])
        self.refused("features", "a.png", *model_flags(DINOV2), "--output", "f.safetensors", "--upsample", status=2,
                     mentions=["--upsample", "pca"])
        self.refuse(status=2, mentions=["IMAGE"])


if __name__ == "__main__":
    main()
