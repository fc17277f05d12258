#!/usr/bin/env python3
"""Makes pieces.h: what OpenCV and scipy make of pictures from formulas, for the tests of single steps. pictures.c
has the same formulas.

Needs numpy, scipy and opencv-python 4; run from this folder. OpenCV computes with its own arithmetic here: the Intel
library inside its packages rounds bicubic sums and hues differently now and then.
"""
import pathlib

import cv2
import numpy as np
from scipy import ndimage

HEIGHT, WIDTH = 45, 62


def fnv(array):
    value = 0xCBF29CE484222325
    for byte in np.ascontiguousarray(array).tobytes():
        value = ((value ^ byte) * 0x100000001B3) & (2**64 - 1)
    return value


def rings(height=HEIGHT, width=WIDTH):
    """Slopes with edges between them."""
    y, x = np.mgrid[0:height, 0:width]
    return ((x * x + 2 * y * y) // 6 % 256).astype(np.uint8)


def colours(height=HEIGHT, width=WIDTH):
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return ((x * x * (c + 1) + y * x * 5 + y * y * 7) // 8 + c * 83).astype(np.uint8)


def offsets(factor_x, factor_y):
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return ((x * factor_x + y * factor_y) % 83 - 41).astype(np.float32) * np.float32(0.37)


def waves(height, width):
    y, x = np.mgrid[0:height, 0:width]
    return ((x * 31 + y * 17) % 64 - 32) / 32


def grey_hashes():
    picture = rings()
    emboss = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])
    distance = np.minimum(cv2.distanceTransform(255 - cv2.Canny(picture, 50, 150), cv2.DIST_L2, 5), 20)
    yield "canny", fnv(cv2.Canny(picture, 50, 150))
    yield "box", fnv(cv2.blur(picture, (3, 3)))
    yield "filter", fnv(cv2.filter2D(picture, cv2.CV_8U, emboss))
    yield "equalized", fnv(cv2.equalizeHist(picture // 3 + 40))
    yield "box_of_distances", fnv(cv2.blur(np.round(distance), (3, 3)).astype(np.uint8))


def colour_hashes():
    i = np.arange(20000)
    rgb = np.stack([i * 7, i * i * 3 // 16, i * 29], 1).astype(np.uint8)[None]
    hls = np.stack([i % 181, i * 7, i * 13 // 11], 1).astype(np.uint8)[None]
    yield "hls", fnv(cv2.cvtColor(rgb, cv2.COLOR_RGB2HLS))
    yield "rgb", fnv(cv2.cvtColor(hls, cv2.COLOR_HLS2RGB))
    for name, (height, width) in (("enlarged", (50, 69)), ("doubled", (97, 131))):
        whole = cv2.resize(colours(), (width, height), interpolation=cv2.INTER_CUBIC)
        yield name, fnv(whole)
        yield f"{name}_cut", fnv(whole[3:40, 5:49])


def warp_hashes():
    before = np.float32([[42, 51], [42, 11], [2, 11]])
    after = np.float32([[45.25, 40.5], [36.75, 17.125], [-3.5, 9.0]])
    matrix = cv2.getAffineTransform(before, after)
    maps = [np.float32(place + offset) for place, offset in
            zip(np.mgrid[0:HEIGHT, 0:WIDTH][::-1], (offsets(7, 3), offsets(5, 11)))]
    for name, method in (("linear", cv2.INTER_LINEAR), ("nearest", cv2.INTER_NEAREST)):
        for kind, picture in (("colours", colours()), ("grey", rings())):
            turned = cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), flags=method, borderMode=cv2.BORDER_REFLECT_101)
            yield f"affine_{name}_{kind}", fnv(turned)
            yield f"offsets_{name}_{kind}", fnv(cv2.remap(picture, *maps, interpolation=method,
                                                          borderMode=cv2.BORDER_REFLECT_101))


def floats(name, values):
    yield f"static const float {name}[] = {{"
    for start in range(0, len(values), 8):
        yield "    " + ", ".join(f"{value:.6f}f" for value in values[start:start + 8]) + ","
    yield "};"


def main():
    cv2.setUseOptimized(False)
    lines = ["/* Written by make_pieces.py: what OpenCV and scipy make of the pictures of pictures.c. */",
             "#ifndef TESTS_CORRUPTIONS_PIECES_H", "#define TESTS_CORRUPTIONS_PIECES_H", "", "#include <stdint.h>", "",
             "/* FNV-1a of the bytes. */"]
    for hashes in (grey_hashes(), colour_hashes(), warp_hashes()):
        lines += [f"static const uint64_t {name}_hash = 0x{value:016x}u;" for name, value in hashes]
    distance = cv2.distanceTransform(255 - cv2.Canny(rings(), 50, 150), cv2.DIST_L2, 5)
    smooth = ndimage.gaussian_filter(waves(24, 40), (1.5, 2.5), mode="reflect", truncate=3)
    lines += ["", "/* Every 23rd value. */", *floats("distances", np.minimum(distance, 20).ravel()[::23])]
    lines += ["", "/* Every 7th value. */", *floats("smoothed", smooth.ravel()[::7])]
    pathlib.Path(__file__).with_name("pieces.h").write_text("\n".join(lines + ["", "#endif", ""]))


if __name__ == "__main__":
    main()
