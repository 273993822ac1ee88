"""Every rule fires where it should, at its line, and stays silent where it should.

RULE.txt holds the projects of a rule: sections whose names begin with "fires" and "silent". Without
arguments all of them run; `test_rules.py PM03 DT` runs those whose names begin so.
"""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import doctorkit as kit  # noqa: E402


def catalogue():
    """Rule: severity, as the catalogue has them."""
    with open(os.path.join(HERE, "severities.list"), encoding="utf-8") as f:
        return dict(line.split() for line in f if line.strip() and not line.startswith("#"))


def table():
    out = subprocess.run([kit.SLIPWAY, "doctor", "--list"], capture_output=True, check=True).stdout.decode()
    return dict(line.split()[:2] for line in out.splitlines())


def rule_sections(rule, severity, wrong):
    path = os.path.join(HERE, f"{rule}.txt")
    if not os.path.exists(path):
        wrong.append(f"{rule}: no {rule}.txt with a project in which it fires and one in which it is silent")
        return []
    sections = list(kit.read_book(path).values())
    fires = [s for s in sections if s.name.startswith("fires")]
    silent = [s for s in sections if s.name.startswith("silent")]
    if not fires or not silent or len(fires) + len(silent) != len(sections):
        wrong.append(f"{rule}: sections are called fires... and silent..., at least one of each")
    for s in fires:
        mine = [e for e in s.expect if e[0] == rule]
        if not mine or not mine[0][2]:
            wrong.append(f"{s.where()}: says no place at which {rule} fires")
    if fires and not any(e[:2] == (rule, severity) for s in fires for e in s.expect):
        wrong.append(f"{rule}: fires nowhere with its severity, {severity}")
    for s in silent:
        s.absent.append(rule)
    return sections


def main():
    wanted = sys.argv[1:]
    severities, listed = catalogue(), table()
    wrong = [f"{rule}: the catalogue says {severities.get(rule)}, the table {listed.get(rule)}"
             for rule in sorted(severities.keys() | listed.keys()) if severities.get(rule) != listed.get(rule)]
    sections = []
    for rule, severity in severities.items():
        if not wanted or any(rule.startswith(w) for w in wanted):
            sections += rule_sections(rule, severity, wrong)
    strays = {b[:-4] for b in os.listdir(HERE) if b.endswith(".txt")} - severities.keys()
    wrong += [f"{stray}.txt is of no rule" for stray in sorted(strays)]
    for text in wrong:
        print("FAIL", text)
    failed = kit.run_sections(sections)
    print(f"{len(severities)} rules")
    sys.exit(1 if wrong or failed else 0)


if __name__ == "__main__":
    main()
