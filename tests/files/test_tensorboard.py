"""Does TensorBoard show what is written in event files, also of a run that goes on with an earlier one?

usage: test_tensorboard.py WRITE_EVENTS SOURCE_FOLDER

WRITE_EVENTS is a program that writes such files. Exit status 77 (skipped) where TensorBoard is not installed;
scripts/install_dependencies.sh --tests gets it.
"""
import contextlib
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

VERSION = "2.21.0"  # as in scripts/install_dependencies.sh
WRITE_EVENTS, ROOT = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
PACKAGES = ROOT / "build-tools" / f"tensorboard-{VERSION}"
PATIENCE = 60  # seconds that a server may take on a busy machine
LOADERS = {"fast": "--load_fast=true", "python": "--load_fast=false"}

sys.path[:0] = [str(ROOT / "tests" / "cli"), str(PACKAGES)]
import event_records  # noqa: E402
import png_files  # noqa: E402


def loss(steps):
    return [1 / step for step in steps]


class Server:
    """A TensorBoard over a folder of runs, on a port of its own choice."""

    def __init__(self, folder, loader):
        words = ["--logdir", str(folder), "--host", "127.0.0.1", "--port", "0", "--reload_interval", "1", LOADERS[loader]]
        words += ["--samples_per_plugin", "scalars=1000,images=1000,text=1000"]
        path = os.pathsep.join([str(PACKAGES), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
        self.process = subprocess.Popen([sys.executable, "-m", "tensorboard.main", *words], stderr=subprocess.PIPE, text=True,
                                        stdout=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": path, "NO_PROXY": "*"})
        said = ""
        for line in self.process.stderr:
            said += line
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
            if found:
                self.url = found.group(0)
                return
        raise RuntimeError(f"TensorBoard did not start: {said}")

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.process.terminate()
        self.process.communicate()

    def ask(self, place, **words):
        address = f"{self.url}{place}?{urllib.parse.urlencode(words)}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(address, timeout=PATIENCE) as answer:
            return answer.read()

    def plugin(self, name, place, **words):
        with contextlib.suppress(urllib.error.HTTPError):  # of a tag that it has not read yet
            return json.loads(self.ask(f"data/plugin/{name}/{place}", **words))
        return []

    def scalars(self, tag):
        return [(step, value) for _, step, value in self.plugin("scalars", "scalars", run="run", tag=tag)]

    def steps(self, tag, last):
        """Once the last step is there: all of them."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            steps = [step for step, _ in self.scalars(tag)]
            if steps and steps[-1] == last:
                return steps
            time.sleep(0.2)
        raise AssertionError(f"{tag} does not come to step {last}: {steps[-3:]}")


class TensorBoard(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.runs = pathlib.Path(self.folder.name)
        self.png = self.runs / "a.png"
        png_files.write_png(self.png, png_files.Picture(3, 2, png_files.RGB, bytes(range(18))))

    def write(self, first, last):
        done = subprocess.run([WRITE_EVENTS, self.runs / "run", str(first), str(last), self.png, "3", "2"],
                              stderr=subprocess.PIPE, text=True, check=True)
        return done.stderr

    def tear(self):
        """As a process leaves it that was killed while it wrote."""
        newest = event_records.paths(self.runs / "run")[-1]
        newest.write_bytes(newest.read_bytes() + newest.read_bytes()[:50])

    def test_accumulator(self):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        self.write(1, 9)
        self.assertEqual(self.write(6, 8), "")
        events = EventAccumulator(str(self.runs / "run")).Reload()
        self.assertEqual([event.step for event in events.Scalars("train/loss")], list(range(1, 9)))
        odd = [event.value for event in events.Scalars("train/odd")]
        self.assertTrue(math.isnan(odd[1]) and odd[2] == math.inf)
        image, = events.Images("overlays/a")
        self.assertEqual((image.step, image.width, image.height), (8, 3, 2))
        self.assertEqual(image.encoded_image_string, self.png.read_bytes())

        own = event_records.Events(self.runs / "run")
        self.assertEqual(own.steps("train/loss"), list(range(1, 9)))
        for mine, theirs in zip(own.scalars["train/loss"], events.Scalars("train/loss")):
            self.assertEqual(mine, (theirs.step, theirs.value, theirs.wall_time))
        self.assertEqual(own.images["overlays/a"], [(8, self.png.read_bytes(), 3, 2, "an *overlay*")])

    def check_page(self, server):
        self.assertIn("train/learning rate", server.plugin("scalars", "tags")["run"])
        for (_, value), expected in zip(server.scalars("train/loss"), loss(range(1, 100))):
            self.assertAlmostEqual(value, expected, places=6)
        about = server.plugin("images", "tags")["run"]["overlays/a"]
        self.assertIn("<em>overlay</em>", about["description"])
        image = server.plugin("images", "images", run="run", tag="overlays/a", sample=0)[-1]
        self.assertEqual(server.ask(f"data/plugin/images/individualImage?{image['query']}&"), self.png.read_bytes())
        text, = server.plugin("text", "text", run="run", tag="configuration")
        self.assertIn("<td>1e-4</td>", text["text"])

    def check_server(self, loader):
        """It has read the run before that is killed and goes on behind an earlier step."""
        self.write(1, 9)
        with Server(self.runs, loader) as server:
            self.assertEqual(server.steps("train/loss", 9), list(range(1, 10)))
            self.check_page(server)
            self.tear()
            self.assertEqual(self.write(6, 7), "")
            self.assertEqual(server.steps("train/loss", 7), list(range(1, 8)))
            self.tear()
            self.assertIn("are damaged or half-written", self.write(8, 12))
            self.assertEqual(server.steps("train/loss", 12), list(range(1, 13)))
            self.check_page(server)
        with Server(self.runs, loader) as server:
            self.assertEqual(server.steps("train/loss", 12), list(range(1, 13)))

    def test_fast_server(self):
        self.check_server("fast")

    def test_python_server(self):
        self.check_server("python")


if __name__ == "__main__":
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        print("skipped: no TensorBoard; scripts/install_dependencies.sh --tests gets it")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
