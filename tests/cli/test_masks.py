"""Masks as people have them: colours, other numbers, folders of classes; and what a checkpoint records of them."""

import shutil

from datasets import IGNORE, folder_masks
from png_files import GREY, RGB, Picture, read_png, write_png
from support import DINOV2, folder_data, main
from training import TrainingTest

SMALL = ["--img_dim", 28, 28]
NAMES = ["ground", "tree", "car", "bus"]
COLORS = [(0, 0, 0), (10, 200, 30), (0, 0, 142), (0, 60, 100)]
VOID = (224, 224, 192)
TABLE = "# what annotators use\n" + "".join(
    f"{r} {g} {b} {name}\n" for (r, g, b), name in zip(COLORS, NAMES)
) + "#e0e0c0 void\n"  # fmt: skip


class MasksTest(TrainingTest):
    def setUp(self):
        super().setUp()
        (self.folder / "colors.txt").write_text(TABLE)

    def rewrite(self, change):
        """Every mask, changed by a function from Picture to Picture."""
        for split in ("train", "val"):
            for path in (self.data / "masks" / split).iterdir():
                write_png(path, change(read_png(path)))

    def color(self, table=COLORS):
        def change(mask):
            pixels = b"".join(bytes(VOID if value == IGNORE else table[value]) for value in mask.pixels)
            return Picture(mask.width, mask.height, RGB, pixels)

        self.rewrite(change)

    def translate(self, change):
        table = bytes(change(value) for value in range(256))
        self.rewrite(lambda mask: mask._replace(pixels=mask.pixels.translate(table)))

    def run_small(self, *flags, **options):
        return self.train(*SMALL, *flags, data=folder_data(self.data), **options)

    def refused_small(self, *flags, mentions=(), status=1):
        command = self.train_command(*SMALL, *flags, data=folder_data(self.data))
        return self.refused(*command, mentions=mentions, status=status)

    def evaluate(self, *flags, checkpoint="output/run.pt"):
        flags = [*flags, "--metrics_json", "m.json", "--eval_size", "original"]
        self.succeed("eval", *folder_data(self.data), "--weights", DINOV2.weights, "--lora_weights", checkpoint, *flags)
        return self.read_json("m.json")

    def per_class(self, metrics, what):
        return [row[what] for row in metrics["per_class"]]

    def losses(self, run):
        return [row["loss"] for row in run.steps]


class Colours(MasksTest):
    def test_a_table_of_colours(self):
        plain = self.run_small("--n_classes", 4, output="plain")
        pixels = [sum(mask.pixels.count(bytes([i])) for mask in folder_masks(self.data, "val")) for i in range(4)]
        self.color()
        run = self.run_small("--palette", "colors.txt")
        self.assertEqual(self.losses(run), self.losses(plain))
        self.assertEqual(run.tensors, plain.tensors)
        self.assertEqual(run.record["class_names"], NAMES)
        self.assertEqual(run.record["class_colors"], ["#000000", "#0ac81e", "#00008e", "#003c64"])
        self.assertEqual(run.record["mask_values"], "#000000,#0ac81e,#00008e,#003c64")
        self.assertEqual(run.record["ignored_values"], "#e0e0c0")
        (self.folder / "colors.txt").unlink()
        metrics = self.evaluate()
        self.assertEqual(self.per_class(metrics, "pixels"), pixels)
        self.assertEqual(self.per_class(metrics, "name"), NAMES)
        image = sorted((self.data / "images" / "val").iterdir())[0]
        self.succeed("predict", image, "--lora_weights", "output/run.pt", "--weights", DINOV2.weights, "--output_dir", "p")
        self.assertEqual(read_png(self.folder / "p" / f"{image.stem}.png").palette[:4], COLORS)
        more = self.run_small("--lora_weights", "output/run.pt", output="more")
        self.assertEqual(more.record["class_colors"], run.record["class_colors"])
        self.assertEqual(more.record["mask_values"], run.record["mask_values"])

    def test_masks_of_colours_without_a_table(self):
        self.color()
        self.refused_small("--n_classes", 4, mentions=["masks/train/00.png", "#e0e0c0, #", "--palette"])

    def test_an_unknown_colour(self):
        self.color([*COLORS[:3], (1, 60, 100)])
        self.refused_small(
            "--palette", "colors.txt", mentions=["masks/train/0", "#013c64 at column", "the nearest is #003c64 of bus, 1 away"]
        )

    def test_wrong_usage(self):
        self.refused_small(
            "--palette", "colors.txt", "--mask_values", "0,1", status=2, mentions=["--palette", "--mask_values"]
        )
        self.refused_small("--palette", "absent.txt", mentions=["absent.txt", "cityscapes"])
        self.refused_small("--palette", "colors.txt", "--n_classes", 3, mentions=["colors.txt are 4, for 3 classes"])
        self.refused_small(status=2, mentions=["--n_classes", "--palette"])
        (self.folder / "bad.txt").write_text("0 0 0 ground\n1 2 tree\n")
        self.refused_small("--palette", "bad.txt", mentions=["line 2 of bad.txt", "1 2 tree"])

    def test_resuming_with_other_colours(self):
        self.color()
        self.run_small("--palette", "colors.txt")
        (self.folder / "colors.txt").write_text(
            TABLE.replace("0 60 100", "9 9 9").replace("0 0 142", "0 60 100").replace("9 9 9", "0 0 142")
        )
        command = self.train_command(*SMALL, "--palette", "colors.txt", "--resume", "yes", data=folder_data(self.data))
        command.remove("--overwrite")
        self.refused(*command, mentions=["the training images"])


class Classes(MasksTest):
    def test_a_checkpoint_s_values_that_are_not_taken(self):
        self.translate(lambda value: 3 - value if value < 4 else value)
        self.run_small("--mask_values", "3,2,1,0")
        command = ["eval", *folder_data(self.data), "--weights", DINOV2.weights, "--lora_weights", "output/run.pt"]
        self.assertNotIn("warning: the values", self.succeed(*command).stderr)
        result = self.succeed(*command, "--merge_classes", "3=bus")
        self.assertIn("values of masks are not taken from output/run.pt, since --merge_classes is typed: there they are 3,2,1,0", result.stderr)

    def test_merged_and_ignored(self):
        masks = folder_masks(self.data, "val")
        flags = ["--n_classes", 4, "--class_names", "names.json"]
        (self.folder / "names.json").write_text('["ground", "tree", {"name": "car", "color": "#00008e"}, "bus"]')
        run = self.run_small(*flags, "--merge_classes", "car+3=vehicle", "--ignore_classes", "tree")
        self.assertEqual(run.record["class_names"], ["ground", "vehicle"])
        self.assertEqual(run.record["class_colors"][1], "#00008e")
        self.assertEqual(run.record["mask_values"], "0,2+3")
        self.assertEqual(run.record["ignored_values"], "1,255")
        metrics = self.evaluate()
        expected = [sum(mask.pixels.count(bytes([i])) for mask in masks for i in values) for values in ((0,), (2, 3))]
        self.assertEqual(self.per_class(metrics, "pixels"), expected)
        self.assertEqual(self.per_class(metrics, "name"), ["ground", "vehicle"])
        self.assertIn("0,2+3", self.run_here("info", "output/run.pt").stdout)
        again = self.train(*SMALL, "--config", "output/run_config.json", data=[], output="again")
        self.assertEqual(again.record["mask_values"], "0,2+3")
        self.assertEqual(self.losses(again), self.losses(run))

    def test_wrong_lists(self):
        flags = ["--n_classes", 4]
        self.refused_small(*flags, "--merge_classes", "class_1+clas_2=x", mentions=["clas_2", "there is 'class_"])
        self.refused_small(*flags, "--ignore_classes", "4", mentions=["'4'", "4 classes"])

    def test_ids_from_1(self):
        self.translate(lambda value: value if value == IGNORE else value + 1)
        self.refused_small("--n_classes", 4, mentions=["label 4", "hold 1 to 4 and no 0", "--mask_values 1..4"])
        run = self.run_small("--mask_values", "1..4")
        self.assertEqual(run.record["mask_values"], "1,2,3,4")

    def test_ids_from_0_and_one_more(self):
        self.refused_small(
            "--n_classes", 3, mentions=["label 3", "--n_classes 4 if", "--mask_values 1..3 --ignore_value 0,255 if"]
        )
        run = self.run_small("--mask_values", "1..3", "--ignore_value", "0,255")
        self.assertEqual(run.record["ignored_values"], "0,255")
        self.refused_small("--mask_values", "0..3", "--ignore_value", "none", mentions=["label 255", "nor none"])


class Folders(MasksTest):
    def setUp(self):
        super().setUp()
        self.translate(lambda value: 0 if value == IGNORE else value)

    def split(self):
        """A binary mask for each class but the first, where it has pixels."""
        for split in ("train", "val"):
            folder = self.data / "masks" / split
            for path in sorted(folder.iterdir()):
                mask = read_png(path)
                for value in (1, 2, 3):
                    (folder / NAMES[value]).mkdir(exist_ok=True)
                    pixels = bytes(255 * (pixel == value) for pixel in mask.pixels)
                    write_png(folder / NAMES[value] / path.name, Picture(mask.width, mask.height, GREY, pixels))
                path.unlink()

    def test_a_folder_for_each_class(self):
        order = ["--mask_values", "0,3,2,1"]  # of the folders' names: bus, car, tree
        plain = self.run_small(*order, output="plain")
        self.split()
        run = self.run_small()
        self.assertIn("folders of classes", run.result.stderr)
        self.assertEqual(self.losses(run), self.losses(plain))
        self.assertEqual(run.record["class_names"], ["background", "bus", "car", "tree"])
        self.assertEqual(run.record["mask_values"], "background/,bus/,car/,tree/")
        self.assertEqual(self.per_class(self.evaluate(), "name"), ["background", "bus", "car", "tree"])

    def test_masks_that_are_not_there(self):
        self.split()
        for name in NAMES[1:]:
            (self.data / "masks" / "train" / name / "02.png").unlink()
        self.refused_small(mentions=["1 images of", "02.png", "masks/train"])
        shutil.rmtree(self.data / "masks" / "train")
        self.refused_small(mentions=["have no mask in any folder"])


if __name__ == "__main__":
    main()
