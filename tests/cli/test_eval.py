"""dinoft eval: its numbers recomputed, from the confusion matrix and from the masks."""

import collections
import math
import re
import shutil

from datasets import IGNORE, draw_scene, folder_masks, resize_nearest, voc_demo, voc_folder, voc_masks
from png_files import read_png, write_png
from support import CHANNELS, DINOV2, LINEAR, folder_data, main, model_flags
from tensor_files import float_tensor, read_checkpoint, read_safetensors, values, write_safetensors
from training import CLASSES, TrainingTest

KEYS = {"miou", "pixel_accuracy", "mean_accuracy", "dice", "reference_iou", "reference_miou", "batch_size", "loss", "per_class",
        "confusion", "confusions", "boundary_iou", "calibration_error", "calibration", "bootstrap", "split"}  # fmt: skip


def histogram(label_planes, n_classes):
    """How many pixels have each label, 255 left out."""
    return [sum(plane.count(bytes([label])) for plane in label_planes) for label in range(n_classes)]


def mean(values):
    present = [value for value in values if value is not None]
    return sum(present) / len(present)


def ratio(part, whole):
    return part / whole if whole else None


def confusion_matrix(masks, labels, n_classes):
    rows = [[0] * n_classes for _ in range(n_classes)]
    for mask, label in zip(masks, labels):
        for (truth, prediction), number in collections.Counter(zip(label, mask)).items():
            if truth != IGNORE:
                rows[truth][prediction] += number
    return rows


def reference_iou(mask, label, void_counts):
    """The reference project's number for one image, on the bits of the class numbers."""
    both = either = 0
    for (truth, prediction), number in collections.Counter(zip(label, mask)).items():
        if truth == IGNORE:
            truth, prediction = 0, prediction if void_counts else 0
        both += number * (truth & prediction)
        either += number * (truth | prediction)
    return (both + 1e-6) / (either + 1e-6)


def reference_miou(batches, n_classes, void_counts):
    """The reference project's later number, of batches of (mask, label)."""
    scores = []
    for batch in batches:
        pairs = collections.Counter()
        for mask, label in batch:
            pairs.update((0 if truth == IGNORE and void_counts else truth, found) for truth, found in zip(label, mask))
        largest = max(truth for truth, _ in pairs)
        iou = []
        for number in range(min(largest + 1, n_classes)):
            counted = {pair: n for pair, n in pairs.items() if pair[0] != IGNORE}
            both = counted.get((number, number), 0)
            either = sum(n for pair, n in counted.items() if number in pair)
            iou.append((both + 1e-6) / (either + 1e-6) if either else None)
        scores.append(mean(iou))
    return mean(scores)


class EvalTest(TrainingTest):
    def evaluate(self, *flags, checkpoint=LINEAR, data=None):
        """(metrics, stdout)"""
        target = self.folder / "metrics.json"
        result = self.succeed("eval", *(data or ["--dataset", "voc", "--data_root", voc_demo()]), *model_flags(DINOV2),
                              "--lora_weights", checkpoint, "--metrics_json", target, "--batch_size", 2, *flags)  # fmt: skip
        return self.read_json(target), result.stdout


class Metrics(EvalTest):
    def check_consistency(self, metrics):
        """Everything follows from the confusion matrix: rows are labels, columns predictions."""
        confusion = metrics["confusion"]
        n = len(confusion)
        hits = [confusion[i][i] for i in range(n)]
        labelled = [sum(row) for row in confusion]
        predicted = [sum(row[i] for row in confusion) for i in range(n)]
        iou = [ratio(hits[i], labelled[i] + predicted[i] - hits[i]) for i in range(n)]
        accuracy = [ratio(hits[i], labelled[i]) for i in range(n)]
        dice = [ratio(2 * hits[i], labelled[i] + predicted[i]) for i in range(n)]
        for i, scores in enumerate(metrics["per_class"]):
            self.assertEqual(set(scores), {"name", "iou", "accuracy", "dice", "boundary_iou", "pixels"})
            self.assertEqual(scores["pixels"], labelled[i])
            for key, expected in (("iou", iou[i]), ("accuracy", accuracy[i]), ("dice", dice[i])):
                if expected is None:
                    self.assertIsNone(scores[key])
                else:
                    self.assertAlmostEqual(scores[key], expected, places=9)
        self.check_details(metrics)
        self.assertAlmostEqual(metrics["miou"], mean(iou), places=9)
        self.assertAlmostEqual(metrics["mean_accuracy"], mean(accuracy), places=9)
        self.assertAlmostEqual(metrics["dice"], mean(dice), places=9)
        self.assertAlmostEqual(metrics["pixel_accuracy"], sum(hits) / sum(labelled), places=9)
        for key in ("reference_iou", "reference_miou"):
            self.assertTrue(0 <= metrics[key] <= 1)
        self.assertTrue(math.isfinite(metrics["loss"]) and metrics["loss"] > 0)

    def check_details(self, metrics):
        n, confusion = len(metrics["confusion"]), metrics["confusion"]
        bins, interval = metrics["calibration"], metrics["bootstrap"]
        labelled = sum(map(sum, confusion))
        self.assertEqual(sum(bin["pixels"] for bin in bins), labelled)
        hits = sum(bin["pixels"] * bin["accuracy"] for bin in bins if bin["pixels"])
        self.assertAlmostEqual(hits, sum(confusion[i][i] for i in range(n)), places=6)
        gaps = [bin["pixels"] * abs(bin["accuracy"] - bin["confidence"]) for bin in bins if bin["pixels"]]
        self.assertAlmostEqual(metrics["calibration_error"], sum(gaps) / labelled, places=9)
        for bin in bins:
            if bin["pixels"]:
                self.assertTrue(bin["above"] - 1e-6 <= bin["confidence"] <= bin["up_to"] + 1e-6)
        self.assertAlmostEqual(metrics["boundary_iou"], mean([one["boundary_iou"] for one in metrics["per_class"]]))
        self.assertTrue(0 <= interval["miou_low"] < interval["miou_high"] <= 1)
        self.assertEqual(interval["resamples"], 1000)
        pairs = sorted(((confusion[i][k], -i, -k) for i in range(n) for k in range(n) if i != k), reverse=True)
        ranked = [(one["pixels"], -one["label"], -one["prediction"]) for one in metrics["confusions"]]
        self.assertEqual(ranked, [pair for pair in pairs if pair[0]][:20])
        for one in metrics["confusions"]:
            self.assertAlmostEqual(one["share"], one["pixels"] / sum(confusion[one["label"]]), places=9)
            self.assertEqual(one["label_name"], metrics["per_class"][one["label"]]["name"])

    def test_network_size(self):
        metrics, _ = self.evaluate()
        self.assertEqual(set(metrics), KEYS)
        self.check_consistency(metrics)
        planes = [resize_nearest(mask, *DINOV2.size) for mask in voc_masks(voc_demo(), "val")]
        self.assertEqual([row["pixels"] for row in metrics["per_class"]], histogram(planes, 21))

    def test_original_size(self):
        metrics, _ = self.evaluate("--eval_size", "original")
        self.check_consistency(metrics)
        planes = [mask.pixels for mask in voc_masks(voc_demo(), "val")]
        self.assertEqual([row["pixels"] for row in metrics["per_class"]], histogram(planes, 21))

    def test_the_interval_and_confusions_are_printed(self):
        metrics, stdout = self.evaluate("--bootstrap", 50, "--seed", 4)
        low, high = (100 * metrics["bootstrap"][key] for key in ("miou_low", "miou_high"))
        self.assertRegex(stdout, rf"(?m)^mIoU interval +{low:.2f} to {high:.2f} %   \(95 % of 50 .* --seed 4\)$")
        self.assertRegex(stdout, rf"(?m)^boundary IoU +{100 * metrics['boundary_iou']:.2f} %$")
        self.assertRegex(stdout, rf"(?m)^ECE +{100 * metrics['calibration_error']:.2f} % ")
        first = metrics["confusions"][0]
        self.assertIn(f"\n{first['label_name']} taken for {first['prediction_name']}: {100 * first['share']:.2f} % of "
                      f"{first['label_name']}'s pixels\n", stdout)  # fmt: skip
        again, _ = self.evaluate("--bootstrap", 50, "--seed", 5)
        self.assertNotEqual(again["bootstrap"], metrics["bootstrap"])
        self.assertEqual({**again, "bootstrap": 0}, {**metrics, "bootstrap": 0})
        none, stdout = self.evaluate("--bootstrap", 0)
        self.assertNotIn("bootstrap", none)
        self.assertNotIn("mIoU interval", stdout)

    def test_void_as_background(self):
        for flags in (["--void_as_background"], ["--recipe", "reference"]):
            metrics, _ = self.evaluate("--eval_size", "original", *flags)
            masks = voc_masks(voc_demo(), "val")
            void = sum(mask.pixels.count(bytes([IGNORE])) for mask in masks)
            self.assertGreater(void, 0)
            self.assertEqual(
                metrics["per_class"][0]["pixels"], histogram([mask.pixels for mask in masks], 1)[0] + void
            )

    def test_batches_and_workers_change_nothing_but_the_means_over_batches(self):
        one, _ = self.evaluate("--batch_size", 1, "--num_workers", 1)
        two, _ = self.evaluate("--batch_size", 2, "--num_workers", 3)
        self.assertEqual(one["confusion"], two["confusion"])

    def test_normalization_matters(self):
        none, _ = self.evaluate()  # the reference's checkpoints have no record: none
        typed, _ = self.evaluate("--normalize", "none")
        imagenet, _ = self.evaluate("--normalize", "imagenet")
        self.assertEqual(none, typed)
        self.assertNotEqual(none["loss"], imagenet["loss"])

    def test_table(self):
        metrics, stdout = self.evaluate()
        for scores in metrics["per_class"]:
            row = re.search(rf"(?m)^{scores['name']}  .* {scores['pixels'] or 'no labels'}$", stdout)
            self.assertIsNotNone(row, scores["name"])
        found = re.search(r"at the network's input size:\nmIoU +([\d.]+) %\n", stdout)
        self.assertAlmostEqual(float(found.group(1)), 100 * metrics["miou"], delta=6e-3)
        for name, key in (("pixel accuracy", "pixel_accuracy"), ("mean accuracy", "mean_accuracy"), ("Dice", "dice")):
            self.assertRegex(stdout, rf"(?m)^{name} +{100 * metrics[key]:.2f} %$")
        self.assertRegex(stdout, rf"(?m)^loss +{metrics['loss']:.4f}$")
        self.assertNotIn("reference", stdout)

    def test_the_reference_numbers_are_printed_for_its_recipe(self):
        metrics, stdout = self.evaluate("--recipe", "reference")
        for name, key, time in (("reference IoU", "reference_iou", "August 2025"),
                                ("reference mIoU", "reference_miou", "October 2025")):  # fmt: skip
            found = re.search(rf"(?m)^{name} +([\d.]+) % .*{time}", stdout)
            self.assertAlmostEqual(float(found.group(1)), 100 * metrics[key], delta=6e-3)

    def test_table_alone(self):
        """--metrics_json is not needed, and eval writes nothing by itself."""
        before = sorted(path.name for path in self.folder.iterdir())
        result = self.succeed("eval", "--dataset", "voc", "--data_root", voc_demo(), *model_flags(DINOV2),
                              "--lora_weights", LINEAR)  # fmt: skip
        self.assertIn("mIoU", result.stdout)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), before)


class Validation(EvalTest):
    """eval of a checkpoint and the last validation of its training."""

    def both(self, *flags, precision, batch=3):
        run = self.train("--epochs", 2, "--lr", 0.01, "--precision", precision, "--batch_size", batch, *flags)
        metrics, _ = self.evaluate(
            "--precision", precision, "--batch_size", batch, checkpoint=self.folder / "output" / "run.pt", data=self.folder_flags()
        )
        return [run.metrics[key][-1] for key in ("val_loss", "val_iou")], [metrics["loss"], metrics["miou"]]

    def test_the_same_without_lora(self):
        for precision in ("fp32", "bf16"):
            for flags in ([], ["--use_fpn"], ["--decoder", "multi", "--head_norm", "bn", "--head_dropout", 0.1], ["--decoder", "mlp"]):
                validation, evaluation = self.both(*flags, precision=precision)
                self.assertEqual(validation, evaluation)

    def test_the_same_with_the_ratio_kept(self):
        """--resize short, of images as the training's batches and higher than wide, wide and beyond 4 : 1. eval does as the record says."""
        for i, (width, height) in enumerate(((60, 130), (150, 33), (28, 28))):
            image, mask = draw_scene(f"ratio {i}", width, height, 4)
            write_png(self.data / "images" / "val" / f"ratio{i}.png", image)
            write_png(self.data / "masks" / "val" / f"ratio{i}.png", mask)
        short = ["--resize", "short"]
        for batch, flags in ((3, []), (2, ["--use_fpn", "--img_dim", 126, 112]), (1, ["--ema", 0.5, "--augment", "flip"])):
            for precision in ("fp32", "bf16"):
                with self.subTest((flags, precision)):
                    validation, evaluation = self.both(*short, *flags, precision=precision, batch=batch)
                    self.assertEqual(validation, evaluation)
        validation, evaluation = self.both(*short, "--use_lora", "--augment", "standard", precision="fp32")
        self.assert_values_near(validation, evaluation, 1e-4)
        stretched, _ = self.evaluate("--resize", "stretch", "--precision", "fp32", checkpoint=self.folder / "output" / "run.pt", data=self.folder_flags())
        self.assertNotEqual(stretched["miou"], evaluation[1])

    def test_it_changes_nothing_of_the_training(self):
        """Also where it is of images in sizes of their own, over the training's memory: training images are as high as wide, and so the same."""
        for i in range(5):
            for kind, picture in zip(("images", "masks"), draw_scene(f"square {i}", 50 + i, 50 + i, 4)):
                write_png(self.data / kind / "train" / f"{i:02}.png", picture)
        flags = ["--img_dim", 56, 56, "--epochs", 3, "--val_every", 1, "--use_lora", "--class_weights", "auto", "--loss", "ce+dice", "--ema", 0.5]
        stretched = self.train(*flags)
        short = self.train(*flags, "--resize", "short")
        self.assertEqual(short.tensors, stretched.tensors)
        self.assertNotEqual(short.metrics["val_loss"], stretched.metrics["val_loss"])

    def test_the_same_to_rounding_with_lora(self):
        validation, evaluation = self.both("--use_lora", precision="fp32")
        self.assert_values_near(validation, evaluation, 1e-4)

    def test_another_rounding_with_lora_in_bf16(self):
        """As the help says."""
        validation, evaluation = self.both("--use_lora", precision="bf16")
        self.assert_values_near(validation, evaluation, 0.02)
        text = " ".join(self.succeed("eval", "--help").stdout.split())
        self.assertIn("with bf16 and LoRA, scores differ a little from the training's validation", text)


class Predictions(EvalTest):
    """predict's masks, counted here, give eval's numbers at the original size."""

    def predicted(self, images, checkpoint):
        self.succeed(
            "predict", *images, *model_flags(DINOV2), "--lora_weights", checkpoint, "--output_dir", "masks"
        )
        return [read_png(self.folder / "masks" / f"{image.stem}.png").pixels for image in images]

    def check(self, images, labels, metrics, checkpoint, batch_size, void_counts):
        masks = self.predicted(images, checkpoint)
        self.assertEqual(metrics["confusion"], confusion_matrix(masks, labels, len(metrics["confusion"])))
        scores = [reference_iou(mask, label, void_counts) for mask, label in zip(masks, labels)]
        batches = [scores[i : i + batch_size] for i in range(0, len(scores), batch_size)]
        self.assertAlmostEqual(metrics["reference_iou"], mean([mean(batch) for batch in batches]), places=9)
        pairs = list(zip(masks, labels))
        batches = [pairs[i : i + batch_size] for i in range(0, len(pairs), batch_size)]
        expected = reference_miou(batches, len(metrics["confusion"]), void_counts)
        self.assertAlmostEqual(metrics["reference_miou"], expected, places=9)
        self.assertEqual(metrics["batch_size"], batch_size)

    def test_voc(self):
        metrics, _ = self.evaluate("--eval_size", "original", "--batch_size", 1)
        folder = voc_folder(voc_demo())
        names = (folder / "ImageSets" / "Segmentation" / "val.txt").read_text().split()
        labels = [mask.pixels for mask in voc_masks(voc_demo(), "val")]
        self.check(
            [folder / "JPEGImages" / f"{name}.jpg" for name in names], labels, metrics, LINEAR, 1, True
        )

    def test_folder(self):
        self.train("--epochs", 4, "--lr", 0.01)
        checkpoint = self.folder / "output" / "run.pt"
        metrics, _ = self.evaluate("--eval_size", "original", checkpoint=checkpoint,
                                   data=folder_data(self.data))  # fmt: skip
        images = sorted((self.data / "images" / "val").iterdir())
        labels = [mask.pixels for mask in folder_masks(self.data, "val")]
        self.check(images, labels, metrics, checkpoint, 2, False)


class SaturatedSigmoids(EvalTest):
    """Logits that are all so large that their sigmoids are 1: the lowest class is what the later metric sees."""

    def saturated(self):
        path = self.folder / "saturated.safetensors"
        self.succeed("convert", LINEAR, path)
        tensors, metadata = read_safetensors(path)
        bias = tensors["classifier.bias"]
        tensors["classifier.bias"] = float_tensor(bias.shape, [value + 100 for value in values(bias)])
        write_safetensors(path, tensors, metadata)
        return path

    def test_only_the_later_metric_sees_them(self):
        for flags in ([], ["--eval_size", "original"]):
            usual, _ = self.evaluate("--batch_size", 1, *flags)
            found, _ = self.evaluate("--batch_size", 1, *flags, checkpoint=self.saturated())
            for key in ("miou", "reference_iou"):
                self.assertAlmostEqual(found[key], usual[key], delta=1e-4)  # logits of 100 have fewer digits
            masks = voc_masks(voc_demo(), "val")
            labels = [mask.pixels if flags else resize_nearest(mask, *DINOV2.size) for mask in masks]
            batches = [[(bytes(len(label)), label)] for label in labels]
            self.assertAlmostEqual(found["reference_miou"], reference_miou(batches, 21, True), places=9)
            self.assertNotAlmostEqual(found["reference_miou"], usual["reference_miou"], places=3)

    def test_averages_have_no_sigmoids(self):
        """Of probabilities the prediction itself is looked at."""
        flags = ["--tta", "--scales", "1"]
        usual, _ = self.evaluate(*flags)
        found, _ = self.evaluate(*flags, checkpoint=self.saturated())
        self.assertAlmostEqual(found["reference_miou"], usual["reference_miou"], delta=1e-4)


class AfterTraining(EvalTest):
    """eval takes from the checkpoint what train wrote into it."""

    def checkpoint(self):
        return self.folder / "output" / "run.pt"

    def test_repeats_the_validation(self):
        for flags in (["--use_lora"], ["--use_lora", "--use_fpn"], ["--use_lora", "--decoder", "multi"]):
            run = self.train(*flags, "--lr", 0.005, "--epochs", 2, "--batch_size", 2, "--precision", "fp32")
            metrics, _ = self.evaluate(
                "--precision", "fp32", checkpoint=self.checkpoint(), data=folder_data(self.data)
            )
            # LoRA is folded into the weights here and was not while training: some last bits differ.
            self.assertAlmostEqual(metrics["loss"], run.metrics["val_loss"][-1], delta=1e-4)
            self.assertAlmostEqual(metrics["miou"], run.metrics["val_iou"][-1], delta=1e-3)
            for key in ("reference_iou", "reference_miou"):
                self.assertAlmostEqual(metrics[key], run.metrics[f"val_{key}"][-1], delta=1e-3)

    def test_image_size_is_the_checkpoints(self):
        self.train("--img_dim", 70, 98)
        result = self.succeed("eval", *folder_data(self.data), "--weights", DINOV2.weights,
                              "--lora_weights", self.checkpoint(), "--metrics_json", self.folder / "metrics.json")  # fmt: skip
        self.assertIn("3 images at 70 x 98, normalize imagenet", result.stderr)
        metrics = self.read_json("metrics.json")
        planes = [resize_nearest(mask, 70, 98) for mask in folder_masks(self.data, "val")]
        self.assertEqual([row["pixels"] for row in metrics["per_class"]], histogram(planes, CLASSES))

    def test_class_names_are_the_checkpoints(self):
        names = ["sky", "a house", "tree", "road"]
        (self.folder / "names.txt").write_text("\n".join(names))
        self.train("--class_names", self.folder / "names.txt")
        metrics, stdout = self.evaluate(checkpoint=self.checkpoint(), data=folder_data(self.data))
        self.assertEqual([scores["name"] for scores in metrics["per_class"]], names)
        self.assertRegex(stdout, r"(?m)^a house  ")

    def test_a_class_that_nothing_has(self):
        """Its scores do not exist: null in the file, a dash in the table, left out of the means."""
        self.train("--n_classes", 30, "--lr", 0.01, "--epochs", 3)
        metrics, stdout = self.evaluate(checkpoint=self.checkpoint(), data=folder_data(self.data))
        absent = [scores for scores in metrics["per_class"] if scores["iou"] is None]
        self.assertTrue(absent)
        self.assertEqual({scores["pixels"] for scores in absent}, {0})
        present = [scores["iou"] for scores in metrics["per_class"] if scores["iou"] is not None]
        self.assertAlmostEqual(metrics["miou"], mean(present), places=9)
        self.assertRegex(stdout, rf"(?m)^{absent[0]['name']} +- +- +- +- +no labels$")

    def test_the_recorded_backbone_is_found(self):
        """A small backbone has no published name, so that the flags' own file serves: weights/HUBNAME."""
        self.train()
        _, record = read_checkpoint(self.checkpoint())
        self.assertEqual(record["backbone"], "")
        (self.folder / "weights").mkdir()
        shutil.copy(DINOV2.weights, self.folder / "weights" / "dinov2_vits14_reg.pth")
        self.refused("eval", *folder_data(self.data), "--lora_weights", self.checkpoint(), "--dino_type", "dinov2",
                     "--size", "small", mentions=["--size small", CHANNELS, 384])  # fmt: skip


if __name__ == "__main__":
    main()
