"""The modules of src/ and who may look into which: every #include of src/, kernels/ and include/dinoft/. There are no exceptions.

* A module includes headers of its own and public ones of modules before it. A public header belongs to the module that has a source
  of its name: the lowest, as a module above may have a file of the same name that uses it.
* A private header is included by its own module only. kernels/ belongs to backend.
* A public header is reached by a source of more than one module: else it should lie beside its code.
* Headers do not include each other in cycles.
* features, evaluation, train and report do not reach the flags (config.h).

Usage: test_layers.py SOURCE_FOLDER
"""
import pathlib
import re
import sys

MODULES = ("base files backend data corruptions analysis model config pipeline features evaluation train report "
         "commands").split()
WITHOUT_A_SOURCE = {  # public headers that no source bears the name of
    "best_metric.h": "base", "choice.h": "base", "component_scores.h": "analysis", "config.h": "config", "corruption.h": "corruptions", "decoder_kind.h": "model", "feature_picture.h": "analysis",
    "labels.h": "base", "multiversion.h": "base", "operation_case.h": "backend", "operation_list.h": "backend", "option_list.h": "config", "profile.h": "backend", "size.h": "base", "training_observer.h": "train"}
GENERATED = ("dinoft/version.h", "dinoft/build.h", "dinoft/revision.h")

root = pathlib.Path(sys.argv[1]).resolve()
public = root / "include" / "dinoft"
files = sorted(path for folder in (root / "src", root / "kernels", public) for path in folder.rglob("*")
               if path.suffix in (".c", ".h", ".cu", ".cuh"))
faults = []


def private_module(path):
    parts = path.relative_to(root).parts
    return "backend" if parts[0] == "kernels" else "commands" if parts == ("src", "main.c") else parts[1]


def module_of(path):
    if path.parent != public:
        return private_module(path)
    named = {private_module(source) for source in files if source.suffix == ".c" and source.stem == path.stem}
    return next((module for module in MODULES if module in named), None) or WITHOUT_A_SOURCE.get(path.name)


def includes(path):
    for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE):
        found = [folder / name for folder in (path.parent, root / "include", root) if (folder / name).is_file()]
        if found:
            yield found[0].resolve()
        elif name not in GENERATED:
            faults.append(f"{shown(path)} includes {name}, which is not there")


def shown(path):
    return str(path.relative_to(root))


def reachable(path):
    seen, waiting = set(), list(included[path])
    while waiting:
        header = waiting.pop()
        if header not in seen:
            seen.add(header)
            waiting += included[header]
    return seen


included = {path: list(includes(path)) for path in files}
modules = {path: module_of(path) for path in files}
reached = {path: reachable(path) for path in files}
for path in files:
    if modules[path] not in MODULES:
        faults.append(f"{shown(path)} is in no module: which one it belongs to is not known")
for path, header in ((path, header) for path in files for header in included[path]):
    if MODULES.index(modules[header] or "base") > MODULES.index(modules[path] or "commands"):
        faults.append(f"{shown(path)} ({modules[path]}) includes {shown(header)} ({modules[header]}), which comes later in the table of docs/architecture.md")
    if header.parent != public and modules[header] != modules[path]:
        faults.append(f"{shown(path)} includes {shown(header)}, which is private to {modules[header]}")
for path in files:  # flags end in pipeline/: what is above it takes structs of its own
    if modules[path] in ("features", "evaluation", "train", "report") and public / "config.h" in reached[path]:
        faults.append(f"{shown(path)} reaches dinoft/config.h")
for header in (path for path in files if path.parent == public):
    users = {modules[path] for path in files if path.parent != public and header in reached[path]}
    if len(users | {modules[header]}) < 2:
        faults.append(f"{shown(header)} is used by {modules[header]} only: it should lie beside its code")
for name in WITHOUT_A_SOURCE:
    if not (public / name).exists() or any(path.name == name[:-2] + ".c" for path in files):
        faults.append(f"{sys.argv[0]}: WITHOUT_A_SOURCE has no need of {name}")
faults += [f"{shown(path)} includes itself through others" for path in files if path in reached[path]]
print("\n".join(faults) or f"{len(files)} files, {sum(map(len, included.values()))} includes: all in order")
sys.exit(bool(faults))
