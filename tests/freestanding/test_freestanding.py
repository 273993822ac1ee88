#!/usr/bin/env python3
"""core/ is freestanding C11. usage: test_freestanding.py INCLUDE_DIR...

Every source of core/ is compiled by gcc and by clang with -ffreestanding and without floating-point
registers. Its objects have no writable data and call nothing but core/, the four functions of <string.h>
that a compiler asks for anyway, strlen(), and the libraries (br_*, p256_*, zcbor_*). No function can come to
call itself (indirect calls aside), none takes memory of a size that is not known when it is compiled.
"""
import os
import re
import subprocess
import sys
import tempfile

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FLAGS = ["-std=c11", "-ffreestanding", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wvla", "-O1", "-fno-pic",
         "-fno-common", "-mgeneral-regs-only", "-c"]
COMPILERS = {
    "gcc": ["-Walloca", "-Wframe-larger-than=1400", "-fcallgraph-info"],
    "clang": [],
}
HEADERS = {"stdbool.h", "stddef.h", "stdint.h", "string.h", "bearssl.h", "p256-m.h", "zcbor_decode.h", "zcbor_encode.h"}
STRING_H = {"memcpy", "memset", "memmove", "memcmp", "strlen"}
LIBRARY = re.compile(r"(br|p256|zcbor)_\w+")
problems = []


def sources():
    for folder, _, names in os.walk(os.path.join(root, "core")):
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                yield os.path.relpath(os.path.join(folder, name), root)


def check_includes(path):
    for n, line in enumerate(open(os.path.join(root, path)), 1):
        m = re.match(r"\s*#\s*include\s*<([^>]+)>", line)
        if m and m.group(1) not in HEADERS:
            problems.append(f"{path}:{n}: <{m.group(1)}> is no header of a freestanding C")


def compile_all(cc, includes, out):
    objects = {}
    for path in sources():
        if not path.endswith(".c"):
            continue
        obj = os.path.join(out, path.replace("/", "_") + ".o")
        cmd = [cc, *FLAGS, *COMPILERS[cc], "-I", root, *includes, path, "-o", obj]
        done = subprocess.run(cmd, cwd=root, capture_output=True, text=True)
        if done.returncode:
            problems.append(f"{cc}: {path} does not compile freestanding:\n{done.stderr}")
        else:
            objects[path] = obj
    return objects


def symbols(obj):
    for line in subprocess.run(["nm", obj], capture_output=True, text=True, check=True).stdout.splitlines():
        kind, name = line[17:18], line[19:]
        yield kind, name


def check_objects(cc, objects):
    table = {path: list(symbols(obj)) for path, obj in objects.items()}
    ours = {name for rows in table.values() for kind, name in rows if kind.isupper() and kind != "U"}
    for path, rows in table.items():
        for kind, name in rows:
            if kind in "bBdDcCgGsS":
                problems.append(f"{cc}: {path}: {name} is writable: a hidden static")
            elif kind == "U" and name not in ours | STRING_H and not LIBRARY.fullmatch(name):
                problems.append(f"{cc}: {path}: calls {name}, which is neither of core/ nor allowed")


def call_graph(out):
    """function -> functions it calls by name, from gcc's .ci files."""
    calls = {}
    for name in os.listdir(out):
        if not name.endswith(".ci"):
            continue
        text = open(os.path.join(out, name)).read()
        for a, b in re.findall(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', text):
            calls.setdefault(a, set()).add(b)
    return calls


def find_cycle(calls):
    done = set()
    for start in sorted(calls):
        path, walk = [], [(start, iter(sorted(calls[start])))]
        while walk:
            node, rest = walk[-1]
            if node not in path:
                path.append(node)
            child = next(rest, None)
            if child is None:
                walk.pop()
                done.add(path.pop())
            elif child in path:
                return path[path.index(child):] + [child]
            elif child not in done and child in calls:
                walk.append((child, iter(sorted(calls[child]))))
    return None


def main():
    includes = [a for d in sys.argv[1:] for part in d.split(";") for a in ("-isystem", part)]
    for path in sources():
        check_includes(path)
    for cc in COMPILERS:
        with tempfile.TemporaryDirectory() as out:
            objects = compile_all(cc, includes, out)
            check_objects(cc, objects)
            calls = call_graph(out)
            if cc == "gcc" and len(calls) < 100:
                problems.append("gcc: the call graph is missing")
            cycle = find_cycle(calls)
            if cycle:
                problems.append("recursion: " + " -> ".join(c.split(":")[-1] for c in cycle))
            print(f"{cc}: {len(objects)} sources, {len(calls)} functions that call others")
    print("\n".join(problems) or "core/ is freestanding")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
