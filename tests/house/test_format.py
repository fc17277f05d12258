"""Every source looks as .clang-format says. Versions of clang-format differ, so it is one version that decides.

Usage: test_format.py SOURCE_FOLDER
"""
import pathlib
import shutil
import subprocess
import sys

VERSION = "14.0.6"  # as in scripts/install_dependencies.sh
SUFFIXES = (".c", ".h", ".cpp", ".cu", ".cuh")


def find_tool(root):
    """scripts/install_dependencies.sh --tests puts it into build-tools/ where the system has none of that version."""
    own = root / "build-tools" / f"clang-format-{VERSION}" / "clang_format" / "data" / "bin" / "clang-format"
    for tool in (str(own), shutil.which("clang-format"), shutil.which("clang-format-14")):
        if tool and pathlib.Path(tool).exists():
            said = subprocess.run([tool, "--version"], stdout=subprocess.PIPE, text=True, check=False).stdout
            if f"version {VERSION}" in said:
                return tool
    return None


def main():
    root = pathlib.Path(sys.argv[1])
    files = [str(path) for folder in ("include", "kernels", "src", "tests") for path in sorted((root / folder).rglob("*"))
             if path.suffix in SUFFIXES and root / "tests" / "fixtures" not in path.parents]
    tool = find_tool(root)
    if not tool:
        print(f"skipped: no clang-format {VERSION}; scripts/install_dependencies.sh --tests gets it")
        return 77
    status = subprocess.run([tool, "--style=file", "--dry-run", "-Werror", "--ferror-limit=1", *files], check=False).returncode
    print(f"{len(files)} files" + (f"; to mend them: {tool} -i FILE…" if status else ": all in order"))
    return status


sys.exit(main())
