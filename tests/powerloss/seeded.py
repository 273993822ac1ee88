#!/usr/bin/env python3
"""Bugs put into core/boot on purpose: each must be caught by a campaign of the power-loss harness.

A bug is a replacement of text in a copy of a source (seeds.py); the copy is compiled and linked before the
sound library, so nothing in core/ knows of it. A text that is no longer there is an error: the table
follows the code.

  seeded.py ...            every bug, by the campaign and the number of cuts that its row names
  seeded.py ... --quick    only those that need no more than one cut, or an error
  seeded.py ... --search N every bug, by whatever catches it first with at most N cuts (to fill the table in)
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

from seeds import SEEDS

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FLAGS = ["-std=c11", "-O2", "-w", "-D_GNU_SOURCE"]


def arguments():
    a = argparse.ArgumentParser()
    for name in ("cc", "bench", "boot", "main", "bearssl", "bearssl-include"):
        a.add_argument("--" + name, required=True)
    a.add_argument("--quick", action="store_true")
    a.add_argument("--search", type=int, metavar="N")
    a.add_argument("--only", action="append", default=[], metavar="BUG")
    a.add_argument("--timeout", type=int, default=900)
    return a.parse_args()


def broken_copy(seed, out):
    """The changed sources' paths in `out`."""
    paths = []
    for path, changes in seed["files"].items():
        text = open(os.path.join(root, path)).read()
        for old, new in changes:
            if text.count(old) != 1:
                sys.exit(f"{seed['name']}: {path} has {text.count(old)} times:\n{old}")
            text = text.replace(old, new)
        copy = os.path.join(out, path)
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        open(copy, "w").write(text)
        paths.append(copy)
    return paths


def build(a, seed, out):
    objects = []
    for copy in broken_copy(seed, out):
        obj = copy[:-2] + ".o"
        subprocess.run([a.cc, *FLAGS, "-I", root, "-isystem", a.bearssl_include, "-c", copy, "-o", obj], check=True)
        objects.append(obj)
    program = os.path.join(out, "powerloss")
    subprocess.run([a.cc, a.main, *objects, "-Wl,--start-group", a.bench, a.boot, "-Wl,--end-group", "-lcrypto",
                    a.bearssl, "-o", program], check=True)
    return program


def run(program, how, timeout):
    """None, or what was found: (campaign, message, plan)."""
    try:
        done = subprocess.run([program, *how], capture_output=True, text=True, timeout=timeout)
        out = done.stdout
    except subprocess.TimeoutExpired as e:
        out = (e.stdout or b"").decode()
    m = re.search(r"^([\w-]+): FAIL(.*?): (?!session)(.*)$", out, re.M) or re.search(
        r"^([\w-]+): FAIL(: session \d+, call \d+ [^:]*): (.*)$", out, re.M)
    plan = re.search(r"--replay '([^']*)'", out)
    return m and (m.group(1), m.group(3), plan.group(1) if plan else "")


def ways(a, seed):
    if a.search is None:
        return [seed["by"]]
    return [["--depth", str(d), "--first"] for d in range(a.search + 1)] + [["--errors"]]


def is_quick(how):
    return "--errors" in how or "--depth" in how and int(how[how.index("--depth") + 1]) <= 1


def main():
    a = arguments()
    missed = tried = 0
    for seed in SEEDS:
        if a.only and seed["name"] not in a.only or a.quick and not is_quick(seed["by"]):
            continue
        tried += 1
        t0 = time.process_time()
        with tempfile.TemporaryDirectory() as out:
            program = build(a, seed, out)
            for how in ways(a, seed):
                found = run(program, how, a.timeout)
                if found:
                    break
        missed += not found
        said = f"{' '.join(how)}: {found[0]}: {found[1]}  {found[2]}" if found else "NOT CAUGHT"
        print(f"{seed['name']:16} {said}", flush=True)
    print(f"{tried - missed} of {tried} seeded bugs caught")
    return missed > 0 or tried == 0


if __name__ == "__main__":
    sys.exit(main())
