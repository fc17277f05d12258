"""Masks drawn from annotation files: training as with the same masks in files, classes, what is found by itself."""

import base64
import itertools
import json
import shutil

from datasets import IGNORE, folder_masks
from png_files import GREY, RGB, Picture, read_png, write_png
from support import DINOV2, folder_data, main
from test_masks import NAMES, MasksTest


def runs_of(values):
    """Lengths of what is not set, set, not set, ..."""
    runs, last = [0], 0
    for value, group in itertools.groupby(bool(value) for value in values):
        if value != last:
            runs.append(0)
            last = value
        runs[-1] += len(list(group))
    return runs


def columns(mask):
    return bytes(mask.pixels[y * mask.width + x] for x in range(mask.width) for y in range(mask.height))


class AnnotationsTest(MasksTest):
    def setUp(self):
        super().setUp()
        self.translate(lambda value: 0 if value == IGNORE else value)
        self.masks = {
            split: {path.stem: read_png(path) for path in sorted((self.data / "masks" / split).iterdir())} for split in ("train", "val")
        }
        self.pixels = [sum(mask.pixels.count(bytes([i])) for mask in folder_masks(self.data, "val")) for i in range(4)]

    def images(self, split):
        return {path.stem: path for path in (self.data / "images" / split).iterdir()}

    def drop_masks(self):
        shutil.rmtree(self.data / "masks")

    def coco(self, split, names=NAMES[1:]):
        """Runs for each class; the last object of each image is a crowd of the first class over everything."""
        images, objects = [], []
        for number, (stem, mask) in enumerate(self.masks[split].items()):
            size = [mask.height, mask.width]
            images.append({"id": number, "file_name": self.images(split)[stem].name, "width": mask.width, "height": mask.height})
            for label in (1, 2, 3):
                counts = runs_of(value == label for value in columns(mask))
                objects.append({"image_id": number, "category_id": label * 7, "iscrowd": 0, "segmentation": {"size": size, "counts": counts}})
            objects.append(objects[-1] | {"iscrowd": 1, "segmentation": {"size": size, "counts": [0, size[0] * size[1]]}})
        for number, thing in enumerate(objects):
            thing["id"] = number
        categories = [{"id": 7 * (i + 1), "name": name} for i, name in enumerate(names)]
        return {"images": images, "categories": categories[::-1], "annotations": objects}

    def write_coco(self, pattern="annotations/instances_{}2017.json", **more):
        for split in self.masks:
            path = self.data / pattern.format(split)
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(json.dumps(self.coco(split, **more)))

    def check_same(self, run, plain, names=("background", *NAMES[1:])):
        self.assertEqual(self.losses(run), self.losses(plain))
        self.assertEqual(run.tensors, plain.tensors)
        self.assertEqual(run.record["class_names"], list(names))
        metrics = self.evaluate()
        self.assertEqual(self.per_class(metrics, "pixels"), self.pixels)
        self.assertEqual(self.per_class(metrics, "name"), list(names))


class Formats(AnnotationsTest):
    def setUp(self):
        super().setUp()
        self.plain = self.run_small("--n_classes", 4, output="plain")
        self.drop_masks()

    def test_coco(self):
        self.write_coco()
        (self.data / "images" / "train" / "more.png").write_bytes(b"")
        run = self.run_small()
        self.check_same(run, self.plain)
        self.assertIn("annotations of COCO", run.result.stderr)
        self.assertIn('objects of "iscrowd" are left out', run.result.stderr)
        self.assertIn("1 of the ", run.result.stderr)
        self.assertIn("more.png", run.result.stderr)

    def test_panoptic(self):
        """There is no background, and 0 is no segment; here the background is a category of its own."""
        for split, masks in self.masks.items():
            text = self.coco(split, names=["background", *NAMES[1:]])
            text["annotations"] = []
            folder = self.data / "annotations" / f"panoptic_{split}"
            folder.mkdir(parents=True)
            for image, (stem, mask) in zip(text["images"], masks.items()):
                rgb = b"".join(bytes((value + 1, 0, 3 * value)) for value in mask.pixels)
                write_png(folder / f"{stem}.png", Picture(mask.width, mask.height, RGB, rgb))
                segments = [{"id": value + 1 + 65536 * 3 * value, "category_id": 7 * (value + 1)} for value in range(4)]
                text["annotations"].append({"image_id": image["id"], "file_name": f"{stem}.png", "segments_info": segments})
            folder.with_suffix(".json").write_text(json.dumps(text))
        self.check_same(self.run_small(), self.plain)

    def test_labelme(self):
        """Beside the images; the classes are those of both splits, by name."""
        for split, masks in self.masks.items():
            for stem, mask in masks.items():
                shapes = []
                for label, name in enumerate(NAMES[1:]):
                    write_png(self.folder / "one.png", Picture(mask.width, mask.height, GREY, bytes(v == label + 1 for v in mask.pixels)))
                    picture = base64.b64encode((self.folder / "one.png").read_bytes()).decode()
                    corners = [[0, 0], [mask.width - 1, mask.height - 1]]
                    shapes.append({"label": "abc"[label] + name, "points": corners, "shape_type": "mask", "mask": picture})
                text = {"imageWidth": mask.width, "imageHeight": mask.height, "imageData": None, "shapes": shapes}
                (self.data / "images" / split / f"{stem}.json").write_text(json.dumps(text))
        self.check_same(self.run_small(), self.plain, ["background", "atree", "bcar", "cbus"])
        next((self.data / "images" / "val").glob("*.json")).unlink()
        self.refused_small(mentions=["images/val/0", "annotations of the image"])

    def test_cvat(self):
        """One file of both splits."""
        lines = []
        for split, masks in self.masks.items():
            for stem, mask in masks.items():
                name = self.images(split)[stem].name
                lines.append(f'<image id="0" subset="{split.title()}" name="{name}" width="{mask.width}" height="{mask.height}">')
                for label, name in enumerate(NAMES[1:]):
                    runs = ", ".join(map(str, runs_of(value == label + 1 for value in mask.pixels)))
                    lines.append(f'<mask label="{name}" rle="{runs}" left="0" top="0" width="{mask.width}" height="{mask.height}"/>')
                lines.append("</image>")
        labels = "".join(f"<label><name>{name}</name></label>" for name in NAMES[1:])
        (self.data / "annotations.xml").write_text(
            f"<annotations><meta><job><labels>{labels}</labels></job></meta>{''.join(lines)}</annotations>"
        )
        self.check_same(self.run_small(), self.plain)


class Yolo(AnnotationsTest):
    def test_polygons(self):
        """The left half of each image, but for one without a file."""
        self.drop_masks()
        for split, masks in self.masks.items():
            (self.data / "labels" / split).mkdir(parents=True)
            for stem in list(masks)[1:]:
                (self.data / "labels" / split / f"{stem}.txt").write_text("1 0 0 0.5 0 0.5 1 0 1\n")
        self.refused_small(mentions=["data.yaml is not there"])
        (self.data / "data.yaml").write_text("names: [tree, car]\n")
        (self.data / "labels" / "val" / "more.txt").write_text("")
        (self.data / "labels" / "val" / "classes.txt").write_text("tree\ncar\n")
        run = self.run_small()
        self.assertIn("1 of the files in", run.result.stderr)
        self.assertIn("not used: more.txt", run.result.stderr)
        self.assertEqual(run.record["class_names"], ["background", "tree", "car"])
        self.assertIn("1 of the ", run.result.stderr)
        self.assertIn("they are background", run.result.stderr)
        masks = list(self.masks["val"].values())
        halves = sum((mask.width // 2 + 1) * mask.height for mask in masks[1:])
        self.assertEqual(self.per_class(self.evaluate(), "pixels"), [sum(m.width * m.height for m in masks) - halves, 0, halves])


class Classes(AnnotationsTest):
    def test_values_are_of_files(self):
        self.write_coco()
        flags = ["--annotations", self.data / "annotations" / "instances_{split}2017.json"]
        self.refused_small(*flags, "--mask_values", "0,2,1,3", mentions=["--mask_values is for masks in files", "--class_names"])

    def test_given_names(self):
        """They say the order, and are those that the file may have."""
        self.write_coco()
        (self.folder / "names.txt").write_text("bus\ntree\nbackground\ncar\n")
        flags = ["--annotations", self.data / "annotations" / "instances_{split}2017.json"]
        run = self.run_small(*flags, "--class_names", "names.txt")
        self.assertEqual(run.record["class_names"], ["bus", "tree", "background", "car"])
        metrics = self.evaluate(*flags, "--class_names", "names.txt")
        self.assertEqual(self.per_class(metrics, "pixels"), [self.pixels[i] for i in (3, 1, 0, 2)])
        self.assertEqual(self.evaluate(*flags), metrics)
        self.write_coco(names=["tree", "car", "truck"])
        command = ["eval", *folder_data(self.data), "--weights", DINOV2.weights, "--lora_weights", "output/run.pt", *flags]
        self.refused(*command, mentions=["class 0 of", "is 'background', that of output/run.pt is 'bus'", "--class_names"])
        self.write_coco()
        (self.folder / "names.txt").write_text("background\ntree\ncar\n")
        self.refused_small(*flags, "--class_names", "names.txt", mentions=["the label 'bus' is none of the 3 classes of names.txt"])
        self.refused_small(*flags, "--n_classes", 3, mentions=["are 4, for 3 classes"])
        self.refused_small(*flags, "--palette", "colors.txt", mentions=["have no colours"])

    def test_merged(self):
        self.write_coco()
        self.drop_masks()
        flags = ["--merge_classes", "car+bus=vehicle", "--ignore_classes", "tree"]
        run = self.run_small(*flags)
        self.assertEqual(run.record["class_names"], ["background", "vehicle"])
        expected = [self.pixels[0], self.pixels[2] + self.pixels[3]]
        self.assertEqual(self.per_class(self.evaluate(*flags), "pixels"), expected)
        command = ["eval", *folder_data(self.data), "--weights", DINOV2.weights, "--lora_weights", "output/run.pt"]
        self.refused(*command, mentions=["merged or ignored classes", "--merge_classes"])

    def test_splits_that_differ(self):
        self.write_coco()
        self.drop_masks()
        text = self.coco("val", names=["tree", "bus", "car"])
        (self.data / "annotations" / "instances_val2017.json").write_text(json.dumps(text))
        self.refused_small(mentions=["class 2 of", "instances_val2017.json is 'bus', that of the training images is 'car'"])


class Finding(AnnotationsTest):
    def test_roboflow(self):
        self.drop_masks()
        for split, folder in (("train", "train"), ("val", "valid")):
            (self.data / "images" / split).rename(self.data / folder)
        (self.data / "images").rmdir()
        self.images = lambda split: {p.stem: p for p in (self.data / {"val": "valid"}.get(split, split)).iterdir()}
        for split, folder in (("train", "train"), ("val", "valid")):
            (self.data / folder / "_annotations.coco.json").write_text(json.dumps(self.coco(split)))
        self.run_small()
        self.assertEqual(self.per_class(self.evaluate(), "pixels"), self.pixels)

    def test_no_validation_images(self):
        """Annotations of a split without its images are half a split, and so are images without annotations."""
        self.write_coco()
        self.drop_masks()
        images, file = self.data / "images" / "val", self.data / "annotations" / "instances_val2017.json"
        images.rename(self.data / "elsewhere")
        self.refused_small(mentions=["annotations in", file, "none of the folders images/val"])
        file.rename(self.data / "val.json")
        self.assertIn("there are no validation images", self.run_small().result.stderr)
        self.refused("eval", *folder_data(self.data), "--weights", DINOV2.weights, "--lora_weights", "output/run.pt",
                     mentions=["there are no validation images"])  # fmt: skip
        typed = ["--annotations", self.data / "annotations" / "instances_{split}2017.json"]
        self.assertIn("there are no validation images", self.run_small(*typed).result.stderr)
        (self.data / "val.json").rename(file)
        self.refused_small(*typed, mentions=[file, "none of the folders images/val"])
        file.unlink()
        (self.data / "elsewhere").rename(self.data / "images" / "validation")
        self.refused_small(mentions=["masks/val"])

    def test_masks_go_first(self):
        self.write_coco()
        self.refused_small(status=2, mentions=["--n_classes"])
        self.run_small("--n_classes", 4)

    def test_two_kinds(self):
        self.write_coco()
        self.write_coco("annotations/instances_{}2014.json")
        self.drop_masks()
        self.refused_small(mentions=["two kinds of annotations", "2014.json", "2017.json", "--annotations says"])

    def test_what_is_not_there(self):
        self.write_coco("instances.json")
        self.refused_small("--annotations", "absent.json", mentions=["there are no annotations absent.json"])
        self.refused_small("--annotations", self.data / "images", mentions=["no files of .json or .txt"])
        self.refused_small("--annotations", "data.txt", mentions=["there are no annotations"])
        self.refused("train", "--dataset", "voc", "--annotations", "a.json", status=2, mentions=["--annotations is for --dataset folder"])

    def test_sizes(self):
        self.write_coco()
        self.drop_masks()
        path = self.data / "annotations" / "instances_train2017.json"
        text = json.loads(path.read_text())
        mask = next(iter(self.masks["train"].values()))
        text["images"][0] |= {"width": mask.width + 1}
        text["annotations"] = [thing for thing in text["annotations"] if thing["image_id"] != 0]
        path.write_text(json.dumps(text))
        found, said = f"{mask.width} x {mask.height} pixels", f"{mask.width + 1} x {mask.height}"
        self.refused_small(mentions=[found, said, "instances_train2017.json"])
        text["images"][0] |= {"file_name": "absent.png"}
        path.write_text(json.dumps(text))
        self.refused_small(mentions=["are missing", "absent.png"])


class Resuming(AnnotationsTest):
    def test_changed_annotations(self):
        self.write_coco()
        self.drop_masks()
        self.run_small()
        path = self.data / "annotations" / "instances_train2017.json"
        command = self.train_command("--img_dim", 28, 28, "--resume", "yes", data=folder_data(self.data))
        command.remove("--overwrite")
        text = json.loads(path.read_text())
        text["annotations"][0]["category_id"], text["annotations"][1]["category_id"] = 14, 7 # as many bytes
        path.write_text(json.dumps(text))
        self.refused(*command, mentions=["the training images"])


if __name__ == "__main__":
    main()
