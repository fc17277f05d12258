"""Small data sets in the three layouts."""

import atexit
import pathlib
import random
import shutil
import tempfile

from png_files import GREY, RGB, Picture, read_png, write_png
from support import run_program

IGNORE = 255
COLORS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (220, 220, 60), (30, 30, 30)]
_demo = {}


def voc_demo(train=3, val=2):
    """The folder of demonstration data in VOC's layout, drawn once in this process; not to be changed."""
    if (train, val) not in _demo:
        folder = tempfile.mkdtemp(prefix="dinoft-demo-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        result = run_program("demo-data", "--data_root", folder, "--train_images", train, "--val_images", val)
        if result.status != 0:
            raise RuntimeError(result.stderr)
        _demo[train, val] = pathlib.Path(folder)
    return _demo[train, val]


def voc_folder(root):
    return pathlib.Path(root) / "VOCdevkit" / "VOC2012"


def voc_masks(root, split):
    """The masks of a split in the list's order, as Pictures."""
    folder = voc_folder(root)
    names = (folder / "ImageSets" / "Segmentation" / f"{split}.txt").read_text().split()
    return [read_png(folder / "SegmentationClass" / f"{name}.png") for name in names]


def make_ade20k(root):
    """The demonstration pictures in ADE20K's layout: label 0 is nothing, classes count from 1."""
    source = voc_folder(voc_demo())
    base = pathlib.Path(root) / "ADEChallengeData2016"
    for split, ours in (("train", "training"), ("val", "validation")):
        (base / "images" / ours).mkdir(parents=True)
        (base / "annotations" / ours).mkdir(parents=True)
        for name in (source / "ImageSets" / "Segmentation" / f"{split}.txt").read_text().split():
            shutil.copy(source / "JPEGImages" / f"{name}.jpg", base / "images" / ours / f"{name}.jpg")
            mask = read_png(source / "SegmentationClass" / f"{name}.png")
            labels = mask.pixels.translate(bytes((value + 1) % 256 for value in range(256)))
            write_png(
                base / "annotations" / ours / f"{name}.png", Picture(mask.width, mask.height, GREY, labels)
            )


def draw_scene(seed, width, height, n_classes):
    """A picture of coloured rectangles, and its mask: the colour tells the class. One column is ignored."""
    generator = random.Random(seed)
    labels = bytearray(width * height)
    for _ in range(3):
        label = generator.randrange(n_classes)
        left, top = generator.randrange(width // 2), generator.randrange(height // 2)
        for y in range(top, top + height // 2):
            start = y * width + left
            labels[start : start + width // 2] = bytes([label]) * (width // 2)
    pixels = bytearray()
    for label in labels:
        pixels.extend(max(0, min(255, value + generator.randrange(-20, 21))) for value in COLORS[label])
    for y in range(height):
        labels[y * width] = IGNORE
    return Picture(width, height, RGB, bytes(pixels)), Picture(width, height, GREY, bytes(labels))


def draw_image(path, width=90, height=70, seed=None):
    """Such a picture in a file, whose folder is made. The path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, draw_scene(seed or path.name, width, height, 4)[0])
    return path


def make_folder(root, train=5, val=3, n_classes=4, width=60, height=48):
    """images/{train,val} and masks/{train,val}; every picture is a little wider than the one before."""
    root = pathlib.Path(root)
    for split, number in (("train", train), ("val", val)):
        (root / "images" / split).mkdir(parents=True)
        (root / "masks" / split).mkdir(parents=True)
        for i in range(number):
            image, mask = draw_scene(f"{split} {i}", width + i, height, n_classes)
            write_png(root / "images" / split / f"{i:02}.png", image)
            write_png(root / "masks" / split / f"{i:02}.png", mask)
    return root


def folder_masks(root, split):
    return [read_png(path) for path in sorted((pathlib.Path(root) / "masks" / split).iterdir())]


def resize_nearest(mask, height, width):
    """A mask's pixels at another size: source index floor(i * source / destination)."""
    columns = [x * mask.width // width for x in range(width)]
    rows = []
    for y in range(height):
        start = y * mask.height // height * mask.width
        rows.append(bytes(mask.pixels[start + x] for x in columns))
    return b"".join(rows)
