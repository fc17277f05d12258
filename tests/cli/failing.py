"""Runs a command again and again while other allocations fail: what the test of the commands' memory shares."""

import collections
import os
import pathlib
import shutil
import subprocess
import tempfile

from support import PROGRAM, contents, environment, error_lines

LIBRARY = os.environ.get("DINOFT_FAILING_PROGRAM")  # tests/support/failing_program.c
SECONDS = 60  # a run that takes longer hangs
FOREVER = 1 << 40

# status: of the exit, or the negative number of a signal. calls: of allocation functions; -1 after a signal.
Outcome = collections.namedtuple("Outcome", "status calls stdout stderr files")


class FailingProgram:
    """One command line, whose runs are copies of one process; their folder is emptied for each."""

    def __init__(self, folder, *arguments):
        self.folder = pathlib.Path(folder)
        self.work = self.folder / "work"
        self.links = tempfile.TemporaryDirectory(prefix="dinoft-preload-")  # the loader takes no path with a space
        library = pathlib.Path(self.links.name) / "library.so"
        library.symlink_to(pathlib.Path(LIBRARY).absolute())
        self.process = subprocess.Popen(
            [PROGRAM, *map(str, arguments)],
            env=dict(
                environment(),
                LD_PRELOAD=str(library),
                DINOFT_FAILING_PROGRAM=str(SECONDS),
                MALLOC_PERTURB_="165",  # blocks hold this byte until they are written to, and once they are freed
                OMP_NUM_THREADS="1",
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def close(self):
        self.process.communicate()
        self.links.cleanup()

    def run(self, first, number=1):
        """The outcome when `number` allocations from the `first` on fail."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()
        self.process.stdin.write(f"{first} {number} {self.folder}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if len(answer) != 2:
            raise RuntimeError(f"{LIBRARY} does not work with {PROGRAM}: {self.process.stderr.read()}")
        status = int(answer[0])
        return Outcome(
            os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status),
            int(answer[1]),
            (self.folder / "stdout").read_text(),
            (self.folder / "stderr").read_text(),
            contents(self.work),
        )


def misbehaviour(outcome):
    """What no run may do, whatever it writes; None if it did nothing of that kind."""
    errors = error_lines(outcome.stderr)
    if any(pathlib.Path(name).name.startswith(".dinoft-") for name in outcome.files):
        return f"leaves {sorted(outcome.files)}"
    if outcome.status == 0:
        return f"succeeds with an error: {outcome.stderr}" if errors else None
    if outcome.status != 1:
        return f"ends with {outcome.status}: {outcome.stderr[-500:]}"
    if len(errors) != 1 or outcome.stderr.splitlines()[-1] != errors[0] or len(errors[0]) < 30:
        return f"has no error line at its end: {outcome.stderr[-500:]!r}"
    return None
