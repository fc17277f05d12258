"""dinoft eval and dinoft corrupt with --device cuda: the processor's numbers."""

import csv

from devices import LOSS, PIXELS, SCORE, SMALL2, SMALL3, SQUARE2, TRAINED3, DeviceTest
from png_files import read_png
from support import FPN, LINEAR, contents, files_in, folder_data, main, model_flags

SHARES = ("miou", "pixel_accuracy", "mean_accuracy", "dice", "reference_iou", "reference_miou")


class CudaEvaluation(DeviceTest):
    """Three images of 60 to 62 x 48 pixels, two in a batch."""

    def evaluate(self, device, *flags, backbone=SMALL2, checkpoint=LINEAR, precision="fp32"):
        self.succeed(
            "eval",
            *folder_data(self.data), *model_flags(backbone), "--lora_weights", checkpoint,
            *["--batch_size", 2, "--device", device, "--precision", precision, "--metrics_json", f"{device}.json"],
            *flags,
        )
        return self.read_json(f"{device}.json")

    def compare(self, *flags, precision="fp32", **options):
        cpu, cuda = (self.evaluate(device, *flags, precision=precision, **options) for device in ("cpu", "cuda"))
        self.assert_relative(cuda["loss"], cpu["loss"], LOSS[precision], "loss")
        self.assert_confusion_near(cuda["confusion"], cpu["confusion"], PIXELS[precision])
        for key in SHARES:
            self.assertAlmostEqual(cuda[key], cpu[key], delta=SCORE[precision], msg=key)
        pixels = [[row["pixels"] for row in metrics["per_class"]] for metrics in (cuda, cpu)]
        self.assertEqual(*pixels)
        return cuda

    def test_network_size(self):
        for precision in ("fp32", "bf16"):
            self.compare(precision=precision)
            self.compare(backbone=SMALL3, checkpoint=TRAINED3, precision=precision)

    def test_original_size(self):
        self.compare("--eval_size", "original")

    def test_prototypes(self):
        """Features of three images of the processor's, or of the device's, which differ in their last bits."""
        for checkpoint in ([], ["--lora_weights", LINEAR]):
            results = []
            for device in ("cpu", "cuda"):
                self.succeed(
                    *["eval", "--prototypes", *self.folder_flags(), *model_flags(SMALL2), "--batch_size", 2, *checkpoint],
                    *["--precision", "fp32", "--shots", 1, "--device", device, "--metrics_json", f"{device}.json"],
                )  # fmt: skip
                results.append(self.read_json(f"{device}.json"))
            cpu, cuda = results
            self.assertEqual(cuda["prototypes"], cpu["prototypes"])
            self.assertEqual([row["pixels"] for row in cuda["per_class"]], [row["pixels"] for row in cpu["per_class"]])
            self.assert_relative(cuda["loss"], cpu["loss"], LOSS["fp32"], "loss")
            self.assert_confusion_near(cuda["confusion"], cpu["confusion"], PIXELS["fp32"])

    def test_fpn(self):
        for precision in ("fp32", "bf16"):
            self.compare(backbone=SQUARE2, checkpoint=FPN, precision=precision)

    def test_sliding_window(self):
        """Two rows of four windows, two in a batch; they overlap by 8 pixels."""
        for size in ("network", "original"):
            self.compare("--slide", 28, 20, "--img_dim", 42, 84, "--eval_size", size)

    def test_augmentation(self):
        self.compare("--tta", "--scales", "0.5,1,1.5")
        self.compare("--tta", "--scales", "1", "--eval_size", "original", backbone=SMALL3, checkpoint=TRAINED3)

    def test_kept_ratio(self):
        """Each image has a size of its own; the buffers grow and the positions are computed anew."""
        self.compare("--resize", "short", "--img_dim", 28, 28)
        self.compare("--resize", "short", "--eval_size", "original", backbone=SMALL3, checkpoint=TRAINED3)

    def test_all_together(self):
        flags = ["--resize", "short", "--slide", 28, 14, "--tta", "--scales", "1,2", "--eval_size", "original"]
        for precision in ("fp32", "bf16"):
            self.compare(*flags, precision=precision)

    def test_repeated(self):
        flags = ["--resize", "short", "--slide", 28, 14, "--tta", "--scales", "1,2"]
        self.assertEqual(self.evaluate("cuda", *flags), self.evaluate("cuda", *flags))

    def test_reports(self):
        outputs = {"cpu": [], "cuda": []}
        for device, folder in ((device, self.folder / device) for device in outputs):
            folder.mkdir()
            self.evaluate(device, "--images_csv", folder / "i.csv", "--confusion_png", folder / "c.png",
                          "--report_html", folder / "r.html")
            with open(folder / "i.csv", newline="") as stream:
                outputs[device] = list(csv.DictReader(stream))
        for ours, theirs in zip(outputs["cuda"], outputs["cpu"], strict=True):
            self.assertEqual(ours["image"], theirs["image"])
            self.assertAlmostEqual(float(ours["miou"]), float(theirs["miou"]), delta=SCORE["fp32"])
        self.assertEqual(files_in(self.folder / "cuda"), files_in(self.folder / "cpu"))
        read_png(self.folder / "cuda" / "c.png")
        self.assertIn("float32", (self.folder / "cuda" / "r.html").read_text())


class CudaCorruptions(DeviceTest):
    NAMES = "gaussian_noise,contrast"

    def command(self, device, *flags, corruptions=NAMES):
        return [
            "corrupt",
            *folder_data(self.data), *model_flags(SMALL2), "--lora_weights", LINEAR,
            *["--precision", "fp32", "--batch_size", 2, "--severity", 3, "--corruptions", corruptions],
            *["--device", device, "--output_dir", device, "--exp_name", "c"],
            *flags,
        ]

    def corrupt(self, device, *flags, **options):
        """(results, stderr)"""
        result = self.succeed(*self.command(device, *flags, **options))
        return self.read_json(f"{device}/c_corruptions.json"), result.stderr

    def test_scores(self):
        for flags in ([], ["--eval_size", "original", "--resize", "short", "--tta", "--scales", "1"]):
            cpu, cuda = (self.corrupt(device, "--restart", *flags)[0] for device in ("cpu", "cuda"))
            rows = [(results["clean"], *(row["cells"][0] for row in results["corruptions"])) for results in (cpu, cuda)]
            self.assertEqual(len(rows[0]), 3)
            for expected, found in zip(*rows, strict=True):
                self.assertEqual(set(found), set(expected))
                for key, value in expected.items():
                    self.assertAlmostEqual(found[key], value, delta=SCORE["fp32"])
            self.assertNotEqual(rows[1][0], rows[1][2])

    def test_continued(self):
        whole, _ = self.corrupt("cuda")
        before = contents(self.folder / "cuda")
        (self.folder / "cuda" / "c_corruptions.json").unlink()
        self.corrupt("cuda", corruptions="contrast")
        results, stderr = self.corrupt("cuda")
        self.assertIn("2 cells of cuda/", stderr)
        self.assertEqual(results, whole)
        self.assertEqual(contents(self.folder / "cuda"), before)

    def test_not_continued_on_another_device(self):
        """A table's cells are of one device and one precision."""
        self.corrupt("cuda")
        before = contents(self.folder / "cuda")
        for flags in (["--device", "cpu"], ["--precision", "bf16"]):
            self.refused(*self.command("cuda", *flags), mentions=["cannot continue an earlier run", "--restart"])
            self.assertEqual(contents(self.folder / "cuda"), before)


if __name__ == "__main__":
    main()
