#!/usr/bin/env python3
"""Makes tests/fixtures/images and goldens.h: what OpenCV reads from those files and how it resizes.

Needs numpy, opencv-python and Pillow; run from this folder. All pictures come from formulas.
"""
import pathlib
import struct
import zlib

import cv2
import numpy as np
from PIL import Image

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "images"
HEIGHT, WIDTH = 24, 37


def fnv(array):
    value = 0xCBF29CE484222325
    for byte in array.tobytes():
        value = ((value ^ byte) * 0x100000001B3) & (2**64 - 1)
    return value


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(name, bits, color_type, rows, extra=b"", interlace=0):
    """A PNG made by hand, for what the libraries do not write."""
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, color_type, 0, 0, interlace)
    (FOLDER / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
                                + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def packed(values, bits):
    rows = b""
    for row in values:
        text = "".join(format(int(value), f"0{bits}b") for value in row)
        text += "0" * (-len(text) % 8)
        rows += b"\0" + bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))
    return rows


def adam7(values, bits):
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    parts = (values[y::dy, x::dx] for x, y, dx, dy in passes)
    return b"".join(packed(part, bits) for part in parts if part.size)


def write_pictures():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    rgb = np.stack([x * 6 + y, y * 10 + x * x // 9, 255 - x * 5 + y * 3], 2).astype(np.uint8)
    rgb[4:12, 6:20] = [200, 40, 30]
    rgb[10:20, 22:33] = [20, 60, 190]
    alpha = (x * 7).astype(np.uint8)
    deep = (rgb.astype(np.uint16) * 257) ^ (x * 31 % 256).astype(np.uint16)[:, :, None]
    image = Image.fromarray(rgb)

    image.save(FOLDER / "rgb420.jpg", quality=90, subsampling=2)
    image.save(FOLDER / "rgb444.jpg", quality=90, subsampling=0)
    image.save(FOLDER / "progressive.jpg", quality=85, progressive=True)
    image.convert("L").save(FOLDER / "grey.jpg", quality=90)
    image.convert("CMYK").save(FOLDER / "cmyk.jpg", quality=92)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        image.save(FOLDER / f"orientation{orientation}.jpg", quality=90, exif=exif)
    image.save(FOLDER / "rgb.png")
    image.convert("L").save(FOLDER / "grey.png")
    Image.fromarray(np.dstack([rgb, alpha])).save(FOLDER / "rgba.png")
    Image.fromarray(np.dstack([rgb[:, :, 0], alpha])).save(FOLDER / "grey_alpha.png")
    cv2.imwrite(str(FOLDER / "rgb16.png"), deep)
    cv2.imwrite(str(FOLDER / "grey16.png"), deep[:, :, 0])
    cv2.imwrite(str(FOLDER / "rgba16.png"), np.dstack([deep, deep[:, :, 0]]))
    image.quantize(16).save(FOLDER / "palette4.png", transparency=3, bits=4)
    image.quantize(60).save(FOLDER / "palette8.png")
    rows = b"".join(b"\0" + row.tobytes() for row in rgb)
    turned = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    write_png("orientation6.png", 8, 2, rows, chunk(b"eXIf", turned))
    key = struct.pack(">HHH", *map(int, rgb[0, 0]))
    write_png("transparent_colour.png", 8, 2, rows, chunk(b"tRNS", key))
    image.save(FOLDER / "rgb.bmp")
    image.quantize(60).save(FOLDER / "palette.gif")
    image.save(FOLDER / "rgb.tga")
    image.save(FOLDER / "rgb.ppm")
    image.convert("L").save(FOLDER / "grey.pgm")


def write_masks():
    """tests/data/test_image.c has the same formulas."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    tiles = (x // 5 + y // 4) % 4
    palette = chunk(b"PLTE", bytes(range(48)))
    write_png("mask_palette1.png", 1, 3, packed(tiles % 2, 1), chunk(b"PLTE", bytes(range(6))))
    write_png("mask_palette2.png", 2, 3, packed(tiles, 2), chunk(b"PLTE", bytes(range(12))))
    write_png("mask_palette4.png", 4, 3, packed((x // 3 + y) % 16, 4), palette)
    write_png("mask_grey2.png", 2, 0, packed(tiles, 2))
    write_png("mask_interlaced2.png", 2, 3, adam7(tiles, 2), chunk(b"PLTE", bytes(range(12))), 1)
    labels = ((x + y * 3) % 21).astype(np.uint8)
    labels[:, 18] = 255
    Image.fromarray(labels).save(FOLDER / "mask_grey8.png")
    image = Image.fromarray(labels)
    image.putpalette(sum(([i, 255 - i, i // 2] for i in range(256)), []))
    image.save(FOLDER / "mask_palette8.png")


def decoded(path):
    image = cv2.imread(str(path))
    if image is None:  # TGA
        return np.array(Image.open(path).convert("RGB"))
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def source(height, width, channels):
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    return (x * x * 13 + y * x * 29 + y * y * 7 + c * 83).astype(np.uint8)


def resize_rows():
    sizes = [(375, 500, 490, 490), (500, 375, 490, 490), (61, 83, 29, 47), (1, 9, 13, 20), (9, 1, 20, 13),
             (1, 1, 5, 7), (40, 60, 20, 30), (100, 100, 490, 322), (33, 21, 518, 7), (17, 19, 1, 1),
             (23, 1100, 31, 1300)]
    for height, width, to_height, to_width in sizes:
        size = (to_width, to_height)
        linear = cv2.resize(source(height, width, 3), size, interpolation=cv2.INTER_LINEAR)
        nearest = cv2.resize(source(height, width, 1), size, interpolation=cv2.INTER_NEAREST)
        hashes = f"0x{fnv(linear):016x}u, 0x{fnv(nearest):016x}u"
        yield f"    {{{height}, {width}, {to_height}, {to_width}, {hashes}}},"


def main():
    FOLDER.mkdir(exist_ok=True)
    write_pictures()
    write_masks()
    lines = ["/* Written by make_goldens.py: what OpenCV makes of the fixtures. */",
             "#ifndef TESTS_DATA_GOLDENS_H", "#define TESTS_DATA_GOLDENS_H", "", "#include <stdint.h>", "",
             "/* FNV-1a of the RGB pixels. */",
             "static const struct {", "    const char *file;", "    int width, height;", "    uint64_t hash;",
             "} decoded_goldens[] = {"]
    for path in sorted(FOLDER.iterdir()):
        image = decoded(path)
        lines.append(f'    {{"{path.name}", {image.shape[1]}, {image.shape[0]}, 0x{fnv(image):016x}u}},')
    lines += ["};", "", "/* Of the source that test_resize.c makes. */", "static const struct {",
              "    int height, width, to_height, to_width;", "    uint64_t linear, nearest;",
              "} resize_goldens[] = {"]
    lines += list(resize_rows()) + ["};", "", "/* 3 x 5 to 4 x 7, in full. */",
                                    "static const uint8_t resize_linear_values[] = {"]
    values = cv2.resize(source(3, 5, 3), (7, 4), interpolation=cv2.INTER_LINEAR).reshape(-1, 21)
    lines += ["    " + ", ".join(map(str, row)) + "," for row in values]
    lines += ["};", "", "#endif", ""]
    pathlib.Path(__file__).with_name("goldens.h").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
