"""Are dinoft's .pt files what Python and PyTorch take them for, and the other way round?

usage: torch_interop.py REWRITE_STATE FIXTURES_FOLDER

REWRITE_STATE is a program that reads a .pt file and writes it again. The standard library alone checks what it writes,
with an unpickler as strict as torch.load(weights_only=True); where PyTorch can be imported, it reads and writes too.
Exit status 77 (skipped) if there was nothing to test with.
"""
import collections
import io
import os
import pickle
import subprocess
import sys
import tempfile
import warnings
import zipfile

FIXTURES = [
    "dinov2_tiny/backbone.pth",
    "dinov2_tiny/init_lora_linear.pt",
    "dinov2_tiny_reg/after5_lora_fpn.pt",
    "dinov3_tiny/backbone.pth",
    "vits14/init_lora_linear.pt",
    "seed_checkpoints/dinov2/large_voc_no_lora.pt",
    "seed_checkpoints/dinov3/large_voc_lora.pt",
    "seed_checkpoints/2025-10/base_voc_lora.pt",
    "seed_checkpoints/2025-10/large_voc_lora.pt",
    "seed_checkpoints/2025-10/huge_voc_lora.pt",
]
ELEMENT_SIZES = {"FloatStorage": 4, "HalfStorage": 2, "LongStorage": 8}

Storage = collections.namedtuple("Storage", "kind key count")
Tensor = collections.namedtuple("Tensor", "kind shape data")
Parameter = collections.namedtuple("Parameter", "tensor requires_grad")


def row_major(shape):
    strides, stride = [], 1
    for size in reversed(shape):
        strides.insert(0, stride)
        stride *= max(size, 1)
    return strides


class StrictUnpickler(pickle.Unpickler):
    """Knows four functions, the storage classes and persistent ids of storages; whatever else there is raises."""

    def __init__(self, archive, root):
        super().__init__(io.BytesIO(archive.read(root + "/data.pkl")))
        self.archive, self.root = archive, root

    def find_class(self, module, name):
        known = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): self.rebuild_tensor,
            ("torch._utils", "_rebuild_parameter"): self.rebuild_parameter,
        }
        if module == "torch" and name in ELEMENT_SIZES:
            return name
        return known[module, name]

    def persistent_load(self, identity):
        word, kind, key, _location, count = identity
        assert word == "storage" and isinstance(key, str) and isinstance(count, int)
        return Storage(kind, key, count)

    def rebuild_tensor(self, storage, offset, shape, strides, requires_grad, hooks):
        assert requires_grad is False and hooks == collections.OrderedDict()
        data = self.archive.read("%s/data/%s" % (self.root, storage.key))
        element = ELEMENT_SIZES[storage.kind]
        assert len(data) == storage.count * element
        used = [(a, b) for size, a, b in zip(shape, strides, row_major(shape)) if size != 1]
        assert all(a == b for a, b in used), "the fixtures have row-major tensors only"
        count = 1
        for size in shape:
            count *= size
        assert offset + count <= storage.count
        return Tensor(storage.kind, tuple(shape), data[offset * element:(offset + count) * element])

    def rebuild_parameter(self, tensor, requires_grad, hooks):
        assert isinstance(tensor, Tensor) and hooks == collections.OrderedDict()
        return Parameter(tensor, requires_grad)


def flatten(tree, prefix=""):
    flat = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            flat.update(flatten(value, prefix + name + "."))
        else:
            flat[prefix + name] = value
    return flat


def load_strictly(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        root = [name for name in archive.namelist() if name.endswith("/data.pkl")][0].rsplit("/", 1)[0]
        return flatten(StrictUnpickler(archive, root).load())


def check_written_archive(path):
    """The entries that torch.load looks for, each content at a multiple of 64 bytes."""
    root = os.path.splitext(os.path.basename(path))[0]
    with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
        expected = {"data.pkl", "version", "byteorder", ".format_version", ".storage_alignment", ".data/serialization_id"}
        names = {info.filename.split("/", 1)[1] for info in archive.infolist()}
        assert all(info.filename.startswith(root + "/") for info in archive.infolist())
        assert {name for name in names if not name.startswith("data/")} == expected, names
        assert archive.read(root + "/byteorder") == b"little" and archive.read(root + "/version") == b"3\n"
        for info in archive.infolist():
            file.seek(info.header_offset + 26)
            lengths = file.read(4)
            start = info.header_offset + 30 + sum(int.from_bytes(lengths[i:i + 2], "little") for i in (0, 2))
            assert start % 64 == 0 and info.compress_type == zipfile.ZIP_STORED, info


def compress(source, target):
    """The same archive as another program might have packed it: deflated, with zip64 fields."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            with new.open(name, "w", force_zip64=True) as entry:
                entry.write(old.read(name))


class Rewriter:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def __call__(self, source, name="rewritten.pt"):
        target = os.path.join(self.folder, name)
        subprocess.run([self.program, source, target], check=True)
        return target


def test_standard_library(rewrite, files):
    for path in files:
        expected = load_strictly(path)
        written = rewrite(path)
        check_written_archive(written)
        assert load_strictly(written) == expected, path
        packed = os.path.join(rewrite.folder, "packed.pt")
        compress(path, packed)
        assert load_strictly(rewrite(packed)) == expected, path
        print("ok", path)


def same(torch, a, b):
    return (a.dtype == b.dtype and a.shape == b.shape and isinstance(a, torch.nn.Parameter) ==
            isinstance(b, torch.nn.Parameter) and torch.equal(a.contiguous().view(-1).view(torch.uint8) if a.ndim else a,
                                                              b.contiguous().view(-1).view(torch.uint8) if b.ndim else b))


def check_with_torch(torch, rewrite, path, expected):
    written = rewrite(path)
    for options in ({}, {"mmap": True}):
        loaded = torch.load(written, weights_only=True, map_location="cpu", **options)
        assert list(loaded) == list(expected), path
        for name, value in expected.items():
            assert value == loaded[name] if isinstance(value, str) else same(torch, value, loaded[name]), (path, name)
    return written


def torch_examples(torch):
    """Dicts of every kind that the reader accepts, and the flat dict that they stand for."""
    base = torch.arange(24, dtype=torch.float32)
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 5, 2), torch.nn.BatchNorm2d(5))
    types = [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32, torch.int16,
             torch.int8, torch.uint8, torch.bool]
    yield {str(dtype): torch.ones(3, dtype=dtype) for dtype in types}
    yield {"whole": base, "part": base[5:11], "transposed": base.view(4, 6).t(), "every other": base[::2],
           "expanded": base[:3].expand(2, 3), "scalar": base[7], "empty": base[:0].view(0, 4),
           "channels last": base.view(1, 2, 3, 4).to(memory_format=torch.channels_last)}
    yield {"parameter": torch.nn.Parameter(base), "tensor": base + 1, "dinoft": '{"é": 1}'}
    yield dict(module.state_dict())
    yield module.state_dict()
    yield {"item %d" % i: torch.tensor(i) for i in range(2500)}
    yield {}


def test_torch(torch, rewrite, files):
    for path in files:
        expected = flatten(torch.load(path, weights_only=True, map_location="cpu"))
        check_with_torch(torch, rewrite, path, expected)
        print("ok with torch", path)
    source = os.path.join(rewrite.folder, "source.pt")
    for protocol in (2, 3, 4, 5):
        for example in torch_examples(torch):
            torch.save(example, source, pickle_protocol=protocol)
            check_with_torch(torch, rewrite, source, example)
        print("ok with torch: examples in protocol", protocol)
    nested = {"model": {"a": torch.ones(2)}, "epoch": 3, "args": [1, (2.5, None)], "note": "text", 7: {True: torch.zeros(1)}}
    torch.save(nested, source)
    loaded = torch.load(rewrite(source), weights_only=True)
    assert set(loaded) == {"model.a", "note", "7.True"} and loaded["note"] == "text", loaded
    check_computed_offsets(torch, rewrite, source)


def check_computed_offsets(torch, rewrite, source):
    """PyTorch can compute where storages lie instead of reading the headers, if the layout is exactly its own."""
    try:
        from torch.utils.serialization import config
        config.load.calculate_storage_offsets
    except (ImportError, AttributeError):
        print("SKIP: this torch cannot compute storage offsets")
        return
    example = {"tensor %d" % i: torch.arange(i * 7, dtype=torch.int16) for i in range(40)}
    torch.save(example, source)
    config.load.calculate_storage_offsets = True
    try:
        check_with_torch(torch, rewrite, source, example)
    finally:
        config.load.calculate_storage_offsets = False
    print("ok with torch: computed storage offsets")


def find(fixtures, name):
    """Among the fixtures, or beside the clone."""
    for folder in (fixtures, os.path.join(fixtures, "..", "..", "..", "shared")):
        if os.path.exists(os.path.join(folder, name)):
            return os.path.join(folder, name)
    print("not tested:", name, "is not here")
    return None


def main():
    program, fixtures = sys.argv[1:]
    files = [path for path in (find(fixtures, name) for name in FIXTURES) if path]
    if not files:
        print("SKIP: no fixtures in", fixtures)
        return 77
    with tempfile.TemporaryDirectory() as folder:
        rewrite = Rewriter(program, folder)
        test_standard_library(rewrite, files)
        try:
            warnings.simplefilter("ignore")
            import torch
        except ImportError:
            print("SKIP: torch cannot be imported, so only the standard library was asked")
            return 0
        test_torch(torch, rewrite, files)
    return 0


if __name__ == "__main__":
    sys.exit(main())
