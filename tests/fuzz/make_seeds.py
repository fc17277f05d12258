"""Writes small valid files of every format that is read, a folder for each fuzz target: make_seeds.py FOLDER.

Standard library only. Numbers that no fuzzer would hit (checksums, digests) are right where it is easy, else the target
mends them.
"""

import json
import pathlib
import shutil
import struct
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "cli"))
import tensor_files  # noqa: E402

IMAGES = TESTS / "fixtures" / "images"


def backbone_tensors(dim=64, hidden=64, patch=14):
    """{name: shape} of a DINOv2 of one block, under official names."""
    shapes = {
        "cls_token": (1, 1, dim),
        "pos_embed": (1, 5, dim),
        "mask_token": (1, dim),
        "patch_embed.proj.weight": (dim, 3, patch, patch),
        "patch_embed.proj.bias": (dim,),
        "norm.weight": (dim,),
        "norm.bias": (dim,),
    }
    block = {
        "norm1.weight": (dim,),
        "norm1.bias": (dim,),
        "attn.qkv.weight": (3 * dim, dim),
        "attn.qkv.bias": (3 * dim,),
        "attn.proj.weight": (dim, dim),
        "attn.proj.bias": (dim,),
        "ls1.gamma": (dim,),
        "norm2.weight": (dim,),
        "norm2.bias": (dim,),
        "mlp.fc1.weight": (hidden, dim),
        "mlp.fc1.bias": (hidden,),
        "mlp.fc2.weight": (dim, hidden),
        "mlp.fc2.bias": (dim,),
        "ls2.gamma": (dim,),
    }
    return shapes | {f"blocks.0.{name}": shape for name, shape in block.items()}


RECORD = {
    "version": "0.1.0",
    "backbone": "dinov2_vits14",
    "backbone_file": "a.pth",
    "backbone_shape": {
        "family": "dinov2",
        "ffn": "mlp",
        "dim": 64,
        "depth": 1,
        "heads": 1,
        "patch": 14,
        "registers": 0,
        "ffn_hidden": 64,
    },
    "fingerprint": {"patch_embed.proj.weight": [0.01, -0.02], "norm.weight": [1, 0.5, 1e-3]},
    "dataset": "folder",
    "normalize": "imagenet",
    "decoder": "linear",
    "rank": 3,
    "n_classes": 2,
    "img_dim": [70, 84],
    "class_names": ["ground", "fl\u00e4che"],
}


def checkpoint_tensors():
    """{name: shape} of LoRA for one block and the decoder of one layer."""
    shapes = {"classifier.weight": (2, 4, 1, 1), "classifier.bias": (2,)}
    for i in range(2):
        shapes |= {f"w_a_{i:03}": (1, 4), f"w_b_{i:03}": (4, 1)}
    return shapes


def half_tensor(shape):
    return tensor_files.Tensor("F16", shape, b"\x00\x3c" * tensor_files.count(shape))


def float_tensor(shape):
    return tensor_files.float_tensor(shape, [0.5] * tensor_files.count(shape))


def safetensors(folder):
    weights = {name: half_tensor(shape) for name, shape in backbone_tensors().items()}
    tensor_files.write_safetensors(folder / "backbone", weights)
    weights = {name: float_tensor(shape) for name, shape in checkpoint_tensors().items()}
    tensor_files.write_safetensors(folder / "checkpoint", weights, {"dinoft": json.dumps(RECORD), "format": "pt"})
    weights = {
        "scalar": tensor_files.Tensor("I64", (), b"\1" * 8),
        "empty": tensor_files.Tensor("F32", (0, 3), b""),
        "bytes": tensor_files.Tensor("U8", (2, 1, 3), b"abcdef"),
    }
    tensor_files.write_safetensors(folder / "types", weights, {"dinoft.parameters": '["bytes"]'})


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    """A field of a protobuf message: a number, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def initializer(name, kind, shape, raw=b"", packed=b""):
    dims = b"".join(field(1, size) for size in shape)
    data = field(9, raw) if raw else field(4, packed)
    return field(5, dims + field(2, kind) + field(8, name.encode()) + data)


def node(name, first, second):
    inputs = field(1, first.encode()) + field(1, second.encode())
    return field(1, inputs + field(2, b"out") + field(3, name.encode()) + field(4, b"MatMul"))


def onnx(folder):
    ones = struct.pack("<6f", *[1.0] * 6)
    graph = node("/encoder/layer.0/attention/attention/query/MatMul", "x", "onnx::MatMul_1")
    graph += initializer("onnx::MatMul_1", 1, (2, 3), ones)
    graph += initializer("named", 1, (6,), packed=ones)
    graph += initializer("scalar", 11, (), struct.pack("<d", 1.0))
    (folder / "names").write_bytes(field(1, 7) + field(2, b"a test") + field(7, field(2, b"main") + graph))
    graph = b"".join(initializer(name, 10, shape, half_tensor(shape).data) for name, shape in backbone_tensors().items())
    (folder / "backbone").write_bytes(field(1, 7) + field(7, graph))


def copy_images(folder, endings):
    for path in sorted(IMAGES.iterdir()):
        if path.suffix in endings:
            shutil.copyfile(path, folder / path.name)


def png(folder):
    copy_images(folder, {".png"})


def jpeg(folder):
    copy_images(folder, {".jpg"})


def bmp(bits, palette, rows):
    offset = 54 + len(palette)
    header = struct.pack("<IiiHHIIiiII", 40, 9, 2, 1, bits, 0, len(rows), 0, 0, len(palette) // 4, 0)
    return struct.pack("<2sIHHI", b"BM", offset + len(rows), 0, 0, offset) + header + palette + rows


def psd(compression, data):
    return struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, 2, 4, 8, 3) + bytes(12) + struct.pack(">H", compression) + data


def other_images(folder):
    copy_images(folder, {".bmp", ".gif", ".tga", ".ppm", ".pgm"})
    palette = bytes(range(64))
    (folder / "palette1.bmp").write_bytes(bmp(1, palette[:8], bytes(8)))
    (folder / "palette4.bmp").write_bytes(bmp(4, palette, bytes(16)))
    (folder / "rgba.bmp").write_bytes(bmp(32, b"", bytes(72)))
    tga = struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, 4, 2, 24, 0)
    (folder / "rle.tga").write_bytes(tga + b"\x86abc" + b"\x00xyz")
    tga = struct.pack("<BBBHHBHHHHBB", 0, 1, 1, 0, 2, 24, 0, 0, 2, 2, 8, 0x20)
    (folder / "palette.tga").write_bytes(tga + b"abcdef" + bytes([0, 1, 1, 0]))
    (folder / "raw.psd").write_bytes(psd(0, bytes(range(24))))
    lengths = struct.pack(">6H", *[2] * 6)
    (folder / "rle.psd").write_bytes(psd(1, lengths + b"\xfda" * 6))


def exif(folder):
    for order, name in (("<", b"II"), (">", b"MM")):
        tag = struct.pack(order + "HHIHH", 0x0112, 3, 1, 6, 0)
        other = struct.pack(order + "HHII", 0x010F, 2, 4, 0)
        tiff = name + struct.pack(order + "HIH", 42, 8, 2) + other + tag + bytes(4)
        (folder / name.decode()).write_bytes(tiff)


TARGETS = [safetensors, onnx, png, jpeg, other_images, exif]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for write in TARGETS:
        folder = pathlib.Path(sys.argv[1]) / write.__name__
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write(folder)


main()
