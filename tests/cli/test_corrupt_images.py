"""dinoft corrupt-images: one PNG for each image, corruption and severity."""

import re
import shutil
import signal
import subprocess

from datasets import draw_image, voc_demo, voc_folder
from png_files import RGB, read_png
from support import FIXTURES, TIMEOUT, CommandLineTest, contents, files_in, leftovers, main, start_program

QUICK = "gaussian_noise,contrast,GaussNoise,jpeg_compression"


class CorruptImages(CommandLineTest):
    def image(self, name, width=90, height=70):
        return draw_image(self.folder / name, width, height, name)

    def command(self, *images, corruptions=QUICK, severity="3", output="out", flags=()):
        return ["corrupt-images", *images, "--corruptions", corruptions, "--severity", severity, "--output_dir", output,
                *flags]  # fmt: skip

    def corrupt(self, *images, **options):
        return self.succeed(*self.command(*images, **options))

    def written(self, folder="out"):
        return files_in(self.folder / folder)


class Files(CorruptImages):
    def test_one_for_each_image_corruption_and_severity(self):
        images = self.image("a.png"), self.image("x/b c.png")
        self.corrupt(*images, corruptions="shot_noise,GaussNoise", severity="1,4")
        self.assertEqual(
            self.written(),
            sorted(
                f"{stem}_{corruption}_{severity}.png"
                for stem in ("a", "b c")
                for corruption in ("shot_noise", "GaussNoise")
                for severity in (1, 4)
            ),
        )

    def test_all_severities_and_doubles(self):
        self.corrupt(self.image("a.png"), corruptions="contrast,contrast", severity="all")
        self.assertEqual(self.written(), [f"a_contrast_{severity}.png" for severity in range(1, 6)])

    def test_the_images_size_as_rgb(self):
        jpeg = sorted((voc_folder(voc_demo()) / "JPEGImages").iterdir())[0]
        self.corrupt(self.image("a.png", 61, 130), jpeg, corruptions="contrast")
        picture = read_png(self.folder / "out" / "a_contrast_3.png")
        self.assertEqual((picture.width, picture.height, picture.kind), (61, 130, RGB))
        self.assertIn(f"{jpeg.stem}_contrast_3.png", self.written())

    def test_pixels_are_the_packages(self):
        """What the library's own test compares comes out of the command, too."""
        photo = FIXTURES / "corruptions" / "koala_320x256.png"
        self.corrupt(photo, corruptions="jpeg_compression", severity="2,5")
        for severity in (2, 5):
            golden = read_png(FIXTURES / "corruptions" / f"koala_320x256.jpeg_compression.{severity}.png")
            found = read_png(self.folder / "out" / f"koala_320x256_jpeg_compression_{severity}.png")
            self.assertEqual(found.pixels, golden.pixels)

    def test_nothing_else_is_written(self):
        before = contents(self.image("photos/a.png").parent)
        self.corrupt("photos/a.png", corruptions="contrast")
        self.assertEqual(self.written(), ["a_contrast_3.png"])
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["out", "photos"])
        self.assertEqual(contents(self.folder / "photos"), before)

    def test_into_the_images_own_folder(self):
        before = self.image("a.png").read_bytes()
        self.corrupt("a.png", corruptions="contrast", output=".")
        self.assertEqual(files_in(self.folder), ["a.png", "a_contrast_3.png"])
        self.assertEqual((self.folder / "a.png").read_bytes(), before)


class Draws(CorruptImages):
    def test_the_same_for_any_number_of_threads(self):
        images = [self.image(f"{name}.png", 64, 48) for name in "abc"]
        for threads in (1, 2, 5):
            self.corrupt(*images, severity="all", output=f"out{threads}", flags=["--threads", threads])
        self.assertEqual(len(self.written("out1")), 3 * 4 * 5)
        self.assertEqual(contents(self.folder / "out1"), contents(self.folder / "out2"))
        self.assertEqual(contents(self.folder / "out1"), contents(self.folder / "out5"))

    def test_not_by_what_else_is_asked_for(self):
        """Alone, in another folder, under another path: the image's name counts."""
        self.image("a.png")
        self.corrupt(self.image("b.png"), "a.png", severity="all")
        (self.folder / "moved").mkdir()
        shutil.copy(self.folder / "a.png", self.folder / "moved" / "a.png")
        self.corrupt("moved/a.png", corruptions="gaussian_noise", severity="2", output="alone")
        name = "a_gaussian_noise_2.png"
        self.assertEqual(
            (self.folder / "out" / name).read_bytes(), (self.folder / "alone" / name).read_bytes()
        )

    def test_other_seeds_and_names(self):
        self.image("a.png")
        shutil.copy(self.folder / "a.png", self.folder / "b.png")
        self.corrupt("a.png", "b.png")
        self.corrupt("a.png", output="other", flags=["--seed", 1])
        out, other = contents(self.folder / "out"), contents(self.folder / "other")
        for corruption, drawn in (("gaussian_noise", True), ("GaussNoise", True), ("contrast", False)):
            mine = out[f"a_{corruption}_3.png"]
            self.assertEqual(mine != out[f"b_{corruption}_3.png"], drawn, corruption)
            self.assertEqual(mine != other[f"a_{corruption}_3.png"], drawn, corruption)


class Groups(CorruptImages):
    def corruptions_written(self):
        return [re.fullmatch(r"a_(\w+)_3\.png", name).group(1) for name in self.written()]

    def test_common_and_all(self):
        """Without frost's photographs both leave it out, and say how to get them."""
        for group, count in (("common", 15), ("all", 19)):
            flags = ["--frost_dir", "no-photographs", "--overwrite"]
            stderr = self.corrupt(self.image("a.png", 48, 40), corruptions=group, flags=flags).stderr
            names = self.corruptions_written()
            self.assertEqual(len(names), count - 1)
            self.assertNotIn("frost", names)
            told = [line for line in stderr.splitlines() if "frost is left out" in line]
            self.assertEqual(len(told), 1, stderr)
            self.assertIn("scripts/get_frost.py", told[0])

    def test_groups_and_names_of_the_other_suite(self):
        flags = ["--frost_dir", "no-photographs"]
        self.corrupt(self.image("a.png", 48, 40), corruptions="common,ISONoise", flags=flags)
        names = self.corruptions_written()
        self.assertEqual(len(names), 15)
        self.assertIn("ISONoise", names)

    def test_frost_by_name_needs_its_photographs(self):
        for corruptions in ("frost", "common,frost"):
            self.refused(
                *self.command(
                    self.image("a.png"), corruptions=corruptions, flags=["--frost_dir", "no-photographs"]
                ),
                mentions=["no-photographs", "scripts/get_frost.py"],
            )
        self.assertFalse((self.folder / "out").exists())


class Errors(CorruptImages):
    def test_a_list_that_is_none(self):
        for corruptions, *mentions in (
            ("gausian_noise", "--corruptions", "gausian_noise", "did you mean gaussian_noise?"),
            ("fog,gaussnoise", "did you mean GaussNoise?"),
            ("fog,,snow", "--corruptions", "fog,,snow"),
            ("everything-else", "gaussian_noise, shot_noise", "ElasticTransform"),
        ):
            command = self.command(self.image("a.png"), corruptions=corruptions)
            self.refused(*command, status=2, mentions=mentions)
        self.assertFalse((self.folder / "out").exists())

    def test_severities_that_are_none(self):
        for severity in ("0", "6", "1.5", "high", "1,,2"):
            command = self.command(self.image("a.png"), severity=severity)
            self.refused(*command, status=2, mentions=["--severity", severity])

    def test_what_must_be_typed(self):
        self.refused("corrupt-images", "--corruptions", "fog", status=2, mentions=["IMAGE"])
        self.refused("corrupt-images", self.image("a.png"), status=2, mentions=["--corruptions"])

    def test_a_missing_image_is_told_before_the_work(self):
        command = self.command(self.image("a.png"), "gone.png")
        self.refused(*command, mentions=["gone.png", "No such file"])
        self.assertFalse((self.folder / "out").exists())

    def test_what_is_no_image(self):
        """The first one's error is told whatever the threads do, and what was done before it is kept."""
        (self.folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
        (self.folder / "worse.png").write_text("no image")
        kept = sorted(f"a_{corruption}_3.png" for corruption in QUICK.split(","))
        for threads in (1, 4):
            command = self.command(self.image("a.png"), "bad.png", "worse.png", flags=["--threads", threads])
            self.refused(*command, "--overwrite", mentions=["bad.png"])
            self.assertEqual(self.written(), kept)
            self.assertEqual(leftovers(self.folder), [])

    def test_images_that_are_too_small(self):
        for width, height in ((31, 64), (64, 31)):
            told = f"photos/small.png: {width} x {height} pixels, corruptions need 32 x 32 or more"
            self.refused(*self.command(self.image("photos/small.png", width, height)), mentions=[told])
        self.corrupt(self.image("least.png", 32, 32))

    def test_two_images_of_one_name(self):
        self.corrupt(self.image("x/a.png"), self.image("y/a.png"))
        self.assertEqual({name[:4] for name in self.written()}, {"x/a_", "y/a_"})
        self.refused(*self.command("x/a.png"), "--output_dir", "out/x", mentions=["--overwrite"])

    def test_names_that_meet(self):
        """A copy of a.png would take the place of another input."""
        images = self.image("out/a.png"), self.image("out/a_contrast_3.png")
        before = contents(self.folder / "out")
        self.refused(*self.command(*images), mentions=["out/a_contrast_3.png would overwrite the image"])
        self.assertEqual(contents(self.folder / "out"), before)

    def test_a_folder_that_cannot_be_written(self):
        (self.folder / "file").write_text("")
        self.refused(*self.command(self.image("a.png"), output="file"), mentions=["file"])


class Interrupted(CorruptImages):
    def test_whole_files_are_left(self):
        images = [self.image("0.png", 64, 64)]
        for i in range(1, 400):
            (self.folder / f"{i}.png").symlink_to("0.png")
            images.append(f"{i}.png")
        process = start_program(
            *self.command(*images, severity="all", flags=["--threads", 2]),
            cwd=self.folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process.stderr:
            first = process.stderr.readline()
            process.send_signal(signal.SIGINT)
            stderr = first + process.stderr.read()
        process.wait(timeout=TIMEOUT)
        self.assertEqual(process.returncode, 130, stderr)
        written = self.written()
        self.assertTrue(0 < len(written) < 400 * 20, len(written))
        for name in written:
            read_png(self.folder / "out" / name)
        self.assertEqual(leftovers(self.folder), [])


if __name__ == "__main__":
    main()
