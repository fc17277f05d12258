"""PyTorch's side of scripts/compare_with_pytorch.py: a DINO backbone of random weights with LoRA and a 1x1 decoder.

Started with a JSON object of settings; for each line on standard input it runs some steps and answers with a line of
JSON. As the reference project runs them, DINOv2's float32 attention is two products around a softmax and DINOv3's is
scaled_dot_product_attention; the bf16 settings use the latter for both."""

import json
import resource
import sys
import tempfile
import time

import torch
import torch.nn.functional as F
from torch import nn

DIMENSIONS = {"small": (384, 12, 6), "base": (768, 12, 12), "large": (1024, 24, 16)}
CLASSES, RANK, REGISTERS = 21, 3, 4


class Attention(nn.Module):
    def __init__(self, dim, heads, rope, fused):
        super().__init__()
        self.heads, self.rope, self.fused = heads, rope, fused
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.down = nn.ModuleList(nn.Linear(dim, RANK, bias=False) for _ in range(2))
        self.up = nn.ModuleList(nn.Linear(RANK, dim, bias=False) for _ in range(2))

    def rotate(self, x, sin, cos):
        first, second = x[:, :, 1 + REGISTERS:].chunk(2, -1)
        turned = x[:, :, 1 + REGISTERS:] * cos + torch.cat([-second, first], -1) * sin
        return torch.cat([x[:, :, :1 + REGISTERS], turned.to(x.dtype)], 2)

    def forward(self, x, sin, cos):
        batch, tokens, dim = x.shape
        qkv = self.qkv(x)
        qkv[:, :, :dim] += self.up[0](self.down[0](x))
        qkv[:, :, -dim:] += self.up[1](self.down[1](x))
        q, k, v = qkv.reshape(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if self.rope:
            q, k = self.rotate(q, sin, cos), self.rotate(k, sin, cos)
        if self.fused:
            out = F.scaled_dot_product_attention(q, k, v)
        else:
            out = (q * q.shape[-1] ** -0.5 @ k.transpose(-2, -1)).softmax(-1) @ v
        return self.proj(out.transpose(1, 2).reshape(batch, tokens, dim))


class Block(nn.Module):
    def __init__(self, dim, heads, rope, fused):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(dim, eps=1e-6)
        self.attention = Attention(dim, heads, rope, fused)
        self.fc1, self.fc2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        self.ls1, self.ls2 = nn.Parameter(torch.ones(dim)), nn.Parameter(torch.ones(dim))

    def forward(self, x, sin, cos):
        x = x + self.ls1 * self.attention(self.norm1(x), sin, cos)
        return x + self.ls2 * self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Segmenter(nn.Module):
    def __init__(self, settings):
        super().__init__()
        dim, depth, heads = DIMENSIONS[settings["size"]]
        rope = settings["family"] == "dinov3"
        patch = 16 if rope else 14
        self.grid = [side // patch for side in settings["img_dim"]]
        patches, head = self.grid[0] * self.grid[1], dim // heads
        self.embed = nn.Conv2d(3, dim, patch, patch)
        self.prefix = nn.Parameter(torch.randn(1, 1 + REGISTERS, dim))
        self.position = nn.Parameter(torch.zeros(1, patches, dim) if rope else torch.randn(1, patches, dim))
        self.register_buffer("sin", torch.rand(patches, head))
        self.register_buffer("cos", torch.rand(patches, head))
        self.blocks = nn.ModuleList(
            Block(dim, heads, rope, rope or settings["kind"] != "fp32") for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(".down." in name or ".up." in name)
        self.decoder = nn.Conv2d(dim, CLASSES, 1)

    def forward(self, image):
        x = self.embed(image).flatten(2).transpose(1, 2) + self.position
        x = torch.cat([self.prefix.expand(len(x), -1, -1), x], 1)
        for block in self.blocks:
            x = block(x, self.sin, self.cos)
        x = self.norm(x)[:, 1 + REGISTERS:].reshape(len(x), *self.grid, -1).permute(0, 3, 1, 2)
        return F.interpolate(self.decoder(x).float(), size=image.shape[2:], mode="bilinear", align_corners=False)


def training_step(settings, model, image, label):
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-4)
    criterion = nn.CrossEntropyLoss(ignore_index=255)
    called = torch.compile(model) if settings["kind"] == "compiled" else model
    device = settings["device"]

    def step():
        optimizer.zero_grad()
        images, labels = image.to(device, non_blocking=True), label.to(device, non_blocking=True)
        with torch.autocast(device, torch.bfloat16, enabled=settings["kind"] != "fp32"):
            logits = called(images)
        criterion(logits, labels).backward()
        optimizer.step()

    return step


def evaluation_step(settings, model, image, label):
    model.eval()
    criterion = nn.CrossEntropyLoss(ignore_index=255)
    called = torch.compile(model) if settings["kind"] == "compiled" else model
    device = settings["device"]

    def step():
        images, labels = image.to(device, non_blocking=True), label.to(device, non_blocking=True)
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=settings["kind"] != "fp32"):
            logits = called(images)
            criterion(logits, labels)
            logits.argmax(1)

    return step


def onnx_step(model, image):
    import onnxruntime

    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        torch.onnx.export(model.eval(), (image,), file.name, dynamo=False)
        session = onnxruntime.InferenceSession(file.name, providers=["CPUExecutionProvider"])
    name, value = session.get_inputs()[0].name, image.numpy()
    return lambda: session.run(None, {name: value})[0].argmax(1)


def make_step(settings):
    torch.manual_seed(0)
    model = Segmenter(settings)
    height, width = settings["img_dim"]
    image = torch.rand(settings["batch"], 3, height, width)
    label = torch.randint(0, CLASSES, (settings["batch"], height, width))
    if settings["kind"] == "onnx":
        return onnx_step(model, image)
    if settings["device"] == "cuda":
        model, image, label = model.cuda(), image.pin_memory(), label.pin_memory()
    return (training_step if settings["mode"] == "train" else evaluation_step)(settings, model, image, label)


def finish(settings):
    """A GPU's work is done some time after it was asked for."""
    if settings["device"] == "cuda":
        torch.cuda.synchronize()


def make_room(settings):
    """For others on the same GPU: what no tensor holds."""
    if settings["device"] == "cuda":
        torch.cuda.empty_cache()


def peak_memory(settings):
    if settings["device"] == "cuda":
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main():
    settings = json.loads(sys.argv[1])
    patch = 16 if settings["family"] == "dinov3" else 14
    settings["img_dim"] = [side - side % patch for side in settings["img_dim"]]
    step = make_step(settings)
    for _ in range(2):
        step()
    finish(settings)
    make_room(settings)
    print("ready", flush=True)
    for _ in sys.stdin:
        step()
        finish(settings)
        seconds = []
        for _ in range(settings["steps"]):
            started = time.perf_counter()
            step()
            finish(settings)
            seconds.append(time.perf_counter() - started)
        make_room(settings)
        print(json.dumps({"images_per_second": settings["batch"] / sorted(seconds)[len(seconds) // 2],
                          "peak_memory_bytes": peak_memory(settings)}), flush=True)


if __name__ == "__main__":
    main()
