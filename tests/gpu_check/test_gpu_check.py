"""scripts/gpu_check.sh: with the emulated device to the end of some stages; and, with programs that are made up, what it
keeps and says when something fails, takes too long or is killed.

DINOFT_EMULATED is the program with the emulated device, in the folder of the emulated tests; NAME_emulated stands for
NAME. Profilers, the sanitizer and PyTorch are stand-ins."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECK = ROOT / "scripts" / "gpu_check.sh"
EMULATED = pathlib.Path(os.environ["DINOFT_EMULATED"])
FILES_MOST = 8

FACTS = """revision: 0123
options: CUDA on, for 90, by nvcc 13.0.88; sanitizers off
backend cuda: {state}
CUDA driver: for CUDA 13.0
cuBLASLt: 13.0.0, /somewhere
cuDNN: 9.19.0, /somewhere
GPU 0: made up, compute capability 9.0, 8.0 GiB
"""
PROGRAM = """#!/bin/sh
case $1 in
--version) cat "$0.facts" ;;
selftest) echo an operation agrees; {selftest} ;;
bench) echo a step takes a second; {bench} ;;
esac
"""
# For what compare_with_pytorch.py starts; all else is Python's.
PYTHON = f"""#!/bin/sh
case $*-$1 in
*pytorch_contestant.py*) echo ready; while read -r line; do echo '{{"images_per_second": 2.5, "peak_memory_bytes": 1048576}}'; done ;;
*torch.cuda.get_device_properties*) echo a made-up device, PyTorch 0 ;;
*find_spec*torch*) exit 0 ;;
*) exec {sys.executable} "$@" ;;
esac
"""
NSYS = """#!/bin/sh
[ "$1" = profile ] || { echo a table of kernels; exit; }
while [ "${1#/}" = "$1" ]; do shift; done
exec "$@"
"""
SANITIZER = """#!/bin/sh
while [ "${1#/}" = "$1" ]; do shift; done
echo checked: "$@"
"""


def write_program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


class Check(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.programs = self.folder / "the programs"
        self.output = self.folder / "output"
        self.tools = self.folder / "tools"
        self.tools.mkdir()

    def make_up(self, state="usable", selftest=":", bench=":"):
        write_program(self.programs / "dinoft", PROGRAM.format(selftest=selftest, bench=bench))
        (self.programs / "dinoft.facts").write_text(FACTS.format(state=state))
        (self.programs / "tests").mkdir()

    def start(self, *flags):
        command = [CHECK, "--programs", self.programs, "--output", self.output, *map(str, flags)]
        environment = {**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}"}
        return subprocess.Popen(command, cwd=self.folder, env=environment, text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def check(self, *flags):
        """Exit status and output, last line apart."""
        with self.start(*flags) as process:
            output, _ = process.communicate()
        files = [path for path in self.output.rglob("*") if path.is_file()]
        self.assertLessEqual(len(files), FILES_MOST)
        return process.returncode, output

    def report(self):
        path = self.output / "report.md"
        return path.read_text() if path.exists() else ""

    def assert_rows(self, *rows):
        for stage, step, result in rows:
            self.assertRegex(self.report(), rf"(?m)^\| {stage} \| {step} \| {result} \|", self.report())


class MadeUp(Check):
    def test_what_passes(self):
        self.make_up()
        status, output = self.check("--stages", "selftest,bench")
        self.assertEqual((status, output.splitlines()[-1]), (0, f"nothing failed; the report is {self.output}/report.md"))
        self.assert_rows(("device", "the machine", "passed"), ("selftest", "bf16", "passed"), ("bench", "operations", "passed"))
        for text in ("## made up, compute capability 9.0", "cuDNN 9.19.0", "Revision 0123", "an operation agrees", "a step takes"):
            self.assertIn(text, self.report())
        self.assertIn("a step takes", (self.output / "logs" / "bench.txt").read_text())

    def test_no_device(self):
        self.make_up(state="not usable: there is no NVIDIA driver here")
        status, output = self.check()
        self.assertEqual(status, 1)
        self.assertRegex(output, r"error: .*no device: not usable: there is no NVIDIA driver here.*\n$")
        self.assertNotIn("selftest", self.report())

    def test_what_fails(self):
        """The rest runs; the report has the end of what the step printed."""
        self.make_up(selftest="echo it differs; exit 3")
        status, output = self.check("--stages", "selftest,bench")
        self.assertEqual(status, 1)
        self.assertIn("error: 3 of these failed", output)
        self.assert_rows(("selftest", "fp32", r"\*\*failed\*\* \(3\)"), ("bench", "train", "passed"))
        self.assertIn("**selftest: fp32**, the end of its output:\n\n```\nan operation agrees\nit differs\n```", self.report())

    def test_what_hangs(self):
        """It has its share of the time; what it printed until then is kept."""
        self.make_up(selftest="exec sleep 100")
        started = time.monotonic()
        status, _ = self.check("--stages", "selftest,bench", "--budget", 15)
        self.assertLess(time.monotonic() - started, 100, "three times would be 300 s")
        self.assertEqual(status, 1)
        self.assert_rows(("selftest", "bf16", r"\*\*failed\*\* \(its \d+ s are over\)"), ("bench", "train", "passed"))
        self.assertIn("an operation agrees", (self.output / "logs" / "selftest.txt").read_text())

    def test_killed(self):
        self.make_up(bench="exec sleep 30")
        for number, said in ((signal.SIGKILL, False), (signal.SIGTERM, True)):
            shutil.rmtree(self.output, ignore_errors=True)
            with self.start("--stages", "selftest,bench") as process:
                while not (self.output / "logs" / "bench.txt").exists():
                    time.sleep(0.05)
                process.send_signal(number)
                process.wait()
                process.stdout.close()
            self.assert_rows(("selftest", "DINOv3's shapes in bf16", "passed"))
            self.assertEqual("**interrupted**" in self.report(), said)

    def test_unknown_words(self):
        self.make_up()
        for flags in (("--stages", "bnech"), ("--budget", "soon"), ("--budget",), ("--fast",)):
            self.assertEqual(self.check(*flags)[0], 2, flags)


class Emulated(Check):
    def setUp(self):
        super().setUp()
        (self.programs / "tests").mkdir(parents=True)
        (self.programs / "dinoft").symlink_to(EMULATED)
        for line in (ROOT / "tests" / "gpu_check" / "programs.txt").read_text().splitlines():
            name = f"test_{line.split()[1]}"
            (self.programs / "tests" / name).symlink_to(EMULATED.parent / f"{name}_emulated")
        for name, text in (("nsys", NSYS), ("compute-sanitizer", SANITIZER), ("python", PYTHON), ("nvidia-smi", "#!/bin/sh\n")):
            write_program(self.tools / name, text)

    def test_to_the_end(self):
        """DINOFT_GPU_CHECK_STAGES names others than those that are quick in the emulation."""
        stages = os.environ.get("DINOFT_GPU_CHECK_STAGES", "bench,pytorch,profile,sanitizer")
        status, output = self.check("--small", "--stages", stages, "--budget", 3000, "--python", self.tools / "python")
        self.assertEqual(status, 0, output)
        self.assert_rows(("device", "the programs' libraries", "passed"), ("bench", "operations", "passed"),
                         ("pytorch", "comparison", "passed"), ("profile", "nsys: kernels", "passed"),
                         ("sanitizer", "racecheck: attention", "passed"))
        for text in ("## emulated device", "attention_forward", "PyTorch compiled bf16 autocast | 2.500 |", "a table of kernels"):
            self.assertIn(text, self.report())


if __name__ == "__main__":
    unittest.main()
