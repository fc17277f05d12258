"""eval --split: validation images, training images, and parts of other names."""

import csv
import shutil

from datasets import make_folder, voc_demo, voc_folder
from support import DINOV2, LINEAR, CommandLineTest, folder_data, main, model_flags


class SplitTest(CommandLineTest):
    def evaluate(self, *data):
        """(names of the images that were measured, standard error)"""
        result = self.succeed(*self.command(*data))
        with open(self.folder / "i.csv", newline="") as stream:
            return sorted(row["image"] for row in csv.DictReader(stream)), result.stderr

    def command(self, *data):
        return ["eval", *data, *model_flags(DINOV2), "--lora_weights", LINEAR, "--images_csv", self.folder / "i.csv",
                "--metrics_json", self.folder / "m.json"]  # fmt: skip

    def make_parts(self):
        """Three training images, two for validation; and two for tests, of which one trains too."""
        root = make_folder(self.folder / "data", train=3, val=2)
        for part in ("images", "masks"):
            (root / part / "test").mkdir()
            shutil.copy(root / part / "val" / "00.png", root / part / "test" / "new.png")
            shutil.copy(root / part / "train" / "01.png", root / part / "test" / "01.png")
        return root

    def check_parts(self, *data, names=("01", "new")):
        for flags, count in (([], 2), (["--split", "val"], 2), (["--split", "train"], 3), (["--split", "training"], 3)):
            images, stderr = self.evaluate(*data, *flags)
            self.assertEqual(len(images), count)
            self.assertEqual("warning: --split train" in stderr, count == 3)
            self.assertEqual(self.read_json(self.folder / "m.json")["split"], flags[1] if flags else "val")
        images, stderr = self.evaluate(*data, "--split", "test")
        self.assertEqual(tuple(images), names)
        self.assertIn("warning: 1 of the 2 validation images are training images", stderr)

    def test_folders(self):
        root = self.make_parts()
        self.check_parts(*folder_data(root))
        self.refused(*self.command(*folder_data(root), "--split", "more"), mentions=["split more", root])

    def test_patterns(self):
        root = self.make_parts()
        self.check_parts("--dataset", "folder", "--n_classes", 21, "--images", f"{root}/images/{{split}}/*.png",
                         "--masks", f"{root}/masks/{{split}}/{{name}}.png")  # fmt: skip

    def test_a_table(self):
        root = self.make_parts()
        lines = ["image,mask,split"]
        for path in sorted((root / "images").glob("*/*.png")):
            name = f"{path.parent.name}/{path.name}"
            lines.append(f"images/{name},masks/{name},{path.parent.name}")
        (root / "pairs.csv").write_text("\n".join(lines) + "\n")
        # Names that are there twice, also in parts that are not measured, keep their folders.
        data = ["--dataset", "folder", "--n_classes", 21, "--pairs", root / "pairs.csv"]
        images, _ = self.evaluate(*data, "--split", "test")
        self.assertEqual(images, ["01", "new"])
        self.refused(*self.command(*data, "--split", "more"), mentions=["split more", "there is 'test'"])

    def test_lists_of_voc(self):
        root = self.folder / "voc"
        shutil.copytree(voc_demo(), root)
        lists = voc_folder(root) / "ImageSets" / "Segmentation"
        (lists / "trainval.txt").write_text((lists / "train.txt").read_text() + (lists / "val.txt").read_text())
        data = ["--dataset", "voc", "--data_root", root]
        images, stderr = self.evaluate(*data, "--split", "trainval")
        self.assertEqual(len(images), 5)
        self.assertIn("warning: 3 of the 5 validation images are training images", stderr)
        self.refused(*self.command(*data, "--split", "trainval", "--val_list", "val"), status=2, mentions=["--val_list"])
        self.refused(*self.command(*data, "--train_list", "train"), status=2, mentions=["--train_list", "--split train"])

    def test_what_lists_or_chance_divide(self):
        root = self.make_parts()
        for part in ("images", "masks"):
            for path in (root / part / "val").iterdir():
                path.rename(root / part / path.name)
            for folder in ("train", "val", "test"):
                shutil.rmtree(root / part / folder)
        data = [*folder_data(root), "--val_fraction", 0.5]
        self.refused(*self.command(*data, "--split", "test"), mentions=["no split test", "train or val"])
        self.assertEqual(len(self.evaluate(*data, "--split", "train")[0]), 1)


if __name__ == "__main__":
    main()
