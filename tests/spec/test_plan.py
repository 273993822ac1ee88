"""SPEC.md section 6: groups, sources and targets of every swap of up to ten units, against core/boot/plan.c."""
import itertools
import os
import subprocess
import types
import unittest

import chips


class PlanTest(unittest.TestCase):
    def test_groups(self):
        swaps = [types.SimpleNamespace(n_p=p, n_s=s, gap=g, dir=d)
                 for p, s, g, d in itertools.product(range(11), range(1, 11), (1, 2), (0, 1))]
        text = "".join(f"{u.n_p} {u.n_s} {u.gap} {u.dir}\n" for u in swaps)
        out = subprocess.run([os.environ["SPEC_PLAN"]], input=text, capture_output=True, text=True, timeout=60, check=True)
        lines = out.stdout.splitlines()
        self.assertEqual(len(lines), len(swaps))
        for u, line in zip(swaps, lines):
            want = ""
            for group in chips.groups(u):
                for move in group:
                    want += " {}{} {}:{} {}:{}".format(*move, *chips.source(u, move), *chips.target(u, move))
                want += " |"
            self.assertEqual(want, line, vars(u))


if __name__ == "__main__":
    unittest.main()
