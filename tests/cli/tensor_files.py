"""Reads and writes the weight files of the tests with the standard library alone."""

import collections
import io
import json
import math
import pickle
import struct
import zipfile

# dtype: as safetensors calls it. data: bytes. parameter: was an nn.Parameter. device: of a .pt's storage.
Tensor = collections.namedtuple("Tensor", "dtype shape data parameter device", defaults=(False, "cpu"))

FORMATS = {"F64": "d", "F32": "f", "F16": "e", "I64": "q", "I32": "i", "U8": "B"}
SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "U8": 1}
STORAGES = {
    "FloatStorage": "F32",
    "HalfStorage": "F16",
    "BFloat16Storage": "BF16",
    "DoubleStorage": "F64",
    "LongStorage": "I64",
    "IntStorage": "I32",
    "ByteStorage": "U8",
}


def count(shape):
    return math.prod(shape)


def values(tensor):
    """A tensor's numbers in a flat tuple."""
    return struct.unpack(f"<{count(tensor.shape)}{FORMATS[tensor.dtype]}", tensor.data)


def float_tensor(shape, numbers):
    return Tensor("F32", tuple(shape), struct.pack(f"<{count(shape)}f", *numbers))


def read_safetensors(path):
    """({name: Tensor}, metadata); a file with holes or unaccounted bytes is an error."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    body = data[8 + length :]
    metadata = header.pop("__metadata__", {})
    tensors, ranges = collections.OrderedDict(), []
    for name, item in header.items():
        begin, end = item["data_offsets"]
        ranges.append((begin, end))
        if end - begin != count(item["shape"]) * SIZES[item["dtype"]]:
            raise ValueError(f"{name}: {end - begin} bytes for {item['dtype']} {item['shape']}")
        tensors[name] = Tensor(item["dtype"], tuple(item["shape"]), body[begin:end])
    position = 0
    for begin, end in sorted(ranges):
        if begin != position:
            raise ValueError(f"a hole or an overlap at byte {position}")
        position = end
    if position != len(body):
        raise ValueError("bytes behind the last tensor")
    return tensors, metadata


def write_safetensors(path, tensors, metadata=None):
    header, body = {"__metadata__": metadata} if metadata else {}, b""
    for name, tensor in tensors.items():
        header[name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [len(body), len(body) + len(tensor.data)],
        }
        body += tensor.data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # tensors are aligned, as safetensors itself has them
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


class StrictUnpickler(pickle.Unpickler):
    """Knows what torch.load(weights_only=True) needs for state dicts; any other global raises."""

    def __init__(self, archive, root):
        super().__init__(io.BytesIO(archive.read(root + "data.pkl")))
        self.archive, self.root = archive, root

    def find_class(self, module, name):
        known = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): self.rebuild_tensor,
            ("torch._utils", "_rebuild_parameter"): self.rebuild_parameter,
        }
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} is not expected in a state dict")
        return known[module, name]

    def persistent_load(self, identity):
        kind, dtype, key, device, elements = identity
        if kind != "storage":
            raise pickle.UnpicklingError(f"a persistent id of kind {kind}")
        data = self.archive.read(f"{self.root}data/{key}")
        if len(data) != elements * SIZES[dtype]:
            raise ValueError(f"storage {key}: {len(data)} bytes for {elements} of {dtype}")
        return dtype, data, device

    @staticmethod
    def rebuild_tensor(storage, offset, shape, stride, _requires_grad, _hooks):
        dtype, data, device = storage
        expected = 1
        for size, step in zip(reversed(shape), reversed(stride)):
            if size > 1 and step != expected:
                raise ValueError(f"strides {stride} of shape {shape} are not row-major")
            expected *= size
        begin = offset * SIZES[dtype]
        return Tensor(dtype, tuple(shape), data[begin : begin + count(shape) * SIZES[dtype]], False, device)

    @staticmethod
    def rebuild_parameter(tensor, _requires_grad, _hooks):
        return tensor._replace(parameter=True)


def read_torch(path):
    """A .pt's dict: Tensors, and strings as they are. A backbone nested under "model" is unwrapped."""
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
        if damaged:
            raise ValueError(f"{damaged}: wrong CRC")
        roots = [name[: -len("data.pkl")] for name in archive.namelist() if name.endswith("data.pkl")]
        loaded = StrictUnpickler(archive, roots[0]).load()
    return loaded["model"] if "model" in loaded and isinstance(loaded["model"], dict) else loaded


def read_checkpoint(path):
    """A checkpoint that dinoft trained: its tensors, and its record (None without one)."""
    entries = read_torch(path)
    record = entries.pop("dinoft", None)
    return entries, None if record is None else json.loads(record)


def write_torch_pickle(path, payload):
    """A .pt archive around any pickled bytes: what an attacker would hand out."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", payload)
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/version", "3\n")
