"""Data sets in .zip and .tar archives and in shards of WebDataset's: read where they lie, with the same results as from folders; and what people do
wrong with them."""

import io
import json
import shutil
import tarfile
import zipfile

from support import DINOV2, folder_data, main
from training import CLASSES, TrainingTest

ZIP, DEFLATED, TAR = "zip", "deflated zip", "tar"


class ArchiveTest(TrainingTest):
    def files(self, folder=None):
        """The paths of the data set's files below it, with their bytes."""
        folder = folder or self.data
        return [(str(path.relative_to(folder)), path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()]

    def pack(self, name, files=None, kind=None, top=""):
        """An archive of them in the test's folder, its kind by the name. The path."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        files = [(top + inner, content) for inner, content in (self.files() if files is None else files)]
        if path.suffix == ".zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if kind == DEFLATED else zipfile.ZIP_STORED) as archive:
                for inner, content in files:
                    archive.writestr(inner, content)
            return path
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w", format=kind or tarfile.PAX_FORMAT) as archive:
            for inner, content in files:
                member = tarfile.TarInfo(inner)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return path

    def set_of(self, root):
        return [*folder_data(root), "--n_classes", CLASSES]

    def refuse(self, root, *flags):
        return self.fail_with(*self.train_command(*flags, data=self.set_of(root)))

    def fail_with(self, *words):
        return self.refused(*words)


class SameAsFolders(ArchiveTest):
    def test_trainings_are_the_same_bit_for_bit(self):
        expected = self.trained_bytes(output="plain")
        for name, kind, top in (
            ("set.zip", ZIP, "set/"),
            ("packed.zip", DEFLATED, ""),
            ("gnu.tar", tarfile.GNU_FORMAT, "./"),
            ("ustar.tar", tarfile.USTAR_FORMAT, "top/below/"),
        ):
            path = self.pack(name, kind=kind, top=top)
            before = sorted(self.folder.iterdir())
            self.assertEqual(self.trained_bytes(output="other", data=self.set_of(path)), expected, name)
            shutil.rmtree(self.folder / "other")
            self.assertEqual(sorted(self.folder.iterdir()), before, "nothing is unpacked")

    def test_other_commands_and_a_configuration_read_them(self):
        path = self.pack("set.zip", top="set/")
        run = self.train("--cache_features", "memory", data=self.set_of(path))
        self.assertEqual(run.config["data_root"], str(path))
        folder = self.train("--cache_features", "memory", output="of_folder")
        self.assertEqual(run.metrics["train_loss"], folder.metrics["train_loss"])
        self.succeed("train", "--config", "output/run_config.json", "--output_dir", "again", "--exp_name", "run")
        self.assertEqual((self.folder / "again" / "run.pt").read_bytes(), (self.folder / "output" / "run.pt").read_bytes())
        checkpoint = ["--weights", DINOV2.weights, "--lora_weights", "output/run.pt"]
        scores = []
        for root in (path, self.data):
            self.succeed("eval", *checkpoint, *folder_data(root), "--images_csv", "images.csv")
            scores.append((self.folder / "images.csv").read_text())
        self.assertEqual(*scores)
        self.succeed("data", *self.set_of(path), "--json", "data.json")
        self.assertEqual(self.read_json(self.folder / "data.json")["training"]["pairs"], 5)

    def test_annotations_tables_and_patterns_lead_into_archives(self):
        rectangle = {"id": 1, "image_id": 0, "category_id": 3, "segmentation": [[4, 4, 30, 4, 30, 30, 4, 30]]}
        for split in ("train", "val"):
            shutil.rmtree(self.data / "masks" / split)
            sizes = {path.name: 60 + int(path.stem) for path in (self.data / "images" / split).iterdir()}
            coco = {
                "images": [{"id": i, "file_name": name, "width": width, "height": 48} for i, (name, width) in enumerate(sorted(sizes.items()))],
                "annotations": [rectangle],
                "categories": [{"id": 3, "name": "box"}],
            }
            (self.data / "annotations").mkdir(exist_ok=True)
            (self.data / "annotations" / f"instances_{split}.json").write_text(json.dumps(coco))
        expected = self.trained_bytes(output="plain", data=folder_data(self.data))
        path = self.pack("coco.zip", top="coco/")
        self.assertEqual(self.trained_bytes(output="other", data=folder_data(path)), expected)
        path = self.pack("pairs.tar", [("i/a.png", b"x"), ("m/a.png", b"x")])
        patterns = ["--dataset", "folder", "--n_classes", CLASSES, "--images", f"{path}/i/*.png", "--masks", f"{path}/m/{{name}}.png"]
        error = self.fail_with("eval", "--weights", DINOV2.weights, "--prototypes", *patterns, "--val_fraction", 1)
        self.assertIn("pairs.tar/m/a.png", error)


class Shards(ArchiveTest):
    def setUp(self):
        super().setUp()
        self.n_packed = 0

    def shard(self, name, split, first, last):
        """The pictures of a split from one number to another as samples."""
        files = []
        for i in range(first, last):
            for part, ending in (("images", "image.png"), ("masks", "seg.png")):
                files.append((f"{split}{i:04}.{ending}", (self.data / part / split / f"{i:02}.png").read_bytes()))
            files.append((f"{split}{i:04}.json", b"{}"))
        return self.pack(name, files)

    def make(self):
        for name, split, first, last in (("train-0000", "train", 0, 2), ("train-0001", "train", 2, 5), ("val-0000", "val", 0, 2), ("val-0001", "val", 2, 3)):
            self.shard(f"shards/{name}.tar", split, first, last)
        return self.folder / "shards"

    def test_the_list_is_that_of_the_folder(self):
        expected = [row["loss"] for row in self.train("--no_shuffle").steps]
        folder = self.make()
        for root in (folder, f"{folder}/{{split}}-{{0000..0001}}.tar", f"{folder}/{{split}}-*.tar"):
            run = self.train("--no_shuffle", data=self.set_of(root), output="other")
            self.assertEqual([row["loss"] for row in run.steps], expected, root)
        self.assertIn("layout: WebDataset's samples in 2 train shards", run.result.stderr)
        self.assertIn("dinoft: 5 files of the samples in", run.result.stderr)

    def test_the_order_is_that_of_seed_and_buffer_alone(self):
        data = self.set_of(self.make())
        first = self.trained_bytes(data=data, output="first")
        self.assertEqual(self.trained_bytes("--num_workers", 3, data=data, output="again"), first)
        self.assertEqual(self.trained_bytes("--cache_features", "memory", "--shuffle_buffer", 2, data=data, output="cached"),
                         self.trained_bytes("--cache_features", "off", "--shuffle_buffer", 2, data=data, output="uncached"))  # fmt: skip
        losses = [[row["loss"] for row in self.train(*flags, data=data).steps] for flags in (["--shuffle_buffer", 1], ["--seed", 5], ["--seed", 6])]
        self.assertEqual(len({tuple(steps) for steps in losses}), 3)

    def test_resume_holds_the_buffer(self):
        data = self.set_of(self.make())
        self.succeed(*self.train_command("--max_steps", 1, data=data))
        command = [word for word in self.train_command(data=data) if word != "--overwrite"]
        error = self.fail_with(*command, "--resume", "yes", "--shuffle_buffer", 2)
        self.assertIn("the order of images", error)
        self.assertIn("--shuffle_buffer 1000", error)

    def test_a_part_is_drawn_of_undivided_shards(self):
        for i, split in enumerate(("train", "val")):
            self.shard(f"all/{i:03}.tar", split, 0, 3)
        run = self.train("--val_fraction", 0.34, data=self.set_of(self.folder / "all" / "{000..001}.tar"))
        self.assertEqual((run.config["facts"]["training_images"], run.config["facts"]["validation_images"]), (4, 2))
        error = self.refuse(self.folder / "all")
        self.assertIn("nothing says which images validate", error)

    def test_parts_must_be_clear(self):
        picture = (self.data / "images" / "train" / "00.png").read_bytes()
        for names, words in (
            (["a.png", "a.x.png"], ["a.png and a.x.png may both be the mask"]),
            (["a.jpg", "a.seg.png", "a.mask.png"], ["a.mask.png and a.seg.png may both be the mask"]),
            (["a.jpg", "a.bmp", "a.png"], ["a.bmp and a.jpg may both be the image"]),
            (["a.jpg", "b.png", "c.seg.png"], ["no mask: ", "/a.jpg", "no image: ", "/c.seg.png"]),
        ):
            self.n_packed += 1
            path = self.pack(f"unclear{self.n_packed}.tar", [(name, picture) for name in names])
            error = self.refuse(path, "--val_fraction", 0.5)
            for word in words:
                self.assertIn(word, error)

    def test_what_is_missing_is_named(self):
        folder = self.make()
        self.assertIn("2 of the 4 shards", self.refuse(f"{folder}/{{split}}-{{0000..0003}}.tar"))
        self.assertIn("may have one range of numbers", self.refuse(f"{folder}/{{split}}-{{0000,0001}}.tar"))
        self.assertIn("has to rise", self.refuse(f"{folder}/{{split}}-{{0003..0000}}.tar"))
        self.assertIn("there are no shards of the split train", self.refuse(f"{folder}/part-{{split}}-*.tar"))


class Mistakes(ArchiveTest):
    def test_what_cannot_be_read_in_place_is_refused(self):
        packed = self.pack("set.tar.gz")
        self.assertIn("is packed by gzip as a whole", self.refuse(packed))
        shutil.copy(packed, self.folder / "renamed.tar")
        self.assertIn("is packed by gzip as a whole", self.refuse(self.folder / "renamed.tar"))
        path = self.folder / "cut.zip"
        path.write_bytes(self.pack("whole.zip").read_bytes()[:-40])
        self.assertIn("cut.zip: not a zip archive, or cut short", self.refuse(path))
        path = self.folder / "cut.tar"
        path.write_bytes(self.pack("whole.tar").read_bytes()[:20000])
        self.assertIn("the tar archive is cut short", self.refuse(path))
        path = self.folder / "notes.txt"
        path.write_text("notes")
        self.assertIn("neither a folder nor an archive", self.refuse(path))
        path = self.pack("up.tar", [("../images/a.png", b"")])
        self.assertIn("leads out of the archive", self.refuse(path))

    def test_entries_that_cannot_be_read_are_named(self):
        for offset, value, words in ((8, 1, "is encrypted"), (10, 9, "compressed by method 9"), (16, 0, "its CRC is wrong")):
            content = bytearray(self.pack("set.zip").read_bytes())
            entry = content.index(b"PK\x01\x02")
            self.assertEqual(content[entry + 46 : entry + 65], b"images/train/00.png")
            content[entry + offset] = value if offset != 16 else content[entry + offset] ^ 1
            path = self.folder / f"faulty{offset}.zip"
            path.write_bytes(content)
            error = self.refuse(path)
            self.assertIn(f"{path}/images/train/00.png: ", error)
            self.assertIn(words, error)

    def test_what_systems_leave_is_passed_over(self):
        junk = [("__MACOSX/set/images/train/._00.png", b"x"), (".DS_Store", b"x"), ("set/images/train/Thumbs.db", b"x")]
        files = [("set/" + name, content) for name, content in self.files()]
        result = self.train(data=self.set_of(self.pack("mac.zip", junk + files))).result
        self.assertNotIn("warning: 1 of", result.stderr)

    def test_masks_that_are_missing_are_named(self):
        path = self.pack("set.zip", [file for file in self.files() if file[0] != "masks/train/02.png"])
        self.assertIn(f"{path}/masks/train/02.png", self.refuse(path))


if __name__ == "__main__":
    main()
