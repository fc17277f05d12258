"""What runs leave in folders when they end badly: nothing, or what the next run removes."""

import json
import os
import signal
import struct

from interrupting import InterruptTest
from support import TIMEOUT, files_in, leftovers, main

MEBIBYTE = 1 << 20
LARGE = 128 * MEBIBYTE
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def write_weights(path, size):
    """A safetensors file of one tensor of zeros, which take no space on the disk."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}).encode()
    header += b" " * (-len(header) % 8)
    with open(path, "wb") as stream:
        stream.write(struct.pack("<Q", len(header)) + header)
        stream.truncate(8 + len(header) + size)


class Killed(InterruptTest):
    FLAGS = ["--cache_features", "file", "--img_dim", 490, 490]

    def start_features(self, *flags):
        """A run whose temporary file, as large as all features, is being filled."""
        process = self.start(self.train_command("--batch_size", 1, *self.FLAGS, *flags))
        self.wait_for(process, r"^features 1/")
        return process

    def temporaries(self):
        return sorted(path.name for path in (self.folder / "output").glob(".dinoft-*.tmp"))

    def test_the_next_run_removes_what_is_left(self):
        process = self.start_features()
        process.kill()
        process.wait(timeout=TIMEOUT)
        self.assertEqual(len(self.temporaries()), 1)
        self.assertRegex(self.temporaries()[0], r"^\.dinoft-[0-9a-f]{16}-[0-9a-f]{16}\.tmp$")
        run = self.train(*self.FLAGS)
        self.assertRegex(run.result.stderr, r"dinoft: removed 1 temporary file \(\d+\.\d MiB\) that killed runs left in output\n")
        self.assertEqual(leftovers(self.folder), [])

    def test_another_run_leaves_what_is_in_use(self):
        process = self.start_features("--exp_name", "slow")
        self.assertTrue(self.stop(process))
        before = self.temporaries()
        self.assertEqual(len(before), 1)
        self.assertNotIn("removed", self.train().result.stderr)
        self.assertEqual(self.temporaries(), before)
        stderr = self.go_on(process)
        self.assertEqual(process.returncode, 0, stderr)
        self.assertTrue((self.folder / "output" / "slow_features.cache").exists())
        self.assertEqual(leftovers(self.folder), [])

    def test_remains_of_earlier_builds(self):
        """Their names were used up after a thousand, for process 1 of a container for ever."""
        folder = self.folder / "output"
        folder.mkdir()
        fresh, old = (folder / f".dinoft-1-{i}.tmp" for i in range(2))
        for path in fresh, old:
            path.write_text("half")
        os.utime(old, (1e9, 1e9))
        self.train()
        self.assertEqual(leftovers(self.folder), [fresh.name])


class Signals(InterruptTest):
    def check_gone(self, process, stderr, number):
        self.assertEqual(process.returncode, -number, stderr)
        self.assertEqual(leftovers(self.folder), [])

    def test_convert(self):
        write_weights(self.folder / "w.safetensors", LARGE)
        before = files_in(self.folder)
        for number in SIGNALS:
            process = self.stop_while_writing(["convert", "w.safetensors", "out.pt"], LARGE)
            self.check_gone(process, self.go_on(process, number), number)
            self.assertEqual(files_in(self.folder), before)

    def test_demo_data(self):
        command = ["demo-data", "--data_root", "demo", "--train_images", 2000, "--val_images", 1]
        for number in SIGNALS:
            process = self.stop_while_writing(command, MEBIBYTE)
            self.check_gone(process, self.go_on(process, number), number)

    def test_a_second_one_ends_training_at_once(self):
        command = self.train_command("--batch_size", 1, *Killed.FLAGS)
        process = self.start(command)
        self.wait_for(process, r"^features 1/")
        self.assertTrue(self.stop(process))
        self.assertEqual(len(leftovers(self.folder)), 2, "the features, and the run's lock")
        stderr = self.go_on(process, signal.SIGINT, signal.SIGTERM)
        self.assertEqual(process.returncode, 130, stderr)
        self.assertEqual(leftovers(self.folder), [])

    def test_one_that_is_ignored_stays_so(self):
        write_weights(self.folder / "w.safetensors", LARGE)
        command = ["convert", "w.safetensors", "out.pt"]
        ignoring = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
        process = self.stop_while_writing(command, LARGE, preexec_fn=ignoring)
        self.assertEqual(self.go_on(process, signal.SIGHUP), "")
        self.assertEqual(process.returncode, 0)
        self.assertEqual(leftovers(self.folder), [])


class ShortenedWeights(InterruptTest):
    def test_while_they_are_converted(self):
        """The file is mapped: what the system calls a bus error is told as one of the file."""
        for out in "out.pt", "out.safetensors":
            write_weights(self.folder / "w.safetensors", LARGE)
            process = self.stop_while_writing(["convert", "w.safetensors", out], LARGE // 2)
            os.truncate(self.folder / "w.safetensors", 4096)
            stderr = self.go_on(process)
            self.assertEqual(process.returncode, 1, stderr)
            self.assertRegex(stderr, r"^\ndinoft: error: cannot read w\.safetensors: the file became shorter .*\n$")
            self.assertEqual(leftovers(self.folder), [])
            self.assertFalse((self.folder / out).exists())


if __name__ == "__main__":
    main()
