"""dinoft predict: masks, overlays and logits of images."""

import csv
import json
import math
import re
import shutil
import signal
import subprocess

from datasets import draw_image, voc_demo, voc_folder
from png_files import GREY, PALETTE, RGB, read_png, voc_palette
from support import (
    DINOV2, DINOV3, FIXTURES, LINEAR, PROGRAM, TIMEOUT, CommandLineTest, contents, environment, error_lines, files_in, main,
    model_flags,
)  # fmt: skip
from tensor_files import read_safetensors, values
from training import TrainingTest

N_CLASSES = 21
VOC_NAMES = (
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person "
    "pottedplant sheep sofa train tvmonitor"
).split()
CHECKPOINTS = {
    "linear": (DINOV2, LINEAR),
    "fpn": (DINOV3, FIXTURES / "dinov3_tiny" / "after5_lora_fpn.pt"),
}


class Predict(CommandLineTest):
    def image(self, name, width=90, height=70):
        return draw_image(self.folder / name, width, height, name)

    def command(self, *arguments, model="linear"):
        backbone, checkpoint = CHECKPOINTS[model]
        return ["predict", *model_flags(backbone), "--lora_weights", checkpoint, "--output_dir", "out", *arguments]

    def predict(self, *arguments, **options):
        return self.succeed(*self.command(*arguments, **options))

    def read(self, name):
        return read_png(self.folder / "out" / name)

    def check_mask(self, name, width, height):
        mask = self.read(name)
        self.assertEqual((mask.width, mask.height, mask.kind), (width, height, PALETTE))
        self.assertLess(max(mask.pixels), N_CLASSES)
        self.assertEqual(mask.palette[:N_CLASSES], voc_palette()[:N_CLASSES])
        return mask

    def test_mask_and_overlay(self):
        for model in CHECKPOINTS:
            path = self.image(f"{model}.png")
            self.predict(path, model=model)
            mask, source, overlay = (
                self.check_mask(f"{model}.png", 90, 70),
                read_png(path),
                self.read(f"{model}_overlay.png"),
            )
            self.assertEqual((overlay.width, overlay.height, overlay.kind), (90, 70, RGB))
            self.assert_values_near(list(overlay.pixels), self.blend(source, mask, 0.5), 0.5)

    def blend(self, source, mask, opacity):
        """Of VOC: the background stays."""
        pixels = []
        for i, label in enumerate(mask.pixels):
            share = opacity if label > 0 else 0
            for before, color in zip(source.pixels[3 * i : 3 * i + 3], mask.palette[label]):
                pixels.append((1 - share) * before + share * color)
        return pixels

    def test_overlay_opacity(self):
        path = self.image("a.png")
        for opacity in (0, 0.25, 1):
            self.predict(path, "--overlay_opacity", opacity, "--overwrite")
            expected = self.blend(read_png(path), self.read("a.png"), opacity)
            self.assert_values_near(list(self.read("a_overlay.png").pixels), expected, 0.5)

    def test_outlines(self):
        """Without colours: what differs from the image is near an edge, white, or a class's colour."""
        path = self.image("a.png")
        self.predict(path, "--overlay_opacity", 0, "--outlines")
        source, mask, overlay = read_png(path), self.read("a.png"), self.read("a_overlay.png")
        self.assertGreater(len(set(mask.pixels)), 1)
        changed = 0
        for i, label in enumerate(mask.pixels):
            before, after = tuple(source.pixels[3 * i : 3 * i + 3]), tuple(overlay.pixels[3 * i : 3 * i + 3])
            if before == after:
                continue
            changed += 1
            self.assertGreater(label, 0)
            self.assertIn(after, [mask.palette[label], (255, 255, 255), (0, 0, 0)])
            x, y = i % mask.width, i // mask.width
            near = [(x + dx, y + dy) for d in (1, 2) for dx, dy in ((d, 0), (-d, 0), (0, d), (0, -d))]
            around = [
                mask.pixels[b * mask.width + a] for a, b in near if 0 <= a < mask.width and 0 <= b < mask.height
            ]
            self.assertNotEqual(set(around), {label})
        self.assertGreater(changed, 0)

    def test_legend(self):
        """All classes, once; the overlay gets their numbers, the mask does not change."""
        self.predict(self.image("a.png"), self.image("b.png"))
        before, mask = self.read("a_overlay.png"), self.read("a.png")
        self.predict("a.png", "b.png", "--legend", "--overwrite")
        self.assertEqual(
            files_in(self.folder / "out"), ["a.png", "a_overlay.png", "b.png", "b_overlay.png", "legend.png"]
        )
        legend = self.read("legend.png")
        self.assertEqual((legend.kind, legend.height), (RGB, 2 * 16 + 24 * N_CLASSES))
        for label, color in enumerate(voc_palette()[:N_CLASSES]):
            at = 3 * ((16 + 24 * label + 12) * legend.width + 16 + 3)
            self.assertEqual(tuple(legend.pixels[at : at + 3]), color)
        self.assertEqual(self.read("a.png"), mask)
        self.assertNotEqual(self.read("a_overlay.png").pixels, before.pixels)

    def test_an_image_called_legend(self):
        self.refused(
            *self.command(self.image("legend.jpg.png"), self.image("in/legend.png"), "--legend"),
            mentions=["legend.png"],
        )
        self.assertFalse((self.folder / "out").exists() and files_in(self.folder / "out"))
        self.predict("in/legend.png")

    def test_several_images(self):
        jpeg = sorted((voc_folder(voc_demo()) / "JPEGImages").iterdir())[0]
        self.predict(self.image("a.png", 50, 40), self.image("b c.png", 61, 130), jpeg)
        self.check_mask("a.png", 50, 40)
        self.check_mask("b c.png", 61, 130)
        truth = read_png(voc_folder(voc_demo()) / "SegmentationClass" / f"{jpeg.stem}.png")
        self.check_mask(f"{jpeg.stem}.png", truth.width, truth.height)

    def test_nothing_else_is_written(self):
        images = contents(self.image("photos/a.png").parent)
        self.predict("photos/a.png")
        self.assertEqual(files_in(self.folder / "out"), ["a.png", "a_overlay.png"])
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["out", "photos"])
        self.assertEqual(contents(self.folder / "photos"), images)

    def test_logits(self):
        """An image of the network's own size: its mask is the logits' largest class."""
        height, width = DINOV2.size
        self.predict(self.image("a.png", width, height), "--save_logits")
        tensors, _ = read_safetensors(self.folder / "out" / "a.safetensors")
        self.assertEqual(list(tensors), ["logits"])
        logits = tensors["logits"]
        self.assertEqual((logits.dtype, logits.shape), ("F32", (N_CLASSES, height, width)))
        flat, area = values(logits), height * width
        planes = [flat[label * area : (label + 1) * area] for label in range(N_CLASSES)]
        best = bytes(scores.index(max(scores)) for scores in zip(*planes))
        self.assertEqual(self.check_mask("a.png", width, height).pixels, best)

    def test_logits_have_the_networks_size(self):
        self.predict(self.image("a.png", 33, 44), "--save_logits")
        logits = read_safetensors(self.folder / "out" / "a.safetensors")[0]["logits"]
        self.assertEqual(logits.shape, (N_CLASSES, *DINOV2.size))

    def test_same_name_in_two_folders(self):
        """All keep the folders below the one that they share."""
        self.predict(self.image("in/x/a.png"), self.image("in/y/a.png"), self.image("in/b.png"), "--write", "mask")
        self.assertEqual(files_in(self.folder / "out"), ["b.png", "x/a.png", "y/a.png"])

    def test_images_that_differ_by_their_extension(self):
        self.image("in/a.png")
        shutil.copy(self.folder / "in" / "a.png", self.folder / "in" / "a.b.tif")
        shutil.copy(self.folder / "in" / "a.png", self.folder / "in" / "a.jpg")
        result = self.predict("in", "--write", "mask")
        self.assertIn("differ by their extension", result.stderr)
        self.assertEqual(files_in(self.folder / "out"), ["a.b.tif", "a.jpg.png", "a.png.png"])

    def test_a_mask_in_the_place_of_anothers_overlay(self):
        """a.png and a_overlay.png: both would be written to a_overlay.png."""
        self.refused(*self.command(self.image("in/a.png"), self.image("in/a_overlay.png")), mentions=["a_overlay"])

    def test_the_image_itself_is_not_overwritten(self):
        """photos/a.png predicted into photos/: the photograph stays."""
        before = self.image("out/a.png").read_bytes()
        self.refused(*self.command("out/a.png"), mentions=["a.png"])
        self.assertEqual((self.folder / "out" / "a.png").read_bytes(), before)

    def test_jpegs_predicted_into_their_own_folder(self):
        jpeg = sorted((voc_folder(voc_demo()) / "JPEGImages").iterdir())[0]
        (self.folder / "out").mkdir()
        shutil.copy(jpeg, self.folder / "out" / "photo.jpg")
        self.predict("out/photo.jpg")
        self.assertEqual(files_in(self.folder / "out"), ["photo.jpg", "photo.png", "photo_overlay.png"])
        self.assertEqual((self.folder / "out" / "photo.jpg").read_bytes(), jpeg.read_bytes())

    def test_unreadable_images_are_told_and_the_others_are_done(self):
        (self.folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
        (self.folder / "empty.png").write_bytes(b"")
        result = self.run_here(*self.command("bad.png", self.image("a.png"), "empty.png", self.image("b.png")))
        self.assert_one_error(result, 1, "2 images", "bad.png")
        self.assertEqual(len(re.findall(r"warning: not done: .*(?:bad|empty)\.png", result.stderr)), 2)
        self.assertEqual(files_in(self.folder / "out"), ["a.png", "a_overlay.png", "b.png", "b_overlay.png"])

    def test_missing_image_is_told_before_the_work(self):
        self.refused(*self.command(self.image("a.png"), "gone.png"), mentions=["gone.png", "No such file"])
        self.assertFalse((self.folder / "out" / "a.png").exists())

    def test_confidence_and_threshold(self):
        """At the network's own size they can be told from the logits."""
        height, width = 56, 56
        path, size = self.image("a.png", width, height), ["--img_dim", height, width, "--precision", "fp32"]
        self.predict(path, *size, "--save_logits", "--write", "mask,confidence", "--summary", "s.csv")
        flat = values(read_safetensors(self.folder / "out" / "a.safetensors")[0]["logits"])
        found, mask, area = self.read("a_confidence.png"), self.read("a.png"), height * width
        self.assertEqual((found.kind, found.width, found.height), (GREY, width, height))
        expected = []
        for i in range(area):
            powers = [math.exp(value - max(flat[i::area])) for value in flat[i::area]]
            expected.append(max(powers) / sum(powers))
        self.assert_values_near(list(found.pixels), [255 * share for share in expected], 0.51)
        row = next(csv.DictReader((self.folder / "s.csv").open()))
        self.assertEqual((row["image"], row["height"], row["width"]), (str(path), "56", "56"))
        self.assertAlmostEqual(float(row["mean_confidence"]), sum(expected) / area, places=5)
        for label, name in enumerate(VOC_NAMES):
            self.assertEqual(int(row[f"{name} pixels"]), mask.pixels.count(label))
            self.assertAlmostEqual(float(row[f"{name} share"]), mask.pixels.count(label) / area, places=8)

        middle = sorted(expected)[area // 2]
        self.predict(path, *size, "--threshold", middle, "--overwrite", "--summary", "s.csv")
        unknown = self.read("a.png")
        known = [share >= middle for share in expected]
        sure = [i for i in range(area) if abs(expected[i] - middle) > 1e-6]
        self.assertGreater(len(sure), area - 20)
        for i in sure:
            self.assertEqual(unknown.pixels[i], mask.pixels[i] if known[i] else 255)
        row = next(csv.DictReader((self.folder / "s.csv").open()))
        self.assertEqual(int(row["unknown_pixels"]), unknown.pixels.count(255))
        blended = self.blend(read_png(path), unknown, 0.5)
        self.assert_values_near(list(self.read("a_overlay.png").pixels), blended, 0.5)
        self.predict(path, *size, "--threshold", middle, "--overwrite", "--legend")
        self.assertEqual(self.read("legend.png").height, 2 * 16 + 24 * (N_CLASSES + 1))

    def test_batches_and_threads(self):
        """They change nothing."""
        for i in range(5):
            self.image(f"in/{i}.png", 60 + 7 * i, 50)
        found = []
        for flags in (["--batch_size", 1, "--num_workers", 1, "--threads", 1], ["--batch_size", 2], ["--batch_size", 5]):
            self.predict("in", *flags, "--write", "mask,overlay,confidence", "--summary", "out/s.csv", "--overwrite")
            found.append(contents(self.folder / "out"))
        self.assertEqual(found[0], found[1])
        self.assertEqual(found[0], found[2])

    def test_as_eval(self):
        """Of the same flags: the masks, held against the labels, are the confusion matrix that eval measures."""
        data = voc_demo()
        names = (voc_folder(data) / "ImageSets" / "Segmentation" / "val.txt").read_text().split()
        images = [voc_folder(data) / "JPEGImages" / f"{name}.jpg" for name in names]
        labels = [read_png(voc_folder(data) / "SegmentationClass" / f"{name}.png") for name in names]
        model = [*model_flags(DINOV2, (56, 84)), "--lora_weights", LINEAR, "--precision", "fp32"]
        for flags in (
            [],
            ["--resize", "short"],
            ["--resize", "short", "--slide", 42, 28, "--batch_size", 3],
            ["--slide", 42, 28, "--tta", "--scales", "0.75,1.5"],
        ):
            metrics = ["--eval_size", "original", "--metrics_json", "m.json"]
            self.succeed("eval", "--dataset", "voc", "--data_root", data, *model, *flags, *metrics)
            write = "mask" if "--tta" in flags else "mask,confidence"
            self.succeed("predict", *images, *model, *flags, "--output_dir", "out", "--write", write, "--overwrite")
            confusion = [[0] * N_CLASSES for _ in range(N_CLASSES)]
            for name, label in zip(names, labels):
                for truth, found in zip(label.pixels, self.read(f"{name}.png").pixels):
                    if truth != 255:
                        confusion[truth][found] += 1
            self.assertEqual(self.read_json("m.json")["confusion"], confusion, flags)

    def test_an_image_that_is_much_larger_than_the_model_sees(self):
        images = [self.image("a.png", 200, 160), self.image("b.png", 60, 50), self.image("c.png", 160, 200)]
        size = ["--img_dim", 56, 56]
        stderr = self.predict(*images, *size).stderr
        self.assertEqual(len(re.findall("more than four times", stderr)), 2)
        self.assertIn("a.png has 160 x 200 pixels", stderr)
        self.assertIn("2 of 3 images have more than four times", stderr)
        advised = re.search(r"--slide \d+ \d+ --resize short --img_dim \d+ \d+", stderr).group(0).split()
        self.assertNotIn("four times", self.predict(*images, *advised, "--overwrite").stderr)

    def test_words_of_write(self):
        self.refused(*self.command(self.image("a.png"), "--write", "mask,masks"), status=2,
                     mentions=["--write: expected mask, overlay, confidence", "'masks'"])  # fmt: skip
        self.refused(*self.command("a.png", "--save_logits", "--tta"), status=2, mentions=["--save_logits", "--tta"])


class KeptRatio(TrainingTest):
    def test_a_checkpoint_of_images_whose_ratio_was_kept(self):
        """Its masks are those that eval measures, too."""
        self.train("--resize", "short", "--max_steps", 1)
        image = draw_image(self.folder / "wide.png", 120, 50)
        found = []
        for flags in ([], ["--resize", "short"], ["--resize", "stretch"]):
            result = self.succeed("predict", image, *model_flags(DINOV2), "--lora_weights", "output/run.pt",
                                  "--output_dir", "out", "--overwrite", "--write", "confidence", *flags)  # fmt: skip
            found.append(read_png(self.folder / "out" / "wide_confidence.png"))
            self.assertEqual("keep their ratio" in result.stderr, not flags)
        self.assertEqual(found[0], found[1])
        self.assertNotEqual(found[0], found[2])


class Lines(CommandLineTest):
    """--json_lines, as a program uses it."""

    def setUp(self):
        super().setUp()
        for name in "abc":
            draw_image(self.folder / f"{name}.png", 50, 40, name)

    def start(self, *flags):
        command = ["predict", "--json_lines", *model_flags(DINOV2, (56, 56)), "--lora_weights", LINEAR, *flags]
        process = subprocess.Popen(
            [PROGRAM, *map(str, command), "--output_dir", "out", "--write", "mask"], cwd=self.folder, env=environment(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.addCleanup(process.communicate)
        return process

    def ask(self, process, *names):
        """The answer to each, which comes although nothing more is asked."""
        process.stdin.write("".join(f"{name}\n" for name in names))
        process.stdin.flush()
        return [json.loads(process.stdout.readline()) for _ in names]

    def end(self, process, status):
        output, errors = process.communicate(timeout=TIMEOUT)
        self.assertEqual((process.returncode, output), (status, ""), errors)
        return errors

    def test_answers_in_order(self):
        process = self.start()
        answer = self.ask(process, "a.png")[0]
        mask = read_png(self.folder / "out" / "a.png")
        counted = {name: mask.pixels.count(label) for label, name in enumerate(VOC_NAMES) if label in mask.pixels}
        self.assertGreater(answer.pop("mean_confidence"), 0)
        self.assertEqual(answer, {"image": "a.png", "outputs": {"mask": "out/a.png"}, "width": 50, "height": 40,
                                  "pixels": counted})  # fmt: skip
        (self.folder / "bad.png").write_bytes(b"no image")
        answers = self.ask(process, "b.png", "bad.png", "none.png", "c.png", "a.png")
        self.assertEqual([answer["image"] for answer in answers], ["b.png", "bad.png", "none.png", "c.png", "a.png"])
        for i, mention in ((1, "bad.png"), (2, "No such file"), (4, "out/a.png is there already: --overwrite")):
            self.assertIn(mention, answers[i]["error"])
        self.assertEqual(answers[3]["outputs"], {"mask": "out/c.png"})
        self.assertIn("3 of 6 images could not be done", error_lines(self.end(process, 1))[0])

    def test_files_that_are_there(self):
        self.end(self.start(), 0)
        self.ask(self.start(), "a.png")
        before = (self.folder / "out" / "a.png").read_bytes()
        process = self.start("--skip_existing")
        self.assertEqual(self.ask(process, "a.png")[0], {"image": "a.png", "outputs": {"mask": "out/a.png"}, "skipped": True})
        self.end(process, 0)
        process = self.start("--overwrite", "--threshold", 1)
        answers = self.ask(process, *["a.png"] * 5, "out/a.png")
        self.assertEqual([answer.get("unknown_pixels") for answer in answers], [2000] * 5 + [None])
        self.assertIn("which is read", answers[5]["error"])
        self.assertNotEqual((self.folder / "out" / "a.png").read_bytes(), before)
        self.end(process, 1)

    def test_ended_by_a_signal(self):
        """Nothing more comes, and nobody closes the pipe."""
        process = self.start()
        self.ask(process, "a.png")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=TIMEOUT)
        self.assertEqual(process.returncode, 143)

    def test_names_are_not_typed(self):
        self.refused("predict", "a.png", "--json_lines", "--lora_weights", LINEAR, status=2, mentions=["standard input", "a.png"])


if __name__ == "__main__":
    main()
