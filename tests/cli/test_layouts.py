"""Layouts of one's own images that no folder divides: what is said of them, and that a model is not judged on what it was trained on."""

import json
import shutil

from datasets import make_folder
from support import DINOV2, folder_data, main
from training import CLASSES, TrainingTest


class LayoutTest(TrainingTest):
    """Eight images of four classes in two folders."""

    def setUp(self):
        super().setUp()
        shutil.rmtree(self.data)
        make_folder(self.data, train=8, val=0, n_classes=CLASSES)
        for part in ("images", "masks"):
            (self.data / part / "val").rmdir()
            for path in (self.data / part / "train").iterdir():
                path.rename(self.data / part / path.name)
            (self.data / part / "train").rmdir()

    def write(self, name, *lines):
        (self.folder / name).write_text("\n".join(lines) + "\n")
        return name

    def evaluate(self, *flags, data=None):
        return self.succeed("eval", "--weights", DINOV2.weights, "--lora_weights", "output/run.pt", *(data or ["--data_root", self.data]),
                            *flags, "--images_csv", "images.csv")  # fmt: skip

    def judged(self):
        """The names of the images that were measured."""
        lines = (self.folder / "images.csv").read_text().splitlines()
        return sorted(line.split(",")[0] for line in lines[1:])


class Fractions(LayoutTest):
    TOLD = "dinoft: layout: images + masks in {}, 8 images: 6 for training and 2 for validation, by --val_fraction 0.25 --split_seed {}"

    def test_a_model_is_judged_on_the_images_that_it_was_validated_on(self):
        run = self.train("--val_fraction", 0.25, "--split_seed", 3)
        self.assertEqual(run.result.stderr.count("dinoft: layout: "), 1)
        self.assertIn(self.TOLD.format(self.data, 3) + "\n", run.result.stderr)
        self.assertEqual((run.config["val_fraction"], run.config["split_seed"]), (0.25, 3))
        self.assertEqual((run.config["facts"]["training_images"], run.config["facts"]["validation_images"]), (6, 2))
        self.assertEqual((run.record["split"]["val_fraction"], run.record["split"]["images"]), (0.25, 8))
        result = self.evaluate()
        self.assertIn(self.TOLD.format(self.data, 3) + ", as output/run.pt records\n", result.stderr)
        self.assertNotIn("warning", result.stderr)
        validated = self.judged()
        self.assertEqual(len(validated), 2)
        self.evaluate("--val_fraction", 0.25, "--split_seed", 3)
        self.assertEqual(self.judged(), validated)
        result = self.evaluate("--val_fraction", 1)
        self.assertEqual(len(self.judged()), 8)
        self.assertIn("dinoft: warning: 6 of the 8 validation images are among those that output/run.pt was trained on", result.stderr)
        result = self.evaluate("--val_list", self.write("list", *validated))
        self.assertEqual(self.judged(), validated)
        self.assertNotIn("warning", result.stderr)
        again = self.train("--config", "output/run_config.json", data=["--data_root", self.data])
        self.assertIn(self.TOLD.format(self.data, 3), again.result.stderr)
        (self.data / "images" / "00.png").rename(self.data / "images" / "new.png")
        (self.data / "masks" / "00.png").rename(self.data / "masks" / "new.png")
        self.refused("eval", "--weights", DINOV2.weights, "--lora_weights", "output/run.pt", "--data_root", self.data,
                     mentions=["output/run.pt was trained on a part of 8 images", "not the same 8"])  # fmt: skip

    def test_the_split_does_not_depend_on_the_seed(self):
        def images(seed):
            self.train("--val_fraction", 0.25, "--seed", seed)
            self.evaluate()
            return self.judged()

        self.assertEqual(images(0), images(1))

    def test_it_is_a_part_of_what_resume_compares(self):
        self.train("--val_fraction", 0.25)
        command = [word for word in self.train_command("--epochs", 2) if word != "--overwrite"]
        self.refused(*command, "--resume", "--val_fraction", 0.5, mentions=["the training images was", "the validation images was"])
        self.succeed(*command, "--resume", "--val_fraction", 0.25)


class Lists(LayoutTest):
    def test_lists(self):
        train, val = self.write("train.txt", "03", "00.png", "05"), self.write("val.txt", "01", "02")
        run = self.train("--train_list", train, "--val_list", val)
        self.assertIn(f"dinoft: layout: images + masks in {self.data}, 8 images: 3 for training by train.txt, 2 for validation by val.txt\n",
                      run.result.stderr)  # fmt: skip
        self.assertIn("dinoft: warning: 3 of the 8 images are in neither list and not used: 04, 06, 07\n", run.result.stderr)
        self.assertNotIn("warning", self.evaluate("--val_list", val).stderr)
        self.assertEqual(self.judged(), ["01", "02"])
        self.assertEqual((run.record["trained_images"]["images"], len(run.record["trained_images"]["digests"])), (3, 36))
        seen = "dinoft: warning: 2 of the 3 validation images are among those that {} was trained on, so that"
        result = self.evaluate("--val_list", self.write("seen.txt", "00", "02", "03"))
        self.assertIn(seen.format("output/run.pt"), result.stderr)
        self.train("--train_list", self.write("other.txt", "04"), "--val_list", val, "--lora_weights", "output/run.pt", output="next")
        result = self.evaluate("--val_list", "seen.txt", "--lora_weights", "next/run.pt")
        self.assertIn(seen.format("next/run.pt"), result.stderr)
        run = self.train("--train_list", train, "--val_every", 1)  # and none for validation
        self.assertIn(f"dinoft: layout: images + masks in {self.data}, 8 images: 3 for training by train.txt\n", run.result.stderr)
        self.assertEqual(run.config["facts"]["validation_images"], 0)
        self.refused("eval", "--weights", DINOV2.weights, "--lora_weights", "output/run.pt", "--data_root", self.data,
                     mentions=["nothing says which images validate"])  # fmt: skip


class Places(LayoutTest):
    def trained(self, *data, told):
        """Trains on what the flags name alone. Counts of images."""
        run = self.train(data=["--dataset", "folder", "--n_classes", CLASSES, *data])
        self.assertEqual(run.result.stderr.count("dinoft: layout: "), 1)
        self.assertIn(f"dinoft: layout: {told}", run.result.stderr)
        return run, (run.config["facts"]["training_images"], run.config["facts"]["validation_images"])

    def test_patterns(self):
        patterns = ["--images", "data/im*/*.png", "--masks", "data/masks/{name}.png"]
        run, counts = self.trained(*patterns, "--val_fraction", 0.25, told="--images data/im*/*.png --masks data/masks/{name}.png, 8 images: 6 for")
        self.assertEqual(counts, (6, 2))
        self.assertEqual((run.config["images"], run.config["masks"]), (patterns[1], patterns[3]))
        again = self.train("--config", "output/run_config.json", data=["--data_root", self.data])  # instead of the patterns
        self.assertIn(f"dinoft: layout: images + masks in {self.data}, 8 images: 6 for", again.result.stderr)

    def test_patterns_with_splits(self):
        for part in ("images", "masks"):
            for split, numbers in (("train", range(4)), ("validation", range(4, 7)), ("test", range(7, 8))):
                (self.data / split / part).mkdir(parents=True)
                for i in numbers:
                    (self.data / part / f"{i:02}.png").rename(self.data / split / part / f"{i:02}.png")
        patterns = ["--images", "data/{split}/images/*", "--masks", "data/{split}/masks/{name}.png"]
        run, counts = self.trained(*patterns, told="--images data/{split}/images/* --masks data/{split}/masks/{name}.png\n")
        self.assertEqual(counts, (4, 3))
        self.assertIn("dinoft: 1 image of data/{split}/images/* is of other splits than train and val, and not used: 'test'\n", run.result.stderr)

    def test_tables(self):
        rows = [f"images/{i:02}.png,masks/{i:02}.png,{'val' if i < 2 else 'train' if i < 7 else 'test'}" for i in range(8)]
        self.write("data/pairs.csv", "image,mask,split", *rows)
        run, counts = self.trained("--pairs", "data/pairs.csv", told="the pairs of data/pairs.csv, which has their splits\n")
        self.assertEqual(counts, (5, 2))
        self.assertNotIn("among those", self.evaluate(data=["--pairs", "data/pairs.csv"]).stderr)
        self.assertEqual(self.judged(), ["00", "01"])
        self.write("data/all.csv", "image,mask,split", *(row.replace("train", "val") for row in rows))
        result = self.evaluate(data=["--pairs", "data/all.csv"])
        self.assertIn("warning: 5 of the 7 validation images are among those that output/run.pt was trained on", result.stderr)


class OtherPeoples(LayoutTest):
    """Data sets as they are downloaded, or made for other programs."""

    def move(self, number, image, mask):
        for part, path in (("images", image), ("masks", mask)):
            (self.data / path).parent.mkdir(parents=True, exist_ok=True)
            (self.data / part / f"{number:02}.png").rename(self.data / path)

    def trained(self, *flags):
        for part in ("images", "masks"):
            shutil.rmtree(self.data / part)
        run = self.train(*flags, data=folder_data(self.data))
        return run, (run.config["facts"]["training_images"], run.config["facts"]["validation_images"])

    def test_cityscapes(self):
        for i in range(8):
            place = f"{'val' if i > 5 else 'train'}/city{i % 2}/{i:02}"
            self.move(i, f"leftImg8bit/{place}_leftImg8bit.png", f"gtFine/{place}_gtFine_labelTrainIds.png")
        run, counts = self.trained()
        self.assertEqual(counts, (6, 2))
        self.assertIn(f"dinoft: layout: Cityscapes in {self.data}, masks *_gtFine_labelTrainIds.png\n", run.result.stderr)
        self.assertEqual((len(run.record["class_names"]), run.record["class_names"][0]), (19, "road"))
        self.evaluate()
        self.assertEqual(self.judged(), ["06", "07"])
        merged = ["--merge_classes", "road+sidewalk=ground"]
        self.train(*merged, data=folder_data(self.data))
        self.evaluate(*merged)
        command = ["eval", *folder_data(self.data), "--weights", DINOV2.weights, "--lora_weights", "output/run.pt"]
        self.refused(*command, mentions=["values 0+1,2..18 of masks", "cityscapes has others", "--merge_classes"])

    def test_nnunet(self):
        for i in range(8):
            self.move(i, f"imagesTr/c{i}_0000.png", f"labelsTr/c{i}.png")
        names = ["background", "road", "car", "sky"]
        labels = {"labels": {name: value for value, name in enumerate(names)} | {"ignore": 255}, "file_ending": ".png"}
        (self.data / "dataset.json").write_text(json.dumps(labels))
        folds = [{"train": [f"c{i}" for i in range(8) if i % 2 != fold], "val": [f"c{i}" for i in range(8) if i % 2 == fold]} for fold in (0, 1)]
        (self.data / "splits_final.json").write_text(json.dumps(folds))
        run, counts = self.trained("--fold", 1)
        self.assertEqual((counts, run.record["class_names"], run.record["split"]["fold"]), ((4, 4), names, "1"))
        self.assertIn(f"dinoft: layout: nnU-Net's imagesTr + labelsTr in {self.data}, fold 1\n", run.result.stderr)
        result = self.evaluate()
        self.assertEqual(self.judged(), ["c1", "c3", "c5", "c7"])
        self.assertIn(", fold 1, as output/run.pt records\n", result.stderr)
        labels["labels"] = {name: value for value, name in enumerate(["background", "car", "road", "sky"])}
        (self.data / "dataset.json").write_text(json.dumps(labels))
        command = ["eval", *folder_data(self.data), "--weights", DINOV2.weights, "--lora_weights", "output/run.pt"]
        self.refused(*command, mentions=["values 0,1,2,3 of masks", "nnunet has others"])
        labels["labels"] = {name: value for value, name in enumerate(names)} | {"ignore": 255}
        (self.data / "dataset.json").write_text(json.dumps(labels))
        result = self.evaluate("--fold", 0)
        self.assertIn("warning: output/run.pt was trained on fold 1: validation images of fold 0 may be among those", result.stderr)


class Unused(LayoutTest):
    """What no split reads is counted and named."""

    def warnings(self, *flags):
        result = self.succeed("data", *folder_data(self.data), *flags)
        return [line for line in result.stderr.splitlines() if "not used" in line]

    def copy(self, *places):
        for image, mask in places:
            for part, path in (("images", image), ("masks", mask)):
                if path:
                    (self.data / path).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(self.data / part / "00.png", self.data / path)

    def test_split_folders(self):
        source, self.data = self.data, self.folder / "split"
        for part in ("images", "masks"):
            for split in ("train", "valid", "test"):
                (self.data / part / split).mkdir(parents=True)
                shutil.copy(source / part / f"0{len(split) - 4}.png", self.data / part / split)
        (self.data / "masks" / "readme.txt").write_text("")
        self.assertEqual(
            self.warnings("--n_classes", CLASSES),
            [f"dinoft: warning: 1 of the 3 entries of {self.data}/images is of neither split, and not used: test",
             f"dinoft: warning: 2 of the 4 entries of {self.data}/masks are of neither split, and not used: readme.txt, test"])  # fmt: skip

    def test_cityscapes(self):
        image, mask = "leftImg8bit/{}/ulm/{}_leftImg8bit.png", "gtFine/{}/ulm/{}_gtFine_labelTrainIds.png"
        self.copy(*((image.format(split, name), mask.format(split, name)) for split, name in (("train", "a"), ("val", "b"), ("test", "c"))))
        self.copy((None, mask.format("val", "d")), (None, mask.format("train", "e").replace("ulm", "bonn")))
        for part in ("images", "masks"):
            shutil.rmtree(self.data / part)
        self.assertEqual(
            self.warnings(),
            [f"dinoft: warning: masks *_gtFine_labelTrainIds.png below {self.data}/gtFine/train that have no image in "
             f"{self.data}/leftImg8bit/train and are not used: 1 (bonn/e_gtFine_labelTrainIds.png)",
             f"dinoft: warning: 1 of the 3 entries of {self.data}/leftImg8bit is of neither split, and not used: test",
             f"dinoft: warning: masks *_gtFine_labelTrainIds.png below {self.data}/gtFine/val that have no image in "
             f"{self.data}/leftImg8bit/val and are not used: 1 (ulm/d_gtFine_labelTrainIds.png)"])  # fmt: skip

    def test_nnunet(self):
        self.copy(*((f"imagesTr/c{i}_0000.png", f"labelsTr/c{i}.png") for i in range(2)), (None, "labelsTr/c9.png"), ("imagesTs/c3_0000.png", None))
        for part in ("images", "masks"):
            shutil.rmtree(self.data / part)
        names = ["background", "road", "car", "sky"]
        labels = {name: value for value, name in enumerate(names)} | {"ignore": 255}
        (self.data / "dataset.json").write_text(json.dumps({"labels": labels, "file_ending": ".png"}))
        self.assertEqual(
            self.warnings("--val_fraction", 0.5),
            [f"dinoft: warning: 1 of the 3 files in {self.data}/labelsTr has no image in imagesTr and is not used: c9.png",
             f"dinoft: warning: the test images in {self.data}/imagesTs are not used"])  # fmt: skip


class Refusals(LayoutTest):
    def test_flags_that_do_not_act(self):
        for flags, mentions in (
            (["--split_seed", 1], ["--split_seed is for --val_fraction"]),
            (["--val_list", "a"], ["--val_list needs --train_list too"]),
            (["--val_fraction", 0.5, "--train_list", "a"], ["--val_fraction and --train_list"]),
            (["--val_fraction", 0], ["--val_fraction"]),
            (["--val_fraction", 1.5], ["--val_fraction"]),
            (["--val_fraction", 0.5, "--fold", 0], ["--fold and --val_fraction"]),
            (["--annotations", "a", "--val_fraction", 0.5], ["--val_fraction has no use with --annotations"]),
            (["--images", "a"], ["--images needs --masks too"]),
            (["--masks", "a"], ["--masks needs --images too"]),
            (["--images", "a", "--masks", "b", "--pairs", "c"], ["--images and --pairs"]),
            (["--pairs", "c"], ["--data_root has no use with --pairs"]),
            (["--images", "a", "--masks", "b"], ["--data_root has no use with --images"]),
            (["--dataset", "voc", "--pairs", "a"], ["--pairs is for --dataset folder, not voc"]),
            (["--dataset", "voc", "--val_fraction", 0.5], ["--val_fraction is for --dataset folder, not voc"]),
            (["--dataset", "voc", "--layout", "two-folders"], ["--layout is for --dataset folder, not voc"]),
            (["--dataset", "ade20k", "--train_list", "a"], ["--train_list is for --dataset voc and folder"]),
        ):
            data = [*folder_data(self.data), *([] if "--dataset" in flags else ["--n_classes", CLASSES])]
            self.refused(*self.train_command(*flags, data=data), status=2, mentions=mentions)

    def test_folders_that_are_divided(self):
        shutil.rmtree(self.data)
        make_folder(self.data, n_classes=CLASSES)
        run = self.train()
        self.assertIn(f"dinoft: layout: images/{{train,val}} + masks/{{train,val}} in {self.data}\n", run.result.stderr)
        self.assertNotIn("split", run.record)
        self.refused(*self.train_command("--val_fraction", 0.5), mentions=["--val_fraction is for images that nothing else divides"])


if __name__ == "__main__":
    main()
