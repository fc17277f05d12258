"""Masks that are not what their user means: told before the work where it can be seen, else before a checkpoint."""

import shutil
import struct

from datasets import IGNORE, draw_scene, folder_masks
from png_files import read_png, write_png
from support import DINOV2, FIXTURES, FPN, LINEAR, contents, files_in, folder_data, main, model_flags
from tensor_files import read_checkpoint, values, write_safetensors
from training import CLASSES, TrainingTest

SMALL = ["--img_dim", 28, 28]


class LabelsTest(TrainingTest):
    def rewrite(self, change, splits=("train", "val"), first=0):
        """Every mask of the splits from one on, its values changed by a function."""
        table = bytes(change(value) for value in range(256))
        for split in splits:
            for path in sorted((self.data / "masks" / split).iterdir())[first:]:
                mask = read_png(path)
                write_png(path, mask._replace(pixels=mask.pixels.translate(table)))

    def two_classes(self, first, second):
        """Masks of two values, and of 255 where the others have it already."""
        self.rewrite(lambda value: value if value == IGNORE else first if value < 2 else second)

    def add_images(self, number, value):
        """More training images, whose masks have one value."""
        for i in range(number):
            image, mask = draw_scene(i, 20, 16, CLASSES)
            write_png(self.data / "images" / "train" / f"more{i:02}.png", image)
            write_png(
                self.data / "masks" / "train" / f"more{i:02}.png", mask._replace(pixels=bytes([value]) * 320)
            )

    def small_train(self, *flags, classes=2, **options):
        data = [*folder_data(self.data), "--n_classes", classes]
        return self.train_command(*SMALL, *flags, data=data, **options)

    def refused_before(self, *flags, mentions=(), **options):
        """Before anything is trained or written."""
        result = self.run_here(*self.small_train(*flags, **options))
        self.assert_one_error(result, 1, *mentions)
        self.assertNotIn("epoch 1/1", result.stderr)
        self.assertEqual([name for name in files_in(self.folder) if name.startswith("output")], [])

    def refused_after_an_epoch(self, *flags, mentions=(), **options):
        result = self.run_here(*self.small_train(*flags, **options))
        self.assert_one_error(result, 1, *mentions)
        self.assertIn("epoch 1/", result.stderr)
        self.assertEqual([name for name in files_in(self.folder / "output") if name.endswith(".pt")], [])

    def run_small(self, *flags, **options):
        result = self.succeed(*self.small_train(*flags, **options))
        return self.read_run(result, options.get("output", "output"))

    def evaluate(self, *flags, checkpoint="output/run.pt", command="eval"):
        return [command, *folder_data(self.data), "--weights", DINOV2.weights,
                "--lora_weights", checkpoint, *flags]  # fmt: skip

    def warnings(self, result, words):
        return [line for line in result.stderr.splitlines() if line.startswith("dinoft: warning: ") and words in line]


class TwoValues(LabelsTest):
    """0 and 255, as many tools write masks: is 255 a class?"""

    def setUp(self):
        super().setUp()
        self.rewrite(lambda value: 0 if value < 2 else IGNORE)

    def test_two_classes(self):
        self.refused_before(
            mentions=["masks/train", "masks/val", "0 and 255", "8 of 8", "--mask_values 0,255", "--mask_values 0,1 "]
        )

    def test_more_classes(self):
        self.refused_before(mentions=["--n_classes 2 --mask_values 0,255", "--mask_values 0,1,2,3 "], classes=4)

    def test_one_and_255(self):
        self.rewrite(lambda value: 1 if value == 0 else value)
        self.refused_before(mentions=["1 and 255", "--mask_values 1,255", "--mask_values 0,1 "])

    def test_a_third_value_in_the_other_split_tells(self):
        self.rewrite(lambda value: 1 if value == 0 else value, splits=["val"])
        run = self.run_small()
        self.assertEqual(len(self.warnings(run.result, "1 of the 2 classes has no training pixel: class_1")), 1)

    def test_255_is_a_class(self):
        run = self.run_small("--mask_values", "0,255", "--epochs", 2)
        self.assertEqual(run.record["mask_values"], "0,255")
        self.assertEqual(run.config["mask_values"], "0,255")
        self.assertEqual(self.warnings(run.result, ""), [])
        self.rewrite(lambda value: 0 if value == 0 else 1)
        same = self.run_small("--epochs", 2, output="plain")
        self.assertEqual([row["loss"] for row in run.steps], [row["loss"] for row in same.steps])
        self.assertEqual(run.tensors, same.tensors)
        self.assertNotIn("mask_values", same.record)
        self.assertIsNone(same.config["mask_values"])

    def test_255_is_ignored(self):
        run = self.run_small("--mask_values", "0,1", "--epochs", 3, "--val_every", 1)
        self.assertEqual(len(self.warnings(run.result, "no training pixel: class_1")), 1)
        result = self.succeed(*self.evaluate())
        self.assertRegex(result.stdout, r"(?m)^class_1 .* no labels$")
        self.assertRegex(result.stdout, r"(?m)^class_0 .* \d+$")

    def test_evaluations_take_the_meaning_from_the_checkpoint(self):
        self.run_small("--mask_values", "255,0")
        self.succeed(*self.evaluate("--metrics_json", "m.json", "--eval_size", "original"))
        pixels = [row["pixels"] for row in self.read_json("m.json")["per_class"]]
        masks = folder_masks(self.data, "val")
        self.assertEqual(pixels, [sum(mask.pixels.count(bytes([value])) for mask in masks) for value in (255, 0)])
        self.succeed(*self.evaluate("--corruptions", "contrast", "--severity", 1, command="corrupt"))
        self.succeed(*self.evaluate("--metrics_json", "n.json", "--eval_size", "original", "--mask_values", "0,255"))
        typed = [row["pixels"] for row in self.read_json("n.json")["per_class"]]
        self.assertEqual(typed, pixels[::-1])
        self.assertIn("255,0", self.run_here("info", "output/run.pt").stdout)

    def test_a_record_that_nobody_could_mean(self):
        self.run_small("--mask_values", "255,0")
        self.succeed("convert", "output/run.pt", "c.safetensors")
        path = self.folder / "c.safetensors"
        good = path.read_bytes()
        self.assertIn(b"255,0", good)
        path.write_bytes(good.replace(b"255,0", b"255,x"))
        self.refused(*self.evaluate(checkpoint="c.safetensors"), mentions=["c.safetensors", "mask_values", "255,x"])

    def test_training_goes_on_with_the_checkpoints_meaning(self):
        self.run_small("--mask_values", "255,0")
        run = self.run_small("--lora_weights", "output/run.pt", output="next")
        self.assertEqual(run.record["mask_values"], "255,0")
        self.assertEqual(run.config["mask_values"], "255,0")
        self.assertIn("values of masks are 255,0, as output/run.pt records", run.result.stderr)

    def test_evaluations_of_what_nobody_explained(self):
        self.refused(*self.evaluate(*SMALL, checkpoint=LINEAR), mentions=["0 and 255", "--mask_values 0,255"])
        flags = ["--corruptions", "contrast", "--severity", 1]
        self.refused(*self.evaluate(*SMALL, *flags, checkpoint=LINEAR, command="corrupt"), mentions=["0 and 255"])


class TwoValuesLater(LabelsTest):
    """255 comes up behind the first 32 masks."""

    def setUp(self):
        super().setUp()
        self.rewrite(lambda value: 0)
        self.add_images(40, 0)
        self.rewrite(lambda value: IGNORE, splits=["train"], first=44)

    def test_before_a_checkpoint_is_written(self):
        self.refused_after_an_epoch(mentions=["0 and 255", "--mask_values 0,255"], classes=2)

    def test_without_lora_and_with_features_of_an_earlier_run(self):
        """The file of features is whole then, and no mask is read again but the first ones."""
        flags = ["--cache_features", "file", "--epochs", 3]
        self.refused_after_an_epoch(*flags, mentions=["0 and 255"])
        self.assertTrue((self.folder / "output" / "run_features.cache").exists())
        self.refused_after_an_epoch(*flags, mentions=["0 and 255"])

    def test_a_part_of_an_epoch_is_not_the_set(self):
        """Where 255 was seen and the third value was not yet: the other masks are looked at."""
        self.rewrite(lambda value: 1, splits=["train"], first=43)
        self.rewrite(lambda value: IGNORE, splits=["train"], first=44)
        self.run_small("--max_steps", 3, "--no_shuffle")

    def test_evaluations(self):
        for folder in "images", "masks":
            shutil.rmtree(self.data / folder / "val")
            (self.data / folder / "train").rename(self.data / folder / "val")
        result = self.run_here(*self.evaluate(*SMALL, checkpoint=LINEAR))
        self.assert_one_error(result, 1, "0 and 255")
        self.assertIn("eval 4/4", result.stderr)
        self.assertEqual(result.stdout, "")


class Values(LabelsTest):
    def test_a_value_that_is_not_listed(self):
        self.two_classes(10, 200)
        path = self.data / "masks" / "train" / "03.png"
        mask = read_png(path)
        pixels = bytearray(mask.pixels)
        pixels[mask.width * 5 + 7] = 11
        write_png(path, mask._replace(pixels=bytes(pixels)))
        self.refused_before(
            "--mask_values", "10,200", mentions=[path, "label 11 at column 7, row 5", "10,200", "255"]
        )

    def test_the_flag_is_named_where_values_are_out_of_range(self):
        self.two_classes(0, 128)
        self.refused_before(mentions=["label 128", "largest allowed is 1", "--mask_values"])

    def test_wrong_usage(self):
        folder = ["--dataset", "folder", "--n_classes", 2]
        for text in ("0", "0,1,2", "0..2"):
            self.refused("train", *folder, "--mask_values", text, status=2, mentions=["--mask_values", text, "2"])
        for text in ("0,65536", "0,-1", "0,,1", "0,0", "a", "1..0", " 0,1"):
            self.refused("train", *folder, "--mask_values", text, status=2, mentions=["--mask_values", text])
        self.refused("train", "--dataset", "voc", "--mask_values", "0,1", status=2, mentions=["--mask_values", "folder"])
        self.refused("predict", "a.png", "--mask_values", "0,1", status=2, mentions=["--mask_values"])
        self.refused("bench", "train", "--mask_values", "0,1", mentions=["--mask_values", "loader"])

    def test_another_number_than_the_checkpoints(self):
        self.two_classes(0, 1)
        self.run_small()
        self.refused(*self.evaluate("--mask_values", "0,1,2"), mentions=["--mask_values 0,1,2", "3", "2 classes"])

    def test_the_loader_alone(self):
        self.two_classes(0, 200)
        command = ["bench", "loader", *folder_data(self.data), "--n_classes", 2, *SMALL]
        self.refused(*command, mentions=["label 200"])
        self.succeed(*command, "--mask_values", "0,200", "--steps", 2)


class Absent(LabelsTest):
    def test_classes_are_named_once(self):
        (self.folder / "names.txt").write_text("sky\nsea\nsand\nsun\nship\nshell\n")
        flags = ["--class_names", "names.txt", "--epochs", 3, "--val_every", 1]
        run = self.run_small(*flags, classes=6)
        found = self.warnings(run.result, "2 of the 6 classes have no training pixel: ship, shell")
        self.assertEqual(len(found), 1, run.result.stderr)
        self.assertLess(run.result.stderr.index("epoch 1/3"), run.result.stderr.index(found[0]))
        self.assertEqual(len(self.warnings(run.result, "have no validation pixel: ship, shell")), 1)

    def test_a_class_that_only_validation_lacks(self):
        """As where one split was written as 0 and 255, and the other was not."""
        self.rewrite(lambda value: value % 2)
        self.rewrite(lambda value: IGNORE if value == 1 else 0, splits=["val"])
        run = self.run_small("--epochs", 2, "--val_every", 1)
        self.assertEqual(self.warnings(run.result, "no training pixel"), [])
        self.assertEqual(len(self.warnings(run.result, "1 of the 2 classes has no validation pixel: class_1")), 1)

    def test_nothing_is_said_of_a_part(self):
        self.add_images(40, 0)
        run = self.run_small("--max_steps", 1, "--batch_size", 1, classes=6)
        self.assertEqual(self.warnings(run.result, "training"), [])

    def test_most_pixels_are_ignored(self):
        self.rewrite(lambda value: value if value == 1 else IGNORE)
        self.rewrite(lambda value: 0, splits=["val"])
        run = self.run_small("--epochs", 2)
        self.assertEqual(len(self.warnings(run.result, "% of the training pixels are ignored")), 1)
        self.rewrite(lambda value: 0 if value == 1 else value)
        self.rewrite(lambda value: IGNORE, splits=["val"], first=1)
        result = self.succeed(*self.evaluate("--mask_values", "0,1"))
        self.assertEqual(len(self.warnings(result, "% of the validation pixels are ignored")), 1)

    def test_most_pixels_are_not(self):
        run = self.run_small(classes=CLASSES)
        self.assertEqual(self.warnings(run.result, ""), [])


class NoLabels(LabelsTest):
    def test_training(self):
        self.rewrite(lambda value: IGNORE, splits=["train"])
        self.refused_before(mentions=["5 masks", self.data / "masks" / "train", "label"], classes=4)

    def test_validation(self):
        self.rewrite(lambda value: IGNORE, splits=["val"])
        self.refused_before(mentions=["3 masks", self.data / "masks" / "val", "label"], classes=4)

    def test_evaluation(self):
        self.rewrite(lambda value: IGNORE, splits=["val"])
        self.refused(*self.evaluate(*SMALL, checkpoint=LINEAR), mentions=["3 masks", "label"])

    def test_labels_behind_many_masks(self):
        self.add_images(40, IGNORE)
        self.rewrite(lambda value: IGNORE, splits=["train"])
        self.refused_before(mentions=["45 masks"], classes=4)
        self.rewrite(lambda value: 1, splits=["train"], first=44)
        self.run_small("--batch_size", 45, classes=4)

    def test_labels_that_no_resized_mask_has(self):
        """One labelled pixel between those that the nearest neighbour takes."""
        for split in "train", "val":
            for path in (self.data / "masks" / split).iterdir():
                mask = read_png(path)
                pixels = bytearray([IGNORE]) * len(mask.pixels)
                pixels[mask.width + 1 : mask.width + 2] = b"\1" if path.stem == "00" else b"\2"
                write_png(path, mask._replace(pixels=bytes(pixels)))
        self.refused_after_an_epoch(mentions=["28 x 28", "label"], classes=4)
        self.refused(*self.evaluate(*SMALL, checkpoint=LINEAR), mentions=["3 images", "label"])
        self.succeed(*self.evaluate(*SMALL, "--eval_size", "original", checkpoint=LINEAR))


class Pairs(LabelsTest):
    def test_what_is_not_used_is_named(self):
        for name in ("Thumbs.db", "notes.txt", "LICENSE", "a.csv", ".hidden"):
            (self.data / "images" / "train" / name).write_text("")
        (self.data / "masks" / "val" / "old").mkdir()
        run = self.run_small(classes=CLASSES)
        line = self.warnings(run.result, "images/train")[0]
        self.assertIn("3 of the 8 files", line)
        self.assertIn("LICENSE", line)
        self.assertNotIn("hidden", line)
        self.assertIn("old (a folder)", self.warnings(run.result, "masks/val")[0])

    def test_halves_that_are_not_read(self):
        image = self.data / "images" / "train" / "02.png"
        image.rename(image.with_suffix(".heic"))
        self.refused_before(mentions=[image.with_suffix(".heic"), "HEIC", ".jpg", "PNG"], classes=CLASSES)
        mask = self.data / "masks" / "train" / "02.png"
        mask.rename(mask.with_suffix(".tiff"))
        self.refused_before(mentions=["1 file of pairs", "02.heic", "HEIC"], classes=CLASSES)

    def test_content_of_another_kind_than_the_name(self):
        path = self.data / "images" / "val" / "00.png"
        path.write_bytes(b"RIFF\x24\0\0\0WEBPVP8 " + bytes(20))
        self.refused(*self.small_train(classes=CLASSES), mentions=[path, "WebP"])

    def test_ade20k(self):
        base = self.folder / "ade" / "ADEChallengeData2016"
        for split, ours in (("train", "training"), ("val", "validation")):
            shutil.copytree(self.data / "images" / split, base / "images" / ours)
            shutil.copytree(self.data / "masks" / split, base / "annotations" / ours)
        (base / "annotations" / "training" / "03.png").rename(base / "annotations" / "training" / "03.webp")
        self.refused(
            *self.train_command(data=["--dataset", "ade20k", "--data_root", "ade"]),
            mentions=["annotations/training/03.webp", "WebP"],
        )


class Overflow(TrainingTest):
    """Numbers that are none must not pass for a result."""

    def changed(self, checkpoint, factors):
        tensors, _ = read_checkpoint(checkpoint)
        for name, factor in factors.items():
            numbers = [number * factor for number in values(tensors[name])]
            tensors[name] = tensors[name]._replace(data=struct.pack(f"<{len(numbers)}f", *numbers))
        write_safetensors(self.folder / "c.safetensors", tensors)

    def check(self, *mentions):
        model = [*model_flags(DINOV2), "--lora_weights", "c.safetensors"]
        data = folder_data(self.data)
        commands = [
            ["predict", self.data / "images" / "val" / "00.png"],
            ["eval", *data],
            ["eval", *data, "--eval_size", "original"],
            ["eval", *data, "--tta", "--scales", "1"],
            ["eval", *data, "--slide", 98, 56],
            ["corrupt", *data, "--corruptions", "contrast", "--severity", 1],
        ]
        for command in commands:
            result = self.run_here(*command, *model)
            self.assert_one_error(result, 1, "c.safetensors", *mentions)
            self.assertEqual(result.stdout, "")

    def test_weights_that_no_model_has(self):
        for decoder, names in (("linear", ["w_a_003", "w_b_000", "classifier.weight", "classifier.bias"]),
                               ("fpn", ["w_b_007", "conv1.0.weight", "conv3.1.weight", "conv5.1.running_mean"])):  # fmt: skip
            source = FIXTURES / "dinov2_tiny_reg" / f"after5_lora_{decoder}.pt"
            for name in names:
                self.changed(source, {name: 1e38})
                result = self.run_here("predict", self.data / "images" / "val" / "00.png", *model_flags(DINOV2),
                                       "--lora_weights", "c.safetensors")  # fmt: skip
                self.assert_one_error(result, 1, name, "no trained model")
        self.changed(LINEAR, {"classifier.weight": 1e38})
        self.check("classifier.weight")

    def test_features(self):
        self.changed(LINEAR, {"w_a_000": 1e15, "w_b_000": 1e15})  # each is allowed by itself
        for command in (["features", "--output", "f.safetensors"], ["pca", "--output_dir", "pictures"]):
            self.refused(*command, self.data / "images" / "val" / "00.png", *model_flags(DINOV2),
                         "--lora_weights", "c.safetensors", mentions=["features", "finite"])  # fmt: skip
        self.assertEqual([name for name in files_in(self.folder) if name.startswith(("f.", "pictures"))], [])

    def test_products_that_overflow(self):
        """Each weight is allowed by itself."""
        tensors = read_checkpoint(FPN)[0]
        names = [f"conv{i}.0.weight" for i in range(1, 6)] + [f"conv{i}.1.weight" for i in range(1, 6)]
        self.changed(FPN, {name: 1e14 / max(map(abs, values(tensors[name]))) for name in names})
        self.check("logits are not finite")

    def test_a_good_checkpoint_is_not_replaced(self):
        """The last step's loss is finite, and the weights that it leaves are not."""
        self.train("--use_lora")
        before = contents(self.folder / "output")
        for lr, words in ((1e30, "no trained model"), (1e14, "step 1")):
            result = self.run_here(*self.train_command("--use_lora", "--batch_size", 5, "--lr", lr))
            self.assert_one_error(result, 1, "step 1", "not saved", "learning rate", words)
            after = contents(self.folder / "output")
            self.assertEqual(after["run.pt"], before["run.pt"])
            self.assertNotIn("run_stopped.pt", after)


if __name__ == "__main__":
    main()
