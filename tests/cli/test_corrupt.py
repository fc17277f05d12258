"""dinoft corrupt: its cells against eval on the images that corrupt-images writes, and runs that are stopped and continued."""

import csv
import json
import re
import shutil
import signal
import subprocess

from datasets import draw_scene, folder_masks, make_folder
from png_files import write_png
from support import (DINOV2, LINEAR, TIMEOUT, CommandLineTest, Page, contents, files_in, folder_data, leftovers, main,
                     model_flags, start_program)

NAMES = "gaussian_noise,contrast"
FILES = ["after5_lora_linear_corruptions.csv", "after5_lora_linear_corruptions.html", "after5_lora_linear_corruptions.json"]


class CorruptTest(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.data = make_folder(self.folder / "data", train=1, val=3)
        self.json = self.folder / "out" / FILES[2]

    def command(self, *flags, corruptions=NAMES, severity="1,4", data=None):
        return [
            "corrupt",
            *folder_data(data or self.data),
            *model_flags(DINOV2),
            *["--lora_weights", LINEAR, "--precision", "fp32", "--output_dir", "out", "--batch_size", 2],
            *(["--corruptions", corruptions] if corruptions else []),
            *["--severity", severity],
            *flags,
        ]

    def corrupt(self, *flags, **options):
        """(results, result)"""
        result = self.succeed(*self.command(*flags, **options))
        return self.read_json(self.json), result

    def evaluate(self, data, *flags):
        target = self.folder / "metrics.json"
        self.succeed(
            "eval",
            *folder_data(data),
            *model_flags(DINOV2),
            *["--lora_weights", LINEAR, "--precision", "fp32", "--batch_size", 2, "--metrics_json", target],
            *flags,
        )
        return self.read_json(target)

    def cells(self, results):
        """{(corruption, severity): cell}"""
        return {
            (row["name"], severity): cell
            for row in results["corruptions"]
            for severity, cell in zip(results["severities"], row["cells"])
        }

    def corrupted_data(self, corruption, severity, seed):
        """The data set with its validation images replaced by what corrupt-images makes of them."""
        root = self.folder / f"{corruption}_{severity}"
        shutil.copytree(self.data, root)
        images = sorted((root / "images" / "val").iterdir())
        self.succeed(
            "corrupt-images",
            *images,
            *["--corruptions", corruption, "--severity", severity, "--seed", seed],
            *["--output_dir", root / "made"],
        )
        for image in images:
            (root / "made" / f"{image.stem}_{corruption}_{severity}.png").replace(image)
        return root


class Scores(CorruptTest):
    def check_cell(self, cell, metrics):
        self.assertEqual(set(cell), {"miou", "reference_iou", "reference_miou", "pixel_accuracy"})
        for key, value in cell.items():
            self.assertAlmostEqual(value, metrics[key], places=12)

    def test_cells_are_evaluations(self):
        for flags in ([], ["--eval_size", "original"], ["--resize", "short", "--slide", 84, 56, "--tta", "--scales", "1"]):
            results, _ = self.corrupt("--seed", 5, "--restart", *flags)
            self.check_cell(results["clean"], self.evaluate(self.data, *flags))
            for (corruption, severity), cell in self.cells(results).items():
                data = self.corrupted_data(corruption, severity, 5)
                self.check_cell(cell, self.evaluate(data, *flags))
                shutil.rmtree(data)

    def test_files(self):
        results, result = self.corrupt()
        self.assertEqual(files_in(self.folder / "out"), FILES)
        self.assertEqual(leftovers(self.folder), [])
        self.assertEqual(results["severities"], [1, 4])
        self.assertEqual([row["name"] for row in results["corruptions"]], NAMES.split(","))
        self.assertEqual([row["family"] for row in results["corruptions"]], ["noise", "digital"])
        with open(self.folder / "out" / FILES[0], newline="") as stream:
            rows = list(csv.DictReader(stream))
        self.assertEqual(
            [(row["corruption"], row["severity"]) for row in rows],
            [("clean", "0"), *((name, severity) for name in NAMES.split(",") for severity in "14")],
        )
        self.assertAlmostEqual(float(rows[3]["miou"]), self.cells(results)["contrast", 1]["miou"], places=8)
        for name in ("clean", *NAMES.split(",")):
            self.assertIn(name, result.stdout)

    def test_the_time_left_is_that_of_the_table(self):
        """Each finished cell but the last has some."""
        _, result = self.corrupt()
        ends = re.findall(r"(?m)^(\d)/5 [a-z_]+(?: \d)? 2/2 .*  time \d+:\d\d(  eta \d+:\d\d)?$", result.stderr)
        self.assertEqual([number for number, _ in ends], list("12345"), result.stderr)
        self.assertEqual([bool(left) for _, left in ends], [True] * 4 + [False])

    def test_the_reference_numbers_are_printed_for_its_recipe(self):
        _, plain = self.corrupt(corruptions="contrast", severity="1")
        self.assertNotIn("2025", plain.stdout)
        results, result = self.corrupt("--recipe", "reference", "--restart", corruptions="contrast", severity="1")
        shown = next(line.split() for line in result.stdout.splitlines() if line.startswith("clean"))
        self.assertEqual(
            shown[-2:], [f"{100 * results['clean'][key]:.2f}" for key in ("reference_iou", "reference_miou")]
        )
        self.assertIn("reference mIoU (October 2025)", result.stdout)

    def test_families_stay_together(self):
        results, result = self.corrupt(corruptions="fog,contrast,snow", severity="1")
        self.assertEqual([row["name"] for row in results["corruptions"]], ["fog", "snow", "contrast"])
        first = [line.split()[0] for line in result.stdout.splitlines()[2:7]]
        self.assertEqual(first, ["weather", "fog", "snow", "digital", "contrast"])

    def test_page_needs_no_network(self):
        self.corrupt("--seed", 43)
        text = (self.folder / "out" / FILES[1]).read_text()
        page = Page(text)
        self.assertEqual([link for link in page.links if not link.startswith(("data:", "#"))], [])
        self.assertNotRegex(text, r"https?://(?!www\.w3\.org/)")
        for words in ("gaussian_noise", "imagenet-c", "seed"):
            self.assertIn(words, page.text)
        facts = self.read_json(self.json)["facts"]
        self.assertEqual((facts["seed"], facts["batch size"]), ("43", "2"))

    def test_threads_change_nothing(self):
        self.corrupt("--threads", 1, "--num_workers", 1)
        one = contents(self.folder / "out")
        self.corrupt("--threads", 2, "--num_workers", 3, "--restart")
        self.assertEqual(contents(self.folder / "out"), one)

    def test_reference_suite_draws_one_for_each_image(self):
        results, _ = self.corrupt("--suite", "reference", corruptions=None, severity="5")
        self.assertEqual([row["name"] for row in results["corruptions"]], ["one of ten"])
        again, _ = self.corrupt("--suite", "reference", "--restart", corruptions=None, severity="5")
        self.assertEqual(again, results)
        named, _ = self.corrupt("--suite", "reference", "--restart", corruptions="GaussNoise,ElasticTransform", severity="5")
        self.assertEqual([row["name"] for row in named["corruptions"]], ["GaussNoise", "ElasticTransform"])

    def test_elastic_transform_moves_the_labels(self):
        """The pixels of a class change with the image; clean labels would keep their number."""
        root = self.corrupted_data("ElasticTransform", 5, 0)
        results, _ = self.corrupt(
            "--suite", "reference", "--eval_size", "original", corruptions="ElasticTransform", severity="5"
        )
        unmoved = self.evaluate(root, "--eval_size", "original")
        self.assertNotEqual(results["corruptions"][0]["cells"][0]["pixel_accuracy"], unmoved["pixel_accuracy"])

    def test_frost_without_photographs(self):
        nowhere = ["--frost_dir", self.folder / "nowhere"]
        results, result = self.corrupt(*nowhere, corruptions="common", severity="5")
        frost = next(row for row in results["corruptions"] if row["name"] == "frost")
        self.assertIn("scripts/get_frost.py", frost["skipped"])
        self.assertIn("nowhere/frost1.png", frost["skipped"])
        self.assertIsNone(frost["cells"][0])
        self.assertIn("scripts/get_frost.py", result.stderr)
        self.assertIn("scripts/get_frost.py", result.stdout)
        self.assertEqual(results["means"]["common"]["corruptions"], 14)
        self.refused(*self.command(*nowhere, corruptions="frost"), mentions=["scripts/get_frost.py"])


class Continued(CorruptTest):
    def test_finished_cells_are_kept(self):
        self.corrupt()
        before = contents(self.folder / "out")
        _, result = self.corrupt()
        self.assertEqual(contents(self.folder / "out"), before)
        self.assertIn("5 cells of out/", result.stderr)
        self.assertNotRegex(result.stderr, r"\d+/\d+ (clean|contrast)")
        results = self.read_json(self.json)
        results["corruptions"][1]["cells"][0] = None
        self.json.write_text(json.dumps(results))
        _, result = self.corrupt()
        self.assertEqual(contents(self.folder / "out"), before)
        self.assertRegex(result.stderr, r"1/1 contrast 1 ")

    def test_more_severities_and_corruptions(self):
        first, _ = self.corrupt(severity="4", corruptions="contrast")
        more, result = self.corrupt()
        self.assertIn("2 cells of out/", result.stderr)
        self.assertEqual(self.cells(more)["contrast", 4], self.cells(first)["contrast", 4])

    def test_nothing_finished_is_lost(self):
        self.corrupt()
        before = contents(self.folder / "out")
        for narrower, lost in (({"severity": "4"}, "gaussian_noise at severity 1"), ({"corruptions": "gaussian_noise"}, "contrast")):
            self.refused(*self.command(**narrower), mentions=["--exp_name", f"it has scores of {lost}"])
            self.assertEqual(contents(self.folder / "out"), before)

    def test_ctrl_c(self):
        command = self.command("--num_workers", 1, severity="all", corruptions="gaussian_noise,contrast,brightness")
        self.succeed(*command)
        whole = contents(self.folder / "out")
        shutil.rmtree(self.folder / "out")
        process = start_program(*command, cwd=self.folder, stderr=subprocess.PIPE, text=True)
        seen = []
        for line in process.stderr:
            seen.append(line)
            if re.search(r"3/16 gaussian_noise 2 ", line):
                process.send_signal(signal.SIGINT)
                break
        seen.append(process.stderr.read())
        process.stderr.close()
        process.wait(timeout=TIMEOUT)
        stderr = "".join(seen)
        self.assertEqual(process.returncode, 130, stderr)
        self.assertIn("the same command goes on where this one ended", stderr)
        kept = self.read_json(self.json)
        done = sum(cell is not None for cell in self.cells(kept).values())
        self.assertTrue(1 <= done < 15, done)
        _, result = self.corrupt(
            "--num_workers", 1, severity="all", corruptions="gaussian_noise,contrast,brightness"
        )
        self.assertIn(f"{done + 1} cells of out/", result.stderr)
        self.assertEqual(contents(self.folder / "out"), whole)

    def test_another_run_is_not_continued(self):
        self.corrupt()
        before = contents(self.folder / "out")
        for flags in (["--seed", 1], ["--batch_size", 3], ["--eval_size", "original"], ["--normalize", "imagenet"]):
            self.refused(*self.command(*flags), mentions=["cannot continue an earlier run", "--restart"])
            self.assertEqual(contents(self.folder / "out"), before)
        mask = sorted((self.data / "masks" / "val").iterdir())[0]
        picture = draw_scene("another", 60, 48, 4)[1]
        write_png(mask, picture)
        self.refused(*self.command(), mentions=["cannot continue an earlier run"])
        self.corrupt("--restart")

    def test_an_image_s_name_counts(self):
        self.corrupt()
        for kind in ("images", "masks"):
            (self.data / kind / "val" / "02.png").rename(self.data / kind / "val" / "03.png")
        self.refused(*self.command(), mentions=["cannot continue an earlier run"])

    def test_damaged_results(self):
        self.corrupt()
        whole = self.json.read_bytes()
        for damaged in (whole[:100], b"[]", b"", whole.replace(b'"cells"', b'"sells"')):
            self.json.write_bytes(damaged)
            self.refused(*self.command(), mentions=[FILES[2]])
            self.assertEqual(self.json.read_bytes(), damaged)


class Errors(CorruptTest):
    def test_wrong_words(self):
        for flags, text in (
            (["--severity", "0"], "--severity: expected numbers from 1 to 5 with commas between them, or all; found '0'"),
            (["--severity", "1-5"], "--severity: expected numbers"),
            (["--corruptions", "gausian_noise"], "gaussian_noise"),
            (["--suite", "imagenet"], "--suite: 'imagenet' is not one of imagenet-c or reference"),
        ):
            self.refused(*self.command(*flags), status=2, mentions=[text])

    def test_image_that_is_too_small(self):
        root = make_folder(self.folder / "small", train=1, val=2, width=31, height=40)
        self.refused(*self.command(data=root), mentions=["00.png", "31", "32"])

    def test_outputs_take_no_input_s_place(self):
        target = self.folder / "x_corruptions.json"
        shutil.copy(LINEAR, target)
        self.refused(
            *self.command("--exp_name", "x", "--output_dir", ".", "--lora_weights", target), mentions=["x_corruptions.json"]
        )
        self.assertEqual(target.read_bytes(), LINEAR.read_bytes())

    def test_masks_are_needed(self):
        (self.data / "masks" / "val" / "01.png").unlink()
        self.refused(*self.command(), mentions=["01"])
        self.assertEqual(len(folder_masks(self.data, "val")), 2)


if __name__ == "__main__":
    main()
