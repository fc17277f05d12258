"""--quiet and --log_file."""
import os
import pty
import re
import subprocess

from support import DINOV2, PROGRAM, contents, environment, main, model_flags, read_terminal, start_program
from training import CLASSES, TrainingTest

TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d "
COMMANDS = "train eval corrupt corrupt-images predict features pca convert data info demo-data bench selftest".split()


def lines_of(path):
    """The file's lines without their times, which each must have."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert all(re.match(TIME + ".", line) for line in lines), lines
    return [re.sub("^" + TIME, "", line) for line in lines]


class Quiet(TrainingTest):
    def test_results_are_all_that_is_left(self):
        loud = self.train()
        quiet = self.train("--quiet", "--overwrite")
        self.assertNotEqual(loud.result.stderr, "")
        self.assertEqual(quiet.result.stderr, "")
        self.assertEqual(quiet.result.stdout, loud.result.stdout)
        self.assertRegex(quiet.result.stdout, "^epoch 1/1: ")

    def test_warnings_and_errors_are_shown(self):
        result = self.run_here("train", "--quiet", "--recipe", "reference-2025-08", "--min_lr", "1e-5", "--weights", "nowhere")
        self.assertEqual(result.status, 1)
        first, second = result.stderr.splitlines()
        self.assertIn("dinoft: warning: --min_lr changes nothing", first)
        self.assertIn("dinoft: error: --weights nowhere: ", second)

    def test_every_command_takes_both(self):
        for command in COMMANDS:
            text = self.succeed(command, "--help").stdout
            self.assertIn("  --quiet ", text, command)
            self.assertIn("  --log_file FILE ", text, command)


class LogFile(TrainingTest):
    def setUp(self):
        super().setUp()
        self.log = self.folder / "logs" / "run.log"

    def info(self, *flags, **options):
        return self.run_here("info", DINOV2.weights, "--log_file", self.log, *flags, **options)

    def test_lines(self):
        run = self.train("--log_file", self.log)
        lines = lines_of(self.log)
        shown = [re.sub("^dinoft: ", "", line) for line in run.result.stderr.splitlines()]
        self.assertRegex(lines[0], r"^dinoft [\d.]+ begins: .*--log_file ")
        self.assertEqual(lines[-1], "dinoft ends with status 0")
        results = run.result.stdout.splitlines()
        self.assertEqual(len(results), 1)
        self.assertEqual([line for line in lines[1:-1] if line not in results], shown)
        self.assertEqual(lines.count(results[0]), 1)
        self.assertTrue(any(line.startswith("epoch 1/1 2/2  loss ") for line in lines))

    def test_the_same_with_quiet_and_on_a_terminal(self):
        self.train("--log_file", self.log)
        numbers = re.compile(r"[\d.]+")
        expected = [numbers.sub("0", line) for line in lines_of(self.log)][1:]
        quiet = self.folder / "quiet.log"
        self.train("--log_file", quiet, "--quiet", "--overwrite")
        self.assertEqual([numbers.sub("0", line) for line in lines_of(quiet)][1:], expected)
        terminal = self.folder / "terminal.log"
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        command = self.train_command("--log_file", terminal, "--overwrite")
        process = start_program(*command, cwd=self.folder, stderr=slave)
        os.close(slave)
        shown = read_terminal(master)
        self.assertEqual(process.wait(timeout=60), 0)
        self.assertRegex(shown, r"\repoch 1/1 \[=")
        self.assertEqual([numbers.sub("0", line) for line in lines_of(terminal)][1:], expected)

    def test_lines_are_added(self):
        self.assertEqual(self.info().status, 0)
        before = self.log.read_text(encoding="utf-8")
        self.assertEqual(self.info().status, 0)
        after = self.log.read_text(encoding="utf-8")
        self.assertTrue(after.startswith(before))
        self.assertEqual(len(after.splitlines()), 2 * len(before.splitlines()))

    def test_errors(self):
        result = self.run_here("train", "--log_file", self.log, "--recipe", "reference-2025-08", "--min_lr", "1e-5", "--weights", "nowhere")
        lines = lines_of(self.log)
        self.assertIn("warning: --min_lr changes nothing", lines[1])
        self.assertEqual("dinoft: " + lines[2], result.stderr.splitlines()[-1])
        self.assertEqual(lines[3], "dinoft ends with status 1")

    def test_what_is_no_log_is_left_alone(self):
        (self.folder / "notes.txt").write_text("2026-01-01 something else, longer than a time\n")
        (self.folder / "short.txt").write_text("2026-01-01")
        before = contents(self.folder)
        for name in ("notes.txt", "short.txt", DINOV2.weights):
            self.refused("info", DINOV2.weights, "--log_file", name, mentions=["--log_file", name, "is no log"])
        self.refused("info", DINOV2.weights, "--log_file", "data", mentions=["--log_file", "data", "directory"])
        self.refused("info", DINOV2.weights, "--log_file", "notes.txt/log", mentions=["--log_file", "notes.txt"])
        self.assertEqual(contents(self.folder), before)

    def test_an_empty_file_becomes_one(self):
        self.log.parent.mkdir()
        self.log.touch()
        self.assertEqual(self.info().status, 0)
        self.assertEqual(len(lines_of(self.log)), 2)

    def test_no_output_takes_its_place(self):
        self.train("--exp_name", "run")
        measure = ["eval", "--lora_weights", "output/run.pt", *self.folder_flags(), *model_flags(DINOV2)]
        measure += ["--log_file", "both.json"]
        self.refused(*measure, "--metrics_json", "both.json", mentions=["both.json", "--log_file"])
        self.refused("convert", DINOV2.weights, "a.safetensors", "--log_file", "a.safetensors",
                     mentions=["a.safetensors", "--log_file"])
        self.assertEqual(lines_of(self.folder / "both.json")[-1], "dinoft ends with status 1")

    def test_a_file_without_space(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        result = self.run_here("info", DINOV2.weights, "--log_file", "/dev/full")
        self.assertEqual(result.status, 0)
        self.assertRegex(result.stderr, r"\Adinoft: warning: the log file lacks lines from here on: .*\n\Z")

    def test_two_programs_at_once(self):
        command = [PROGRAM, "info", str(DINOV2.weights), "--log_file", str(self.log)]
        programs = [subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL) for _ in range(8)]
        self.assertEqual([program.wait(timeout=60) for program in programs], [0] * 8)
        lines = lines_of(self.log)
        self.assertEqual(len(lines), 16)
        self.assertEqual(lines.count("dinoft ends with status 0"), 8)

    def test_another_run_s_configuration_does_not_bring_it(self):
        self.train("--log_file", self.log, "--quiet")
        before = self.log.read_bytes()
        again = self.run_here("train", "--config", "output/run_config.json", "--exp_name", "again")
        self.assertEqual(again.status, 0, again.stderr)
        self.assertIn(f"{CLASSES} classes", again.stderr)
        self.assertEqual(self.log.read_bytes(), before)


if __name__ == "__main__":
    main()
