#!/usr/bin/env python3
"""Makes blur_goldens.h: what the packages' filters and blurs make of pictures from a formula.

Needs imagecorruptions 1.1.2, albumentations 1.3.1 and what they need; run from this folder. The packages'
functions are called with the numbers that dinoft draws, so that results are the same to the byte. On processors
with AVX-512 NumPy has an exp of its own that differs in the last bit: NPY_DISABLE_CPU_FEATURES switches it off.
"""
import struct
import unittest.mock

import cv2
import numpy as np
import imagecorruptions.corruptions as imagenet_c
from albumentations.augmentations.blur import functional
from scipy import ndimage

MASK = 2**64 - 1
SEEDS, NAME = 4, "formula"
LINES_SIZE = 7
SIZES = ((37, 45), (32, 33))
GLASS = ((0.7, 1, 2), (0.9, 2, 1), (1.0, 2, 3), (1.1, 3, 2), (1.5, 4, 2))
MODES = {"nearest": "BORDER_NEAREST", "reflect": "BORDER_REFLECT", "mirror": "BORDER_REFLECT_101"}


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def folded(array):
    value = fnv(array.tobytes())
    return f"0x{(value ^ value >> 32) & 0xFFFFFFFF:08x}u"


class Stream:
    """The random numbers of one corruption of one image (rng.h, corrupt.c)."""

    def __init__(self, corruption, severity, seed):
        stream = fnv(f"{NAME}\n{corruption}\n{severity}".encode())
        self.state = self.mix(self.mix(seed + 0x9E3779B97F4A7C15) ^ (stream + 0xD1B54A32D192ED03))

    @staticmethod
    def mix(z):
        z &= MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        return self.mix(self.state)

    def uniform(self, low, high):
        return low + (high - low) * ((self.bits() >> 11) * 2.0**-53)

    def below(self, bound):
        value = self.bits()
        while value < -bound % 2**64 % bound:
            value = self.bits()
        return value % bound

    def offset(self, reach):
        draw = self.below(4 * reach * reach)
        return draw // (2 * reach) - reach, draw % (2 * reach) - reach


def picture(height, width, channels=3):
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    return (x * x * 13 + y * x * 29 + y * y * 7 + c * 83).astype(np.uint8)


def imagenet_c_blur(name, image, severity, seed):
    stream = Stream(name, severity, seed)

    def randint(low, high, size):
        dy, dx = stream.offset(high)
        return np.array([dx, dy])

    with unittest.mock.patch("numpy.random.randint", randint), \
            unittest.mock.patch("numpy.random.uniform", stream.uniform):
        return np.uint8(getattr(imagenet_c, name)(image, severity))


def gaussian_blur(image, severity, stream):
    low, high = ((3, 3), (1, 3), (1, 3), (3, 5), (5, 7))[severity - 1]
    return functional.gaussian_blur(image, (low + stream.below(high - low + 1)) | 1)


def glass_blur(image, severity, stream):
    sigma, reach, rounds = GLASS[severity - 1]
    height, width = image.shape[0] - 2 * reach, image.shape[1] - 2 * reach
    offsets = np.empty((width, height, rounds, 2), int)
    for k in range(rounds):
        for y in range(height):
            for x in range(width):
                offsets[x, y, k] = stream.offset(reach)
    return functional.glass_blur(image, sigma, reach, rounds, offsets.reshape(-1, rounds, 2), "fast")


def defocus(image, severity, stream):
    radius = 1 + stream.below((3, 4, 6, 8, 10)[severity - 1])
    return functional.defocus(image, radius, stream.uniform(0.0, (0.1, 0.5, 0.5, 0.5, 0.5)[severity - 1]))


def motion_blur(image, severity, stream):
    size = 3 + 2 * stream.below(((3, 3, 5, 9, 13)[severity - 1] - 3) // 2 + 1)
    x1, x2, y1 = stream.below(size), stream.below(size), stream.below(size)
    if x1 == x2:
        y2 = stream.below(size - 1)
        y2 += y2 >= y1
    else:
        y2 = stream.below(size)
    kernel = np.zeros((size, size), np.uint8)
    cv2.line(kernel, (x1, y1), (x2, y2), 1, thickness=1)
    return cv2.filter2D(image, -1, kernel.astype(np.float32) / np.sum(kernel))


def zoom_blur(image, severity, stream):
    end = stream.uniform(1.0, (1.11, 1.16, 1.21, 1.26, 1.31)[severity - 1])
    return functional.zoom_blur(image, np.arange(1.0, end, stream.uniform(0.01, 0.03)))


REFERENCE = {"GaussianBlur": gaussian_blur, "GlassBlur": glass_blur, "Defocus": defocus,
             "MotionBlur": motion_blur, "ZoomBlur": zoom_blur}


def blur(name, image, severity, seed):
    if name in REFERENCE:
        return REFERENCE[name](image, severity, Stream(name, severity, seed))
    return imagenet_c_blur(name, image, severity, seed)


def blurs(name, image, severity):
    return np.stack([blur(name, image, severity, seed) for seed in range(SEEDS)])


def lines():
    every = np.zeros((LINES_SIZE**4, LINES_SIZE, LINES_SIZE), np.uint8)
    for square, ends in zip(every, np.ndindex((LINES_SIZE,) * 4)):
        cv2.line(square, ends[:2], ends[2:], 1, thickness=1)
    return every


def numbers(array):
    values = [f"{value:.9g}" for value in np.asarray(array, np.float32).ravel()]
    return ["    " + ", ".join(v + ("f" if "." in v or "e" in v else ".0f") for v in values[i:i + 8]) + ","
            for i in range(0, len(values), 8)]


def main():
    out = ["/* Written by make_blur_goldens.py: what the packages make of pictures from a formula. */",
           "/* clang-format off */",
           "#ifndef TESTS_CORRUPTIONS_BLUR_GOLDENS_H", "#define TESTS_CORRUPTIONS_BLUR_GOLDENS_H", "",
           '#include "src/corruptions/pixels/filters.h"', "", "#include <stdint.h>", "",
           f'#define GOLDEN_SEEDS {SEEDS}', f'#define GOLDEN_NAME  "{NAME}"', "",
           "/* 64-bit FNV-1a, its halves XORed, of the bytes of all seeds; severities 1 .. 5. */",
           "static const struct {",
           "    const char *corruption;", "    int height, width;", "    uint32_t hash[5];",
           "} blur_goldens[] = {"]
    names = ["gaussian_blur", "defocus_blur", "glass_blur", "motion_blur", "zoom_blur", *REFERENCE]
    for name in names:
        for height, width in SIZES:
            hashes = (folded(blurs(name, picture(height, width), severity)) for severity in range(1, 6))
            out.append(f'    {{"{name}", {height}, {width}, {{{", ".join(hashes)}}}}},')
    flat = np.full((32, 32, 3), 200, np.uint8)
    flat = [blur("defocus_blur", flat, severity, 0)[0, 0, 0] for severity in range(1, 6)]
    out += ["};", "", "/* defocus_blur of a flat 200: its kernels do not quite add up to 1. */",
            f"static const uint8_t flat_golden[5] = {{{', '.join(map(str, flat))}}};", "",
            "/* The bytes of all lines between two points of a square, drawn with 1 on 0. */",
            f"#define LINES_SIZE {LINES_SIZE}", f"static const uint32_t lines_hash = {folded(lines())};", ""]

    small = picture(5, 7, 1)[:, :, 0].astype(float)
    out += ["/* scipy.ndimage.gaussian_filter of the picture [5, 7, 1]. */", "static const struct {",
            "    double sigma, truncate;", "    enum filter_border border;", "    float values[35];",
            "} gaussian_goldens[] = {"]
    for mode, sigma, truncate in (("nearest", 1.3, 4.0), ("reflect", 6.0, 3.0), ("mirror", 2.0, 4.0)):
        result = ndimage.gaussian_filter(small, sigma, mode=mode, truncate=truncate)
        out += [f"    {{{sigma}, {truncate}, {MODES[mode]}, {{", *numbers(result), "    }},"]
    kernel = (np.arange(25.0) * 7 % 11 - 4).reshape(5, 5)
    out += ["};", "", "/* cv2.filter2D of it with the kernel i * 7 % 11 - 4, i < 25. */",
            "static const float filter_2d_golden[35] = {",
            *numbers(cv2.filter2D(small.astype(np.float32), -1, kernel)), "};", ""]

    zoomed = imagenet_c.clipped_zoom(picture(6, 9, 1).astype(np.float32), 2.5)
    out += ["/* clipped_zoom of the picture [6, 9, 1] by 2.5. */",
            f"#define ZOOM_HEIGHT {zoomed.shape[0]}", f"#define ZOOM_WIDTH  {zoomed.shape[1]}",
            "static const float zoom_golden[ZOOM_HEIGHT * ZOOM_WIDTH] = {", *numbers(zoomed), "};", "",
            "/* Of others [height, width, 1]: the sums of all, of the last row and of the last column, which can",
            " * be black. */",
            "static const struct {", "    int height, width;", "    double factor;",
            "    int to_height, to_width;", "    double sum, last_row, last_column;", "} zoom_goldens[] = {"]
    for height, width, factor in ((52, 40, 3.5), (33, 292, 2.5), (302, 302, 3.0), (33, 41, 1.01),
                                  (32, 500, 1.13), (41, 33, 1.0), (37, 45, 4.5)):
        zoomed = imagenet_c.clipped_zoom(picture(height, width, 1).astype(np.float32), factor).astype(float)
        sums = ", ".join(f"{part.sum():.9g}" for part in (zoomed, zoomed[-1], zoomed[:, -1]))
        out.append(f"    {{{height}, {width}, {factor}, {zoomed.shape[0]}, {zoomed.shape[1]}, {sums}}},")
    out += ["};", "", "/* The bits of the first of 1 / (i + 1.5), i < count, divided by their numpy.sum. */",
            "static const struct {", "    int count;", "    uint64_t bits;", "} sum_goldens[] = {"]
    for count in (3, 8, 41, 128, 129, 1367):
        value = 1 / 1.5 / np.sum(1 / (np.arange(count) + 1.5))
        out.append(f"    {{{count}, 0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016x}u}},")
    out += ["};", "", "#endif", ""]
    with open("blur_goldens.h", "w", encoding="ascii") as file:
        file.write("\n".join(out))


if __name__ == "__main__":
    main()
