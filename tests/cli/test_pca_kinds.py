"""dinoft pca --clusters and --similar_to."""

import collections
import math
import re
import shutil

from datasets import draw_image
from png_files import PALETTE, RGB, Picture, read_png, write_png
from support import CHANNELS, DINOV2, CommandLineTest, contents, files_in, main, model_flags
from tensor_files import read_safetensors, values

HEIGHT, WIDTH = DINOV2.size
ROWS, COLUMNS = HEIGHT // DINOV2.patch, WIDTH // DINOV2.patch


class PcaTest(CommandLineTest):
    def image(self, name, width=WIDTH, height=HEIGHT):
        return draw_image(self.folder / name, width, height, name)

    def pca(self, *words, output="out"):
        return self.succeed("pca", *words, *model_flags(DINOV2), "--output_dir", output, "--overwrite")

    def refuse(self, *words, **options):
        return self.refused("pca", *words, *model_flags(DINOV2), "--output_dir", "out", "--overwrite", **options)

    def read(self, name, output="out"):
        return read_png(self.folder / output / name)

    def features(self, *images):
        """[patch][channel] of all images."""
        self.succeed("features", *images, *model_flags(DINOV2), "--output", "f.safetensors")
        flat = values(read_safetensors(self.folder / "f.safetensors")[0]["x_norm_patchtokens"])
        return [flat[i : i + CHANNELS] for i in range(0, len(flat), CHANNELS)]

    def patch_pixels(self, picture, patch, channels=1):
        """The pixels of a patch of an image of the network's size."""
        y, x = patch // COLUMNS * DINOV2.patch, patch % COLUMNS * DINOV2.patch
        for line in range(y, y + DINOV2.patch):
            at = (line * WIDTH + x) * channels
            row = picture.pixels[at : at + DINOV2.patch * channels]
            yield from (row[i : i + channels] for i in range(0, len(row), channels))


class Clusters(PcaTest):
    def test_files(self):
        """Of each image the clusters and the overlay, at its own size; what is counted is what is there."""
        result = self.pca(self.image("a.png", 50, 40), self.image("b.png", 61, 130), "--clusters", 5)
        self.assertEqual(files_in(self.folder / "out"), ["a_clusters.png", "a_clusters_overlay.png", "b_clusters.png",
                                                         "b_clusters_overlay.png"])  # fmt: skip
        counts, told = collections.Counter(), {}
        for name, size in (("a", (50, 40)), ("b", (61, 130))):
            clusters, overlay = self.read(f"{name}_clusters.png"), self.read(f"{name}_clusters_overlay.png")
            self.assertEqual((clusters.width, clusters.height, clusters.kind), (*size, PALETTE))
            self.assertEqual((overlay.width, overlay.height, overlay.kind), (*size, RGB))
            counts.update(clusters.pixels)
        for number, color, pixels in re.findall(r"cluster (\d+) \(#(\w+)\): (\d+) pixels", result.stderr):
            told[int(number)] = int(pixels)
            self.assertEqual(bytes.fromhex(color), bytes(clusters.palette[int(number)]))
        self.assertEqual(sorted(told), list(range(5)))
        self.assertEqual({number: pixels for number, pixels in told.items() if pixels}, dict(counts))

    def test_every_patch_has_the_nearest_centre(self):
        """Of clusters that cannot be improved: each patch is nearest to the mean of its own cluster."""
        images = [self.image(f"{i}.png") for i in range(2)]
        rows = self.features(*images)
        for metric in ("cosine", "euclidean"):
            self.pca(*images, "--clusters", 4, "--cluster_by", metric, output=metric)
            labels = []
            for i in range(2):
                picture = self.read(f"{i}_clusters.png", metric)
                for patch in range(ROWS * COLUMNS):
                    found = set(self.patch_pixels(picture, patch))
                    self.assertEqual(len(found), 1)
                    labels.append(found.pop()[0])
            sizes = [labels.count(k) for k in range(4)]
            self.assertEqual(sizes, sorted(sizes, reverse=True))
            used = [[v / math.hypot(*row) for v in row] if metric == "cosine" else row for row in rows]
            means = []
            for k in range(4):
                members = [row for row, label in zip(used, labels) if label == k]
                mean = [sum(column) / len(members) for column in zip(*members)]
                scale = 1 / math.hypot(*mean) if metric == "cosine" else 1
                means.append([v * scale for v in mean])
            for row, label in zip(used, labels):
                distances = [math.dist(row, mean) for mean in means]
                self.assertLessEqual(distances[label], min(distances) * 1.0001)

    def test_an_image_looks_the_same_twice(self):
        """Clusters are those of all images together; the seed and the threads decide nothing else."""
        self.image("a.png", 90, 70)
        shutil.copy(self.folder / "a.png", self.folder / "b.png")
        found = []
        for flags in ([], ["--threads", 1], ["--seed", 0, "--threads", 3]):
            self.pca("a.png", self.image("c.png", 60, 80), "b.png", "--clusters", 6, *flags)
            found.append(contents(self.folder / "out"))
        self.assertEqual(found[0], found[1])
        self.assertEqual(found[0], found[2])
        self.assertEqual(found[0]["a_clusters.png"], found[0]["b_clusters.png"])
        self.assertNotEqual(found[0]["a_clusters.png"], found[0]["c_clusters.png"])

    def test_smooth_borders(self):
        """The pixels at the middle of a patch keep its cluster; elsewhere there are finer borders."""
        self.image("a.png")
        self.pca("a.png", "--clusters", 3, output="squares")
        self.pca("a.png", "--clusters", 3, "--upsample", output="smooth")
        squares, smooth = (self.read("a_clusters.png", output) for output in ("squares", "smooth"))
        self.assertNotEqual(squares.pixels, smooth.pixels)
        same = sum(a == b for a, b in zip(squares.pixels, smooth.pixels))
        self.assertGreater(same, 0.6 * len(squares.pixels))

    def test_too_few_patches(self):
        write_png(self.folder / "grey.png", Picture(30, 30, RGB, bytes([90, 100, 110]) * 900))
        self.refuse("grey.png", "--clusters", 200, mentions=["200 clusters of 80 patches"])
        self.succeed("pca", "grey.png", "--clusters", 2, *model_flags(DINOV2), "--output_dir", "out")
        self.refused("pca", "grey.png", "--clusters", 2, *model_flags(DINOV2, (14, 14)), "--output_dir", "one",
                     mentions=["2 clusters of 1 patches"])  # fmt: skip

    def test_flags(self):
        self.image("a.png")
        for flags, mentions in (
            (["--clusters", 1], ["--clusters", "2 to 255"]),
            (["--clusters", 256], ["--clusters", "2 to 255"]),
            (["--clusters", 3, "--similar_to", 0, 0], ["--clusters", "--similar_to"]),
            (["--clusters", 3, "--foreground"], ["--foreground", "--clusters"]),
            (["--similar_to", 0, 0, "--foreground"], ["--foreground", "--similar_to"]),
            (["--cluster_by", "cosine"], ["--cluster_by", "--clusters"]),
            (["--seed", 1], ["--seed", "--clusters"]),
            (["--similar_to", 5], ["--similar_to", "X Y"]),
            (["--similar_to", -1, 5], ["--similar_to", "-1"]),
        ):
            self.refuse("a.png", *flags, status=2, mentions=mentions)


class SimilarTo(PcaTest):
    def test_similarity(self):
        """What is told is the range of the cosines, and the pictures' lightness follows them."""
        images = [self.image(f"{i}.png") for i in range(2)]
        rows = self.features(*images)
        x, y = 75, 33
        chosen = rows[y // DINOV2.patch * COLUMNS + x // DINOV2.patch]
        cosines = [sum(a * b for a, b in zip(chosen, row)) / math.hypot(*chosen) / math.hypot(*row) for row in rows]
        result = self.pca(*images, "--similar_to", x, y)
        told = re.search(r"patch at 75 33 of \S+0.png: from (\S+) \(.*\), in (\S+), to (\S+) \(", result.stderr)
        self.assertAlmostEqual(float(told[1]), min(cosines), delta=0.001)
        self.assertAlmostEqual(float(told[3]), 1.0, delta=0.001)
        shades = []
        for i in range(2):
            picture = self.read(f"{i}_similar.png")
            self.assertEqual((picture.width, picture.height, picture.kind), (WIDTH, HEIGHT, RGB))
            for patch in range(ROWS * COLUMNS):
                pixels = list(self.patch_pixels(picture, patch, 3))
                if i == 1:  # the first picture has the mark
                    self.assertEqual(len(set(pixels)), 1)
                shades.append(collections.Counter(pixels).most_common(1)[0][0])
        order = sorted(range(ROWS * COLUMNS, len(cosines)), key=lambda i: cosines[i])
        greens = [shades[i][1] for i in order]
        for before, after in zip(greens, greens[1:]):
            self.assertLessEqual(before, after + 1)
        self.assertEqual(shades[cosines.index(min(cosines))], bytes((68, 1, 84)))

    def test_the_mark(self):
        """In the first image alone, around the pixel, which keeps its colour: the lightest."""
        self.image("a.png", 90, 70)
        shutil.copy(self.folder / "a.png", self.folder / "b.png")
        for flags in ([], ["--upsample"]):
            self.pca("a.png", "b.png", "--similar_to", 40, 20, *flags)
            first, second = self.read("a_similar.png"), self.read("b_similar.png")
            changed = [i for i in range(90 * 70) if first.pixels[3 * i : 3 * i + 3] != second.pixels[3 * i : 3 * i + 3]]
            self.assertGreater(len(changed), 8)
            for i in changed:
                self.assertLess(math.hypot(i % 90 - 40, i // 90 - 20), 12)
            self.assertNotIn(20 * 90 + 40, changed)

    def test_a_place_outside(self):
        self.image("a.png", 90, 70)
        self.pca("a.png", "--similar_to", 89, 69)
        for place in ((90, 0), (0, 70)):
            self.refuse("a.png", "--similar_to", *place, mentions=["a.png", "90 pixels wide and 70 high", "0 to 89"])

    def test_a_first_image_that_cannot_be_read(self):
        (self.folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
        result = self.run_here("pca", "bad.png", self.image("a.png"), "--similar_to", 0, 0, *model_flags(DINOV2),
                               "--output_dir", "out")  # fmt: skip
        self.assertEqual(result.status, 1)
        self.assertIn("a place in the first image, bad.png, which could not be read", result.stderr)
        self.assertEqual(files_in(self.folder / "out"), [])


if __name__ == "__main__":
    main()
