"""slipway demo as a person sees it, on each board."""
import json
import os
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from machine import RUNNER, firmware  # noqa: E402
from simboard import ROOT, SLIPWAY, run  # noqa: E402

# What has to come by, in this order.
STORY = [
    "$ slipway keygen key.pem", "$ slipway sign --key key.pem --version 1.0.0",
    "$ slipway layout", "largest image that can be swapped",
    "$ slipway sim --board", "board: boot action=none running=1.0.0+0", "board: ready udp=127.0.0.1:",
    "$ slipway upload app-v2.signed.bin", "$ slipway test", "pending", "$ slipway reset",
    "board: boot action=test running=2.0.0+0", "on trial", "$ slipway confirm", "active, confirmed",
    "$ slipway report", "The board put 2.0.0+0 into slot 0", "Before", "slot 0, internal flash", "version 1.0.0+0", "slot 1, external flash", "no image",
    "After", "version 2.0.0+0", "version 1.0.0+0",
        "$ slipway upload app-v3.signed.bin", "board: boot action=test running=3.0.0+0",
    "board: boot action=revert running=2.0.0+0", "The board put the old image back: 2.0.0+0 runs",
    "Reverted", "version 2.0.0+0", "version 3.0.0+0",
]
# On the virtual board the UART says when it is back, and nothing begins with a key.
ON_BOARD = [
    {"$ slipway sim --board": "$ slipway board run --board"}.get(part, part) for part in STORY
    if not part.startswith(("board: ", "$ slipway keygen"))]


class DemoTest(unittest.TestCase):
    def setUp(self):
        self.temp = tempfile.TemporaryDirectory(prefix="slipway-test-")
        self.env = dict(os.environ, TMPDIR=self.temp.name)
        self.addCleanup(self.temp.cleanup)

    def told(self, text, story=STORY):
        at = 0
        for part in story:
            found = text.find(part, at)
            self.assertGreaterEqual(found, 0, f"{part!r} does not follow in\n{text[at:]}")
            at = found + len(part)

    def test_story(self):
        for board in ("at25xe321d_nrf52840", "nrf52840dk"):
            with self.subTest(board):
                self.told(run(SLIPWAY, "demo", "--sim", "--board", board, env=self.env).stdout)
                self.assertEqual(os.listdir(self.temp.name), [])

    def test_keep(self):
        kept = os.path.join(self.temp.name, "kept")
        run(SLIPWAY, "demo", "--sim", "--keep", kept, env=self.env)
        self.assertEqual(sorted(os.listdir(os.path.join(kept, "board"))), ["external.bin", "internal.bin"])
        run(SLIPWAY, "verify", "--key", os.path.join(kept, "key.pem"), os.path.join(kept, "app-v3.signed.bin"))
        again = run(SLIPWAY, "demo", "--sim", "--keep", kept, env=self.env, ok=False)
        self.assertEqual(again.returncode, 3)
        self.assertIn("kept", again.stderr)

    def test_json(self):
        p = run(SLIPWAY, "demo", "--sim", "--json", env=self.env)
        events = [json.loads(line) for line in p.stdout.splitlines()]
        self.assertEqual([e["event"] for e in events], ["step"] * 5 + ["result"])
        self.assertEqual((events[-1]["ok"], events[-1]["machine"]), (True, "sim"))
        self.told(p.stderr)

    def test_shipped_firmware(self):
        """What `make demo` runs: the hex files that `make` built, on the virtual board."""
        firmware("at25xe321d_nrf52840", "slipway-boot.hex")
        p = run(RUNNER, "demo", "--json", env=self.env, timeout=400)
        result = json.loads(p.stdout.splitlines()[-1])
        self.assertEqual((result["ok"], result["machine"]), (True, "board"))
        self.told(p.stderr, ON_BOARD)
        self.assertEqual(os.listdir(self.temp.name), [])

    def test_no_firmware(self):
        """A board of one's own before its firmware is built: simulated, and said so."""
        mine = os.path.join(self.temp.name, "mine.dts")
        shutil.copy(os.path.join(ROOT, "boards", "nrf52840dk", "board.dts"), mine)
        p = run(SLIPWAY, "demo", "--json", "--board", mine, env=self.env)
        self.assertEqual(json.loads(p.stdout.splitlines()[-1])["machine"], "sim")
        self.assertIn("no firmware is built for mine", p.stderr)

    def test_wrong_use(self):
        self.assertEqual(run(SLIPWAY, "demo", "--what", ok=False).returncode, 2)
        self.assertEqual(run(SLIPWAY, "demo", "--board", "no_such_board", ok=False).returncode, 3)


if __name__ == "__main__":
    unittest.main()
