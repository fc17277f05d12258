#!/usr/bin/env python3
"""Writes the program's own list of commands and options into docs/options.md.

usage: scripts/update_options.py [--check] [PROGRAM=build/dinoft]

--check changes nothing and exits with 1 when the page is out of date (a test runs it)."""

import os
import subprocess
import sys

PAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "docs", "options.md")
HEAD = """# Options

<!-- written by scripts/update_options.py from the program's own table: dinoft --help_markdown -->

"""


def main(arguments):
    check = "--check" in arguments
    program = next((word for word in arguments if word != "--check"), os.path.join("build", "dinoft"))
    table = subprocess.run([program, "--help_markdown"], check=True, capture_output=True, text=True).stdout
    wanted = HEAD + table.strip() + "\n"
    with open(PAGE, encoding="utf-8") as file:
        if file.read() == wanted:
            return 0
    if check:
        print("error: docs/options.md does not list the program's options as they are: run scripts/update_options.py")
        return 1
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
