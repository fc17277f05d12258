"""Each command when memory runs out: it ends with exit status 0 and all of its output, or 1 and one line of error.

One allocation after the other fails, alone, and for some also all that follow. Commands that take long get a few of
them, evenly spread; with DINOFT_SWEEP=all in the environment every command gets all.
"""

import concurrent.futures
import contextlib
import fnmatch
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

from datasets import draw_scene, make_folder
from failing import FOREVER, LIBRARY, FailingProgram, misbehaviour
from png_files import write_png
from support import DINOV2, FIXTURES, LINEAR, contents, folder_data, main, run_program
from tensor_files import read_checkpoint, read_safetensors

WORKERS = 2
SHOWN = 5  # failures of a command that are printed
CLASSES = 4
SWEEP_ALL = os.environ.get("DINOFT_SWEEP") == "all"

BACKBONE = FIXTURES / "dinov2_tiny_swiglu_reg" / "backbone.pth"  # the smallest: two blocks
HUGGING_FACE = FIXTURES / "hf" / "dinov2_tiny_reg" / "model.safetensors"
MODEL = ["--weights", BACKBONE, "--device", "cpu", "--precision", "fp32"]
SMALL = ["--img_dim", 28, 42]


def without_times(text):
    """A text's numbers, but for whole ones, are measured."""
    return re.sub(r"\d+\.\d+(e[-+]\d+)?|\d+ img/s", "N", text)


def without_machine(text):
    """A run's configuration but for what it tells of the machine, such as its memory; there, what cannot be told is left out."""
    config = json.loads(text)
    del config["facts"]["machine"]
    return json.dumps(config)


def without_speed(text):
    """NAME_steps.csv without its column of measured numbers."""
    rows = [line.split(",") for line in text.splitlines()]
    return "".join(",".join(row[:4] + row[5:]) + "\n" for row in rows)


def without_figures(text):
    """A page of measured numbers, the lines of which are in the order of these."""
    return "\n".join(sorted(re.sub(r"[-+.\d]*\d(e[-+]\d+)?", "N", text).split("\n")))


def begins(part, whole):
    """Whether a file that grows is the beginning of what it becomes: lines, or JSON."""
    if whole.startswith(b"{"):
        return value_begins(json.loads(part), json.loads(whole))
    return whole.splitlines()[: len(part.splitlines())] == part.splitlines()


def value_begins(part, whole):
    if isinstance(part, dict) and isinstance(whole, dict):
        return part.keys() == whole.keys() and all(
            name in ("mean", "means") or value_begins(part[name], whole[name]) for name in whole
        )
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) <= len(whole) and all(map(value_begins, part, whole))
    return part is None or part == whole


class Expected:
    """What may come of a command: all that an undisturbed run leaves, or a part of it and an error.

    partial: patterns of files that may be there after an error, as they are after a success. growing: of those that
    may be shorter. checkpoints: names of those, and of states, that an earlier epoch may have left, whole. optional: for
    a warning, the pattern of files that may be missing or of an earlier epoch where it was given. mask: for files, stdout: for the output, what to compare of a text. A state has the length of a log, which
    tells of speeds.
    """

    def __init__(self, partial=(), growing=(), checkpoints=(), optional=None, mask=None, stdout=lambda text: text):
        self.partial, self.growing, self.checkpoints = partial, growing, checkpoints
        self.optional, self.mask, self.stdout = optional or {}, mask or {}, stdout

    def set(self, outcome):
        """Takes the undisturbed run."""
        self.files, self.output = self.masked(outcome.files), self.stdout(outcome.stdout)

    def masked(self, files):
        found = {name: b"" if name.endswith(".state") else data for name, data in files.items()}
        return found | {name: self.mask[name](found[name].decode()).encode() for name in found if name in self.mask}

    def fault(self, outcome, work):
        """What is wrong with the outcome of a run in the folder `work`; None if nothing is."""
        if misbehaviour(outcome):
            return misbehaviour(outcome)
        files = self.masked(outcome.files)
        if outcome.status != 0:
            return next(filter(None, (self.fault_of_file(name, data, work) for name, data in files.items())), None)
        if self.without_optional(files, outcome) != self.without_optional(self.files, outcome):
            return f"succeeds with other files: {sorted(files)}"
        return None if self.stdout(outcome.stdout) == self.output else "succeeds with other output"

    def without_optional(self, files, outcome):
        """The files that this outcome has to have."""
        missing = [pattern for warning, pattern in self.optional.items() if warning in outcome.stderr]
        return {name: data for name, data in files.items() if not any(fnmatch.fnmatch(name, p) for p in missing)}

    def fault_of_file(self, name, data, work):
        """The same of a file that is there after an error."""
        grows = any(fnmatch.fnmatch(name, pattern) for pattern in self.growing)
        if name in self.checkpoints:
            (read_safetensors if name.endswith(".state") else read_checkpoint)(work / name)
            return None
        if not grows and not any(fnmatch.fnmatch(name, pattern) for pattern in self.partial):
            return f"fails and leaves {name}"
        if data == self.files.get(name) or (grows and begins(data, self.files[name])):
            return None
        return f"fails and leaves another {name}"


class OutOfMemory(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        if not LIBRARY or not pathlib.Path(LIBRARY).exists():
            raise unittest.SkipTest("this build has no library that lets allocations fail (a sanitizer does that itself)")
        folder = tempfile.TemporaryDirectory(prefix="dinoft-memory-")
        cls.addClassCleanup(folder.cleanup)
        cls.base = pathlib.Path(folder.name)
        cls.input = cls.base / "input"
        cls.input.mkdir()
        cls.image = cls.input / "picture.png"
        write_png(cls.image, draw_scene("picture", 50, 40, CLASSES)[0])
        cls.data = make_folder(cls.input / "data", train=2, val=2, n_classes=CLASSES)
        cls.folder_flags = [*folder_data(cls.data), "--n_classes", CLASSES, "--num_workers", 1]
        cls.trained = cls.input / "trained.pt"
        cls.config = cls.input / "out" / "trained_config.json"
        result = run_program(
            *["train", *cls.folder_flags, *MODEL, *SMALL, "--use_lora", "--batch_size", 2, "--epochs", 1],
            *["--output_dir", cls.input / "out", "--exp_name", "trained"],
        )
        if result.status != 0:
            raise RuntimeError(result.stderr)
        (cls.input / "out" / "trained.pt").rename(cls.trained)

    def sweep(self, *command, most=None, **expectations):
        """Goes through the allocations of a command, at most about `most` of them. expectations: of Expected."""
        expected = Expected(**expectations)
        before = contents(self.input)
        with contextlib.ExitStack() as stack:
            folders = [stack.enter_context(tempfile.TemporaryDirectory(dir=self.base)) for _ in range(WORKERS)]
            programs = [FailingProgram(folder, *command) for folder in folders]
            for program in programs:
                stack.callback(program.close)
            whole = programs[0].run(FOREVER)
            self.assertEqual((whole.status, misbehaviour(whole)), (0, None), whole.stderr)
            expected.set(whole)
            step = 1 if SWEEP_ALL or not most else max(1, whole.calls // most)
            runs = [(n, number) for at, n in enumerate(range(0, whole.calls, step))
                    for number in ((1, FOREVER) if at % 8 == 0 else (1,))]

            def share(worker):
                found = []
                for n, number in runs[worker::WORKERS]:
                    fault = expected.fault(programs[worker].run(n, number), programs[worker].work)
                    if fault:
                        found.append(f"allocation {n}{'' if number == 1 else ' and all after it'}: {fault}")
                return found

            with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
                found = [text for part in pool.map(share, range(WORKERS)) for text in part]
        print(f"{command[0]}: {whole.calls} allocations, {len(runs)} runs", file=sys.stderr)
        self.assertEqual(found[:SHOWN], [], f"{len(found)} of {len(runs)} runs of {' '.join(map(str, command))}")
        self.assertEqual(contents(self.input), before)

    def test_help(self):
        for command in (["--help"], ["train", "--help"], ["--version"]):
            self.sweep(*command)

    def test_sweep(self):
        self.sweep("sweep", *self.folder_flags, *MODEL, "--lr", "1e-3,1e-2", "--seed", "0,1", "--dry_run")

    def test_info(self):
        self.sweep("info", DINOV2.weights)
        self.sweep("info", self.trained)
        plan = ["--memory", "--use_lora", "--device", "cpu", "--json", "plan.json"]
        self.sweep("info", DINOV2.weights, *plan, most=150)

    def test_log_file(self):
        """Its lines have times, and one the error."""
        self.sweep("info", self.trained, "--log_file", "logs/a.log", partial=["logs/a.log"],
                   mask={"logs/a.log": lambda text: ""})  # fmt: skip

    def test_convert(self):
        self.sweep("convert", LINEAR, "c.safetensors")
        self.sweep("convert", self.trained, "c.pt")
        self.sweep("convert", DINOV2.weights, "b.safetensors", most=300)
        self.sweep("convert", HUGGING_FACE, "b.pth", most=300)

    def test_demo_data(self):
        self.sweep("demo-data", "--train_images", 1, "--val_images", 1, partial=["data/*"])

    def test_features(self):
        self.sweep("features", self.image, *MODEL, *SMALL, "--layers", 2, "--output", "f.safetensors")

    def test_predict(self):
        self.sweep("predict", self.image, *MODEL, *SMALL, "--lora_weights", self.trained, "--save_logits",
                   partial=["output/*"])

    def test_pca(self):
        self.sweep("pca", self.image, *MODEL, *SMALL, "--foreground", "--upsample", partial=["output/*"])

    def test_corrupt_images(self):
        self.sweep("corrupt-images", self.image, "--corruptions", "fog,spatter,jpeg_compression", "--severity", 5,
                   partial=["output/*"])

    def test_data(self):
        """Its files are there after an error, which they tell."""
        self.sweep("data", *self.folder_flags)
        self.sweep("data", *self.folder_flags, "--json", "d.json", "--report_html", "d.html", "--show_augmented",
                   *SMALL, partial=["d.*"], mask={"d.json": lambda text: "", "d.html": lambda text: ""})  # fmt: skip

    def test_layouts(self):
        """Folders in folders, of which chance validates a part; and polygons."""
        for part in ("images", "masks"):
            for at, path in enumerate(sorted((self.data / part).rglob("*.png"))):
                place = self.input / "cities" / part / f"city{at % 2}"
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, place / f"{at:02}.png")
        shutil.copytree(self.data / "images", self.input / "polygons" / "images")
        for split in ("train", "val"):
            objects = [{"id": i, "image_id": i, "category_id": 1, "segmentation": [[3, 3, 30, 5, 20, 25]]} for i in range(2)]
            images = [{"id": i, "file_name": f"{i:02}.png", "width": 60 + i, "height": 48} for i in range(2)]
            text = {"categories": [{"id": 1, "name": "a"}], "images": images, "annotations": objects}
            (self.input / "polygons" / "annotations").mkdir(exist_ok=True)
            (self.input / "polygons" / "annotations" / f"instances_{split}.json").write_text(json.dumps(text))
        self.sweep("data", *folder_data(self.input / "cities"), "--n_classes", CLASSES, "--val_fraction", 0.5, most=150)
        self.sweep("data", *folder_data(self.input / "polygons"), most=150)

    def train(self, *flags, **options):
        self.sweep(
            *["train", *self.folder_flags, *MODEL, *SMALL, "--batch_size", 2, "--epochs", 2, "--exp_name", "run"],
            *["--output_dir", ".", "--log_dir", "none", *flags],
            partial=["run_config.json", "run_viz_*.png", "run_features.cache", "run_report.html", "run_augmented.png"],
            growing=["run_steps.csv", "run_metrics.json"],
            checkpoints=["run.pt", "run_best.pt", "run.state", "run_stopped.pt"],
            optional={
                "warning: the run's page does not go on": "run_report.html",
                "warning: the validation's picture does not go on": "run_viz_*.png",
            },
            mask={
                "run_steps.csv": without_speed,
                "run_config.json": without_machine,
                "run_report.html": lambda text: "",  # it grows, and tells of speeds
            },
            stdout=without_times,
            **options,
        )

    def test_train(self):
        self.train("--use_lora", "--recompute", "--debug", most=8)
        self.train("--config", self.config, "--no_use_lora", "--cache_features", "memory", most=8)
        self.train("--use_lora", "--lora_weights", self.trained, "--val_every", 2, most=8)
        self.train("--cache_features", "file", most=8)
        self.train("--use_lora", "--use_fpn", "--img_dim", 112, 112, "--weights", DINOV2.weights, most=8)

    def test_eval(self):
        outputs = {"--metrics_json": "m.json", "--images_csv": "i.csv", "--confusion_png": "c.png", "--report_html": "r.html"}
        command = ["eval", *self.folder_flags, *MODEL, *SMALL, "--lora_weights", self.trained, "--batch_size", 2]
        written = [text for pair in outputs.items() for text in pair]
        self.sweep(*command, *written, most=12, partial=outputs.values(), stdout=without_times)
        self.sweep(*command, "--slide", 28, 14, most=12, stdout=without_times)
        self.sweep(*command, "--tta", "--scales", "1,2", "--eval_size", "original", most=12, stdout=without_times)

    def test_corrupt(self):
        self.sweep(
            *["corrupt", *self.folder_flags, *MODEL, *SMALL, "--lora_weights", self.trained, "--batch_size", 2],
            *["--suite", "reference", "--corruptions", "Defocus,GaussNoise", "--severity", "1,2", "--output_dir", "."],
            most=12,
            partial=["*_corruptions.csv", "*_corruptions.html"],
            growing=["*_corruptions.json"],
            stdout=without_times,
        )

    def test_bench(self):
        command = ["bench", *MODEL, *SMALL, "--batch_size", 1, "--steps", 1, "--json", "b.json"]
        for mode in (["train", "--use_lora"], ["eval"], ["ops"], ["loader", *self.folder_flags]):
            self.sweep(*command, *mode, most=8, mask={"b.json": without_figures}, stdout=lambda text: text.count("\n"))


if __name__ == "__main__":
    main()
