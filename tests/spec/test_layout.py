"""SPEC.md section 2: the generated header read as text, its hash and its room computed again."""
import os
import re
import sys
import tempfile
import unittest

import spec
from chips import Layout

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from simboard import SLIPWAY, run  # noqa: E402

NO_SCRATCH = (
    ("scratch_partition: partition@ee000", "spare_partition: partition@ee000"),
    ('label = "image-scratch";', 'label = "spare";'),
)


def header(board, folder):
    """The macros of a board's generated header."""
    path = os.path.join(folder, "layout.h")
    run(SLIPWAY, "layout", board, "--header", path)
    with open(path) as f:
        text = f.read()
    found = dict(re.findall(r"^#define SLIPWAY_(\w+) +(SLIPWAY_U\(0x[0-9A-F]{8}\)|\"[^\"]*\")", text, re.M))
    return {k: v.strip('"') if v.startswith('"') else int(v[10:-1], 16) for k, v in found.items()}


def layout_of(h):
    parts = {p.lower(): (h[f"{p}_OFF"], h[f"{p}_SIZE"]) for p in ("BOOT", "SLOT0", "SLOT1", "STATE")}
    chips = {k.lower(): h[k] for k in ("INTERNAL_SIZE", "INTERNAL_ERASE", "EXTERNAL_SIZE", "EXTERNAL_ERASE", "UNIT")}
    return Layout(**parts, **chips)


class LayoutTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def check(self, board):
        h = header(board, self.dir.name)
        layout = layout_of(h)
        self.assertEqual(layout.hash, h["LAYOUT_HASH"])
        self.assertEqual(layout.best(), (h["MAX_IMAGE"], h["GAP"]))
        inside = layout.boot[0] <= layout.state[0] < sum(layout.boot)
        self.assertEqual(h["BOOT_CODE_SIZE"], layout.state[0] - layout.boot[0] if inside else layout.boot[1])
        return layout, h

    def test_boards(self):
        for board in sorted(os.listdir(os.path.join(spec.ROOT, "boards"))):
            with self.subTest(board):
                self.check(board)

    def test_the_hash_that_the_spec_gives(self):
        layout, _ = self.check("at25xe321d_nrf52840")
        said = re.search(r"`at25xe321d_nrf52840` has (0x\w+)", " ".join(spec.section("Layout hash").split())).group(1)
        self.assertEqual(layout.hash, int(said, 16))

    def test_macros_are_all_described(self):
        _, h = self.check("nrf52840dk")
        said = set()
        for row in spec.tables("Generated header")[0]:
            for w in spec.words(row[0].replace(",", " ").replace(";", " ")):
                said.add(w[len("SLIPWAY_"):] if w.startswith("SLIPWAY_") else last.rsplit("_", 1)[0] + w)
                last = w[len("SLIPWAY_"):] if w.startswith("SLIPWAY_") else last
        self.assertEqual(said, set(h))

    def test_without_scratch_the_state_is_the_end_of_boot(self):
        text = spec.read("boards/at25xe321d_nrf52840/board.dts")
        for old, new in NO_SCRATCH:
            self.assertIn(old, text)
            text = text.replace(old, new)
        path = os.path.join(self.dir.name, "mine.dts")
        with open(path, "w") as f:
            f.write(text)
        layout, _ = self.check(path)
        self.assertEqual(layout.state, (0xC000 - 4 * layout.unit, 4 * layout.unit))


if __name__ == "__main__":
    unittest.main()
