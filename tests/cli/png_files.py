"""PNG files with the standard library: 8 bits a channel, not interlaced."""

import collections
import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE = 0, 2, 3
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1}

# kind: GREY, RGB or PALETTE. pixels: bytes, row by row. palette: of PALETTE images, a list of (r, g, b).
Picture = collections.namedtuple("Picture", "width height kind pixels palette", defaults=(None,))


def chunks(data):
    if data[:8] != SIGNATURE:
        raise ValueError("not a PNG file")
    at = 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        crc = struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0]
        if zlib.crc32(kind + body) != crc:
            raise ValueError(f"chunk {kind}: wrong CRC")
        yield kind, body
        at += 12 + length


def paeth(left, above, corner):
    guess = left + above - corner
    a, b, c = abs(guess - left), abs(guess - above), abs(guess - corner)
    return left if a <= b and a <= c else above if b <= c else corner


def unfilter(kind, line, above, step):
    """One row, in place; `step` bytes a pixel."""
    if kind == 0:
        return
    if kind == 2:
        for i, up in enumerate(above):
            line[i] = (line[i] + up) & 255
        return
    for i in range(len(line)):
        left = line[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        predicted = {1: left, 3: (left + above[i]) // 2}.get(kind)
        if predicted is None:
            predicted = paeth(left, above[i], corner)
        line[i] = (line[i] + predicted) & 255


def read_png(path):
    header, palette, packed = None, None, b""
    for kind, body in chunks(path.read_bytes()):
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", body)
        elif kind == b"PLTE":
            palette = [tuple(body[i : i + 3]) for i in range(0, len(body), 3)]
        elif kind == b"IDAT":
            packed += body
    width, height, depth, color, _, _, interlace = header
    if depth != 8 or interlace != 0 or color not in CHANNELS:
        raise ValueError(f"depth {depth}, colour type {color}, interlace {interlace}: not of these tests")
    raw, step = zlib.decompress(packed), CHANNELS[color]
    rows, above = [], bytearray(width * step)
    for y in range(height):
        start = y * (width * step + 1)
        line = bytearray(raw[start + 1 : start + 1 + width * step])
        unfilter(raw[start], line, above, step)
        rows.append(bytes(line))
        above = line
    return Picture(width, height, color, b"".join(rows), palette)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def write_png(path, picture):
    row = picture.width * CHANNELS[picture.kind]
    raw = b"".join(b"\0" + picture.pixels[y * row : (y + 1) * row] for y in range(picture.height))
    data = SIGNATURE + chunk(
        b"IHDR", struct.pack(">IIBBBBB", picture.width, picture.height, 8, picture.kind, 0, 0, 0)
    )
    if picture.palette:
        data += chunk(b"PLTE", b"".join(bytes(color) for color in picture.palette))
    path.write_bytes(data + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def voc_palette():
    """Pascal VOC's 256 colours: bit b of the index is bit 7 - b // 3 of channel b % 3."""
    palette = []
    for index in range(256):
        color = [0, 0, 0]
        for bit in range(8):
            color[bit % 3] |= (index >> bit & 1) << (7 - bit // 3)
        palette.append(tuple(color))
    return palette
