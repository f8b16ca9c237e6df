#!/usr/bin/python3
"""The deepest stack below some functions, from the compiler's own call graph.

    tests/stack.py ROOT... -- FILE.ci...

FILE.ci is what gcc -fcallgraph-info=su writes beside an object. Prints "bytes path" for each root;
`all` is the deepest of all functions. Exits 1 on recursion and on a stack frame that the compiler
can't bound. What ports and the crypto library use comes on top: a call through their tables counts
as nothing. A call through a table of ours counts as the deepest of its functions, below.
"""
import re
import sys

# caller, what a call through a pointer may reach
INDIRECT = [
    (r"^lsuit_(run|do)_(?!hash)|manifests/src/run", r"client/core/apply\.c:op_"),
    (r"^lsuit_run_command$", r"^lsuit_do_"),
    (r"client/core/http1\.c:", r"client/core/http1\.c:head_"),
]

NODE = re.compile(r'^node: \{ title: "([^"]+)" label: "([^"]*)"')
EDGE = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')


def load(paths):
    frames, calls = {}, {}
    for path in paths:
        for line in open(path, encoding="utf-8"):
            if node := NODE.match(line):
                if size := re.search(r"(\d+) bytes \(([a-z,]+)\)", node[2]):
                    frames[node[1]] = (int(size[1]), size[2])
            elif edge := EDGE.match(line):
                calls.setdefault(edge[1], set()).add(edge[2])
    for caller, callees in calls.items():
        if "__indirect_call" in callees:
            for source, target in INDIRECT:
                if re.search(source, caller):
                    callees |= {f for f in frames if re.search(target, f)}
    return frames, calls


def deepest(name, frames, calls, above, known):
    if name in above:
        sys.exit("recursion: " + " > ".join(above[above.index(name):] + [name]))
    if name not in known:
        below = [deepest(c, frames, calls, above + [name], known) for c in calls.get(name, ())]
        bytes_, path = max(below, default=(0, []))
        known[name] = (frames.get(name, (0, ""))[0] + bytes_, [name.split(":")[-1]] + path)
    return known[name]


def main():
    at = sys.argv.index("--")
    frames, calls = load(sys.argv[at + 1:])
    unbounded = [f for f, (_, kind) in frames.items() if kind not in ("static", "dynamic,bounded")]
    if unbounded:
        sys.exit("no bound: " + " ".join(unbounded))
    known = {}
    for root in sys.argv[1:at]:
        names = frames if root == "all" else [root]
        if root != "all" and root not in frames:
            sys.exit("no function " + root)
        bytes_, path = max(deepest(n, frames, calls, [], known) for n in names)
        print(bytes_, " > ".join(path))


main()
