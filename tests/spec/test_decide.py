"""SPEC.md section 7: the decision, written down again from the text, against boot_decide() for random facts."""
import os
import random
import subprocess
import unittest

ROWS = 60000
NEW, IDLE, UNFINISHED, TRIAL = range(4)
BLANK, SET, BAD = range(3)
STOP_NO, STOP_UNTOUCHED, STOP_TOUCHED = range(3)
FIELDS = ("cell stop alive settled recovered reaches swapped p_magic p_image_ok p_copy_done s_magic s_image_ok "
          "starts attempts p_good p_match s_good s_old").split()
SIZES = (4, 3, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 2, 2, 2, 2)


def end(f):
    return "start" if f.p_good else "recovery"


def over(f):
    if not f.alive:
        return end(f)
    if not f.p_match:
        if f.p_good:
            return "FLASHED OUTSIDE"
        return "RECOVER" if f.s_good and not f.recovered else "recovery"
    return "REVERT" if f.s_old else end(f)


def new(f):
    if f.p_magic == SET and f.p_copy_done == SET and f.p_image_ok == BLANK and f.s_magic != SET and f.p_good:
        if not f.alive:
            return "start"
        return "REVERT" if f.s_good else "SETTLE"
    return "SETTLE"


def unfinished(f):
    if not f.alive:
        return end(f)
    return "RESUME" if f.p_match else "FLASHED OUTSIDE"


def trial(f):
    if f.swapped:
        return "start" if f.p_good else over(f)
    if f.p_image_ok != BLANK:
        return "SETTLE"
    if f.s_magic == SET or f.starts >= f.attempts:
        return over(f)
    return "TRY AGAIN" if f.p_good else over(f)


def idle(f):
    if not f.p_good:
        return "RECOVER" if f.alive and f.s_good and not f.recovered else "recovery"
    if f.alive and f.s_magic == SET:
        if not f.s_good:
            return "REFUSE"
        return "PERM" if f.s_image_ok == SET else "TEST"
    if not f.settled:
        return "SETTLE"
    bad = BAD in (f.p_magic, f.p_image_ok, f.p_copy_done) or (f.p_magic == SET) != (f.p_image_ok == SET)
    return "REPAIR" if bad and not f.reaches else "start"


def decide(f):
    if f.stop == STOP_TOUCHED or (f.stop == STOP_UNTOUCHED and not f.alive):
        return end(f)
    if f.stop == STOP_UNTOUCHED:
        return "ABANDON"
    return {NEW: new, IDLE: idle, UNFINISHED: unfinished, TRIAL: trial}[f.cell](f)


class Facts:
    def __init__(self, values):
        self.__dict__.update(zip(FIELDS, values))
        if not self.alive:  # S's trailer counts as blank
            self.s_magic = self.s_image_ok = BLANK
        self.attempts = max(self.attempts, 1)

    def line(self):
        return " ".join(str(getattr(self, name)) for name in FIELDS)


class DecideTest(unittest.TestCase):
    def test_random_facts(self):
        rnd = random.Random(7)
        facts = [Facts([rnd.randrange(n) for n in SIZES]) for _ in range(ROWS)]
        for f in facts[ROWS // 4:]:
            f.stop = STOP_NO
        text = "\n".join(f.line() for f in facts)
        out = subprocess.run([os.environ["SPEC_DECIDE"]], input=text, capture_output=True, text=True, timeout=120, check=True)
        steps = out.stdout.splitlines()
        self.assertEqual(len(steps), ROWS)
        for f, step in zip(facts, steps):
            self.assertEqual(decide(f), step, f.line())
        self.assertEqual(set(steps), {"SETTLE", "FLASHED OUTSIDE", "ABANDON", "REFUSE", "REPAIR", "RESUME", "TEST", "PERM",
                                      "RECOVER", "REVERT", "TRY AGAIN", "start", "recovery"})


if __name__ == "__main__":
    unittest.main()
