#!/usr/bin/env python3
"""Writes the program's own list of options into README.md, between the markers there.

usage: scripts/update_readme.py [--check] [PROGRAM=build/dinoft]

--check changes nothing and exits with 1 when the README is out of date (a test runs it)."""

import os
import subprocess
import sys

README = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "README.md")
START = "<!-- options: written by scripts/update_readme.py -->\n"
END = "<!-- end of options -->\n"


def main(arguments):
    check = "--check" in arguments
    program = next((word for word in arguments if word != "--check"), os.path.join("build", "dinoft"))
    table = subprocess.run([program, "--help_markdown"], check=True, capture_output=True, text=True).stdout
    with open(README, encoding="utf-8") as file:
        text = file.read()
    before, rest = text.split(START)
    after = rest.split(END)[1]
    current = before + START + "\n" + table.strip() + "\n\n" + END + after
    if current == text:
        return 0
    if check:
        print("README.md does not list the program's options as they are: run scripts/update_readme.py")
        return 1
    with open(README, "w", encoding="utf-8") as file:
        file.write(current)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
