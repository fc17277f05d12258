"""dinoft eval --prototypes: computed again from the features that dinoft features writes."""

import math
import re

from datasets import IGNORE, folder_masks, resize_nearest
from support import CHANNELS, DINOV2, FPN, LINEAR, folder_data, main, model_flags
from tensor_files import read_safetensors, values
from training import CLASSES, TrainingTest

HEIGHT, WIDTH = DINOV2.size
ROWS, COLUMNS, PATCH = HEIGHT // DINOV2.patch, WIDTH // DINOV2.patch, DINOV2.patch
NEAR = 0.002  # the share of pixels that may lie so close between two classes that rounding decides


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def unit(vector):
    norm = math.sqrt(dot(vector, vector))
    return [value / norm for value in vector]


def taps(length, coarse):
    """PyTorch's bilinear interpolation without aligned corners: (below, above, share of the latter) of each pixel."""
    places = [max((pixel + 0.5) * coarse / length - 0.5, 0.0) for pixel in range(length)]
    return [(int(at), min(int(at) + 1, coarse - 1), at - int(at)) for at in places]


def enlarge(grid):
    """[ROWS][COLUMNS] lists of logits -> the arg max of each pixel."""
    found = bytearray()
    for top, bottom, down in taps(HEIGHT, ROWS):
        line = [
            [a + (b - a) * down for a, b in zip(above, below)] for above, below in zip(grid[top], grid[bottom])
        ]
        for left, right, across in taps(WIDTH, COLUMNS):
            logits = [a + (b - a) * across for a, b in zip(line[left], line[right])]
            found.append(logits.index(max(logits)))
    return bytes(found)


class PrototypesTest(TrainingTest):
    def evaluate(self, *flags, classes=CLASSES):
        """(metrics, stderr)"""
        result = self.succeed(
            "eval", "--prototypes", *folder_data(self.data), "--n_classes", classes, *model_flags(DINOV2),
            *["--precision", "fp32", "--metrics_json", "metrics.json", *flags],
        )  # fmt: skip
        return self.read_json("metrics.json"), result.stderr

    def features(self, split, *flags):
        """Of each image the patches' features, divided by their norms."""
        images = sorted((self.data / "images" / split).iterdir())
        self.succeed("features", *images, *model_flags(DINOV2), "--precision", "fp32", "--output", "f.safetensors", "--overwrite", *flags)
        tokens = values(read_safetensors(self.folder / "f.safetensors")[0]["x_norm_patchtokens"])
        each = ROWS * COLUMNS * CHANNELS
        return [
            [unit(tokens[start : start + CHANNELS]) for start in range(image * each, (image + 1) * each, CHANNELS)]
            for image in range(len(images))
        ]

    def labels(self, split):
        return [resize_nearest(mask, HEIGHT, WIDTH) for mask in folder_masks(self.data, split)]

    def prototypes(self, classes, names, *flags):
        """The classes' directions from the training images of these names; None without a pixel."""
        sums = [[0.0] * CHANNELS for _ in range(classes)]
        for i, (patches, labels) in enumerate(zip(self.features("train", *flags), self.labels("train"))):
            if f"{i:02}" not in names:
                continue
            for patch, feature in enumerate(patches):
                top, left = patch // COLUMNS * PATCH, patch % COLUMNS * PATCH
                inside = b"".join(labels[y * WIDTH + left : y * WIDTH + left + PATCH] for y in range(top, top + PATCH))
                for label in set(inside) - {IGNORE}:
                    share = inside.count(bytes([label]))
                    sums[label] = [a + share * b for a, b in zip(sums[label], feature)]
        return [unit(total) if any(total) else None for total in sums]

    def expected(self, classes, names, *flags):
        """The confusion matrix."""
        prototypes = self.prototypes(classes, names, *flags)
        confusion = [[0] * classes for _ in range(classes)]
        for patches, labels in zip(self.features("val", *flags), self.labels("val")):
            logits = [[dot(feature, p) if p else -2.0 for p in prototypes] for feature in patches]
            found = enlarge([logits[row * COLUMNS : (row + 1) * COLUMNS] for row in range(ROWS)])
            for label, prediction in zip(labels, found):
                if label != IGNORE:
                    confusion[label][prediction] += 1
        return confusion

    def assert_near(self, found, expected):
        pixels = sum(map(sum, expected))
        differing = sum(abs(a - b) for ours, theirs in zip(found, expected, strict=True) for a, b in zip(ours, theirs))
        self.assertEqual(sum(map(sum, found)), pixels)
        self.assertLessEqual(differing / 2, NEAR * pixels)

    def all_names(self):
        return [path.stem for path in sorted((self.data / "images" / "train").iterdir())]


class Values(PrototypesTest):
    def test_all_training_images(self):
        metrics, stderr = self.evaluate()
        self.assert_near(metrics["confusion"], self.expected(CLASSES, self.all_names()))
        self.assertEqual(metrics["prototypes"], {"training_images": 5})
        self.assertIn("prototypes of 4 classes from 5 training images", stderr)
        self.assertNotIn("warning", stderr)

    def test_few_images(self):
        metrics, stderr = self.evaluate("--shots", 1, "--seed", 2)
        facts = metrics["prototypes"]
        names = facts["training_image_names"]
        self.assertEqual((facts["shots"], facts["seed"], facts["training_images"]), (1, 2, len(names)))
        self.assertLess(len(names), 5)
        self.assertIn(f"--shots 1, --seed 2: {len(names)} of the 5 training images", stderr)
        self.assert_near(metrics["confusion"], self.expected(CLASSES, names))

    def test_they_are_those_of_a_training(self):
        metrics, _ = self.evaluate("--shots", 1, "--seed", 2)
        run = self.train("--shots", 1, "--seed", 2)
        self.assertEqual(
            run.config["facts"]["training_image_names"], metrics["prototypes"]["training_image_names"]
        )

    def test_classes_without_a_pixel_are_never_predicted(self):
        metrics, stderr = self.evaluate(classes=CLASSES + 2)
        self.assertIn(
            "warning: 2 of the 6 classes have no pixel in these images and are never predicted: class_4, class_5",
            stderr,
        )
        self.assertEqual([sum(row[label] for row in metrics["confusion"]) for label in (4, 5)], [0, 0])
        fewer, _ = self.evaluate()
        self.assertEqual([row[:4] for row in metrics["confusion"][:4]], fewer["confusion"])

    def test_the_backbone_with_a_checkpoint_s_lora(self):
        lora = ["--lora_weights", LINEAR]
        metrics, _ = self.evaluate(*lora)
        self.assert_near(metrics["confusion"], self.expected(CLASSES, self.all_names(), *lora))
        plain, _ = self.evaluate("--normalize", "none")
        self.assertNotEqual(plain["confusion"], metrics["confusion"])
        self.evaluate("--lora_weights", FPN)

    def test_threads_change_no_bit(self):
        flags = ["--shots", 2, "--batch_size", 2]
        one, _ = self.evaluate(*flags, "--threads", 1, "--num_workers", 1)
        more, _ = self.evaluate(*flags, "--threads", 2, "--num_workers", 3)
        self.assertEqual(one, more)


class Flags(PrototypesTest):
    def test_ways_of_evaluating(self):
        plain, _ = self.evaluate()
        for flags in (["--slide", 84, 56], ["--tta", "--scales", "1,1.5"], ["--resize", "short", "--img_dim", 84, 84]):
            metrics, _ = self.evaluate(*flags)
            self.assertNotEqual(metrics["confusion"], plain["confusion"], flags)
        whole, _ = self.evaluate("--slide", *[max(DINOV2.size)] * 2, "--batch_size", 1)
        self.assert_near(whole["confusion"], plain["confusion"])
        original, _ = self.evaluate("--eval_size", "original")
        self.assertEqual(
            sum(map(sum, original["confusion"])),
            sum(len(mask.pixels) - mask.pixels.count(b"\xff") for mask in folder_masks(self.data, "val")),
        )

    def test_reports(self):
        self.evaluate("--shots", 1, "--report_html", "r.html", "--images_csv", "i.csv", "--confusion_png", "c.png")
        page = (self.folder / "r.html").read_text()
        for words in ("Prototypes on folder", "cosine similarity", "training images (--shots 1, --seed 0)"):
            self.assertIn(words, page)
        self.assertEqual(len((self.folder / "i.csv").read_text().splitlines()), 4)

    def test_refused(self):
        data = [*folder_data(self.data), *model_flags(DINOV2)]
        self.refused("eval", *data, status=2, mentions=["--lora_weights", "--prototypes"])
        self.refused("eval", *data, "--prototypes", status=2, mentions=["--n_classes"])
        self.refused("eval", *data, "--lora_weights", LINEAR, "--shots", 1, status=2, mentions=["--shots", "--prototypes"])
        self.refused("eval", *data, "--prototypes", "--n_classes", CLASSES, "--seed", 1, status=2, mentions=["--seed", "--shots"])
        for path in (self.data / "masks" / "train").iterdir():
            path.unlink()
        error = self.refused("eval", *data, "--prototypes", "--n_classes", CLASSES)
        self.assertTrue(re.search(r"train", error), error)


if __name__ == "__main__":
    main()
