"""SPEC.md's tables, and the tables of names and numbers in the sources that they have to equal."""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def section(title):
    """The text below a heading, to the next one."""
    m = re.search(rf"^#+ (?:\d+\. )?{re.escape(title)}\n(.*?)(?=^#+ |\Z)", read("SPEC.md"), re.M | re.S)
    if not m:
        raise AssertionError(f"SPEC.md has no section {title!r}")
    return m.group(1)


def tables(title):
    """The tables of a section: lists of rows, each a list of cells; the head is left out."""
    found = re.findall(r"((?:^\|.*\|\n)+)", section(title), re.M)
    return [[[c.strip() for c in re.split(r"(?<!\\)\|", line.strip())[1:-1]] for line in t.splitlines()[2:]] for t in found]


def words(cell):
    """The names in `code` in a cell."""
    return [w for code in re.findall(r"`([^`]*)`", cell) for w in code.split()]


def macro(path, name):
    """Rows of an X-macro: lists of arguments, texts without their quotes."""
    text = read(path)
    lines = text[text.index(f"#define {name}(X)"):].split("\n")
    body = lines[1:next(i for i, line in enumerate(lines) if not line.rstrip().endswith("\\")) + 1]
    joined = re.sub(r"/\*.*?\*/", "", "\n".join(body))
    rows = re.findall(r'X\(((?:[^()"]|"(?:[^"\\]|\\.)*")*)\)', joined)
    return [[a.strip().strip('"') for a in re.findall(r'\s*("(?:[^"\\]|\\.)*"|[^,"]+)\s*,?', r)] for r in rows]


def enum(path, name):
    """Names and numbers of an enum whose values are all given."""
    text = re.sub(r"/\*.*?\*/", "", read(path), flags=re.S)
    body = re.search(rf"enum {name} \{{(.*?)\}}", text, re.S).group(1)
    return {n: int(v, 0) for n, v in re.findall(r"(\w+) = (\w+)", body)}


SLOT = {"slot", "version", "size", "hash", "unit", "verified", "active", "confirmed", "pending", "permanent", "why"}
FAILED = {"ok", "code", "message", "detail", "next", "finding", "slots", "smp", "hash", "running", "operation"}


def members():
    """[16] {(command, event): members} of --json."""
    out = {}
    for commands, event, names in tables("`--json`")[1]:
        for command in commands.split(", "):
            for e in words(event):
                out.setdefault((command, e), set()).update(words(names))
    out["list", "slot"] = SLOT
    return out


def check_events(test, command, events):
    """Each event is one of the command's, with no members but those of SPEC.md; the last is the result."""
    known = members()
    for e in events:
        name = e["event"]
        if name == "progress":
            said = {"what", "done", "total"}
        elif name == "result" and not e["ok"]:
            said = FAILED
        else:
            said = known.get((command, name), set()) | ({"ok"} if name == "result" else set())
        test.assertLessEqual(set(e) - {"event"}, said, (command, name))
    test.assertEqual(events[-1]["event"], "result")
