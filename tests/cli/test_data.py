"""dinoft data: what is in a set, what is wrong with it, and whether training would fail."""

import math
import re
import shutil

from datasets import IGNORE, folder_masks, make_folder, voc_demo, voc_folder, voc_masks
from png_files import GREY, RGB, Picture, chunk, read_png, write_png
from support import Page, files_in, folder_data, main
from training import TrainingTest


class DataTest(TrainingTest):
    def look(self, *flags, classes=4, status=0, root=None):
        command = ["data", *folder_data(root or self.data), "--n_classes", classes, "--json", "d.json", *flags]
        result = self.run_here(*command)
        self.assertEqual(result.status, status, result.stderr)
        self.found = self.read_json("d.json")
        return result

    def path(self, kind, split, name):
        return self.data / kind / split / f"{name:02}.png"

    def break_image(self, split, name):
        self.path("images", split, name).write_bytes(b"no picture")

    def copy(self, source, target, mask=True):
        """An image, and its mask, under the name of another pair; (split, name)."""
        for kind in ("images", "masks") if mask else ("images",):
            shutil.copy(self.path(kind, *source), self.path(kind, *target))


class Numbers(DataTest):
    def test_counts(self):
        result = self.look()
        masks = {"training": folder_masks(self.data, "train"), "validation": folder_masks(self.data, "val")}
        pixels = [sum(mask.pixels.count(bytes([i])) for mask in masks["training"]) for i in range(4)]
        for name, split in masks.items():
            summary = self.found[name]
            self.assertEqual(summary["pairs"], len(split))
            self.assertEqual(summary["faulty_pairs"], 0)
            self.assertEqual(summary["formats"], {"PNG": len(split)})
            self.assertEqual(summary["width"]["least"], 60)
            self.assertEqual(summary["width"]["most"], 60 + len(split) - 1)
            self.assertEqual(summary["width"]["median"], 60 + (len(split) - 1) / 2)
            self.assertEqual(summary["height"], {"least": 48, "median": 48, "most": 48})
            self.assertEqual(summary["ignored_pixels"], sum(mask.pixels.count(bytes([IGNORE])) for mask in split))
            for i, row in enumerate(self.found["classes"]):
                self.assertEqual(row[f"{name}_pixels"], sum(mask.pixels.count(bytes([i])) for mask in split))
                self.assertEqual(row[f"{name}_images"], sum(bytes([i]) in mask.pixels for mask in split))
        for count, row in zip(pixels, self.found["classes"]):
            self.assertAlmostEqual(row["auto_weight"], 1 / math.log(1.02 + count / sum(pixels)), places=6)
        self.assertIsNone(self.found["failure"])
        self.assertEqual(self.found["faults"], [])
        self.assertIn("60 to 64, median 62", result.stdout)
        self.assertIn(f"{pixels[1]}", result.stdout)

    def test_mean_and_deviation(self):
        values = [[], [], []]
        for path in sorted((self.data / "images" / "train").iterdir()):
            image = read_png(path)
            for c in range(3):
                values[c] += image.pixels[c::3]
        self.look()
        for c in range(3):
            mean = sum(values[c]) / len(values[c])
            variance = sum((value - mean) ** 2 for value in values[c]) / len(values[c])
            self.assertAlmostEqual(self.found["training"]["mean"][c], mean / 255, places=12)
            self.assertAlmostEqual(self.found["training"]["deviation"][c], math.sqrt(variance) / 255, places=12)

    def test_the_weights_are_those_of_training(self):
        self.look()
        run = self.train("--n_classes", 4, "--class_weights", "auto", "--img_dim", 28, 28)
        words = re.search("class weights: (.*)", run.result.stderr).group(1).split(", ")
        self.assertEqual([word.split()[1] for word in words],
                         [f"{row['auto_weight']:.3g}" for row in self.found["classes"]])  # fmt: skip

    def test_voc(self):
        root = voc_demo()
        self.succeed("data", "--dataset", "voc", "--data_root", root, "--json", "d.json")
        found = self.read_json("d.json")
        self.assertEqual(found["training"]["formats"], {"JPEG": 3})
        self.assertEqual(len(found["classes"]), 21)
        self.assertEqual(found["classes"][0]["validation_pixels"],
                         sum(mask.pixels.count(b"\0") for mask in voc_masks(root, "val")))  # fmt: skip

    def test_threads_change_nothing(self):
        self.break_image("train", 1)
        self.break_image("train", 3)
        self.copy(("train", 0), ("val", 1))
        for threads in (1, 2, 5):
            self.look("--num_workers", threads, "--report_html", "d.html", status=1)
            files = [(self.folder / name).read_bytes() for name in ("d.json", "d.html")]
            if threads > 1:
                self.assertEqual(files, before)
            before = files


class Warnings(DataTest):
    """What training can do with, and people should know."""

    def warned(self, result, *words):
        found = [line for line in result.stderr.splitlines() if line.startswith("dinoft: warning: ")]
        self.assertEqual([line.removeprefix("dinoft: warning: ") for line in found], self.found["warnings"])
        for word in words:
            self.assertTrue(any(str(word) in line for line in found), f"{word}\n{result.stderr}")

    def test_nothing_to_say(self):
        self.assertEqual(self.look().stderr.count("warning"), 0)

    def test_absent_classes(self):
        self.warned(self.look(classes=6), "2 of the 6 classes have no training pixel: class_4, class_5",
                    "no validation pixel")  # fmt: skip
        self.assertEqual(self.found["classes"][5]["training_pixels"], 0)

    def test_validation_images_that_are_training_images(self):
        self.copy(("train", 2), ("val", 0))
        result = self.look()
        self.warned(result, "1 of the 3 validation images are training images", self.path("images", "val", 0))
        (group,) = self.found["duplicates"]
        self.assertEqual(group["images"], [str(self.path("images", "train", 2)), str(self.path("images", "val", 0))])
        self.assertTrue(group["in_both_sets"])
        self.assertFalse(group["masks_differ"])
        self.assertIn("(in both sets)", result.stdout)

    def test_equal_images_with_other_masks(self):
        self.copy(("train", 0), ("train", 4), mask=False)
        write_png(self.path("masks", "train", 4), Picture(60, 48, GREY, bytes(60 * 48)))
        self.warned(self.look(), "1 of the 5 training images have the pixels of another one",
                    "1 images are there again with other masks")  # fmt: skip
        self.assertTrue(self.found["duplicates"][0]["masks_differ"])
        self.assertFalse(self.found["duplicates"][0]["in_both_sets"])

    def test_equal_pixels_of_other_bytes(self):
        """The same picture, packed anew."""
        path = self.path("images", "train", 0)
        write_png(self.path("images", "train", 1), read_png(path))
        data = path.read_bytes()
        path.write_bytes(data[:-12] + chunk(b"tEXt", b"Title\0the same") + data[-12:])  # before IEND
        shutil.copy(self.path("masks", "train", 0), self.path("masks", "train", 1))
        self.look()
        self.assertEqual(len(self.found["duplicates"]), 1)

    def test_names_that_would_speak_to_a_terminal(self):
        for kind in ("images", "masks"):
            shutil.copy(self.path(kind, "train", 0), self.data / kind / "train" / "\x1b[31mred.png")
        result = self.look()
        self.assertIn("?[31mred.png", result.stdout)
        self.assertNotIn("\x1b", result.stdout + result.stderr)
        self.assertIn("\x1b[31mred.png", self.found["duplicates"][0]["images"][0])

    def test_no_validation_images(self):
        for kind in ("images", "masks"):
            shutil.rmtree(self.data / kind / "val")
        self.warned(self.look(), "there are no validation images")
        self.assertIsNone(self.found["validation"])
        self.assertEqual(self.found["training"]["pairs"], 5)

    def test_an_image_that_is_read_with_a_warning(self):
        """A JPEG without its last two bytes."""
        source = voc_folder(voc_demo())
        name = (source / "ImageSets" / "Segmentation" / "train.txt").read_text().split()[0]
        jpeg = (source / "JPEGImages" / f"{name}.jpg").read_bytes()
        (self.data / "images" / "train" / "cut.jpg").write_bytes(jpeg[:-2])
        shutil.copy(source / "SegmentationClass" / f"{name}.png", self.data / "masks" / "train" / "cut.png")
        self.look(classes=21)
        (words,) = [text for text in self.found["warnings"] if "cut.jpg" in text]
        self.assertIn("1 of the 6 training images are read with a warning", words)

    def test_most_is_ignored(self):
        for i in range(5):
            path = self.path("masks", "train", i)
            mask = read_png(path)
            write_png(path, mask._replace(pixels=bytes([IGNORE]) * (len(mask.pixels) - 60) + bytes(range(4)) * 15))
        self.warned(self.look(), "% of the training pixels are ignored")


class Faults(DataTest):
    def test_all_are_listed(self):
        self.break_image("train", 1)
        self.path("masks", "train", 2).unlink()
        write_png(self.path("masks", "train", 3), Picture(9, 9, GREY, bytes(81)))
        mask = read_png(self.path("masks", "val", 1))
        write_png(self.path("masks", "val", 1), mask._replace(pixels=b"\7" + mask.pixels[1:]))
        self.path("images", "val", 2).write_bytes(b"")
        result = self.look(status=1)
        faults = [(fault["set"], fault["fault"]) for fault in self.found["faults"]]
        expected = [("training", "images/train/01.png"), ("training", "masks/train/02.png"), ("training", "9 x 9"),
                    ("validation", "masks/val/01.png"), ("validation", "images/val/02.png")]  # fmt: skip
        self.assertEqual(len(faults), len(expected))
        for (name, fault), (set_name, words) in zip(faults, expected):
            self.assertEqual(name, set_name)
            self.assertIn(words, fault)
            self.assertIn(fault, result.stdout)
        self.assertEqual(self.found["training"]["faulty_pairs"], 3)
        self.assertEqual(self.found["validation"]["faulty_pairs"], 2)
        self.assert_one_error(result, 1, "masks/train/02.png")
        self.assertEqual(self.found["failure"], result.stderr.splitlines()[-1].removeprefix("dinoft: error: "))

    def test_what_train_refuses_at_once(self):
        """Values that are no classes, with what helps."""
        for split in ("train", "val"):
            for path in (self.data / "masks" / split).iterdir():
                mask = read_png(path)
                write_png(path, mask._replace(pixels=mask.pixels.translate(bytes(min(i + 1, 255) for i in range(256)))))
        self.assert_one_error(self.look(status=1), 1, "label 4", "--mask_values 1..4")
        self.assertEqual(self.found["training"]["pairs"], 5)

    def test_no_label(self):
        for path in (self.data / "masks" / "train").iterdir():
            mask = read_png(path)
            write_png(path, mask._replace(pixels=bytes([IGNORE]) * len(mask.pixels)))
        self.assert_one_error(self.look(status=1), 1, "5 masks", "label")
        self.assertIsNone(self.found["classes"][0]["auto_weight"])
        self.assertFalse(any("no training pixel" in text for text in self.found["warnings"]))

    def test_lists_of_one_set_that_cannot_be_read(self):
        """Masks without images; the other set is looked at all the same."""
        self.path("images", "val", 1).unlink()
        self.assert_one_error(self.look(status=1), 1, "01.png")
        self.assertIsNone(self.found["validation"])
        self.assertEqual(self.found["training"]["pairs"], 5)
        shutil.rmtree(self.data / "images")
        self.assert_one_error(self.look(status=1), 1, self.data)
        self.assertEqual(self.found["classes"], [])

    def test_of_many_a_few_are_printed(self):
        make_folder(self.folder / "many", train=30, val=2)
        for i in range(25):
            (self.folder / "many" / "images" / "train" / f"{i:02}.png").write_bytes(b"no picture")
        result = self.look(status=1, root=self.folder / "many")
        self.assertEqual(len(self.found["faults"]), 25)
        self.assertIn("and 15 more", result.stdout)
        self.assert_one_error(result, 1, "25 of 32 pairs")


class PageOfSamples(DataTest):
    def page(self, *flags, **options):
        result = self.look("--report_html", "d.html", *flags, **options)
        return result, Page((self.folder / "d.html").read_text(encoding="utf-8"))

    def test_samples(self):
        _, page = self.page()
        self.assertEqual(page.tags.count("img"), 8)
        self.assertTrue(all(link.startswith("data:image/") for link in page.links))
        for words in ("Training samples", "Validation samples", "Classes", "class_3", "60 to 64, median 62"):
            self.assertIn(words, page.text)
        self.assertNotIn("script", page.tags)
        self.assertNotIn("as training sees them", page.text)

    def test_as_training_sees_them(self):
        _, page = self.page("--show_augmented", "--augment", "strong", "--img_dim", 112, 140, "--dino_type", "dinov2")
        self.assertEqual(page.tags.count("img"), 13)
        self.assertIn("112 x 140, augment strong", page.text)
        _, page = self.page("--show_augmented")
        self.assertIn("480 x 480, augment standard", page.text)

    def test_faults(self):
        self.break_image("train", 1)
        self.copy(("train", 0), ("val", 1))
        _, page = self.page("--show_augmented", "--augment", "strong", "--img_dim", 32, 32, status=1)
        for words in ("Training would fail", "images/train/01.png", "Images of equal pixels", "in both sets"):
            self.assertIn(words, page.text)
        self.assertGreaterEqual(page.tags.count("img"), 7)

    def test_names_are_text(self):
        (self.folder / "names.txt").write_text("<b>a\nb&amp;\nc\nd\n")
        _, page = self.page("--class_names", "names.txt")
        self.assertIn("<b>a", page.text)
        self.assertIn("b&amp;", page.text)

    def test_colours(self):
        (self.folder / "colors.txt").write_text("1 2 3 ground\n4 5 6 tree\n7 8 9 car\n10 11 12 bus\n0 0 0 void\n")
        for split in ("train", "val"):
            for path in (self.data / "masks" / split).iterdir():
                mask = read_png(path)
                rgb = b"".join(bytes([3 * i + 1, 3 * i + 2, 3 * i + 3]) if i < 4 else b"\0\0\0" for i in mask.pixels)
                write_png(path, Picture(mask.width, mask.height, RGB, rgb))
        self.succeed("data", *folder_data(self.data), "--palette", "colors.txt", "--report_html", "d.html")
        self.assertIn("#0a0b0c", (self.folder / "d.html").read_text(encoding="utf-8"))


class Usage(DataTest):
    def test_flags_without_use(self):
        data = ["data", *folder_data(self.data), "--n_classes", 4]
        self.refused(*data, "--augment", "flip", status=2, mentions=["--augment", "--show_augmented"])
        self.refused(*data, "--show_augmented", status=2, mentions=["--show_augmented", "--report_html"])
        self.refused(*data, "--overlay_opacity", 0.2, status=2, mentions=["--report_html"])
        self.refused("data", *folder_data(self.data), status=2, mentions=["--n_classes"])
        self.refused("data", "--dataset", "voc", "--n_classes", 3, status=2, mentions=["--n_classes"])

    def test_outputs(self):
        data = ["data", *folder_data(self.data), "--n_classes", 4]
        self.refused(*data, "--json", "a", "--report_html", "a", mentions=["both"])
        (self.folder / "names.txt").write_text("a\nb\nc\nd\n")
        self.refused(*data, "--class_names", "names.txt", "--json", "names.txt", mentions=["names.txt", "overwrite"])
        before = files_in(self.folder)
        self.succeed(*data)
        self.assertEqual(files_in(self.folder), before)


class InTraining(DataTest):
    """The cheap part."""

    SMALL = ["--n_classes", 4, "--img_dim", 28, 28]

    def test_copies_of_the_same_name(self):
        self.copy(("train", 1), ("val", 1))
        run = self.train(*self.SMALL)
        self.assertIn("warning: 1 of the 3 validation images are training images", run.result.stderr)
        self.assertIn("images/val/01.png", run.result.stderr)

    def test_equal_names_alone_say_nothing(self):
        run = self.train(*self.SMALL)
        self.assertNotIn("are training images", run.result.stderr)


if __name__ == "__main__":
    main()
