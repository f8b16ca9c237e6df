#!/usr/bin/python3
"""Do the tests bite? Change manifests/src in one place at a time, and see whether a test fails.

    tests/mutants.py [--seed N] [--count N] [--files GLOB] [--list] NAME:SOURCE[:SOURCE]...

NAME:SOURCE... are the test programs: each is linked once, against the codec as a shared library. A
mutant costs one compilation, one link, and the tests until the first that fails; those that killed
before run first. All is built with the address and undefined behaviour sanitizers, as `make check`
does. suit-cases runs the vectors.

What is changed, each by itself (comments, texts and the preprocessor never):

    comparison  == != < <= > >= to its neighbour, && and || to each other, a ! left out
    condition   an `if` held always, and never; a `while` never; the parts of ?: likewise
    constant    a number one more, and one less; true and false
    return      LSUIT_OK for an error and the reverse, a bool negated, 0 for any other value, or one more for a number

Sizes of arrays are left alone, for more room is no fault, and so is the { 0 } that clears a struct. A survivor whose object code at -O2 equals
the original's is no mutant at all and isn't counted. A test that uses more than CPU_LIMIT seconds
has failed. Exit 0: at least KILL_SHARE of the sample was killed. tests/MUTANTS.md argues survivors.
"""
import argparse
import concurrent.futures
import fnmatch
import glob
import os
import queue
import random
import re
import resource
import subprocess
import sys

KILL_SHARE = 0.95
CPU_LIMIT = 10
BUILD = "build/mutants"
CC = ["gcc", "-std=c11", "-w", "-Imanifests/include", "-iquote", "manifests/src"]
SANITIZE = ["-O1", "-g0", "-fPIC", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
TEST_FLAGS = ["-D_GNU_SOURCE", "-Itests/harness", "-Iserver", "-Iclient/include", "-Iclient",
              "-Imanifests", "-I."]
LIBS = ["-Wl,--as-needed", "-lcbor", "-ljansson", "-lmbedcrypto"]
VECTORS = ["tests/interop/vectors/exec", "tests/interop/vectors/negative"]


class Mutant:
    """One change: the bytes from start to end become text."""

    def __init__(self, path, source, start, end, text, kind):
        self.path, self.start, self.end, self.text, self.kind = path, start, end, text, kind
        self.line = source.count("\n", 0, start) + 1
        self.before = source[start:end]
        self.row = source.splitlines()[self.line - 1].strip()

    def apply(self, source):
        return source[:self.start] + self.text + source[self.end:]

    def __str__(self):
        return f"{self.path}:{self.line}: {self.kind}: {self.before!r} -> {self.text!r}  |  {self.row}"


# --- What can be changed -------------------------------------------------------------------------


def blank(source):
    """The same length, with comments, strings, characters and preprocessor lines as spaces."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|'
                         r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*|_Static_assert[^;]*;", re.S | re.M)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), source)


def closing(code, at):
    """Where the parenthesis that opens at `at` closes."""
    depth = 0
    for i in range(at, len(code)):
        depth += (code[i] == "(") - (code[i] == ")")
        if depth == 0:
            return i
    raise ValueError("unbalanced")


def comparisons(code):
    swap = {"==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "&&": "||", "||": "&&"}
    for m in re.finditer(r"<<=?|>>=?|->|==|!=|<=|>=|&&|\|\||<|>|!", code):
        if m.group() == "!":
            yield m.start(), m.end(), "", "comparison"
        elif m.group() in swap:
            yield m.start(), m.end(), swap[m.group()], "comparison"


def conditions(code):
    for m in re.finditer(r"\b(if|while) \(", code):
        start, end = m.end(), closing(code, m.end() - 1)
        inside = code[start:end]
        yield start, end, ("never", inside), "condition"
        if m.group(1) == "if":
            yield start, end, ("always", inside), "condition"
    for m in re.finditer(r" \? ", code):
        yield m.start(), m.end(), " && 0 ? ", "condition"
        yield m.start(), m.end(), " || 1 ? ", "condition"


def constants(code):
    number = re.compile(r"(?<![\w.])(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)(?![\w.])")
    size = re.compile(r"^\s*(?:static |const |extern |register )*(?:struct |enum |unsigned )*\w+ [*(]*\w+[)]*"
                      r"(?:\[[^\]]*\])*\[$")
    for m in number.finditer(code):
        row = code[code.rfind("\n", 0, m.start()) + 1:m.start()]
        if size.match(row) or row.endswith("{ ") and code[m.end():].startswith(" }"):
            continue
        value = int(m.group(1), 0)
        yield m.start(), m.end(), f"{value + 1}{m.group(2)}", "constant"
        if value > 0:
            yield m.start(), m.end(), f"{value - 1}{m.group(2)}", "constant"
    for m in re.finditer(r"\b(true|false)\b", code):
        yield m.start(), m.end(), "false" if m.group() == "true" else "true", "constant"


def return_type(code, at):
    found = None
    for m in re.finditer(r"^(?:static |inline |const )*((?:struct |enum )?\w+)( \*?)\w+\([^;{]*\)\n\{", code[:at], re.M):
        found = m.group(1) + m.group(2).strip()
    return found


def returns(code):
    for m in re.finditer(r"\breturn ([^;]+);", code):
        kind, value = return_type(code, m.start()), m.group(1)
        if kind == "bool":
            texts = [] if value in ("true", "false") else [f"!({value})"]
        elif kind == "enum lsuit_err":
            texts = ["LSUIT_ERR_CBOR"] if value == "LSUIT_OK" else ["LSUIT_OK"]
        elif kind is None or kind.startswith("struct") and not kind.endswith("*"):
            texts = []
        elif kind.endswith("*"):
            texts = ["0"]
        elif re.fullmatch(r"[0-9]+", value):
            texts = []
        elif kind.startswith("enum "):
            texts = ["0"]
        else:
            texts = ["0", f"({value}) + 1"]
        for text in texts:
            yield m.start(1), m.end(1), text, "return"


def mutants_of(path):
    source = open(path).read()
    code = blank(source)
    for find in comparisons, conditions, constants, returns:
        for start, end, text, kind in find(code):
            if isinstance(text, tuple):  # the condition is still evaluated: it may have effects
                inside = source[start:end]
                text = f"({inside}) && 0" if text[0] == "never" else f"({inside}) || 1"
            if source[start:end] != text:
                yield Mutant(path, source, start, end, text, kind)


# --- Building and running -------------------------------------------------------------------------


def call(command, **more):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **more)


def must(command):
    done = call(command)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout.decode(errors='replace')}")


def limits():
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT, CPU_LIMIT + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run_test(name, library):
    """The closing line, or None when the test failed or took too long."""
    environment = dict(os.environ, LD_LIBRARY_PATH=library, ASAN_OPTIONS="detect_leaks=0")
    command = [f"{BUILD}/bin/{name}"] + (VECTORS if name == "suit-cases" else [])
    try:
        done = call(command, env=environment, preexec_fn=limits, timeout=20 * CPU_LIMIT)
    except subprocess.TimeoutExpired:
        return None
    last = done.stdout.decode(errors="replace").strip().splitlines()[-1:]
    return last[0] if done.returncode == 0 and last else None


class Bench:
    """The unchanged codec and the tests, built; mutants are judged against their closing lines."""

    def __init__(self, programs, workers):
        self.sources = sorted(glob.glob("manifests/src/*.c") + glob.glob("manifests/crypto/*.c"))
        self.objects = {s: f"{BUILD}/obj/{os.path.basename(s)[:-2]}.o" for s in self.sources}
        self.programs = dict(p.split(":", 1) for p in programs)
        self.order = {}
        self.slots = queue.Queue()
        for i in range(workers):
            self.slots.put(f"{BUILD}/{i}")
        for folder in ["bin", "obj", "whole"] + [str(i) for i in range(workers)]:
            os.makedirs(f"{BUILD}/{folder}", exist_ok=True)

    def link(self, objects, folder):
        return ["gcc", "-shared", "-fsanitize=address,undefined", "-o", f"{folder}/liblsuit.so"] + objects

    def build(self):
        jobs = [CC + SANITIZE + ["-c", s, "-o", o] for s, o in self.objects.items()]
        with concurrent.futures.ThreadPoolExecutor(self.slots.qsize()) as pool:
            list(pool.map(must, jobs))
            must(self.link(list(self.objects.values()), f"{BUILD}/whole"))
            list(pool.map(must, [CC + SANITIZE + TEST_FLAGS + sources.split(":") +
                                 [f"-L{BUILD}/whole", "-llsuit"] + LIBS + ["-o", f"{BUILD}/bin/{name}"]
                                 for name, sources in self.programs.items()]))
        self.wanted = {name: run_test(name, f"{BUILD}/whole") for name in self.programs}
        broken = [name for name, line in self.wanted.items() if line is None]
        if broken:
            sys.exit(f"fails without a mutation: {', '.join(broken)}")

    def first(self, path):
        """Test programs, the likeliest killers of this file's mutants first."""
        stem = os.path.basename(path)[:-2]
        if path not in self.order:
            self.order[path] = sorted(self.programs, key=lambda n: (not n.endswith(stem), n))
        return list(self.order[path])

    def equal(self, mutant, source, folder):
        """Does the compiler make the same of it?"""
        codes = []
        for name, text in ("mutant", mutant.apply(source)), ("original", source):
            file = f"{folder}/same.c"
            with open(file, "w") as out:
                out.write(text)
            if call(CC + ["-O2", "-g0", "-S", file, "-o", f"{folder}/{name}.s"]).returncode != 0:
                return False
            codes.append(open(f"{folder}/{name}.s").read())
        return codes[0] == codes[1]

    def judge(self, mutant):
        """"invalid", "equal", "survived", or the name of the test that killed it."""
        folder = self.slots.get()
        try:
            source = open(mutant.path).read()
            with open(f"{folder}/mutant.c", "w") as out:
                out.write(mutant.apply(source))
            if call(CC + SANITIZE + ["-c", f"{folder}/mutant.c", "-o", f"{folder}/mutant.o"]).returncode != 0:
                return "invalid"
            objects = [f"{folder}/mutant.o" if s == mutant.path else o for s, o in self.objects.items()]
            must(self.link(objects, folder))
            for name in self.first(mutant.path):
                if run_test(name, folder) != self.wanted[name]:
                    self.order[mutant.path].remove(name)
                    self.order[mutant.path].insert(0, name)
                    return name
            return "equal" if self.equal(mutant, source, folder) else "survived"
        finally:
            self.slots.put(folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200, help="0: all of them")
    parser.add_argument("--files", default="manifests/src/*.c", help="a pattern, or several with commas")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--list", action="store_true", help="print the mutants, run nothing")
    parser.add_argument("programs", nargs="*")
    a = parser.parse_args()

    files = [f for f in sorted(glob.glob("manifests/src/*.c")) if any(fnmatch.fnmatch(f, p) for p in a.files.split(","))]
    everything = [m for f in files for m in mutants_of(f)]
    random.Random(a.seed).shuffle(everything)
    if a.list:
        print("\n".join(map(str, everything)))
        return 0
    bench = Bench(a.programs, a.jobs)
    bench.build()

    counted = killed = 0
    others = {"invalid": 0, "equal": 0}
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        source = iter(everything)
        running = {}
        wanted = a.count or len(everything)
        while True:
            while len(running) < a.jobs and counted + len(running) < wanted:
                mutant = next(source, None)
                if mutant is None:
                    break
                running[pool.submit(bench.judge, mutant)] = mutant
            if not running:
                break
            done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                mutant, verdict = running.pop(future), future.result()
                if verdict in others:
                    others[verdict] += 1
                    continue
                counted += 1
                killed += verdict != "survived"
                print(f"{'SURVIVED' if verdict == 'survived' else 'killed by ' + verdict}  {mutant}", flush=True)

    share = killed / counted if counted else 0
    print(f"{len(everything)} places in {len(files)} files, seed {a.seed}; {others['invalid']} didn't compile, "
          f"{others['equal']} compiled to the same code")
    print(f"{killed} of {counted} killed: {100 * share:.1f} %, at least {100 * KILL_SHARE:.0f} % wanted")
    return 0 if share >= KILL_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
