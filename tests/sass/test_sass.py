"""Whether nvcc's kernels keep what the comments of kernels/*.cu claim (claims.py), read from their instructions. For all of
them besides: no local memory, that is no spilled registers and no indexed arrays, and tensor cores only where they are claimed.

Usage: test_sass.py SOURCE_FOLDER LIBRARY NVCC_VERSION
"""
import collections
import pathlib
import re
import sys

from claims import CLAIMS
from cubins import find_tool, read_kernels

NVCC = "13.0."  # other versions allocate registers, and order instructions, in other ways
REGISTERS = 65536  # of a multiprocessor
TENSOR_OPERATIONS = 2 * 16 * 8 * 16  # HMMA.16816, of a warp
WARP = 32


def kind(operation):
    return operation.split(".")[0]


def width(operation):
    found = re.search(r"\.(?:U|S)?(8|16|64|128)\b", operation)
    return int(found.group(1)) if found else 32


def widths(kernel, name):
    return {width(operation) for operation in kernel.code if kind(operation) == name}


def blocks_in_registers(kernel, threads):
    return REGISTERS // ((kernel.registers + 7) // 8 * 8 * threads)


def tensor_share(kernel):
    counts = collections.Counter(map(kind, kernel.code))
    tensor = TENSOR_OPERATIONS * counts["HMMA"]
    return tensor / (tensor + WARP * (2 * counts["FFMA"] + counts["FADD"] + counts["FMUL"]) or 1)


def loads_before_store(kernel):
    """Global loads of the widest kind before the first store."""
    widest = max(widths(kernel, "LDG"), default=0)
    count = 0
    for operation in kernel.code:
        if kind(operation) == "STG":
            break
        count += kind(operation) == "LDG" and width(operation) == widest
    return count


def multiplied_ahead(kernel, multiplication, start, end):
    """The most multiplications between an operation that starts to fetch and the next one that waits for it (which may stand
    at the top of the loop)."""
    most, count, fetching = 0, 0, False
    for operation in kernel.code:
        if operation.startswith(start):
            count, fetching = 0, True
        elif kind(operation) == multiplication:
            count += 1
        elif kind(operation) == end and fetching:
            most, fetching = max(most, count), False
    return max(most, count) if fetching else most


def faults(kernel, claim):
    """Texts of what the kernel does not keep."""
    found = []

    def expect(holds, text):
        if not holds:
            found.append(text)

    def expect_widths(claimed, name, what):
        there = widths(kernel, name)
        expect(claimed is None or there == claimed, f"{what} of {sorted(there)} bits, claimed {sorted(claimed or [])}")

    in_registers = kernel.stack == 0 and not widths(kernel, "LDL") and not widths(kernel, "STL")
    expect(in_registers != bool(claim.local), "local memory")
    expect_widths(claim.loads, "LDG", "loads")
    expect_widths(claim.stores, "STG", "stores")
    expect_widths(claim.copies or set(), "LDGSTS", "asynchronous copies")
    expect_widths(claim.shared_loads, "LDS", "shared loads")
    if claim.threads:
        blocks = blocks_in_registers(kernel, claim.threads)
        expect(blocks == claim.blocks if claim.no_more else blocks >= claim.blocks,
               f"{kernel.registers} registers allow {blocks} blocks, claimed {claim.blocks}")
    share = tensor_share(kernel)
    expect(share >= claim.tensor if claim.tensor else share == 0, f"tensor cores do {share:.2f}, claimed {claim.tensor or 0}")
    if claim.loads_first:
        count = loads_before_store(kernel)
        expect(count >= claim.loads_first, f"{count} loads before the first store, claimed {claim.loads_first}")
    if claim.ahead:
        count = multiplied_ahead(kernel, *(("HMMA", "LDGDEPBAR", "DEPBAR") if claim.copies else ("FFMA", "LDG.E.128", "STS")))
        expect(count >= claim.ahead, f"{count} multiplications while the next tile is fetched, claimed {claim.ahead}")
    return found


def main():
    root, library, version = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    tool = find_tool(root)
    if not tool or not version.startswith(NVCC):
        print(f"skipped: nvcc is {version}, not {NVCC}x" if tool else
              "skipped: no cuobjdump; scripts/install_dependencies.sh --tests gets it")
        return 77
    kernels = read_kernels(tool, library)
    unused = set(range(len(CLAIMS)))
    failures = 0
    for kernel in kernels:
        matching = [i for i, (file, name, _) in enumerate(CLAIMS)
                    if re.fullmatch(file, kernel.file) and re.fullmatch(name, kernel.name)]
        unused.difference_update(matching)
        texts = [f"{len(matching)} lines of claims.py are for it"]
        if len(matching) == 1:
            texts = faults(kernel, CLAIMS[matching[0]][2])
        failures += len(texts)
        for text in texts:
            print(f"{kernel.file} {kernel.name} {kernel.arch}: {text}")
    for i in sorted(unused):
        print(f"claims.py: no kernel is {CLAIMS[i][1]} of {CLAIMS[i][0]}")
    failures += len(unused)
    print(f"{len(kernels)} kernels for {', '.join(sorted({kernel.arch for kernel in kernels}))}, {failures} failures")
    return 1 if failures or not kernels else 0


sys.exit(main())
