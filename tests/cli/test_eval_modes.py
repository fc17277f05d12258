"""dinoft eval's sliding window, kept ratio and test-time augmentation, recomputed from the logits that predict writes."""

import math

from datasets import draw_scene, folder_masks, resize_nearest
from png_files import RGB, Picture, write_png
from support import DINOV2, DINOV3, FIXTURES, FPN, LINEAR, CommandLineTest, folder_data, img_dim, main, model_flags
from tensor_files import read_safetensors, values

CHECKPOINTS = {
    DINOV2: LINEAR,
    DINOV3: FIXTURES / "dinov3_tiny" / "after5_lora_linear.pt",
}
CLASSES = 21


def crop(picture, top, left, height, width):
    rows = []
    for y in range(top, top + height):
        start = (y * picture.width + left) * 3
        rows.append(picture.pixels[start : start + width * 3])
    return Picture(width, height, RGB, b"".join(rows))


def mirrored(picture):
    rows = []
    for y in range(picture.height):
        row = picture.pixels[y * picture.width * 3 : (y + 1) * picture.width * 3]
        rows.append(b"".join(row[x * 3 : x * 3 + 3] for x in reversed(range(picture.width))))
    return Picture(picture.width, picture.height, RGB, b"".join(rows))


def softmax(logits):
    largest = max(logits)
    powers = [math.exp(value - largest) for value in logits]
    total = sum(powers)
    return [power / total for power in powers]


def starts(length, window, stride):
    """mmsegmentation's: stride apart, the last one moved back to the border."""
    count = max(length - window + stride - 1, 0) // stride + 1
    return [min(i * stride, length - window) for i in range(count)]


class EvalModesTest(CommandLineTest):
    """One image of exactly the network's size, so that nothing is resized before the model."""

    def make_data(self, height, width):
        root = self.folder / f"data_{height}_{width}"
        for kind in ("images", "masks"):
            (root / kind / "val").mkdir(parents=True)
        self.image, mask = draw_scene("view", width, height, 4)
        write_png(root / "images" / "val" / "0.png", self.image)
        write_png(root / "masks" / "val" / "0.png", mask)
        return root

    def evaluate(self, data, size, *flags, backbone=DINOV2, checkpoint=None):
        target = self.folder / "metrics.json"
        self.succeed(
            "eval",
            *folder_data(data),
            *model_flags(backbone, size),
            *["--lora_weights", checkpoint or CHECKPOINTS[backbone]],
            *["--metrics_json", target, "--precision", "fp32"],
            *flags,
        )
        return self.read_json(target)

    def logits(self, picture, backbone=DINOV2):
        """[height][width] lists of CLASSES logits, of a picture that is as large as the model's input."""
        path = self.folder / "view.png"
        write_png(path, picture)
        self.succeed(
            "predict",
            path,
            *["--weights", backbone.weights, "--lora_weights", CHECKPOINTS[backbone], "--precision", "fp32"],
            *img_dim(picture.height, picture.width),
            *["--save_logits", "--overwrite", "--output_dir", self.folder / "views"],
        )
        tensor = read_safetensors(self.folder / "views" / "view.safetensors")[0]["logits"]
        plane, numbers = picture.height * picture.width, values(tensor)
        return [
            [
                [numbers[c * plane + y * picture.width + x] for c in range(CLASSES)]
                for x in range(picture.width)
            ]
            for y in range(picture.height)
        ]

    def check_confusion(self, metrics, data, scores):
        """scores: [height][width][CLASSES], whatever is largest is predicted. Rounding may decide one pixel in a thousand."""
        mask = folder_masks(data, "val")[0]
        expected = [[0] * CLASSES for _ in range(CLASSES)]
        for y, row in enumerate(scores):
            for x, pixel in enumerate(row):
                label = mask.pixels[y * mask.width + x]
                if label != 255:
                    expected[label][pixel.index(max(pixel))] += 1
        self.assertGreater(len({c for row in expected for c, n in enumerate(row) if n}), 2, "a dull picture")
        moved = sum(abs(a - b) for e, m in zip(expected, metrics["confusion"]) for a, b in zip(e, m))
        self.assertLessEqual(moved, 0.002 * len(mask.pixels))
        return mask

    def check_windows(self, backbone, size, window, stride):
        data = self.make_data(*size)
        metrics = self.evaluate(data, size, "--slide", window, stride, backbone=backbone)
        height, width = size
        sums = [[[0.0] * CLASSES for _ in range(width)] for _ in range(height)]
        counts = [[0] * width for _ in range(height)]
        for top in starts(height, min(window, height), stride):
            for left in starts(width, min(window, width), stride):
                part = crop(self.image, top, left, min(window, height), min(window, width))
                for y, row in enumerate(self.logits(part, backbone)):
                    for x, pixel in enumerate(row):
                        there = sums[top + y][left + x]
                        for c, value in enumerate(pixel):
                            there[c] += value
                        counts[top + y][left + x] += 1
        means = [[[v / n for v in pixel] for pixel, n in zip(*rows)] for rows in zip(sums, counts)]
        mask = self.check_confusion(metrics, data, means)
        losses = [
            -math.log(softmax(means[i // width][i % width])[label])
            for i, label in enumerate(mask.pixels)
            if label != 255
        ]
        self.assertAlmostEqual(metrics["loss"], sum(losses) / len(losses), places=4)

    def test_sliding_window(self):
        self.check_windows(DINOV2, (112, 140), 84, 50)

    def test_sliding_window_that_is_higher_than_the_image(self):
        self.check_windows(DINOV3, (64, 128), 80, 32)

    def test_mirrored(self):
        size = (70, 84)
        data = self.make_data(*size)
        metrics = self.evaluate(data, size, "--tta", "--scales", "1")
        plain, other = self.logits(self.image), self.logits(mirrored(self.image))
        scores = [
            [
                [a + b for a, b in zip(softmax(left), softmax(right))]
                for left, right in zip(row, reversed(other_row))
            ]
            for row, other_row in zip(plain, other)
        ]
        mask = self.check_confusion(metrics, data, scores)
        losses = [
            -math.log(scores[i // size[1]][i % size[1]][label] / 2)
            for i, label in enumerate(mask.pixels)
            if label != 255
        ]
        self.assertAlmostEqual(metrics["loss"], sum(losses) / len(losses), places=4)

    def test_scales_are_sizes(self):
        """One scale and its mirror image are those of the size that the scale means."""
        data = self.make_data(112, 140)
        half = self.evaluate(data, (112, 140), "--tta", "--scales", "0.5", "--eval_size", "original")
        same = self.evaluate(data, (56, 70), "--tta", "--scales", "1", "--eval_size", "original")
        both = self.evaluate(data, (112, 140), "--tta", "--scales", "0.5,1", "--eval_size", "original")
        self.assertEqual(half["confusion"], same["confusion"])
        self.assertNotEqual(half["confusion"], both["confusion"])

    def test_a_kept_ratio_is_a_size(self):
        for height, width, size in ((100, 150, (112, 168)), (150, 100, (168, 112)), (30, 300, (112, 448))):
            data = self.make_data(height, width)
            for where in ("network", "original"):
                flags = ("--eval_size", where)
                short = self.evaluate(data, (112, 140), "--resize", "short", *flags)
                stretched = self.evaluate(data, size, *flags)
                self.assertEqual(short["confusion"], stretched["confusion"])

    def test_labels_at_the_network_s_size(self):
        data = self.make_data(100, 150)
        metrics = self.evaluate(data, (112, 112), "--resize", "short", "--tta", "--scales", "1")
        labels = resize_nearest(folder_masks(data, "val")[0], 112, 168)
        self.assertEqual(
            [row["pixels"] for row in metrics["per_class"]],
            [labels.count(bytes([label])) for label in range(CLASSES)],
        )

    def test_a_window_of_the_whole_image_changes_nothing(self):
        data = self.make_data(112, 140)
        self.assertEqual(
            self.evaluate(data, (112, 140), "--slide", 140, 140)["confusion"],
            self.evaluate(data, (112, 140))["confusion"],
        )

    def test_threads_and_batches_change_nothing(self):
        data = self.make_data(112, 140)
        flags = ["--slide", 84, 28, "--tta", "--scales", "0.75,1.25", "--resize", "short"]
        one = self.evaluate(data, (112, 140), "--threads", 1, "--batch_size", 3, *flags)
        two = self.evaluate(data, (112, 140), "--threads", 2, "--batch_size", 3, *flags)
        self.assertEqual(one, two)

    def test_fpn(self):
        data = self.make_data(112, 140)
        self.evaluate(data, (112, 140), "--slide", 112, 56, "--tta", "--scales", "1,1.5", checkpoint=FPN)
        self.refused(
            "eval",
            *folder_data(data), "--lora_weights", FPN,
            *model_flags(DINOV2, (112, 140)),
            *["--tta", "--scales", "0.25"],
            mentions=["at scale 0.25: the FPN decoder needs images of at least"],
        )

    def test_wrong_lists_and_windows(self):
        flags = ["eval", "--lora_weights", FPN]
        for words, text in (
            (["--scales", "1,,2"], "--scales: expected numbers from 0.1 to 10 with commas between them, found '1,,2'"),
            (["--scales", "0"], "--scales: expected numbers from 0.1 to 10"),
            (["--slide", "100"], "--slide: expected two whole numbers, CROP STRIDE"),
            (["--scales", "1,2"], "--scales are those of --tta, which was not given"),
            (["--slide", 100, 101], "--slide: windows of 100 pixels that are 101 apart leave gaps"),
            (["--resize", "long"], "--resize: 'long' is not one of stretch or short"),
        ):
            self.refused(*flags, *words, status=2, mentions=[text])


if __name__ == "__main__":
    main()
