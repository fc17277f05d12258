"""No cycles of files: a source may need another one (call its functions, use its tables), but not the other way round too, on
whatever way. A header does not count: it may be shared by several sources. There are no exceptions.

Usage: test_cycles.py NM OBJECTS_AND_LIBRARIES…
"""
import collections
import re
import subprocess
import sys

defines, wants, names = {}, collections.defaultdict(set), []
listing = subprocess.run([sys.argv[1], "-P", *sys.argv[2:]], stdout=subprocess.PIPE, check=True, text=True).stdout
for line in listing.splitlines():
    fields = line.split()
    if line.endswith(":"):  # an object begins; two may have the same name, in two folders
        names.append(re.sub(r".*/([^/]+/[^/]+)\.o\]?:$", r"\1", line).replace("[", ": "))
    elif len(fields) > 1 and fields[1] == "U":
        wants[len(names) - 1].add(fields[0])
    elif len(fields) > 1 and fields[1].isupper():
        defines.setdefault(fields[0], []).append(len(names) - 1)

needs = {source: {} for source in range(len(names))}  # source -> needed source -> one of the symbols
for source, symbols in wants.items():
    for symbol in sorted(symbols):
        for other in defines.get(symbol, ()):
            needs[source].setdefault(other, symbol)


def reachable(source):
    seen, waiting = set(), list(needs[source])
    while waiting:
        other = waiting.pop()
        if other not in seen:
            seen.add(other)
            waiting += needs[other]
    return seen


reached = {source: reachable(source) for source in needs}
faults = [f"{names[source]} needs {names[other]} for {symbol}, and is needed by it" for source in needs
          for other, symbol in needs[source].items() if source in reached[other]]
print("\n".join(faults) or f"{len(names)} files, {sum(map(len, needs.values()))} needs: no cycle")
sys.exit(bool(faults) or len(names) < 200)  # fewer: what nm prints was not understood
