"""Writes small valid files of every format that is read, a folder for each fuzz target: make_seeds.py FOLDER.

Digests are left zero where the target mends them.
"""

import collections
import io
import json
import pathlib
import pickle
import shutil
import struct
import sys
import tarfile
import tempfile
import types
import zipfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "cli"))
import png_files  # noqa: E402
import tensor_files  # noqa: E402

IMAGES = TESTS / "fixtures" / "images"
FORMATS = TESTS / "fixtures" / "image_formats"
ANNOTATIONS = TESTS / "fixtures" / "annotations"


def module(name, *shape):
    return {name + ".weight": shape, name + ".bias": shape[:1]}


def dinov2(dim=64, hidden=64):
    """{name: shape} of a DINOv2 of one block, under official names."""
    shapes = {"cls_token": (1, 1, dim), "pos_embed": (1, 5, dim), "mask_token": (1, dim)}
    block = {"ls1.gamma": (dim,), "ls2.gamma": (dim,)} | module("norm1", dim) | module("norm2", dim)
    block |= module("attn.qkv", 3 * dim, dim) | module("attn.proj", dim, dim)
    block |= module("mlp.fc1", hidden, dim) | module("mlp.fc2", dim, hidden)
    shapes |= module("patch_embed.proj", dim, 3, 14, 14) | module("norm", dim)
    return shapes | {f"blocks.0.{name}": shape for name, shape in block.items()}


def dinov3(dim=64, hidden=48):
    """The same of a DINOv3 with SwiGLU."""
    shapes = {"cls_token": (1, 1, dim), "storage_tokens": (1, 4, dim), "mask_token": (1, dim)}
    shapes |= {"rope_embed.periods": (16,)} | module("patch_embed.proj", dim, 3, 16, 16)
    block = {"ls1.gamma": (dim,), "ls2.gamma": (dim,)} | module("norm1", dim) | module("norm2", dim)
    block |= module("attn.qkv", 3 * dim, dim) | {"attn.qkv.bias_mask": (3 * dim,)}
    block |= module("attn.proj", dim, dim) | module("mlp.w3", dim, hidden)
    block |= module("mlp.w1", hidden, dim) | module("mlp.w2", hidden, dim)
    shapes |= module("norm", dim) | module("cls_norm", dim) | module("local_cls_norm", dim)
    return shapes | {f"blocks.0.{name}": shape for name, shape in block.items()}


def huggingface_dinov2(dim=64, hidden=64):
    """A DINOv2 of one block under Hugging Face's names."""
    shapes = {"cls_token": (1, 1, dim), "position_embeddings": (1, 5, dim), "mask_token": (1, dim)}
    shapes |= module("patch_embeddings.projection", dim, 3, 14, 14)
    shapes = {f"embeddings.{name}": shape for name, shape in shapes.items()}
    block = {"layer_scale1.lambda1": (dim,), "layer_scale2.lambda1": (dim,)}
    block |= module("norm1", dim) | module("norm2", dim)
    for part in ("attention.query", "attention.key", "attention.value", "output.dense"):
        block |= module(f"attention.{part}", dim, dim)
    block |= module("mlp.fc1", hidden, dim) | module("mlp.fc2", dim, hidden)
    return shapes | module("layernorm", dim) | {f"encoder.layer.0.{name}": shape for name, shape in block.items()}


def huggingface_dinov3(dim=64, hidden=48, gated=True):
    shapes = {"cls_token": (1, 1, dim), "register_tokens": (1, 4, dim), "mask_token": (1, 1, dim)}
    shapes |= module("patch_embeddings", dim, 3, 16, 16)
    shapes = {f"embeddings.{name}": shape for name, shape in shapes.items()}
    block = {"layer_scale1.lambda1": (dim,), "layer_scale2.lambda1": (dim,)}
    block |= module("norm1", dim) | module("norm2", dim)
    for part in ("q_proj", "k_proj", "v_proj", "o_proj"):
        block |= module(f"attention.{part}", dim, dim)
    del block["attention.k_proj.bias"]
    block |= module("mlp.up_proj", hidden, dim) | module("mlp.down_proj", dim, hidden)
    if gated:
        block |= module("mlp.gate_proj", hidden, dim)
    return shapes | module("norm", dim) | {f"layer.0.{name}": shape for name, shape in block.items()}


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
    "image_range": "0,4095",
    "bands": "4,3,2",
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
    weights = {name: half_tensor(shape) for name, shape in dinov2().items()}
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
    graph = b""
    for name, shape in huggingface_dinov2(hidden=8).items():
        if name != "embeddings.position_embeddings":
            graph += initializer(name, 10, shape, half_tensor(shape).data)
    for name, rows in (("onnx::Concat_1", 1), ("onnx::Concat_2", 4)):  # as exporters fold the position embedding
        graph += initializer(name, 10, (1, rows, 64), half_tensor((rows, 64)).data)
    (folder / "backbone").write_bytes(field(1, 7) + field(7, graph))


def copy_images(folder, endings):
    for path in sorted([*IMAGES.iterdir(), *FORMATS.iterdir()]):
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


def other_images(folder):
    copy_images(folder, {".bmp", ".tga"})
    palette = bytes(range(64))
    (folder / "palette1.bmp").write_bytes(bmp(1, palette[:8], bytes(8)))
    (folder / "palette4.bmp").write_bytes(bmp(4, palette, bytes(16)))
    (folder / "rgba.bmp").write_bytes(bmp(32, b"", bytes(72)))
    tga = struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, 4, 2, 24, 0)
    (folder / "rle.tga").write_bytes(tga + b"\x86abc" + b"\x00xyz")
    tga = struct.pack("<BBBHHBHHHHBB", 0, 1, 1, 0, 2, 24, 0, 0, 2, 2, 8, 0x20)
    (folder / "palette.tga").write_bytes(tga + b"abcdef" + bytes([0, 1, 1, 0]))


def gif(folder):
    copy_images(folder, {".gif"})


def pnm(folder):
    copy_images(folder, {".pbm", ".pgm", ".ppm"})


def webp(folder):
    copy_images(folder, {".webp"})


def tiff(folder):
    copy_images(folder, {".tif"})


def tiff_windows(folder):
    tiff(folder)


def exif(folder):
    for order, name in (("<", b"II"), (">", b"MM")):
        tag = struct.pack(order + "HHIHH", 0x0112, 3, 1, 6, 0)
        other = struct.pack(order + "HHII", 0x010F, 2, 4, 0)
        tiff = name + struct.pack(order + "HIH", 42, 8, 2) + other + tag + bytes(4)
        (folder / name.decode()).write_bytes(tiff)


def fake_torch():
    """Modules whose names pickle writes down, in the place of PyTorch's."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "HalfStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    for name in ("_rebuild_tensor_v2", "_rebuild_parameter"):
        function = types.FunctionType((lambda *arguments: None).__code__, {"__name__": "torch._utils"}, name)
        function.__qualname__ = name
        setattr(utils, name, function)
    sys.modules |= {"torch": torch, "torch._utils": utils}
    return torch, utils


TORCH, UTILS = fake_torch()
Storage = collections.namedtuple("Storage", "kind key count")


class FakeTensor:
    """A view of a storage: row-major where it is small, else all of its elements are the storage's first."""

    def __init__(self, shape, storage, repeated):
        strides, step = [], 0 if repeated else 1
        for size in reversed(shape):
            strides.insert(0, step)
            step *= size
        self.arguments = storage, 0, tuple(shape), tuple(strides), False, collections.OrderedDict()

    def __reduce__(self):
        return UTILS._rebuild_tensor_v2, self.arguments


class FakeParameter:
    def __init__(self, tensor):
        self.arguments = tensor, True, collections.OrderedDict()

    def __reduce__(self):
        return UTILS._rebuild_parameter, self.arguments


class TorchPickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return "storage", value.kind, value.key, "cpu", value.count
        return None


def pickled(value, protocol):
    stream = io.BytesIO()
    TorchPickler(stream, protocol).dump(value)
    return stream.getvalue()


def torch_values(shapes, repeated):
    storage = Storage(TORCH.FloatStorage, "0", 1024)
    return {name: FakeTensor(shape, storage, repeated) for name, shape in shapes.items()}


def torch(folder):
    backbone = {"model": torch_values(dinov2(), True), "epoch": 3, "lr": 1e-3, "names": ["a", True, None]}
    checkpoint = torch_values(checkpoint_tensors(), False) | {"dinoft": json.dumps(RECORD)}
    checkpoint["classifier.bias"] = FakeParameter(FakeTensor((2,), Storage(TORCH.HalfStorage, "1", 3), False))
    for protocol in (2, 4, 5):
        (folder / f"backbone{protocol}").write_bytes(pickled(backbone, protocol))
        (folder / f"checkpoint{protocol}").write_bytes(pickled(collections.OrderedDict(checkpoint), protocol))
    for shapes in (dinov3, huggingface_dinov2, huggingface_dinov3):
        (folder / shapes.__name__).write_bytes(pickled({"teacher": torch_values(shapes(), True)}, 4))
    plain = torch_values(huggingface_dinov3(gated=False), True)
    (folder / "huggingface_plain").write_bytes(pickled(plain, 2))
    for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(folder / name, "w", method) as archive:
            archive.writestr("archive/data.pkl", pickled(checkpoint, 2))
            archive.writestr("archive/byteorder", "little")
            archive.writestr("archive/data/0", bytes(4096))
            archive.writestr("archive/data/1", bytes(6))


def zip(folder):  # noqa: A001, the name of a target
    for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(folder / name, "w", method) as archive:
            archive.comment = b"a comment"
            for i in range(3):
                archive.writestr(f"folder/{i}", b"some words " * i)
    with zipfile.ZipFile(folder / "zip64", "w") as archive:
        with archive.open("large", "w", force_zip64=True) as entry:
            entry.write(b"words")


def tar(folder):
    for name, kind in (("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)):
        with tarfile.open(folder / name, "w", format=kind) as archive:
            entries = [("folder", tarfile.DIRTYPE, b""), ("folder/a.txt", tarfile.REGTYPE, b"words" * 200), ("link", tarfile.SYMTYPE, b"")]
            if name != "ustar":
                entries.append(("long/" * 60 + "name", tarfile.REGTYPE, b"more words"))
            for entry, type_, content in entries:
                member = tarfile.TarInfo(entry)
                member.type, member.size, member.linkname = type_, len(content), "folder/a.txt" if type_ == tarfile.SYMTYPE else ""
                archive.addfile(member, io.BytesIO(content))


def archive(folder):
    picture = png_bytes(png_files.Picture(4, 3, png_files.RGB, bytes(range(36))))
    mask = png_bytes(png_files.Picture(4, 3, png_files.GREY, bytes([0, 1, 2, 255] * 3)))
    layouts = {
        "folders": ["images/a.png", "masks/a.png", "images/b.png", "masks/b.png"],
        "split": ["set/images/train/a.png", "set/masks/train/a.png", "set/images/val/b.png", "set/masks/val/b.png"],
        "samples": ["a.image.png", "a.seg.png", "b.image.png", "b.seg.png"],
    }
    for layout, names in layouts.items():
        files = [(name, mask if i % 2 else picture) for i, name in enumerate(names)]
        with zipfile.ZipFile(folder / f"{layout}.zip", "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in files:
                packed.writestr(name, content)
        with tarfile.open(folder / f"{layout}.tar", "w", format=tarfile.USTAR_FORMAT) as packed:
            for name, content in files:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                packed.addfile(member, io.BytesIO(content))


def png_bytes(picture):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "a.png"
        png_files.write_png(path, picture)
        return path.read_bytes()


def write_json(folder, name, value):
    (folder / name).write_text(json.dumps(value))


def record(folder):
    write_json(folder, "whole", RECORD)
    write_json(folder, "images", RECORD | {"trained_images": {"images": 3, "digests": "00000000000a00000000000b"}})
    write_json(folder, "old", {"backbone": "dinov3_vitl16", "dataset": "voc", "normalize": "none"})
    write_json(folder, "given", RECORD | {"normalize": "0.43,0.411,0.296:0.213,0.156,0.143", "pos_interpolation": "huggingface"})
    write_json(folder, "empty", {})


def config_json(folder):
    common = {"hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 1, "hidden_act": "gelu"}
    dinov2 = {"patch_size": 14, "image_size": 42, "layer_norm_eps": 1e-6, "qkv_bias": True} | common
    registers = {"model_type": "dinov2_with_registers", "num_register_tokens": 4, "mlp_ratio": 4}
    write_json(folder, "registers", registers | dinov2 | {"use_swiglu_ffn": False})
    write_json(folder, "swiglu", {"model_type": "dinov2", "mlp_ratio": 1.05, "use_swiglu_ffn": True} | dinov2)
    dinov3 = {
        "model_type": "dinov3_vit",
        "patch_size": 16,
        "intermediate_size": 256,
        "layer_norm_eps": 1e-5,
        "rope_theta": 100.0,
        "rope_parameters": {"rope_theta": 100.0},
        "query_bias": True,
        "key_bias": True,
        "value_bias": True,
        "proj_bias": True,
        "mlp_bias": True,
        "use_gated_mlp": False,
        "num_register_tokens": 4,
    }
    write_json(folder, "dinov3", dinov3 | common)
    colours = {"image_mean": [0.43, 0.411, 0.296], "image_std": [0.213, 0.156, 0.143]}
    write_json(folder, "preprocessor", colours | {"do_normalize": True, "do_rescale": True, "rescale_factor": 1 / 255})


def corruption_json(folder):
    cell = {"miou": 0.5, "reference_iou": None, "reference_miou": 0.25, "pixel_accuracy": 0.123456789}
    results = {"key": "key", "version": "0.1.0", "suite": "imagenet-c", "severities": [1, 5], "facts": {}}
    results["clean"] = cell
    rows = [("gaussian_noise", [cell, None]), ("fog", [cell, cell]), ("frost", [None, None])]
    results["corruptions"] = [{"name": name, "skipped": None, "cells": cells} for name, cells in rows]
    write_json(folder, "whole", results)
    write_json(folder, "empty", results | {"clean": None, "corruptions": []})
    write_json(folder, "other", results | {"key": "other"})


def feature_cache(folder):
    header = b"dinoftFC" + struct.pack("=7Q", 1, 7, 3, 2, 8, 5, 0)
    records = b"".join(struct.pack("=Q", 0) + bytes(range(i, i + 21)) for i in range(3))
    (folder / "whole").write_bytes(header + records)
    (folder / "other").write_bytes(header.replace(b"\7", b"\6") + records)


def event_file(folder):
    records = b""
    for step, rest in ((0, b"\x1a\x0dbrain.Event:2"), (0, b":\2\x08\1"), (1, b"*\7\n\5\n\1a\x15"), (300, b"*\0")):
        event = struct.pack("<Bd", 9, 1.5e9) + (b"\x10" + bytes([step % 128 + 128, step // 128]) if step else b"") + rest
        records += struct.pack("<QI", len(event), 0) + event + bytes(4)
    (folder / "whole").write_bytes(records)
    (folder / "torn").write_bytes(records[:-9])


def autotune_cache(folder):
    (folder / "some").write_text("1 2 3 0\n-4 5 9223372036854775807 3\n1 2 3 1\n")
    (folder / "odd").write_text("1 2 3 4\n1 2\nwords\n1 2 3 2")


def command_line(folder):
    lines = {
        "train": "--dataset folder --n_classes 3 --class_names a.txt --use_lora --r 9 --img_dim 308,490 --lr 1e-3",
        "recipe": "train --recipe reference --dino_type dinov2 --size base --img_dim 308 490 --seed=7 --device cpu",
        "eval": "eval --lora_weights a.pt --tta --scales 0.5,1,1.5 --slide 480 320 --eval_size original",
        "corrupt": "corrupt --lora_weights a.pt --corruptions fog,common --severity 1,3",
        "predict": "predict --lora_weights a.pt -- -a.jpg b.png",
        "convert": "convert in.pth out.safetensors --dtype bf16 --naming huggingface",
        "bench": "bench train --steps 3",
        "manual": "--help_man train",
        "completion": "--completion zsh",
        "help": "eval --help",
        "version": "--version --verbose",
    }
    for name, words in lines.items():
        (folder / name).write_text(words.replace(" ", "\n"))


def run_config(folder):
    write_json(folder, "some", {"dataset": "folder", "n_classes": 3, "use_lora": True, "lr": 1e-3})
    write_json(folder, "newer", {"dinoft": "99.0.0", "command": "train", "sharpness": 3, "seed": "9223372036854775807"})
    run = {"dinoft": "0.1.0", "command": "train", "exp_name": "a", "config": None, "overwrite": False, "recipe": "reference"}
    run |= {"schedule": "poly", "warmup_steps": "5%", "img_dim": [112, 140], "weights": "a.pth", "decay_1d": False}
    write_json(folder, "run", run | {"min_lr": 1e-5, "device": "cuda:1", "size": "huge+", "facts": {"threads": 2}})


def lists(folder):
    (folder / "images").write_bytes(b"\xef\xbb\xbfa\r\n\n b \nb")
    (folder / "names").write_text("ground\nfl\u00e4che\nsky\n")


def pairs_csv(folder):
    (folder / "usual").write_text("image,mask,split\na.png,a.png,train\n/b.jpg,b.png,val\n")
    (folder / "quoted").write_bytes(b'\xef\xbb\xbf"mask";"image"\r\n"a ""b"".png";"c;d.png"\r\n\r\nx; y \r\n')
    (folder / "tabs").write_text("note\timage\tmask\tsplit\n\ta.png\ta.png\ttest\n")


def nnunet(folder):
    labels = {"background": 0, "road": 2, "ignore": 3}
    write_json(folder, "labels", {"channel_names": {"0": "R"}, "labels": labels, "numTraining": 2, "file_ending": ".png"})
    write_json(folder, "regions", {"labels": {"background": 0, "whole": [1, 2]}, "file_ending": ".nii.gz"})
    write_json(folder, "folds", [{"train": ["a"], "val": ["b"]}, {"train": ["b"], "val": ["a"]}])


def split_lists(folder):
    (folder / "names").write_bytes(b"\xef\xbb\xbfa\r\n\n./images/b.png \nc.png")


def coco(folder):
    shutil.copy(ANNOTATIONS / "coco" / "instances.json", folder / "instances")
    shutil.copy(ANNOTATIONS / "panoptic" / "panoptic.json", folder / "panoptic")
    image = {"id": 1, "file_name": "a", "width": 4, "height": 3}
    shape = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 3, 0, 3, 2]]}
    runs = shape | {"segmentation": {"size": [3, 4], "counts": "57"}}
    write_json(folder, "small", {"images": [image], "categories": [{"id": 1, "name": "a"}], "annotations": [shape, runs]})


def labelme(folder):
    for file in ANNOTATIONS.glob("labelme/*.json"):
        shutil.copy(file, folder / file.stem)


def yolo(folder):
    for file in ANNOTATIONS.glob("yolo/labels/*.txt"):
        (folder / file.stem).write_bytes(file.read_bytes() + b"\0" + (ANNOTATIONS / "yolo" / "data.yaml").read_bytes())
    (folder / "flow").write_bytes(b"0 0 0 1 0 1 1\n\0names: {0: a, 1: 'b'}")
    (folder / "list").write_bytes(b"\0names:\n- a # more\n- \"b\"\nnc: 2\n")


def cvat(folder):
    shutil.copy(ANNOTATIONS / "cvat" / "annotations.xml", folder / "annotations")


def run_history(folder):
    header = "epoch,step,loss,lr,images_per_second,gradient_norm\n"
    (folder / "steps").write_text(header + "1,1,2.5,0.001,43.2,0.5\n1,2,nan,1e-3,43.2,inf\n2,3,1.25,0.001,43.2,0.4\n")
    (folder / "cut").write_text(header + "1,1,2.5,0.001,43.2,0.5\n1,2,2.4")
    metrics = {"train_loss": [2.0, None, 1.0], "val_loss": [1.5, 1.25], "val_iou": [0.5, 0.75], "val_pixel_accuracy": [0.5, 1]}
    write_json(folder, "reference", metrics)
    metrics |= {"val_reference_iou": [0, 0], "val_reference_miou": [0.1, None], "val_epoch": [1, 3]}
    write_json(folder, "metrics", metrics | {"class_names": ["ground", "sky"], "val_class_iou": [[0.5, None], [1, 0.5]]})


def class_weights(folder):
    (folder / "names").write_text("ground=0.5,fl\u00e4che=2e1")
    (folder / "file").write_bytes(b"1\n 2.5 \r\n\n3e-1")


def class_tables(folder):
    (folder / "colors").write_text("# a comment\n0 0 0 Void\n#ff8000 road\n64\t128 64\tAnimal\n1,2,3 sky (ignore)\n")
    (folder / "labelmap").write_text("# label:color_rgb:parts:actions\nbackground:0,0,0::\nfl\u00e4che:1,2,3:a,b:c\n")
    (folder / "names").write_text("ground\nfl\u00e4che\n")
    write_json(folder, "list", ["ground", {"name": "sky", "color": "#0a0b0c"}, {"name": "car", "color": [1, 2, 3]}])
    write_json(folder, "numbered", {"0": "ground", "1": {"name": "sky"}})
    for i, text in enumerate(("0,255", "1..19", "9+3..5,0..7", "#000000,#ff0080+#ff0081", "road/,car/+bus/", "cityscapes")):
        (folder / f"values{i}").write_text(text)
    (folder / "merged").write_text("car+bus+19=vehicle,cat+dog")
    (folder / "ignored").write_text("person,0")


TARGETS = [safetensors, onnx, zip, tar, archive, torch, record, config_json, corruption_json, feature_cache, event_file]
TARGETS += [autotune_cache, png, jpeg, gif, pnm, webp, tiff, tiff_windows, other_images, exif, lists, pairs_csv, split_lists, nnunet, coco, labelme, yolo, cvat, class_tables, class_weights]
TARGETS += [command_line, run_config, run_history]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for write in TARGETS:
        folder = pathlib.Path(sys.argv[1]) / write.__name__
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write(folder)


main()
