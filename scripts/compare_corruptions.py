#!/usr/bin/env python3
"""Measures dinoft's corruptions against the Python package imagecorruptions on this machine, alternating, in one run, and
writes docs/benchmarks/corruptions.md.

usage: scripts/compare_corruptions.py [--severity N] [--rounds N] [--size W H] [--corruptions NAME ...]
                                      [--frost_dir DIR] [--output FILE] [--program build/tests/corruption_timing]

Both corrupt one picture (of the tests, enlarged to W x H) from bytes in memory to bytes in memory, in processes that stay;
each round measures both once for every corruption, after a first round that does not count. The package and the versions
that it works with (Python 3.9 to 3.11) go into a virtual environment of their own, build/corruptions-venv. In FILE the
part between two markers is replaced; the rest stays."""

import argparse
import os
import statistics
import subprocess
import sys

from comparison import ROOT, Worker, processor, venv_python, write_between_markers

PACKAGES = ["numpy==1.25.2", "scipy==1.10.1", "scikit-image==0.20.0", "opencv-python-headless==4.10.0.84", "pillow",
            "setuptools<81"]
PACKAGE = ["--no-deps", "imagecorruptions==1.1.2"]  # it asks for the OpenCV that needs a display's libraries
CONTESTANT = os.path.join(ROOT, "scripts", "corruption_contestant.py")
PICTURE = os.path.join(ROOT, "tests", "fixtures", "corruptions", "koala_320x256.png")
START = "<!-- measured: written by scripts/compare_corruptions.py -->\n"
END = "<!-- end of what was measured -->\n"
NAMES = ["gaussian_noise", "shot_noise", "impulse_noise", "defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "snow",
         "frost", "fog", "brightness", "contrast", "elastic_transform", "pixelate", "jpeg_compression", "speckle_noise",
         "gaussian_blur", "spatter", "saturate"]


def python():
    return venv_python("corruptions-venv", PACKAGES, PACKAGE)


def enlarged_picture(size):
    """The path of the tests' picture at that size."""
    path = os.path.join(ROOT, "build", f"corruptions-{size[0]}x{size[1]}.png")
    code = "import sys; from PIL import Image; Image.open(sys.argv[1]).resize((int(sys.argv[3]), int(sys.argv[4])), " \
           "Image.BICUBIC).save(sys.argv[2])"
    subprocess.run([python(), "-c", code, PICTURE, path, *map(str, size)], check=True)
    return path


def compare(arguments, names):
    """Seconds of dinoft and of the package for each name, medians over the rounds."""
    picture, severity = enlarged_picture(arguments.size), str(arguments.severity)
    frost = [arguments.frost_dir] if "frost" in names else []
    both = [Worker("dinoft", [arguments.program, picture, severity, *frost]),
            Worker("imagecorruptions", [python(), CONTESTANT, picture, severity])]
    seconds = {name: ([], []) for name in names}
    for number in range(arguments.rounds + 1):
        for name in names:
            print(f"round {number}/{arguments.rounds}: {name}", file=sys.stderr)
            for worker, measured in zip(both, seconds[name]):
                measured.append(float(worker.ask(name)))
    for worker in both:
        worker.close()
    return {name: [statistics.median(values[1:]) for values in pair] for name, pair in seconds.items()}


def row(name, ours, theirs):
    return f"| {name} | {1e3 * ours:.2f} | {1e3 * theirs:.1f} | {theirs / ours:.1f} |"


def report(arguments, names):
    medians = compare(arguments, names)
    sums = [sum(pair[side] for pair in medians.values()) for side in range(2)]
    code = "import cv2, numpy, skimage; print(numpy.__version__, skimage.__version__, cv2.__version__)"
    versions = subprocess.run([python(), "-c", code], check=True, capture_output=True, text=True).stdout.split()
    lines = [f"## {processor()}, {os.cpu_count()} cores; imagecorruptions 1.1.2 with NumPy {versions[0]}, scikit-image "
             f"{versions[1]}, OpenCV {versions[2]}", "",
             f"{arguments.size[0]} x {arguments.size[1]} pixels, severity {arguments.severity}; medians of {arguments.rounds} "
             "rounds. dinoft on one thread, the package's libraries on as many as they take.", "",
             "| corruption | dinoft, ms | imagecorruptions, ms | faster by |", "| --- | --- | --- | --- |"]
    lines += [row(name, *pair) for name, pair in medians.items()]
    lines.append(row(f"all {len(names)}", *sums))
    if len(names) < len(NAMES):
        lines += ["", f"Without {', '.join(name for name in NAMES if name not in names)}."]
    return "\n".join(lines + [""])


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--severity", type=int, default=3, choices=range(1, 6))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", type=int, nargs=2, default=[500, 375], metavar=("W", "H"))
    parser.add_argument("--frost_dir", default=os.path.join(ROOT, "weights", "frost"),
                        help="the photographs that scripts/get_frost.py fetches; without them frost is left out")
    parser.add_argument("--corruptions", nargs="+", choices=NAMES, default=NAMES, metavar="NAME")
    parser.add_argument("--program", default=os.path.join(ROOT, "build", "tests", "corruption_timing"))
    parser.add_argument("--output", default=os.path.join(ROOT, "docs", "benchmarks", "corruptions.md"),
                        help="the file whose measured part is replaced")
    return parser.parse_args()


def main():
    arguments = parse()
    os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
    names = [name for name in arguments.corruptions if name != "frost" or os.path.isdir(arguments.frost_dir)]
    text = report(arguments, names)
    print(text)
    write_between_markers(arguments.output, START, END, text)


if __name__ == "__main__":
    main()
