#!/usr/bin/env python3
"""Makes augment_goldens.h: what mmsegmentation's formulas make of pictures, with OpenCV's resizing and HSV and this program's draws.

Needs numpy and opencv-python on a processor with FMA; run from this folder. Whole pictures are resized and then cut, and nothing is
shared with the program.
"""
import pathlib

import cv2
import numpy as np

WORD = 2**64 - 1
MEAN = (124, 116, 104)
# Tile height and width, image height and width, kind, scale, class balance, ratio kept, seed, epoch, sample.
TILES = [(48, 64, 70, 90, "none", (1, 1), 0, 0, 3, 0, 0), (48, 64, 70, 90, "flip", (1, 1), 0, 0, 3, 0, 0), (48, 64, 70, 90, "flip", (1, 1), 0, 0, 3, 0, 1)]
TILES += [(56, 56, 75, 100, "standard", (0.5, 2.0), 0, 0, 1, epoch, sample) for epoch in (0, 7) for sample in range(8)]
TILES += [(56, 84, 100, 30, "standard", (0.5, 1.0), 1, 0, 2**63 + 5, epoch, 2**31) for epoch in range(4)]
TILES += [(70, 56, 41, 400, "standard", (1.0, 4.0), balance, 0, 9, 1, sample) for sample in range(4) for balance in (0, 1)]
TILES += [(56, 56, *size, "none", (0.5, 2.0), 0, 1, 3, 0, 0) for size in ((75, 100), (101, 64), (56, 56), (31, 300))]
TILES += [(56, 84, *size, "none", (0.5, 2.0), 0, 1, 3, 0, 0) for size in ((75, 100), (100, 75))]
TILES += [(*tile, *size, "flip", (0.5, 2.0), 0, 1, 4, 2, sample) for tile in ((56, 56), (42, 84)) for size in ((75, 100), (120, 50)) for sample in range(3)]
TILES += [(56, 56, 75, 100, "standard", (0.5, 2.0), 0, 1, 1, 7, 3)]
SETTINGS = list(dict.fromkeys(tile[:-2] for tile in TILES))
COLOURS = [(12.5, 1.0, 0, 1.0, 0), (-31.75, 1.25, 0, 1.0, 0), (31.0, 0.625, 1, 1.0, 0), (0.0, 1.0, 0, 1.4375, None), (0.0, 1.0, 0, None, -18),
           (0.0, 1.0, 0, None, 0), (0.0, 1.0, 0, 0.53125, 17), (-7.3125, 1.40625, 1, 0.75, -5), (22.0, 0.515625, 0, 1.484375, 11)]


class Stream:
    """SplitMix64 (src/base/rng.c)."""

    def __init__(self, seed, stream):
        self.state = self.mix(self.mix((seed + 0x9E3779B97F4A7C15) & WORD) ^ ((stream + 0xD1B54A32D192ED03) & WORD))

    @staticmethod
    def mix(z):
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
        return z ^ (z >> 31)

    def word(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & WORD
        return self.mix(self.state)

    def below(self, bound):
        value = self.word()
        while value < 2**64 % bound:
            value = self.word()
        return value % bound

    def uniform(self, low, high):
        return low + (high - low) * ((self.word() >> 11) * 2.0**-53)


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & WORD
    return value


def picture(height, width):
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return (x * x * 13 + y * x * 29 + y * y * 7 + c * 83).astype(np.uint8)


def labels(height, width):
    """Nearly all of one class; a small one in the lower right quarter; some that do not count."""
    mask = np.zeros((height, width), np.uint8)
    mask[height * 3 // 4 :, width * 3 // 4 :] = 7
    mask[height // 8 : height // 4, width // 8 : width // 2] = 254
    mask[:2] = 255
    return mask


def in_whole_vectors(image, code):
    """OpenCV's code for the last pixels of a row rounds where its vectors cut off."""
    width = image.shape[1]
    wide = np.pad(image, ((0, 0), (0, -width % 64), (0, 0)))
    return cv2.cvtColor(wide, code)[:, :width]


def convert(values, alpha=1.0, beta=0.0):
    return np.clip(values.astype(np.float32) * alpha + beta, 0, 255).astype(np.uint8)


def recolour(image, brightness, contrast, contrast_first, saturation, hue):
    """PhotoMetricDistortion. saturation, hue None: not done."""
    image = convert(image, beta=brightness)
    if contrast_first:
        image = convert(image, alpha=contrast)
    if saturation is not None:
        hsv = in_whole_vectors(image, cv2.COLOR_RGB2HSV)
        hsv[:, :, 1] = convert(hsv[:, :, 1], alpha=saturation)
        image = in_whole_vectors(hsv, cv2.COLOR_HSV2RGB)
    if hue is not None:
        hsv = in_whole_vectors(image, cv2.COLOR_RGB2HSV)
        hsv[:, :, 0] = (hsv[:, :, 0].astype(int) + hue) % 180
        image = in_whole_vectors(hsv, cv2.COLOR_HSV2RGB)
    return image if contrast_first else convert(image, alpha=contrast)


def draw_colours(stream):
    brightens, brightness = stream.below(2), stream.uniform(-32, 32)
    first = stream.below(2)
    contrasts, contrast = stream.below(2), stream.uniform(0.5, 1.5)
    saturates, saturation = stream.below(2), stream.uniform(0.5, 1.5)
    turns, hue = stream.below(2), stream.below(36) - 18
    return (brightness if brightens else 0.0, contrast if contrasts else 1.0, first, saturation if saturates else None, hue if turns else None)


def around(stream, at, source, whole, length):
    pixel = min(int((at + 0.5) * whole / source), whole - 1)
    least, most = max(0, pixel - length + 1), min(pixel, whole - length)
    return least + stream.below(most - least + 1)


def draw_place(stream, mask, whole, size, balance):
    if not balance:
        y = stream.below(whole[0] - size[0] + 1)
        return y, stream.below(whole[1] - size[1] + 1)
    classes = [label for label in np.unique(mask) if label != 255]
    places = np.argwhere(mask == classes[stream.below(len(classes))])
    at = places[stream.below(len(places))]
    y = around(stream, int(at[0]), mask.shape[0], whole[0], size[0])
    return y, around(stream, int(at[1]), mask.shape[1], whole[1], size[1])


def is_varied(labels):
    found, counts = np.unique(labels, return_counts=True)
    counts = counts[found != 255]
    return len(counts) > 1 and counts.max() / counts.sum() < 0.75


def resize(image, mask, tile, scale):
    """RandomResize with keep_ratio and a long side of at most four times the short one; and the size of a crop."""
    height, width = image.shape[:2]
    base = min(tile) * scale
    factor = min(base / min(height, width), 4 * base / max(height, width))
    whole = max(1, int(height * factor + 0.5)), max(1, int(width * factor + 0.5))
    image = cv2.resize(image, whole[::-1], interpolation=cv2.INTER_LINEAR)
    resized = cv2.resize(mask, whole[::-1], interpolation=cv2.INTER_NEAREST)
    return image, resized, whole, (min(tile[0], whole[0]), min(tile[1], whole[1]))


def centre(image, mask, tile):
    """Resize of the shorter side, and CenterCrop."""
    image, resized, whole, size = resize(image, mask, tile, 1)
    y, x = (whole[0] - size[0]) // 2, (whole[1] - size[1]) // 2
    part = np.s_[y : y + size[0], x : x + size[1]]
    return image[part], resized[part]


def crop(stream, image, mask, tile, scale, balance):
    """RandomResize, RandomCrop with cat_max_ratio."""
    image, resized, whole, size = resize(image, mask, tile, stream.uniform(*scale))
    for _ in range(11):
        y, x = draw_place(stream, mask, whole, size, balance)
        part = np.s_[y : y + size[0], x : x + size[1]]
        if is_varied(resized[part]):
            break
    return image[part], resized[part]


def make_tile(tile, image, mask, kind, scale, balance, short, seed, epoch, sample):
    stream = Stream(seed, (fnv(b"augmentation") + (epoch << 32) + sample) & WORD)
    if kind == "standard":
        image, mask = crop(stream, image, mask, tile, scale, balance)
    elif short and kind == "flip":
        image, mask = crop(stream, image, mask, tile, (1, 1), 0)
    elif short:
        image, mask = centre(image, mask, tile)
    else:
        image = cv2.resize(image, tile[::-1], interpolation=cv2.INTER_LINEAR)
        mask = cv2.resize(mask, tile[::-1], interpolation=cv2.INTER_NEAREST)
    if kind != "none" and stream.below(2):
        image, mask = image[:, ::-1], mask[:, ::-1]
    if kind == "standard":
        image = recolour(np.ascontiguousarray(image), *draw_colours(stream))
    pixels = np.tile(np.array(MEAN, np.uint8), (*tile, 1))
    result = np.full(tile, 255, np.uint8)
    pixels[: image.shape[0], : image.shape[1]] = image
    result[: mask.shape[0], : mask.shape[1]] = mask
    return pixels, result


def setting_rows():
    for *sizes, kind, scale, balance, short, seed in SETTINGS:
        places = f"{{{sizes[0]}, {sizes[1]}, {sizes[2]}, {sizes[3]}}}, {{DF_AUGMENT_{kind.upper()}, 0, {{{scale[0]}, {scale[1]}}}, {balance}, {short}}}"
        yield f"    {{{places}, {seed}u}},"


def tile_rows():
    for *setting, epoch, sample in TILES:
        *sizes, kind, scale, balance, short, seed = setting
        images = picture(*sizes[2:]), labels(*sizes[2:])
        pixels, result = make_tile(tuple(sizes[:2]), *images, kind, scale, balance, short, seed, epoch, sample)
        hashes = f"0x{fnv(pixels.tobytes()):016x}u, 0x{fnv(result.tobytes()):016x}u"
        yield f"    {{{SETTINGS.index(tuple(setting))}, {epoch}, {sample}, {hashes}}},"


def colour_rows():
    image = picture(37, 61)
    for brightness, contrast, first, saturation, hue in COLOURS:
        pixels = recolour(image, brightness, contrast, first, saturation, hue)
        values = f"{brightness}f, {contrast}f, {first}, {int(saturation is not None)}, {saturation or 1.0}f, {int(hue is not None)}, {hue or 0}"
        yield f"    {{{{{values}}},\n     0x{fnv(pixels.tobytes()):016x}u}},"


def main():
    lines = ["/* Written by make_augment_goldens.py: FNV-1a of what mmsegmentation's formulas make of its pictures. */",
             "#ifndef TESTS_DATA_AUGMENT_GOLDENS_H", "#define TESTS_DATA_AUGMENT_GOLDENS_H", "", '#include "dinoft/augment.h"',
             '#include "src/data/photometric.h"', "", "static const struct tile_setting {", "    int64_t sizes[4]; /* tile, image: height, width */",
             "    struct df_augment_options options;", "    uint64_t seed;", "} tile_settings[] = {", *setting_rows(), "};", "",
             "static const struct {", "    int setting; /* in tile_settings */", "    int64_t epoch, sample;", "    uint64_t pixels, labels;",
             "} tile_goldens[] = {", *tile_rows(), "};", "", "static const struct {", "    struct df_photometric colours;",
             "    uint64_t pixels;", "} colour_goldens[] = {", *colour_rows(), "};", "", "#endif", ""]
    pathlib.Path(__file__).with_name("augment_goldens.h").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
