"""What the tests of --device cuda share: how far apart the results of a command on the two devices may be.

DINOFT is a program with a GPU, usually the emulated one (tests/emulation). The two devices add in another order. In
float32 that changes the last bits of a sum: about 1e-7 of a loss. In bfloat16 a value between two neighbours may go to
the one or the other: less than 1e-3 of a loss."""

import math

from datasets import draw_image
from support import DINOV2, DINOV3, FIXTURES
from tensor_files import values
from training import TrainingTest

# The fixtures' backbones at the smallest oblong sizes: 2 x 3 patches. The FPN's convolutions want 8 x 8.
SMALL2 = DINOV2._replace(size=(28, 42))
SMALL3 = DINOV3._replace(size=(32, 48))
SQUARE2 = DINOV2._replace(size=(112, 112))
TRAINED3 = FIXTURES / "dinov3_tiny" / "after5_lora_linear.pt"

LOSS = {"fp32": 1e-5, "bf16": 5e-3}  # relative
SCORE = {"fp32": 2e-3, "bf16": 2e-2}  # of shares of pixels: some lie between two classes
PIXELS = {"fp32": 2e-3, "bf16": 0.1}  # the share that may have another class
FEATURE = {"fp32": 3e-5, "bf16": 6e-2}  # of normalised features, which are about 1


def differences(found, expected):
    """Sorted, the smallest first; what is not finite is infinitely far from everything."""
    apart = (abs(a - b) for a, b in zip(found, expected, strict=True))
    return sorted(value if math.isfinite(value) else math.inf for value in apart)


class DeviceTest(TrainingTest):
    def draw_image(self, name, width=60, height=48):
        path = self.folder / name
        return draw_image(path, width, height, path.stem)

    def assert_relative(self, found, expected, tolerance, name=""):
        self.assertLessEqual(abs(found - expected), tolerance * abs(expected), f"{name}: {found}, expected {expected}")

    def assert_floats_near(self, found, expected, tolerance, name=""):
        self.assertLessEqual(differences(found, expected)[-1], tolerance, name)

    def assert_tensors_near(self, found, expected, tolerance):
        self.assertEqual(list(found), list(expected))
        for name, tensor in expected.items():
            self.assertEqual((found[name].dtype, found[name].shape), (tensor.dtype, tensor.shape), name)
            self.assert_floats_near(values(found[name]), values(tensor), tolerance, name)

    def assert_pixels_near(self, found, expected, share, levels=0):
        """No more than `share` of the pixels' values are further than `levels` apart."""
        self.assertEqual((found.width, found.height, found.kind), (expected.width, expected.height, expected.kind))
        self.assertGreater(len(set(expected.pixels)), 2, "a dull picture")
        apart = sum(abs(a - b) > levels for a, b in zip(found.pixels, expected.pixels, strict=True))
        self.assertLessEqual(apart, share * len(expected.pixels))

    def assert_confusion_near(self, found, expected, share):
        """A pixel that changes its class leaves one cell for another."""
        pixels = sum(map(sum, expected))
        moved = sum(abs(a - b) for ours, theirs in zip(found, expected, strict=True) for a, b in zip(ours, theirs)) / 2
        self.assertGreater(sum(any(column) for column in zip(*expected)), 1, "one class is predicted")
        self.assertLessEqual(moved, share * pixels)
