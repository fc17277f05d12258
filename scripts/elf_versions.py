#!/usr/bin/env python3
"""Says which versions of the C and C++ libraries the programs and libraries of a folder ask for.

usage: scripts/elf_versions.py FOLDER [GLIBC=2.35] [GLIBCXX=3.4.30]

Exit status 1, with a line for each, if one asks for a newer version; the two that are usual are Ubuntu 22.04's. Other libraries that
a file needs have to lie in the folder too, but for what belongs to the system and to the driver."""
import os
import pathlib
import re
import subprocess
import sys

SYSTEM = re.compile(r"(ld-linux.*|lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s|cuda))\.so\.\d+")


def private_headers(path):
    command = ["objdump", "--private-headers", str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def needed_versions(path, name):
    """The versions `name` (GLIBC, GLIBCXX) that the loader has to find before it starts a file, as tuples."""
    _, _, references = private_headers(path).partition("Version References:")
    versions = [tuple(map(int, version.split("."))) for version in re.findall(rf"\b{name}_([0-9.]+)", references)]
    if name == "GLIBC" and "GLIBC_ABI_DT_RELR" in references:
        versions.append((2, 36))
    return versions


def needed_libraries(path):
    return re.findall(r"^ *NEEDED +(\S+)", private_headers(path), re.MULTILINE)


def complaints(folder, most):
    """A line for each version that is too new, and each library that is not there. most: versions by name."""
    programs = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink() and is_elf(path)]
    if not programs:
        yield f"{folder} holds no program"
    there = {path.name for path in programs}
    for path in programs:
        for name, limit in most.items():
            newest = max(needed_versions(path, name), default=(0,))
            if newest > limit:
                yield f"{path} asks for {name}_{'.'.join(map(str, newest))}, newer than {'.'.join(map(str, limit))}"
        for library in needed_libraries(path):
            if library not in there and not SYSTEM.fullmatch(library):
                yield f"{path} needs {library}, which is not in {folder}"


def main(arguments):
    if not 1 <= len(arguments) <= 3 or arguments[0].startswith("-"):
        print("usage: scripts/elf_versions.py FOLDER [GLIBC=2.35] [GLIBCXX=3.4.30]", file=sys.stderr)
        return 2
    limits = arguments[1:] + ["2.35", "3.4.30"][len(arguments) - 1:]
    most = dict(zip(("GLIBC", "GLIBCXX"), (tuple(map(int, limit.split("."))) for limit in limits)))
    lines = list(complaints(pathlib.Path(arguments[0]), most))
    for line in lines:
        print(f"elf_versions.py: error: {line}", file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
