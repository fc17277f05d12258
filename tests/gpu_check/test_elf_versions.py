"""scripts/elf_versions.py, on the built program (DINOFT) in a folder of its own, and with all that it loads beside it."""

import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "elf_versions.py"
PROGRAM = pathlib.Path(os.environ["DINOFT"])
SYSTEMS = ("libc.", "libm.", "libstdc++.", "libgcc_s.")


class ElfVersions(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def complaints(self, *limits):
        result = subprocess.run([sys.executable, SCRIPT, self.folder, *limits], capture_output=True, text=True, check=False)
        lines = result.stderr.splitlines()
        self.assertEqual(result.returncode, 1 if lines else 0)
        return lines

    def test_an_empty_folder(self):
        self.assertIn("holds no program", self.complaints()[0])

    def test_a_program_alone(self):
        """Each library that it loads is missed; a version that is newer than asked for is named."""
        shutil.copy(PROGRAM, self.folder)
        missed = self.complaints("99", "99")
        self.assertTrue(any("needs libdnnl.so" in line for line in missed), missed)
        self.assertFalse(any("needs libc.so" in line or "asks for" in line for line in missed), missed)
        self.assertRegex(self.complaints("2.2.5", "99")[0], r"dinoft asks for GLIBC_2\.\d+, newer than 2\.2\.5$")

    def test_with_its_libraries(self):
        """In folders below, the program's too. Built with Debian 12's glibc, all of it runs on Ubuntu 22.04."""
        for folder in ("bin", "lib"):
            (self.folder / folder).mkdir()
        shutil.copy(PROGRAM, self.folder / "bin")
        listed = subprocess.run(["ldd", PROGRAM], capture_output=True, text=True, check=True).stdout
        for line in listed.splitlines():
            name, _, place = line.partition(" => ")
            if place and not name.strip().startswith(SYSTEMS):
                shutil.copy(place.split()[0], self.folder / "lib" / name.strip())
        self.assertEqual(self.complaints("99", "99"), [])
        if tuple(map(int, platform.libc_ver()[1].split("."))) <= (2, 36):
            self.assertEqual(self.complaints(), [])


if __name__ == "__main__":
    unittest.main()
