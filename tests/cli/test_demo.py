"""slipway demo as a person sees it, on each board."""
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from simboard import SLIPWAY, run  # noqa: E402

# What has to come by, in this order.
STORY = [
    "$ slipway keygen key.pem", "$ slipway sign --key key.pem --version 1.0.0",
    "$ slipway layout", "largest image that can be swapped",
    "$ slipway sim --board", "board: boot action=none running=1.0.0+0", "board: ready udp=127.0.0.1:",
    "$ slipway upload app-v2.signed.bin", "$ slipway test", "pending", "$ slipway reset",
    "board: boot action=test running=2.0.0+0", "on trial", "$ slipway confirm", "active, confirmed",
    "Before", "slot 0, internal flash", "version 1.0.0+0", "slot 1, external flash", "no image",
    "After", "version 2.0.0+0", "version 1.0.0+0", "$ slipway report", "The board put 2.0.0+0 into slot 0",
    "$ slipway upload app-v3.signed.bin", "board: boot action=test running=3.0.0+0",
    "board: boot action=revert running=2.0.0+0", "Reverted", "version 2.0.0+0", "version 3.0.0+0",
    "The board put the old image back: 2.0.0+0 runs",
]


class DemoTest(unittest.TestCase):
    def setUp(self):
        self.temp = tempfile.TemporaryDirectory(prefix="slipway-test-")
        self.env = dict(os.environ, TMPDIR=self.temp.name)
        self.addCleanup(self.temp.cleanup)

    def told(self, text):
        at = 0
        for part in STORY:
            found = text.find(part, at)
            self.assertGreaterEqual(found, 0, f"{part!r} does not follow in\n{text[at:]}")
            at = found + len(part)

    def test_story(self):
        for board in ("at25xe321d_nrf52840", "nrf52840dk"):
            with self.subTest(board):
                self.told(run(SLIPWAY, "demo", "--board", board, env=self.env).stdout)
                self.assertEqual(os.listdir(self.temp.name), [])

    def test_keep(self):
        kept = os.path.join(self.temp.name, "kept")
        run(SLIPWAY, "demo", "--keep", kept, env=self.env)
        self.assertEqual(sorted(os.listdir(os.path.join(kept, "board"))), ["external.bin", "internal.bin"])
        run(SLIPWAY, "verify", "--key", os.path.join(kept, "key.pem"), os.path.join(kept, "app-v3.signed.bin"))
        again = run(SLIPWAY, "demo", "--keep", kept, env=self.env, ok=False)
        self.assertEqual(again.returncode, 3)
        self.assertIn("kept", again.stderr)

    def test_json(self):
        p = run(SLIPWAY, "demo", "--json", env=self.env)
        events = [json.loads(line) for line in p.stdout.splitlines()]
        self.assertEqual([e["event"] for e in events], ["step"] * 5 + ["result"])
        self.assertTrue(events[-1]["ok"])
        self.told(p.stderr)

    def test_wrong_use(self):
        self.assertEqual(run(SLIPWAY, "demo", "--what", ok=False).returncode, 2)
        self.assertEqual(run(SLIPWAY, "demo", "--board", "no_such_board", ok=False).returncode, 3)


if __name__ == "__main__":
    unittest.main()
