"""The kernels of a library of nvcc's as the device runs them: instructions and registers."""
import collections
import pathlib
import re
import shutil
import subprocess

VERSION = "13.5.37"  # as in scripts/install_dependencies.sh

# file: "image.cu"; name: "cut_patches<float, 16, 4>"; arch: "sm_90"; code: operations ("LDG.E.128") in their order
Kernel = collections.namedtuple("Kernel", "file name arch registers stack code")


def find_tool(root):
    """The toolkit's cuobjdump, or what scripts/install_dependencies.sh --tests puts into build-tools/; None without either."""
    own = root / "build-tools" / f"cuda-disassembler-{VERSION}" / "nvidia" / "cu13" / "bin" / "cuobjdump"
    return next((tool for tool in (own, shutil.which("cuobjdump"), "/usr/local/cuda/bin/cuobjdump")
                 if tool and pathlib.Path(tool).exists()), None)


def sections(tool, library, option):
    """(architecture, source file, text) of each cubin."""
    text = subprocess.run([tool, option, library], stdout=subprocess.PIPE, text=True, check=True).stdout
    for part in text.split("Fatbin elf code:")[1:]:
        arch = re.search(r"^arch = (\S+)", part, re.M).group(1)
        source = re.search(r"^identifier = (.*)", part, re.M).group(1)
        yield arch, pathlib.Path(source).name, part


def short_names(symbols):
    """Symbols as the sources write them, without namespaces and parameters."""
    text = subprocess.run(["c++filt"], input="\n".join(symbols), stdout=subprocess.PIPE, text=True, check=True).stdout
    names = {}
    for symbol, name in zip(symbols, text.splitlines()):
        name = re.sub(r"^void |\(anonymous namespace\)::|__nv_", "", name)
        names[symbol] = name[:name.rindex("(")] if "(" in name else name
    return names


def read_kernels(tool, library):
    usage = {}
    for arch, source, text in sections(tool, library, "-res-usage"):
        for symbol, registers, stack in re.findall(r"Function (\S+):\s+REG:(\d+) STACK:(\d+)", text):
            usage[arch, source, symbol] = int(registers), int(stack)
    names = short_names(sorted({symbol for _, _, symbol in usage}))
    kernels = []
    for arch, source, text in sections(tool, library, "-sass"):
        for function in re.split(r"\n\s*Function : ", text)[1:]:
            symbol, body = function.split("\n", 1)
            code = re.findall(r"^\s+/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+ +)?([A-Z][\w.]*)", body, re.M)
            kernels.append(Kernel(source, names[symbol.strip()], arch, *usage[arch, source, symbol.strip()], code))
    return kernels
