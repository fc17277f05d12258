"""What dinoft eval writes on request: images' scores, the confusion matrix's picture, the report."""

import csv
import shutil

from datasets import IGNORE, make_folder
from png_files import GREY, RGB, Picture, read_png, write_png
from support import (DINOV2, LINEAR, CommandLineTest, Page, contents, file_size_limit, folder_data, leftovers, main,
                     model_flags)

CLASSES = 21
NAMES = ["<b>", "a, b", '"c"', "=d", *(f"class {i}" for i in range(4, CLASSES))]
OUTPUTS = {"--images_csv": "i.csv", "--confusion_png": "c.png", "--report_html": "r.html", "--metrics_json": "m.json"}
COLUMNS = ["miou", "pixel_accuracy", "reference_iou", "reference_miou", "loss"]


class EvalFilesTest(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.data = make_folder(self.folder / "data", train=1, val=5)
        for kind in ("images", "masks"):
            (self.data / kind / "val" / "03.png").rename(self.data / kind / "val" / "<i>,3.png")
        self.names = self.folder / "names.txt"
        self.names.write_text("\n".join(NAMES) + "\n")
        self.out = self.folder / "out"
        self.out.mkdir()

    def command(self, *flags, data=None, outputs=OUTPUTS):
        return [
            "eval",
            *folder_data(data or self.data), "--class_names", self.names,
            *model_flags(DINOV2),
            *["--lora_weights", LINEAR, "--precision", "fp32"],
            *(word for flag, name in outputs.items() for word in (flag, self.out / name)),
            *flags,
        ]

    def rows(self):
        with open(self.out / "i.csv", newline="") as stream:
            return list(csv.DictReader(stream))

    def alone(self, name):
        """The metrics of a data set of that image."""
        root = self.folder / "alone"
        for kind in ("images", "masks"):
            (root / kind / "val").mkdir(parents=True)
            shutil.copy(self.data / kind / "val" / f"{name}.png", root / kind / "val")
        target = self.folder / "alone.json"
        self.succeed(*self.command("--metrics_json", target, data=root, outputs={}))
        shutil.rmtree(root)
        return self.read_json(target)

    def test_rows_are_evaluations_of_single_images(self):
        self.succeed(*self.command())
        rows, whole = self.rows(), self.read_json(self.out / "m.json")
        self.assertEqual({row["image"] for row in rows}, {"00", "01", "02", "<i>,3", "04"})
        self.assertEqual([float(row["miou"]) for row in rows], sorted(float(row["miou"]) for row in rows))
        self.assertEqual(
            sum(int(row["counted_pixels"]) for row in rows), sum(one["pixels"] for one in whole["per_class"])
        )
        for row in rows:
            metrics = self.alone(row["image"])
            for column in COLUMNS:
                self.assertAlmostEqual(float(row[column]), metrics[column], delta=1e-6 * max(1, metrics[column]))
            worst = min((one for one in metrics["per_class"] if one["iou"] is not None), key=lambda one: one["iou"])
            self.assertAlmostEqual(float(row["worst_class_iou"]), worst["iou"], places=8)
            self.assertIn(row["worst_class"].removeprefix("'"), NAMES)

    def test_the_page(self):
        self.succeed(*self.command("--slide", 97, 90))
        text = (self.out / "r.html").read_text()
        page = Page(text)
        self.assertEqual([link for link in page.links if not link.startswith("data:")], [])
        self.assertNotRegex(text, r"https?://(?!www\.w3\.org/)")
        self.assertEqual(page.tags.count("img"), 1 + 5)  # the confusion matrix, and the images
        self.assertEqual({"script", "b", "i"} & set(page.tags), set())
        for words in (*NAMES, "<i>,3", "sliding window 84 / 84"):  # as windows are, not as they were typed
            self.assertIn(words, page.text)

    def test_when_and_by_what_the_page_was_made(self):
        for given, expected in (("1600000000", r"2020-09-13 12:26 UTC"), ("", r"20[2-9]\d-\d\d-\d\d \d\d:\d\d UTC"),
                                ("yesterday", r"20[2-9]\d-\d\d-\d\d \d\d:\d\d UTC")):  # fmt: skip
            self.succeed(*self.command(), variables={"SOURCE_DATE_EPOCH": given})
            text = Page((self.out / "r.html").read_text()).text
            self.assertRegex(text, rf"{expected}, dinoft [\d.]+, revision [0-9a-z]+")
            self.assertEqual("2020-09-13" in text, given == "1600000000")

    def test_the_confusion_matrix(self):
        self.succeed(*self.command())
        picture = read_png(self.out / "c.png")
        self.assertEqual(picture.kind, RGB)
        self.assertGreater(min(picture.width, picture.height), CLASSES * 20)

    def test_threads_change_nothing(self):
        for flags in ([], ["--eval_size", "original"], ["--slide", 84, 56, "--tta", "--scales", "1"]):
            self.succeed(*self.command("--threads", 1, "--num_workers", 1, *flags))
            one = contents(self.out)
            self.assertEqual(len(one), len(OUTPUTS))
            self.succeed(*self.command("--threads", 2, "--num_workers", 3, *flags))
            self.assertEqual(contents(self.out), one)

    def test_images_of_which_nothing_counts(self):
        """Every pixel ignored of all pictures but one, one of them a single pixel."""
        for mask in sorted((self.data / "masks" / "val").iterdir())[:4]:
            picture = read_png(mask)
            write_png(mask, picture._replace(pixels=bytes([IGNORE]) * len(picture.pixels)))
        write_png(self.data / "images" / "val" / "00.png", Picture(1, 1, RGB, bytes(3)))
        write_png(self.data / "masks" / "val" / "00.png", Picture(1, 1, GREY, bytes([IGNORE])))
        self.succeed(*self.command("--eval_size", "original"))
        rows = [(row["miou"], row["counted_pixels"]) for row in self.rows()]
        self.assertEqual(rows[1:], [("", "0")] * 4)
        metrics = self.read_json(self.out / "m.json")
        self.assertEqual(sum(scores["pixels"] for scores in metrics["per_class"]), int(rows[0][1]))
        self.assertEqual(Page((self.out / "r.html").read_text()).tags.count("img"), 2)

    def test_masks(self):
        """Those of predict, which are at the image's own size; nothing is lost that is there."""
        images = sorted((self.data / "images" / "val").iterdir())
        for flags in (["--slide", 84, 56], ["--resize", "short", "--tta", "--scales", "0.75,1"], []):
            masks, predicted = self.out / "masks", self.folder / "predicted"
            self.succeed(*self.command("--save_masks", masks, "--overwrite", "--eval_size", "original", *flags, outputs={}))
            self.succeed("predict", *images, *model_flags(DINOV2), "--lora_weights", LINEAR, "--precision", "fp32",
                         "--output_dir", predicted, "--write", "mask", "--overwrite", *flags)  # fmt: skip
            self.assertEqual(len(contents(masks)), 5)
            self.assertEqual(contents(masks), contents(predicted))
        for picture in masks.iterdir():
            picture.write_bytes(b"")
        command = self.command("--save_masks", masks, outputs={})
        self.refused(*command, mentions=["5 of 5 masks are there already", "--overwrite"])
        self.assertEqual(set(contents(masks).values()), {b""})
        self.assertIn("with --eval_size original", self.succeed(*command, "--overwrite").stderr)
        self.assertEqual((read_png(masks / "00.png").height, read_png(masks / "00.png").width), DINOV2.size)

    def test_masks_beside_and_within_folders(self):
        """Images of equal names keep their folders, and no label is overwritten."""
        for kind, end in (("images", ""), ("masks", "_mask")):
            for folder in ("a", "b"):
                target = self.folder / "more" / folder / f"00{end}.png"
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.data / kind / "val" / "00.png", target)
        more, out = self.folder / "more", self.out / "masks"
        data = ["--dataset", "folder", "--n_classes", CLASSES, "--images", f"{more}/**/00.png",
                "--masks", f"{more}/**/{{name}}_mask.png", "--val_fraction", 1]  # fmt: skip
        command = ["eval", *data, *model_flags(DINOV2), "--lora_weights", LINEAR, "--precision", "fp32"]
        self.succeed(*command, "--save_masks", out)
        self.assertEqual(set(contents(out)), {"a/00.png", "b/00.png"})
        self.refused(*command, "--save_masks", more, "--overwrite", mentions=["--save_masks would overwrite", "00.png"])

    def test_two_results_of_one_name(self):
        self.refused(*self.command("--images_csv", self.out / "m.json"), mentions=["two of the results", "m.json"])
        self.assertEqual(contents(self.out), {})

    def test_a_full_disk(self):
        for flag, name in OUTPUTS.items():
            command = self.command(outputs={flag: name})
            self.refused(*command, mentions=[name, "File too large"], preexec_fn=file_size_limit(100))
            self.assertEqual((contents(self.out), leftovers(self.folder)), ({}, []))


if __name__ == "__main__":
    main()
