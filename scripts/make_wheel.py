#!/usr/bin/env python3
"""Makes a wheel of the archive that cpack makes, so that `pip install` puts the program on the PATH.

usage: scripts/make_wheel.py ARCHIVE.tar.gz [FOLDER=.]

The wheel has the archive's files and nothing of Python: bin/ becomes .data/scripts/, the rest .data/data/, and pip puts both
under the environment's prefix. Its tag names the C library that the program needs (PEP 600): the newest version that any of its
files asks for. The format: https://packaging.python.org/en/latest/specifications/binary-distribution-format/

`pip wheel .` builds the program from source and then does the same: this file is the build backend of pyproject.toml (PEP 517).
It needs CMake, a C compiler and the libraries of scripts/install_dependencies.sh, and no other package of Python.
"""
import base64
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

from elf_versions import is_elf, needed_versions

ROOT = pathlib.Path(__file__).resolve().parent.parent
ARCHIVE_NAME = re.compile(r"dinoft-(?P<version>[^-]+)-linux-(?P<machine>\w+)\.tar\.gz")
GLIBCXX_MOST = (3, 4, 29)  # what manylinux_2_34 allows, the oldest tag that Debian 12's libraries can have
EXECUTABLE, PLAIN = 0o100755 << 16, 0o100644 << 16
# PyTorch's wheels of CUDA 13 ask for the same two.
CUDA = ("nvidia-cublas>=13,<14", "nvidia-cudnn-cu13>=9.12,<10")


class UnsupportedOperation(Exception):
    """PEP 517's name for what a backend does not do."""


def platform_tag(files, machine):
    """manylinux_2_34_x86_64 of the program and the libraries that lie beside it."""
    programs = [path for path in files if is_elf(path)]
    newest = {name: max(version for path in programs for version in needed_versions(path, name) or [(0,)])
              for name in ("GLIBC", "GLIBCXX")}
    glibc = max(newest["GLIBC"][:2], (2, 34))
    if glibc == (2, 34) and newest["GLIBCXX"] > GLIBCXX_MOST:
        raise SystemExit(f"make_wheel.py: error: the program needs GLIBCXX_{'.'.join(map(str, newest['GLIBCXX']))}, "
                         "which systems with glibc 2.34 may not have")
    return f"manylinux_{glibc[0]}_{glibc[1]}_{machine}"


def metadata(version):
    lines = ["Metadata-Version: 2.1", "Name: dinoft", f"Version: {version}",
             "Summary: Fine-tunes DINOv2 and DINOv3 for semantic segmentation: one native program", "License: MIT",
             "Requires-Python: >=3.8", "Provides-Extra: cuda"]
    lines += [f'Requires-Dist: {package}; extra == "cuda"' for package in CUDA]
    lines += ["Description-Content-Type: text/markdown", "", (ROOT / "README.md").read_text(encoding="utf-8")]
    return "\n".join(lines)


class Wheel:
    """A zip file that lists each of its files with its digest."""

    def __init__(self, path, info):
        self.archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9)
        self.info = info
        self.record = []

    def add(self, name, content, attributes=PLAIN):
        entry = zipfile.ZipInfo(name)  # of 1980: the same files make the same wheel
        entry.external_attr = attributes
        entry.compress_type = zipfile.ZIP_DEFLATED
        self.archive.writestr(entry, content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        self.record.append(f"{name},sha256={digest},{len(content)}")

    def close(self):
        name = f"{self.info}/RECORD"
        self.add(name, "\n".join([*self.record, f"{name},,"]).encode() + b"\n")
        self.archive.close()


def make_wheel(archive, folder):
    """Writes the wheel into the folder, under its name when it is whole; returns the name."""
    match = ARCHIVE_NAME.fullmatch(archive.name)
    if not match:
        raise SystemExit(f"make_wheel.py: error: {archive.name}: expected dinoft-VERSION-linux-MACHINE.tar.gz, as cpack calls it")
    version = match["version"]
    with tempfile.TemporaryDirectory(dir=folder, prefix=".make_wheel-") as temporary:
        with tarfile.open(archive) as tar:
            tar.extractall(temporary)
        tree = pathlib.Path(temporary) / archive.name[: -len(".tar.gz")]
        files = sorted(path for path in tree.rglob("*") if path.is_file())
        tag = f"py3-none-{platform_tag(files, match['machine'])}"
        name = f"dinoft-{version}-{tag}.whl"
        wheel = Wheel(pathlib.Path(temporary) / name, f"dinoft-{version}.dist-info")
        for path in files:
            inside = path.relative_to(tree)
            kind, inside = ("scripts", inside.relative_to("bin")) if inside.parts[0] == "bin" else ("data", inside)
            wheel.add(f"dinoft-{version}.data/{kind}/{inside}", path.read_bytes(),
                      EXECUTABLE if os.access(path, os.X_OK) else PLAIN)
        wheel.add(f"{wheel.info}/METADATA", metadata(version).encode())
        wheel.add(f"{wheel.info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: dinoft\nRoot-Is-Purelib: false\nTag: {tag}\n".encode())
        wheel.close()
        os.replace(pathlib.Path(temporary) / name, folder / name)
    return name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """PEP 517. config_settings and metadata_directory have nothing to say here."""
    del config_settings, metadata_directory
    if not shutil.which("cmake"):
        raise SystemExit("make_wheel.py: error: cmake is not installed: scripts/install_dependencies.sh installs what is needed")
    with tempfile.TemporaryDirectory(prefix="dinoft-wheel-") as build:
        generator = ["-G", "Ninja"] if shutil.which("ninja") else []
        subprocess.run(["cmake", "-S", str(ROOT), "-B", build, *generator], check=True)
        subprocess.run(["cmake", "--build", build, "--parallel", str(os.cpu_count())], check=True)
        subprocess.run(["cpack", "-G", "TGZ"], cwd=build, check=True)
        return make_wheel(next(pathlib.Path(build, "packages").glob("*.tar.gz")), pathlib.Path(wheel_directory))


def build_sdist(sdist_directory, config_settings=None):
    """PEP 517."""
    raise UnsupportedOperation("dinoft is built from a clone of its repository")


def main(arguments):
    if len(arguments) not in (1, 2) or arguments[0].startswith("-"):
        print("usage: scripts/make_wheel.py ARCHIVE.tar.gz [FOLDER=.]", file=sys.stderr)
        return 2
    folder = pathlib.Path(arguments[1] if len(arguments) == 2 else ".")
    print(folder / make_wheel(pathlib.Path(arguments[0]), folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
