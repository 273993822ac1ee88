"""SPEC.md section 5: reading and writing of the state cell, from the text, against core/boot/state.c."""
import os
import random
import subprocess
import types
import unittest

from chips import CONFIRMED, MARK, SWAP, WORDS, Cell, crc32

UNIT, LAYOUT_HASH, CASES = 4096, 0x1234ABCD, 3000


def target(cell):
    """[5] "Writing", step 1."""
    base = cell.base
    number = {id(u): i for i, u in enumerate(cell.units)}
    others = [u for u in cell.units if u is not base]
    unused = [u for u in others if not u.valid]
    if unused:
        return number[id(unused[0])]
    kept = None
    if base is not None and "ACT" not in base.words:
        me = number[id(base)]
        kept = next((u for u in others if u.valid and u.prev == me and u.prev_seq == base.seq), None)
    elif base is not None and not base.acted and base.prev < 3:
        prev = cell.units[base.prev]
        kept = prev if prev is not base and prev.valid and prev.seq == base.prev_seq else None
    free = [u for u in others if u is not kept]
    newer = [u for u in free if u.seq > base.seq]
    best = max(newer, key=lambda u: u.seq) if newer else min(free, key=lambda u: u.seq)
    ties = [u for u in (newer or free) if u.seq == best.seq]
    return number[id(ties[0])]


def is_voided(cell, n):
    """[5] "Writing", step 2."""
    base, u = cell.base, cell.units[n]
    return base is not None and u.valid and not (u.seq < base.seq and base.acted)


def random_unit(rnd):
    u = bytearray(b"\xff" * UNIT)
    if rnd.random() < 0.1:
        return u
    swap = rnd.random() < 0.5
    n_p, n_s = (rnd.randrange(4), rnd.randrange(3)) if swap else (0, 0)
    fields = [(0, 4, 0x57504C53), (4, 4, rnd.choice([1, 2, 3, 4, 5, 0xFFFF0000, 0xFFFF0001])), (8, 4, rnd.randrange(6)),
              (0x0C, 1, rnd.choice([0, 1, 2, 3, 0xFF])), (0x0D, 1, SWAP if swap else CONFIRMED),
              (0x0E, 1, rnd.randrange(1, 6) if swap else 0), (0x0F, 1, rnd.choice([0, 0, 1, 2]) if swap else 0),
              (0x10, 1, rnd.choice([1, 2, 2, 3]) if swap else 0), (0x11, 1, 0), (0x12, 2, n_p), (0x14, 2, n_s),
              (0x16, 2, rnd.randrange(4) if swap else 0), (0x18, 4, LAYOUT_HASH if rnd.random() < 0.97 else 7)]
    for at, size, value in fields:
        u[at:at + size] = value.to_bytes(size, "little")
    tables = rnd.randbytes(4 * (n_p + n_s))
    u[0x800:0x800 + len(tables)] = tables
    u[0x1C:0x20] = crc32(tables).to_bytes(4, "little")
    u[0x20:0x24] = crc32(bytes(u[:0x20])).to_bytes(4, "little")
    if rnd.random() < 0.05:
        u[rnd.choice([0, 5, 0x12, 0x1D, 0x22, 0x800])] ^= 0x10
    for i, value in enumerate(WORDS.values()):
        if rnd.random() < (0.8, 0.7, 0.3, 0.3, 0.2)[i]:
            u[0x40 + 4 * i:0x44 + 4 * i] = (value if rnd.random() < 0.95 else 0).to_bytes(4, "little")
    if swap:
        for j in rnd.sample(range(10), rnd.randrange(3)):
            u[0x80 + 4 * j:0x84 + 4 * j] = MARK.to_bytes(4, "little")
    return u


class CellTest(unittest.TestCase):
    def test_random_cells(self):
        rnd = random.Random(11)
        areas = [b"".join(bytes(random_unit(rnd)) for _ in range(3)) for _ in range(CASES)]
        out = subprocess.run([os.environ["SPEC_CELL"]], input=b"".join(areas), capture_output=True, timeout=120, check=True)
        lines = out.stdout.decode().splitlines()
        self.assertEqual(len(lines), CASES)
        layout = types.SimpleNamespace(state=(0, 4 * UNIT), unit=UNIT, hash=LAYOUT_HASH)
        seen = {"voids": 0, "kept": 0, "none": 0}
        for area, line in zip(areas, lines):
            cell = Cell(layout, area)
            base = cell.base
            n = target(cell)
            voided = is_voided(cell, n)
            number = next((i for i, u in enumerate(cell.units) if u is base), -1)
            want = "".join(str(int(u.valid)) for u in cell.units)
            want += f" {number} {int(cell.settled)} {base.position if base else -1} void {n if voided else -1} erase {n}"
            self.assertEqual(want, line)
            seen["voids"] += voided
            seen["none"] += base is None
            seen["kept"] += all(u.valid for u in cell.units)
        self.assertGreater(min(seen.values()), 50, seen)


if __name__ == "__main__":
    unittest.main()
