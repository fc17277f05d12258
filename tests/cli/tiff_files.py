"""TIFF files with the standard library: RGB of bytes is written, and tiles that are deflated are read."""

import array
import struct
import zlib

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 12: 8, 16: 8}
WIDTH, HEIGHT, BITS, BANDS, COLORS, TILE_OFFSETS, TILE_BYTES = 256, 257, 258, 277, 320, 324, 325
PIXEL_SCALE, TIE_POINT, GEO_KEYS, GEO_TEXT, NO_DATA = 33550, 33922, 34735, 34737, 42113
SIDE = 256  # of a tile

# Tags of an image somewhere in UTM zone 33, with pixels of half a metre; and a value that means "none".
PLACE = {
    PIXEL_SCALE: (12, struct.pack("<3d", 0.5, 0.5, 0)),
    TIE_POINT: (12, struct.pack("<6d", 0, 0, 0, 400000, 5000000, 0)),
    GEO_KEYS: (3, struct.pack("<16H", 1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633)),
    GEO_TEXT: (2, b"WGS 84 / UTM zone 33N|\0"),
    NO_DATA: (2, b"7\0"),
}


def write_rgb(path, width, height, pixels, tags=None):
    """In one strip, not compressed. tags: {number: (type, bytes)}."""
    long = lambda value: (4, struct.pack("<I", value))
    entries = {WIDTH: long(width), HEIGHT: long(height), BITS: (3, struct.pack("<3H", 8, 8, 8)), 259: long(1), 262: long(2), 273: long(8)}
    entries |= {BANDS: long(3), 278: long(height), 279: long(len(pixels)), **(tags or {})}
    data, rows = bytes(pixels) + b"\0" * (len(pixels) % 2), []
    for number, (kind, values) in sorted(entries.items()):
        place = values.ljust(4, b"\0")
        if len(values) > 4:
            place = struct.pack("<I", 8 + len(data))
            data += values + b"\0" * (len(values) % 2)
        rows.append(struct.pack("<HHI", number, kind, len(values) // SIZES[kind]) + place)
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 8 + len(data)) + data + struct.pack("<H", len(rows)) + b"".join(rows) + bytes(4))


def read_tags(path):
    """{number: (type, bytes)} of a classic TIFF."""
    data = path.read_bytes()
    (at,) = struct.unpack("<I", data[4:8])
    (count,) = struct.unpack("<H", data[at : at + 2])
    tags = {}
    for i in range(count):
        number, kind, length = struct.unpack("<HHI", data[at + 2 + 12 * i : at + 10 + 12 * i])
        place, size = at + 10 + 12 * i, SIZES[kind] * length
        if size > 4:
            (place,) = struct.unpack("<I", data[place : place + 4])
        tags[number] = (kind, data[place : place + size])
    return tags


def numbers(tags, number):
    kind, values = tags[number]
    return list(struct.unpack(f"<{len(values) // SIZES[kind]}{ {3: 'H', 4: 'I', 16: 'Q'}[kind] }", values))


def read_tiles(path):
    """The values of each band, row by row; and the tags."""
    data, tags = path.read_bytes(), read_tags(path)
    (width,), (height,), bits = numbers(tags, WIDTH), numbers(tags, HEIGHT), numbers(tags, BITS)
    across, down = (width - 1) // SIDE + 1, (height - 1) // SIDE + 1
    tiles = []
    for offset, size in zip(numbers(tags, TILE_OFFSETS), numbers(tags, TILE_BYTES)):
        tile = array.array("H" if bits[0] == 16 else "B", zlib.decompress(data[offset : offset + size]))
        if bits[0] == 16:  # differences from the left neighbour
            for i in range(len(tile)):
                tile[i] = (tile[i] + (tile[i - 1] if i % SIDE else 0)) & 65535
        tiles.append(tile)
    bands = []
    for band in range(len(bits)):
        values = []
        for y in range(height):
            for x in range(across):
                tile = tiles[(band * down + y // SIDE) * across + x]
                values.extend(tile[y % SIDE * SIDE : y % SIDE * SIDE + min(SIDE, width - x * SIDE)])
        bands.append(values)
    return bands, tags
