#!/usr/bin/env python3
"""Measures dinoft against PyTorch on this machine, alternating, in one run, and writes docs/benchmarks/DEVICE.md.

usage: scripts/compare_with_pytorch.py [--device cpu|cuda] [--models FAMILY:SIZE ...] [--img_dim H W] [--batch_size N] [--rounds N] [--steps N]
                                       [--modes train eval] [--program build/dinoft] [--python PROGRAM] [--no_compile] [--no_onnx]
                                       [--no_alone] [--output FILE]

Contestants train LoRA (rank 3) and a 1x1 decoder on random pixels with random weights of the same dimensions: what they
compute is the same, what it says is not looked at here (tests do that). Each round measures every contestant once, so
that a machine that others use slows all of them alike; ratios are of the medians over the rounds. Then dinoft alone: other
batch sizes, the FPN, and where the time of a step goes. On a GPU the memory that counts is the device's, as each side has
counted what it took, and the batch crosses from the host in every step. PyTorch, ONNX Runtime and what they need go into a virtual
environment of their own, build/compare-venv, unless --python names a Python that has them. In FILE the part between two markers
is replaced, after each round; the rest stays. A contestant that fails is left out from then on, and the exit status is 1."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile

from comparison import ROOT, Worker, processor, processor_flags, venv_python, write_between_markers

VENV = "compare-venv"
PACKAGES = ["torch", "numpy", "onnx", "onnxscript", "onnxruntime"]
WORKER = os.path.join(ROOT, "scripts", "pytorch_contestant.py")
MIB = 1 << 20
START = "<!-- measured: written by scripts/compare_with_pytorch.py -->\n"
END = "<!-- end of what was measured -->\n"


def bench(arguments, model, mode, *flags):
    """The figures of a run of dinoft bench."""
    family, size = model
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "figures.json")
        command = [arguments.program, "bench", mode, "--device", arguments.device, "--use_lora", "--dino_type", family, "--size", size,
                   "--head_norm", "none", "--img_dim", *map(str, arguments.img_dim), "--steps", str(arguments.steps), "--json", path, *map(str, flags)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with open(path, encoding="utf-8") as file:
            return json.load(file)


class Dinoft:
    """One precision and mode of the program; a process for each measurement."""

    def __init__(self, arguments, model, mode, precision):
        self.name = f"dinoft {precision}"
        self.arguments, self.model, self.mode, self.precision = arguments, model, mode, precision

    def measure(self):
        figures = bench(self.arguments, self.model, self.mode, "--precision", self.precision,
                        "--batch_size", self.arguments.batch_size)
        return figures["images_per_second"], figures["peak_memory_bytes"], figures

    def close(self):
        pass


class Pytorch:
    """A worker process that holds the model and runs steps when asked. On a GPU, which rarely has memory for all of them
    at work, it starts when it is first asked, and keeps no more than its weights in between."""

    def __init__(self, arguments, model, mode, kind):
        self.name = {"fp32": "PyTorch eager float32", "bf16": "PyTorch eager bf16 autocast",
                                "compiled": "PyTorch compiled bf16 autocast",
                                "onnx": "ONNX Runtime float32"}[kind]
        self.python = arguments.python
        settings = {"kind": kind, "mode": mode, "size": model[1], "family": model[0],
                    "img_dim": arguments.img_dim, "batch": arguments.batch_size, "steps": arguments.steps,
                    "device": arguments.device}
        self.settings, self.worker = settings, None
        if settings["device"] == "cpu":
            self.start()

    def start(self):
        self.worker = Worker(self.name, [self.python, WORKER, json.dumps(self.settings)])
        self.worker.answer()  # ready: nobody warms up while another is measured

    def measure(self):
        if self.worker is None:
            self.start()
        answer = json.loads(self.worker.ask("measure"))
        return answer["images_per_second"], answer["peak_memory_bytes"], answer

    def close(self):
        if self.worker:
            self.worker.close()
        self.worker = None


def contestants(arguments, model, mode):
    kinds = ["fp32", "bf16"] + ([] if arguments.no_compile else ["compiled"])
    if mode == "eval" and not arguments.no_onnx:
        kinds.append("onnx")
    return [Dinoft(arguments, model, mode, precision) for precision in arguments.precisions] + \
           [Pytorch(arguments, model, mode, kind) for kind in kinds]


def row(name, results):
    """What a table says of a contestant: its name, images per second, peak memory, share of the GEMM peak or None."""
    speeds, memories, figures = zip(*results)
    shares = [figure["gemm_share"] for figure in figures if "gemm_share" in figure]
    return name, statistics.median(speeds), max(memories), statistics.median(shares) if shares else None


def compare(arguments, model, mode, failed):
    """The rows after each round, of those that were measured until then; adds the names of those that fail to `failed`."""
    everyone = contestants(arguments, model, mode)
    results = {one.name: [] for one in everyone}
    for number in range(arguments.rounds):
        for one in [one for one in everyone if one.name not in failed]:
            print(f"{' '.join(model)}, {mode}, round {number + 1}/{arguments.rounds}: {one.name}", file=sys.stderr)
            try:
                results[one.name].append(one.measure())
            except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
                print(f"error: {one.name} is left out: {error}", file=sys.stderr)
                failed.add(one.name)
            yield [row(name, measured) for name, measured in results.items() if measured]
    for one in everyone:
        one.close()


def comparison_table(mode, rows):
    best = {name: speed for name, speed, _, _ in rows if name.startswith("dinoft")}
    heads = "".join(f" {name} is faster by |" for name in best)
    lines = [f"**{'Training' if mode == 'train' else 'Inference'}**", "",
             f"| | images/s | peak memory | of the GEMM peak |{heads}",
             "| --- | --- | --- | --- |" + " --- |" * len(best)]
    for name, speed, memory, share in rows:
        ratios = "".join(" |" if name in best else f" {value / speed:.2f} |" for value in best.values())
        lines.append(f"| {name} | {speed:.3f} | {memory / MIB:.0f} MiB | {f'{100 * share:.0f} %' if share else ''} |"
                     + ratios)
    return lines + [""]


def alone(arguments, model):
    """dinoft's training at other batch sizes and with the FPN, in images per second."""
    lines = ["**Training, dinoft alone**", "", "| | " + " | ".join(arguments.precisions) + " |",
             "| --- |" + " --- |" * len(arguments.precisions)]
    usual = arguments.batch_size
    cases = [(f"batch {batch}", ["--batch_size", batch]) for batch in (1, 2, 4, 8)]
    cases += [(f"batch {usual}, FPN", ["--batch_size", usual, "--use_fpn"]),
              (f"batch {usual}, --recompute", ["--batch_size", usual, "--recompute"])]
    measured = {case: {precision: [] for precision in arguments.precisions} for case, _ in cases}
    for _ in range(arguments.rounds):
        for case, flags in cases:
            for precision in arguments.precisions:
                print(f"{' '.join(model)}, {case}, {precision}", file=sys.stderr)
                measured[case][precision].append(bench(arguments, model, "train", "--precision", precision, *flags))
    for case, by_precision in measured.items():
        cells = (f"{statistics.median(f['images_per_second'] for f in figures):.3f} images/s, "
                 f"{max(f['peak_memory_bytes'] for f in figures) / MIB:.0f} MiB" for figures in by_precision.values())
        lines.append(f"| {case} | " + " | ".join(cells) + " |")
    return lines + [""]


def profile(arguments, model, precision):
    """Where the time of a training step goes: the operations that take more than one part in a hundred."""
    figures = bench(arguments, model, "ops", "--precision", precision, "--batch_size", arguments.batch_size)
    lines = [f"**A training step in {precision}, by operation** ({1e3 * figures['train']['step_seconds']:.0f} ms; GEMM peak "
             f"{figures['gemm_peak_gflops']:.0f} GFLOP/s)", "",
             "| operation | shape | calls | ms | of the step | GFLOP/s | GB/s |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for row in figures["train"]["operations"]:
        if row["step_share"] >= 0.01:
            rate = f"{row['gflops']:.0f}" if row["gflops"] else ""
            shape = row["shape"].replace("*", "\\*").replace("|", "\\|")
            lines.append(f"| {row['operation']} | {shape} | {row['calls_per_step']:g} | {1e3 * row['seconds_per_step']:.1f} | "
                         f"{100 * row['step_share']:.1f} % | {rate} | {row['gigabytes_per_second']:.1f} |")
    return lines + [""]


def gpu(python):
    """Name, memory and driver of the GPU that PyTorch and dinoft use, and PyTorch's version."""
    code = ("import torch; p = torch.cuda.get_device_properties(0); "
            "print(p.name, f'{p.total_memory / 2**30:.0f} GiB', f'compute capability {p.major}.{p.minor}', "
            "f'PyTorch {torch.__version__} with CUDA {torch.version.cuda}', sep=', ')")
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def machine(arguments):
    if arguments.device == "cuda":
        return f"{gpu(arguments.python)}; {processor()}, {os.cpu_count()} cores"
    versions = subprocess.run([arguments.python, "-c", "import torch, onnxruntime; print(torch.__version__, onnxruntime.__version__)"],
                              check=True, capture_output=True, text=True).stdout.split()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    units = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in processor_flags()]
    return f"{processor()} ({', '.join(units)}), {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} " \
           f"{platform.machine()}; PyTorch {versions[0]}, ONNX Runtime {versions[1]}"


def report(arguments, write):
    """Hands `write` the text so far, as it becomes more. Returns it, and the names of the contestants that failed."""
    failed = set()
    lines = ["## " + machine(arguments), "",
             f"LoRA rank 3 + 1x1 decoder, 21 classes, {arguments.img_dim[0]} x {arguments.img_dim[1]} (lowered to a multiple of the "
             f"patch), batch {arguments.batch_size}; medians of {arguments.rounds} rounds of {arguments.steps} steps, alternating. "
             f"Peak memory is {'the whole process' if arguments.device == 'cpu' else 'the device'}'s.", ""]
    for model in arguments.models:
        lines += [f"### {model[0]} {model[1]}", ""]
        for mode in arguments.modes:
            table = []
            for rows in compare(arguments, model, mode, failed):
                table = comparison_table(mode, rows)
                write("\n".join(lines + table))
            lines += table
        if not arguments.no_alone and model == arguments.models[0]:
            lines += alone(arguments, model)
            for precision in arguments.precisions:
                lines += profile(arguments, model, precision)
    text = "\n".join(lines)
    write(text)
    return text, failed


def model_name(word):
    family, _, size = word.partition(":")
    if family not in ("dinov2", "dinov3") or size not in ("small", "base", "large"):
        raise argparse.ArgumentTypeError(f"'{word}': expected dinov2:small, dinov3:base, …")
    return family, size


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--models", type=model_name, nargs="+", metavar="FAMILY:SIZE",
                        help="default: small and base ones on a CPU, dinov2:large on a GPU")
    parser.add_argument("--img_dim", type=int, nargs=2, default=[490, 490])
    parser.add_argument("--batch_size", type=int, help="default: 2 on a CPU, 12 on a GPU")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="default: 3 on a CPU, 20 on a GPU")
    parser.add_argument("--modes", nargs="+", choices=["train", "eval"], default=["train", "eval"])
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16"])
    parser.add_argument("--program", default=os.path.join(ROOT, "build", "dinoft"))
    parser.add_argument("--python", help="a Python that has what is compared; nothing is installed then")
    parser.add_argument("--no_compile", action="store_true")
    parser.add_argument("--no_onnx", action="store_true")
    parser.add_argument("--no_alone", action="store_true", help="leave out what dinoft measures alone")
    parser.add_argument("--output", help="the file whose measured part is replaced; default: docs/benchmarks/DEVICE.md")
    arguments = parser.parse_args()
    on_cpu = arguments.device == "cpu"
    arguments.models = arguments.models or ([("dinov2", "small"), ("dinov2", "base"), ("dinov3", "small")] if on_cpu
                                            else [("dinov2", "large")])
    arguments.batch_size = arguments.batch_size or (2 if on_cpu else 12)
    arguments.steps = arguments.steps or (3 if on_cpu else 20)
    arguments.no_onnx = arguments.no_onnx or not on_cpu
    arguments.output = arguments.output or os.path.join(ROOT, "docs", "benchmarks", "cpu.md" if on_cpu else "gpu.md")
    arguments.python = arguments.python or venv_python(VENV, PACKAGES)
    return arguments


def main():
    arguments = parse()
    text, failed = report(arguments, lambda text: write_between_markers(arguments.output, START, END, text))
    print(text)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
