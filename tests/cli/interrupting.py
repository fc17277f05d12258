"""Programs that do not come to their end by themselves."""

import contextlib
import os
import re
import signal
import subprocess
import time

from datasets import draw_scene
from png_files import write_png
from support import TIMEOUT, start_program
from training import TrainingTest


class InterruptTest(TrainingTest):
    def start(self, command, **options):
        process = start_program(*command, cwd=self.folder, stderr=subprocess.PIPE, text=True, **options)
        self.addCleanup(process.stderr.close)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
            process.wait()

    def interrupt_at(self, process, pattern, number=signal.SIGINT):
        """Sends the signal when a line of stderr matches; all of stderr."""
        seen = []
        for line in process.stderr:
            seen.append(line)
            if re.search(pattern, line):
                process.send_signal(number)
                break
        seen.append(process.stderr.read())
        process.wait(timeout=TIMEOUT)
        return "".join(seen)

    def many_images(self, number):
        """Names of one picture, enough of them to be interrupted among."""
        picture, mask = draw_scene("many", 60, 48, 4)
        root = self.folder / "many"
        for part, content in (("images", picture), ("masks", mask)):
            folder = root / part / "val"
            folder.mkdir(parents=True)
            write_png(folder / "0000.png", content)
            for i in range(1, number):
                (folder / f"{i:04}.png").symlink_to("0000.png")
        return root

    def wait_for(self, process, pattern):
        """Reads stderr until a line matches."""
        seen = []
        for line in process.stderr:
            seen.append(line)
            if re.search(pattern, line):
                return
        self.fail("".join(seen))

    def go_on(self, process, *numbers):
        """Sends signals to a program that stands still: it meets them before it does anything else. All of stderr."""
        for number in numbers:
            process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        stderr = process.stderr.read()
        process.wait(timeout=TIMEOUT)
        return stderr

    def stop(self, process):
        """The program stands still when this returns; False if it has ended before."""
        process.send_signal(signal.SIGSTOP)
        # Not reaped: that is left to the process object.
        state = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        return state.si_code == os.CLD_STOPPED

    def is_writing(self, below):
        for path in self.folder.rglob(".dinoft-*.tmp"):
            with contextlib.suppress(FileNotFoundError):  # just renamed
                if 0 < path.stat().st_size < below:
                    return True
        return False

    def stop_while_writing(self, command, below, **options):
        """The program, standing still while it writes a temporary file, before that has `below` bytes. It may be too
        fast to be met there: then it is started again."""
        for _ in range(20):
            process = self.start(command, **options)
            while process.poll() is None and not self.is_writing(below):
                time.sleep(0.0005)
            if process.poll() is None and self.stop(process) and self.is_writing(below):
                return process
            self.go_on(process)
        self.fail("the program was never met while it wrote")
