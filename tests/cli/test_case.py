"""The case: 850 KiB onto slots of 904 and 1024 KiB, through the commands, then back.

What lies where is read from the chips' files; erases and times are those of the flash models, as the
board's boot lines give them. tests/unit/boot/test_swap.c counts the same unit by unit.
"""
import os
import pathlib
import random
import re
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from simboard import KIB, SLIPWAY, SLOT0_SIZE, Sim, run  # noqa: E402

UNIT = 4096
PAGE_MS, WORD_MS = 85, 0.041


def units(size):
    return -(-size // UNIT)


def blank(data):
    return data.count(0xFF) == len(data)


class TheCase(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory(prefix="slipway-test-")
        self.addCleanup(temp.cleanup)
        self.dir = pathlib.Path(temp.name)
        self.key = self.dir / "key.pem"
        run(SLIPWAY, "keygen", self.key)

    def sign(self, board, version, payload):
        """An application of so many bytes, linked for slot 0, as a build makes it; signed by the command."""
        raw, out = self.dir / f"{version}.bin", self.dir / f"{version}.signed.bin"
        vectors = (0x20040000).to_bytes(4, "little") + (0xC000 + 0x200 + 0x101).to_bytes(4, "little")
        raw.write_bytes(vectors + random.Random(version).randbytes(payload - 8))
        said = run(SLIPWAY, "sign", "--key", self.key, "--version", version, "--board", board, "--pad-header", raw, out)
        return out, out.read_bytes(), re.search(r"hash ([0-9a-f]{16})", said.stdout + said.stderr).group(1)

    def command(self, *args):
        return run(SLIPWAY, *args, "--udp", f"127.0.0.1:{self.sim.port}").stdout

    def assert_listed(self, *rows):
        """Each row: words that one line of `slipway list` holds; as many as rows."""
        lines = [line for line in self.command("list").splitlines() if line[:1].isdigit()]
        self.assertEqual(len(lines), len(rows), lines)
        for line, words in zip(lines, rows):
            for word in words:
                self.assertIn(word, line)

    def reset(self, action, running):
        self.command("reset")
        boot = self.sim.wait_ready()
        self.assertEqual((boot["action"], boot["running"]), (action, running))
        return boot

    def assert_swap(self, boot, n, limit, erases):
        """Time against the floor of n + 3 internal units, and the erases of both chips."""
        floor = (n + 3) * (PAGE_MS + UNIT // 4 * WORD_MS)
        took = float(boot["elapsed_ms"]) / floor
        print(f"{boot['action']}: {float(boot['elapsed_ms']):.0f} ms, {took:.4f} of the floor; "
              f"internal {boot['internal_erases']} erases, external {boot['external_erases']}", file=sys.stderr)
        self.assertLessEqual(took, limit)
        self.assertEqual((int(boot["internal_erases"]), int(boot["external_erases"])), erases)

    def test_gap_two(self):
        board = "at25xe321d_nrf52840"
        old, new = self.sign(board, "1.0.0", 850 * KIB - 1024), self.sign(board, "2.0.0", 850 * KIB - 1024)
        n = units(len(new[1]))
        self.assertEqual((n, units(len(old[1]))), (213, 213))
        h1, h2 = old[2], new[2]
        with Sim(str(self.dir / "board"), board=board, key=self.key, image=old[0]) as self.sim:
            sim, slot0, store = self.sim, self.sim.slot(0), self.sim.chip("external")[1024 * KIB:]
            self.command("upload", new[0])
            slot1 = sim.slot(1)
            self.assertEqual(slot1[:len(new[1])], new[1])
            self.assertTrue(blank(slot1[len(new[1]):-UNIT]))
            self.assertTrue(blank(slot1[-32:]), "an upload is no request")
            self.assertEqual(sim.slot(0), slot0)
            self.assert_listed(("1.0.0", h1, "active, confirmed"), ("2.0.0", h2))
            self.command("test")
            # P[0..212], its trailer, one state unit; S[2..214], S[0] with the stale header, its trailer.
            boot = self.reset("test", "2.0.0+0")
            self.assert_swap(boot, n, 1.05, (n + 1 + 1, n + 1 + 1))
            self.assertEqual(sim.slot(0)[:len(new[1])], new[1])
            self.assertEqual(sim.slot(1)[2 * UNIT:2 * UNIT + len(old[1])], old[1])
            self.assert_listed(("2.0.0", h2, "active"), ("1.0.0", h1, "confirmed"))
            # P[0..212], its trailer, one state unit; S[0..212] and its trailer. S[213] and S[214] stay as they are.
            boot = self.reset("revert", "1.0.0+0")
            self.assert_swap(boot, n, 1.05, (n + 1 + 1, n + 1))
            self.assertEqual(sim.slot(0)[:SLOT0_SIZE - UNIT], slot0[:SLOT0_SIZE - UNIT])
            self.assertEqual(sim.slot(1)[:len(new[1])], new[1])
            self.assertEqual(sim.chip("external")[1024 * KIB:], store)
            self.assert_listed(("1.0.0", h1, "active, confirmed"), ("2.0.0", h2))
            self.assertIn("put the old image back", self.command("report"))
            boot = self.reset("none", "1.0.0+0")
            self.assertEqual((boot["internal_erases"], boot["external_erases"]), ("0", "0"))

    def test_gap_one(self):
        """Equal slots, and an image that leaves no room for a gap of 2: each unit waits for the other chip."""
        board = "nrf52840dk"
        old, new = self.sign(board, "1.0.0", 894 * KIB - 1024), self.sign(board, "2.0.0", 894 * KIB - 1024)
        n = units(len(new[1]))
        self.assertEqual((n, units(len(old[1]))), (224, 224))
        with Sim(str(self.dir / "board"), board=board, key=self.key, image=old[0]) as self.sim:
            self.command("upload", new[0])
            self.command("test")
            # S[1..224], S[0], the trailer.
            self.assert_swap(self.reset("test", "2.0.0+0"), n, 1.50, (n + 1 + 1, n + 1 + 1))
            self.assertEqual(self.sim.slot(0)[:len(new[1])], new[1])
            self.assertEqual(self.sim.slot(1)[UNIT:UNIT + len(old[1])], old[1])
            self.assert_swap(self.reset("revert", "1.0.0+0"), n, 1.50, (n + 1 + 1, n + 1))
            self.assertEqual(self.sim.slot(0)[:len(old[1])], old[1])
            self.assertEqual(self.sim.slot(1)[:len(new[1])], new[1])


if __name__ == "__main__":
    unittest.main()
