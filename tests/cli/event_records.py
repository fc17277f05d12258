"""Event files of TensorBoard read with the standard library: every checksum is checked."""

import collections
import pathlib
import struct

PREFIX, SUFFIX = "events.out.tfevents.", ".dinoft"

# png: the file's bytes. step: of the event that it is in.
Scalar = collections.namedtuple("Scalar", "step value wall_time")
Image = collections.namedtuple("Image", "step png width height description")
Text = collections.namedtuple("Text", "step text")


def checksum_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


TABLE = checksum_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    """The events' bytes. ValueError for a file that is not whole."""
    while data:
        if len(data) < 16:
            raise ValueError(f"a record of {len(data)} bytes")
        size, check = struct.unpack_from("<QI", data)
        if check != masked(data[:8]):
            raise ValueError("the length's checksum is wrong")
        if size > len(data) - 16:
            raise ValueError("a record is cut short")
        event = data[12 : 12 + size]
        if struct.unpack_from("<I", data, 12 + size)[0] != masked(event):
            raise ValueError("the event's checksum is wrong")
        yield event
        data = data[16 + size :]


def varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """{number: [value, …]} of a message: integers, floats, or bytes."""
    found, at = collections.defaultdict(list), 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            size, at = varint(data, at)
            if size > len(data) - at:
                raise ValueError(f"field {key >> 3} is cut short")
            value, at = data[at : at + size], at + size
        else:
            kind, size = {1: ("<d", 8), 5: ("<f", 4)}[key & 7]
            value, at = struct.unpack_from(kind, data, at)[0], at + size
        found[key >> 3].append(value)
    return found


def paths(folder):
    """The files of ours, the oldest first."""
    return sorted(pathlib.Path(folder).glob(f"{PREFIX}*{SUFFIX}"))


class Events:
    """What a folder's files of ours hold, in their order: scalars, images and texts are {tag: [Scalar, …]}."""

    def __init__(self, folder):
        self.scalars, self.images, self.texts = (collections.defaultdict(list) for _ in range(3))
        for path in paths(folder):
            for number, record in enumerate(records(path.read_bytes())):
                event = fields(record)
                if number == 0 and event[3] != [b"brain.Event:2"]:
                    raise ValueError(f"{path} does not begin with the format's version")
                self.add(event)

    def add(self, event):
        (wall_time,), (step,) = event[1], event[2] or [0]
        for value in (fields(value) for summary in event[5] for value in fields(summary)[1]):
            tag = value[1][0].decode()
            if value[2]:
                self.scalars[tag].append(Scalar(step, value[2][0], wall_time))
            elif value[4]:
                image = fields(value[4][0])
                about = fields(value[9][0])[3] if value[9] else []
                self.images[tag].append(Image(step, image[4][0], image[2][0], image[1][0], (about or [b""])[0].decode()))
            elif fields(fields(value[9][0])[1][0])[1] == [b"text"]:
                self.texts[tag].append(Text(step, fields(value[8][0])[8][0].decode()))
            else:
                raise ValueError(f"{tag} is of no known kind")

    def steps(self, tag):
        return [scalar.step for scalar in self.scalars[tag]]

    def values(self, tag):
        return [scalar.value for scalar in self.scalars[tag]]
