"""Two runs with one name: the second is refused, whoever is in the middle of what."""

import signal
import socket

from interrupting import InterruptTest
from support import DINOV2, LINEAR, TIMEOUT, contents, folder_data, leftovers, main, model_flags



class TwoRuns(InterruptTest):
    def finished_files(self):
        """A temporary file that the first run has made and not yet locked may go: the run makes another then."""
        return {name: held for name, held in contents(self.folder).items() if not name.endswith(".tmp")}

    def check_refused(self, command, name, folder, process):
        """And nothing is changed."""
        before = self.finished_files()
        line = self.refused(*command, mentions=[f"the run '{name}' in {folder} is being written by"])
        self.assertIn(f"process {process.pid} on host {socket.gethostname()} since 20", line)
        self.assertIn("give --exp_name or --output_dir another", line)
        self.assertEqual(self.finished_files(), before)


class Training(TwoRuns):
    def start_run(self, *flags):
        """It stands still in the middle of an epoch."""
        process = self.start(self.train_command("--epochs", 100000, "--batch_size", 1, "--use_lora", *flags))
        self.wait_for(process, r"^epoch 1/\d+ 1/")
        self.assertTrue(self.stop(process))
        return process

    def test_the_second_is_refused(self):
        process = self.start_run()
        self.check_refused(self.train_command(), "run", "output", process)
        self.train(output="elsewhere")
        self.succeed(*self.train_command("--exp_name", "other"))
        stderr = self.go_on(process, signal.SIGINT)
        self.assertEqual(process.returncode, 130, stderr)
        run = self.read_run()
        self.assertEqual([int(row["step"]) for row in run.steps], list(range(1, len(run.steps) + 1)))
        self.assertEqual(leftovers(self.folder), [])
        self.train()

    def test_names_with_folders(self):
        process = self.start_run("--exp_name", "inner/run")
        self.check_refused(self.train_command("--exp_name", "inner/run"), "inner/run", "output", process)
        self.check_refused(
            self.train_command("--output_dir", "output/inner"), "run", "output/inner", process
        )
        self.train()

    def test_a_killed_run_does_not_block_the_next(self):
        """It may have been killed while it wrote a file: that one's temporary file goes with the next run."""
        process = self.start_run()
        process.kill()
        process.wait(timeout=TIMEOUT)
        self.assertIn(".dinoft-run.lock", leftovers(self.folder / "output"))
        self.train()
        self.assertEqual(leftovers(self.folder), [])

    def test_a_run_that_fails_leaves_no_lock(self):
        self.refused(*self.train_command("--weights", "missing.pt"), mentions=["missing.pt"])
        self.assertEqual(leftovers(self.folder), [])

    def test_many_at_once(self):
        """One of them trains, whichever comes first."""
        processes = [self.start(self.train_command("--epochs", 3)) for _ in range(4)]
        ends = [(process.stderr.read(), process.wait(timeout=TIMEOUT)) for process in processes]
        for stderr, status in ends:
            if status != 0:
                self.assertEqual(status, 1)
                self.assertIn("is being written by", stderr)
        self.assertIn(0, [status for _, status in ends])
        self.assertEqual(len(self.read_run().steps), 6)
        self.assertEqual(leftovers(self.folder), [])


class Corrupting(TwoRuns):
    def command(self, *flags):
        return [
            "corrupt",
            *folder_data(self.data),
            *model_flags(DINOV2),
            *["--lora_weights", LINEAR, "--output_dir", "out", "--corruptions", "contrast", *flags],
        ]

    def test_the_second_is_refused(self):
        process = self.start(self.command())
        self.wait_for(process, r"^2/6 contrast 1 ")
        self.assertTrue(self.stop(process))
        name = "after5_lora_linear_corruptions"
        self.check_refused(self.command(), name, "out", process)
        self.check_refused(self.command("--restart"), name, "out", process)
        self.succeed(*self.command("--exp_name", "other"))
        stderr = self.go_on(process)
        self.assertEqual(process.returncode, 0, stderr)
        found, other = (
            self.read_json(f"out/{stem}_corruptions.json")
            for stem in ("after5_lora_linear", "other")
        )
        self.assertEqual(found, other)
        self.assertEqual(leftovers(self.folder), [])
        self.assertIn("cells of out/", self.succeed(*self.command()).stderr)


if __name__ == "__main__":
    main()
