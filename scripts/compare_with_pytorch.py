#!/usr/bin/env python3
"""Measures dinoft against PyTorch on this machine, alternating, in one run.

usage: scripts/compare_with_pytorch.py [--size small|base] [--dino_type dinov2|dinov3] [--img_dim H W] [--batch_size N]
                                       [--rounds N] [--steps N] [--program build/dinoft] [--no_compile] [--no_onnx]
                                       [--output docs/benchmarks/cpu.md]

Contestants train LoRA (rank 3) and a 1x1 decoder on random pixels with random weights of the same dimensions: what they
compute is the same, what it says is not looked at here (tests do that). Each round measures every contestant once, so
that a machine that others use slows all of them alike; ratios are of the medians over the rounds. PyTorch, ONNX Runtime
and what they need go into a virtual environment of their own, build/compare-venv."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, "build", "compare-venv")
PACKAGES = ["torch", "numpy", "onnx", "onnxscript", "onnxruntime"]
WORKER = os.path.join(ROOT, "scripts", "pytorch_contestant.py")
MIB = 1 << 20


def venv_python():
    """The environment's interpreter, made with its packages on the first run."""
    python = os.path.join(VENV, "bin", "python")
    if not os.path.exists(os.path.join(VENV, "complete")):
        print(f"installing {', '.join(PACKAGES)} into {os.path.relpath(VENV, ROOT)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        with open(os.path.join(VENV, "complete"), "w", encoding="utf-8"):
            pass
    return python


class Dinoft:
    """One precision and mode of the program; a process for each measurement."""

    def __init__(self, arguments, mode, precision):
        self.name, self.mode = f"dinoft {precision}", mode
        self.command = [arguments.program, "bench", mode, "--use_lora", "--precision", precision,
                        "--dino_type", arguments.dino_type, "--size", arguments.size,
                        "--img_dim", *map(str, arguments.img_dim), "--batch_size", str(arguments.batch_size),
                        "--steps", str(arguments.steps), "--json", os.path.join(ROOT, "build", "compare.json")]

    def measure(self):
        subprocess.run(self.command, check=True, stdout=subprocess.DEVNULL)
        with open(self.command[-1], encoding="utf-8") as file:
            figures = json.load(file)
        return figures["images_per_second"], figures["peak_memory_bytes"], figures

    def close(self):
        pass


class Pytorch:
    """A worker process that holds the model and runs steps when asked."""

    def __init__(self, arguments, mode, kind):
        self.name, self.mode = {"fp32": "PyTorch eager float32", "bf16": "PyTorch eager bf16 autocast",
                                "compiled": "PyTorch compiled bf16 autocast",
                                "onnx": "ONNX Runtime float32"}[kind], mode
        settings = {"kind": kind, "mode": mode, "size": arguments.size, "family": arguments.dino_type,
                    "img_dim": arguments.img_dim, "batch": arguments.batch_size, "steps": arguments.steps}
        self.process = subprocess.Popen([venv_python(), WORKER, json.dumps(settings)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def measure(self):
        self.process.stdin.write("measure\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ({self.mode}) ended without an answer")
        answer = json.loads(line)
        return answer["images_per_second"], answer["peak_memory_bytes"], answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def contestants(arguments):
    kinds = ["fp32", "bf16"] + ([] if arguments.no_compile else ["compiled"])
    for mode in ("train", "eval"):
        yield from (Dinoft(arguments, mode, precision) for precision in arguments.precisions)
        yield from (Pytorch(arguments, mode, kind) for kind in kinds)
        if mode == "eval" and not arguments.no_onnx:
            yield Pytorch(arguments, mode, "onnx")


def run(arguments):
    """Rows of (mode, name, images per second, peak memory, share of the GEMM peak or None)."""
    everyone, rows = list(contestants(arguments)), []
    results = {id(one): [] for one in everyone}
    for number in range(arguments.rounds):
        for one in everyone:
            print(f"round {number + 1}/{arguments.rounds}: {one.mode}, {one.name}", file=sys.stderr)
            results[id(one)].append(one.measure())
    for one in everyone:
        one.close()
        speeds, memories, figures = zip(*results[id(one)])
        shares = [figure["gemm_share"] for figure in figures if "gemm_share" in figure]
        rows.append((one.mode, one.name, statistics.median(speeds), max(memories),
                     statistics.median(shares) if shares else None))
    return rows


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor()


def table(arguments, rows):
    lines = []
    for mode in ("train", "eval"):
        mine = [row for row in rows if row[0] == mode]
        best = {row[1]: row[2] for row in mine if row[1].startswith("dinoft")}
        heads = "".join(f" {name} is faster by |" for name in best)
        lines += [f"### {'Training' if mode == 'train' else 'Inference'}", "",
                  f"| | images/s | peak memory | of the GEMM peak |{heads}",
                  "| --- | --- | --- | --- |" + " --- |" * len(best)]
        for _, name, speed, memory, share in mine:
            ratios = "".join(" |" if name in best else f" {value / speed:.2f} |" for value in best.values())
            lines.append(f"| {name} | {speed:.3f} | {memory / MIB:.0f} MiB | {f'{100 * share:.0f} %' if share else ''} |"
                         + ratios)
        lines.append("")
    return "\n".join(lines)


def report(arguments, rows):
    title = f"## {arguments.dino_type} {arguments.size}, batch {arguments.batch_size}, " \
            f"{arguments.img_dim[0]} x {arguments.img_dim[1]}, LoRA rank 3 + 1x1"
    return "\n".join([title, "",
                      f"{processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}; medians of "
                      f"{arguments.rounds} rounds of {arguments.steps} steps, alternating. Peak memory is the whole "
                      "process's.", "", table(arguments, rows)])


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", default="small", choices=["small", "base", "large"])
    parser.add_argument("--dino_type", default="dinov2", choices=["dinov2", "dinov3"])
    parser.add_argument("--img_dim", type=int, nargs=2, default=[490, 490])
    parser.add_argument("--batch_size", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16"])
    parser.add_argument("--program", default=os.path.join(ROOT, "build", "dinoft"))
    parser.add_argument("--no_compile", action="store_true")
    parser.add_argument("--no_onnx", action="store_true")
    parser.add_argument("--output", help="append the report to this file")
    arguments = parser.parse_args()
    patch = 14 if arguments.dino_type == "dinov2" else 16
    arguments.img_dim = [side - side % patch for side in arguments.img_dim]
    return arguments


def main():
    arguments = parse()
    os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
    text = report(arguments, run(arguments))
    print(text)
    if arguments.output:
        with open(arguments.output, "a", encoding="utf-8") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    main()
