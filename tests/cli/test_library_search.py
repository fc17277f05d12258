"""Where cuBLASLt and cuDNN are looked for: beside the program, where pip puts them, then where the system looks.

With library_search_probe in the program's place, and a library of its own under names that no system has."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from support import PROGRAM, main

STAND_IN = os.environ.get("DINOFT_STAND_IN", "")
NEW, OLD = "libdinoft_stand_in.so.13", "libdinoft_stand_in.so.12"
PACKAGES = "lib/python3.11/site-packages"


@unittest.skipUnless(STAND_IN, "for ctest, which says where the stand-in is")
class LibrarySearch(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="dinoft-test-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(os.path.realpath(temporary.name))
        self.system = self.folder / "system"
        self.system.mkdir()
        self.install("environment")

    def install(self, prefix):
        self.prefix = self.folder / prefix
        self.program = self.prefix / "bin" / "probe"
        self.program.parent.mkdir(parents=True)
        shutil.copy(PROGRAM, self.program)

    def put(self, folder, name=NEW):
        """A library that loads."""
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(STAND_IN, path)
        return path

    def put_package(self, name=NEW, package="cublas", packages=PACKAGES):
        return self.put(self.prefix / packages / "nvidia" / package / "lib", name)

    def search(self, program=None, **environment):
        """The probe's end, with the folder `system` as one of the system's."""
        plain = {name: value for name, value in os.environ.items() if name != "CONDA_PREFIX"}
        return subprocess.run(
            [program or self.program, NEW, OLD],
            env=dict(plain, LD_LIBRARY_PATH=str(self.system), LC_ALL="C", **environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=60,
        )

    def assert_found(self, path, program=None, **environment):
        result = self.search(program, **environment)
        self.assertEqual((result.returncode, result.stdout), (0, f"{path}\n"), result.stderr)

    def assert_not_found(self, *mentions):
        result = self.search()
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for mention in ("the stand-in", NEW, "nvidia/*/lib", "/usr/local/cuda/lib64", "LD_LIBRARY_PATH", *mentions):
            self.assertIn(str(mention), result.stderr)

    def test_nowhere(self):
        self.assert_not_found("the first try: libdinoft_stand_in.so.13: cannot open")

    def test_packages_of_each_kind(self):
        """CUDA 12's packages have a folder each, CUDA 13's share one; Debian's pip has names of its own."""
        for package, packages in (
            ("cublas", PACKAGES),
            ("cu13", PACKAGES),
            ("cudnn", "lib/python3.9/site-packages"),
            ("cu13", "lib64/python3.13/site-packages"),
            ("cu13", "lib/python3/dist-packages"),
        ):
            path = self.put_package(package=package, packages=packages)
            self.assert_found(path)
            path.unlink()

    def test_other_folders_are_left_alone(self):
        self.put(self.prefix / PACKAGES / "other" / "cublas" / "lib")
        self.put(self.prefix / PACKAGES / "nvidia" / "lib")
        self.put(self.prefix / "lib")
        self.put(self.folder / PACKAGES / "nvidia" / "cublas" / "lib")
        self.assert_not_found()

    def test_system(self):
        self.assert_found(self.put(self.system))

    def test_stays_loaded(self):
        """When the same is looked for again, as --device auto does, nothing is read anew."""
        self.put_package()
        self.assertEqual(self.search(COUNTED="yes").stderr, "loaded\n")

    def test_packages_come_first(self):
        self.put(self.system)
        self.assert_found(self.put_package())

    def test_newer_version_comes_first(self):
        """Also where it is in a later place."""
        old = self.put_package(OLD)
        self.assert_found(old)
        new = self.put(self.system)
        self.assert_found(new)
        self.assert_found(self.put_package(package="cu13"))

    def test_file_that_does_not_load(self):
        """The next place's is taken; where there is none, the error is about the file."""
        broken = self.put_package()
        broken.write_bytes(b"\x7fELF, not\n" * 100)
        self.assert_not_found(f"the first try: {broken}: ")
        self.assert_found(self.put_package(OLD))
        self.assert_found(self.put(self.system))
        self.assert_found(self.put_package(package="nextone"))

    def test_conda(self):
        """The active environment's own libraries and its Python packages, after what the loader finds."""
        conda = self.folder / "[conda]"
        package = self.put(conda / PACKAGES / "nvidia" / "cu13" / "lib")
        self.assert_not_found()
        self.assert_found(package, CONDA_PREFIX=str(conda))
        library = self.put(conda / "lib")
        self.assert_found(library, CONDA_PREFIX=str(conda))
        self.assert_found(self.put(self.system), CONDA_PREFIX=str(conda))

    def test_library_that_cannot_be_used(self):
        """The next one is tried, of the same name and then of the next; the error is about the first that loaded."""
        first = self.put_package()
        old = self.put(self.system, OLD)
        self.assert_found(old, REFUSED=NEW)
        second = self.put(self.system)
        self.assert_found(second, REFUSED="site-packages")
        result = self.search(REFUSED="libdinoft_stand_in")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertEqual(
            result.stderr, f"device cuda: the stand-in was found, but cannot be used: {first}: it was refused\n"
        )

    def test_strange_prefix(self):
        for prefix in ("with space", "a*b", "[x]", "qu?est", "back\\slash", "ünïcode"):
            self.install(prefix)
            self.assert_found(self.put_package())

    def test_program_behind_a_link(self):
        """As pipx leaves it in ~/.local/bin."""
        link = self.folder / "bin" / "probe"
        link.parent.mkdir()
        link.symlink_to(self.program)
        self.assert_found(self.put_package(), link)


if __name__ == "__main__":
    main()
