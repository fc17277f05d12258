"""What images predict, features, pca and corrupt-images take, and what the files are called that come of them."""

import os
import signal
import subprocess

from datasets import draw_image
from interrupting import InterruptTest
from support import DINOV2, LINEAR, PROGRAM, CommandLineTest, contents, environment, error_lines, files_in, main, model_flags
from tensor_files import read_safetensors

SMALL = [*model_flags(DINOV2, (56, 56)), "--lora_weights", LINEAR]


class InputsTest(CommandLineTest):
    def image(self, name):
        return draw_image(self.folder / name, 30, 20, name)

    def predict(self, *arguments, **options):
        """The masks' names without their ending."""
        self.result = self.succeed(*["predict", *SMALL, "--output_dir", "out", "--write", "mask"], *arguments, **options)
        return self.masks()

    def masks(self):
        return [name.removesuffix(".png") for name in files_in(self.folder / "out")]

    def refuse(self, *arguments, mentions, **options):
        return self.refused(
            *["predict", *SMALL, "--output_dir", "out", "--write", "mask", *arguments], mentions=mentions, **options
        )


class Kinds(InputsTest):
    def setUp(self):
        super().setUp()
        for name in ("in/b.png", "in/a.png", "in/deep/a.png", "in/deep/er/c.png"):
            self.image(name)
        for junk in ("in/Thumbs.db", "in/._a.png", "in/.hidden.png", "in/deep/@eaDir/t.png"):
            (self.folder / junk).parent.mkdir(exist_ok=True)
            (self.folder / junk).write_bytes(b"junk")

    def test_a_folder(self):
        self.assertEqual(self.predict("in"), ["a", "b"])
        self.assertIn("deep (a folder)", self.result.stderr)
        self.assertNotIn("Thumbs", self.result.stderr)

    def test_a_folder_and_those_in_it(self):
        (self.folder / "in" / "notes.txt").write_text("no image")
        self.assertEqual(self.predict("in/", "--recursive"), ["a", "b", "deep/a", "deep/er/c"])
        self.assertIn("notes.txt", self.result.stderr)
        self.assertNotIn("@eaDir", self.result.stderr)

    def test_a_folder_with_nothing_of_use(self):
        (self.folder / "none").mkdir()
        self.refuse("none", mentions=["the folder none has no image", "--recursive"])
        self.refuse("none", "--recursive", mentions=["or its folders"])

    def test_a_link_that_leads_back(self):
        os.symlink("..", self.folder / "in" / "deep" / "up")
        self.assertEqual(self.predict("in", "--recursive"), ["a", "b", "deep/a", "deep/er/c"])

    def test_patterns(self):
        self.assertEqual(self.predict("in/?.png"), ["a", "b"])
        self.assertEqual(self.predict("./in//*/a.png", "in/**/er/*.png"), ["a", "b", "deep/a", "deep/er/c"])
        self.refuse("in/x*.png", mentions=["no image matches in/x*.png"])

    def test_a_name_with_a_star_in_it(self):
        """A file of that name is meant before others that match."""
        self.image("in/*.png")
        self.assertEqual(self.predict("in/*.png"), ["*"])

    def test_a_list(self):
        (self.folder / "list.txt").write_bytes(b"in/a.png\r\n\n in\nin/deep/er/c.png")
        self.refuse("@list.txt", mentions=["1 image could not be done", " in"])
        self.assertEqual(self.masks(), ["a", "c"])
        (self.folder / "list.txt").write_text("in/deep\n")
        self.assertEqual(self.predict("@list.txt", "--overwrite"), ["a", "c"])
        self.refuse("@none.txt", mentions=["the list of images none.txt", "No such file"])
        (self.folder / "list.txt").write_text("\n\n")
        self.refuse("@list.txt", mentions=["list.txt names no image"])

    def test_names_on_standard_input(self):
        command = [PROGRAM, "predict", "-", "in/deep/er/c.png", *map(str, SMALL), "--output_dir", "out", "--write", "mask"]
        done = subprocess.run(command, cwd=self.folder, input=b"in/a.png\nin/b.png", env=environment(), capture_output=True)
        self.assertEqual((done.returncode, self.masks()), (0, ["a", "b", "c"]), done.stderr)
        self.refuse("-", "-", mentions=["names no image"])

    def test_the_output_is_no_input(self):
        """Masks are not predicted again."""
        self.predict("in", "--recursive", "--output_dir", "in/masks")
        before = files_in(self.folder / "in" / "masks")
        self.assertEqual(before, ["a.png", "b.png", "deep/a.png", "deep/er/c.png"])
        for again in (["in", "--recursive"], ["in/**/*.png"]):
            self.predict(*again, "--output_dir", "in/masks", "--overwrite")
            self.assertIn("in/masks", self.result.stderr)
            self.assertEqual(files_in(self.folder / "in" / "masks"), before)
        self.refuse("in", "--output_dir", "in", mentions=["the folder that is written to"])

    def test_features(self):
        """Rows of what can be read, in the order of the names."""
        (self.folder / "in" / "aa.png").write_bytes(b"no image")
        self.refused("features", "in", *SMALL, "--output", "f.safetensors", mentions=["1 image", "in/aa.png"])
        tensors, metadata = read_safetensors(self.folder / "f.safetensors")
        self.assertEqual(metadata["images"], '["in/a.png","in/b.png"]')
        self.assertEqual(tensors["x_norm_clstoken"].shape[0], 2)
        self.succeed("features", "in/a.png", "in/b.png", *SMALL, "--output", "g.safetensors")
        self.assertEqual(read_safetensors(self.folder / "g.safetensors")[0], tensors)

    def test_pca_and_corruptions(self):
        self.succeed("pca", "in", "--recursive", *SMALL, "--output_dir", "out")
        self.assertEqual(files_in(self.folder / "out"), [f"{name}_pca.png" for name in ("a", "b", "deep/a", "deep/er/c")])


class Names(InputsTest):
    def test_folders_that_are_shared(self):
        """../ and links are taken as they are written."""
        self.image("w/x/a.png")
        self.image("w/y/z/a.png")
        self.image("w/b.png")
        self.assertEqual(self.predict("w/x/../x/a.png", self.folder / "w" / "y" / "z" / "a.png", "w/b.png"),
                         ["b", "x/a", "y/z/a"])  # fmt: skip
        self.assertIn("paths below", self.result.stderr)

    def test_two_folders(self):
        self.image("one/s/a.png")
        self.image("two/s/a.png")
        self.assertEqual(self.predict("one", "two", "--recursive"), ["one/s/a", "two/s/a"])

    def test_an_image_that_is_named_twice(self):
        self.image("in/a.png")
        self.image("in/b.png")
        self.assertEqual(self.predict("in/a.png", "in", "./in/../in/b.png"), ["a", "b"])
        self.assertIn("2 images are named more than once", self.result.stderr)

    def test_many(self):
        """Checks of n names take less than n * n."""
        self.image("in/00000.png")
        for i in range(1, 10000):
            os.link(self.folder / "in" / "00000.png", self.folder / "in" / f"{i:05}.png")
        (self.folder / "out").mkdir()
        (self.folder / "out" / "04711.png").write_bytes(b"")
        self.refuse("in", mentions=["1 of the 10000 files", "out/04711.png"])


class Files(InputsTest):
    def setUp(self):
        super().setUp()
        for name in "abc":
            self.image(f"in/{name}.png")

    def test_nothing_is_overwritten(self):
        self.predict("in/b.png")
        before = contents(self.folder / "out")
        self.refuse("in", mentions=["1 of the 3 files", "is there already", "out/b.png", "--overwrite", "--skip_existing"])
        self.assertEqual(contents(self.folder / "out"), before)
        (self.folder / "out" / "b.png").write_bytes(b"")
        self.assertEqual(self.predict("in", "--overwrite"), ["a", "b", "c"])
        self.assertEqual(contents(self.folder / "out")["b.png"], before["b.png"])

    def test_skip_existing(self):
        """An image is done when all its files are there."""
        self.predict("in/b.png")
        (self.folder / "out" / "b.png").write_bytes(b"kept")
        (self.folder / "out" / "c_confidence.png").write_bytes(b"half of them")
        (self.folder / "out" / "b_confidence.png").write_bytes(b"kept, too")
        result = self.succeed(*["predict", "in", *SMALL, "--output_dir", "out", "--write", "mask,confidence", "--skip_existing"])
        self.assertIn("1 of the 3 images are done, 2 are left", result.stderr)
        self.assertEqual((self.folder / "out" / "b.png").read_bytes(), b"kept")
        self.assertGreater((self.folder / "out" / "c_confidence.png").stat().st_size, 50)
        result = self.succeed(*["predict", "in", *SMALL, "--output_dir", "out", "--write", "mask,confidence", "--skip_existing"])
        self.assertIn("3 of the 3 images are done, 0 are left", result.stderr)
        self.refuse("in", "--skip_existing", "--overwrite", status=2, mentions=["one of them"])

    def test_a_summary_that_goes_on(self):
        whole = ["predict", "in", *SMALL, "--output_dir", "out", "--write", "mask", "--summary"]
        self.succeed(*whole, "whole.csv")
        self.succeed("predict", "in/b.png", *SMALL, "--output_dir", "more", "--write", "mask", "--summary", "part.csv")
        self.predict("in/c.png", "--output_dir", "more")  # is done, but has no row
        result = self.succeed(*whole, "part.csv", "--output_dir", "more", "--skip_existing")
        self.assertIn("1 of the 3 images are done", result.stderr)
        read = [(self.folder / f"{name}.csv").read_text().splitlines() for name in ("whole", "part")]
        self.assertEqual(sorted(read[0]), sorted(read[1]))
        (self.folder / "part.csv").write_text("image,other\n")
        self.refused(*whole, "part.csv", "--output_dir", "third", "--skip_existing", mentions=["part.csv", "other columns"])
        self.refused(*whole, "part.csv", "--output_dir", "third", mentions=["part.csv", "--overwrite"])

    def test_a_folder_in_the_place_of_a_mask(self):
        (self.folder / "out" / "b.png").mkdir(parents=True)
        self.refuse("in", "--overwrite", mentions=["out/b.png", "it is a folder"])
        self.assertEqual(self.masks(), [], "it is told before the work")


class Stopped(InterruptTest):
    def test_it_says_what_is_left_and_goes_on(self):
        root = self.many_images(300)
        command = ["predict", root / "images" / "val", *SMALL, "--output_dir", "out", "--write", "mask"]
        process = self.start(command)
        stderr = self.interrupt_at(process, r"^predict \d+/300", signal.SIGTERM)
        self.assertEqual(process.returncode, 143, stderr)
        self.assertRegex(stderr, r"\d+ of 300 images are left, the first is .*\.png; --skip_existing goes on with them")
        self.assertEqual(error_lines(stderr), [])
        self.succeed(*command, "--skip_existing")
        self.assertEqual(len(files_in(self.folder / "out")), 300)


if __name__ == "__main__":
    main()
