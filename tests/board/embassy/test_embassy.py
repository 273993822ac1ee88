"""Other people's drivers on the board: embassy's, with its executor, built from crates of crates.io.

    test_embassy.py SLIPWAY TARGET_DIR
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

SLIPWAY, TARGET_DIR = sys.argv[1:3]
HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = "thumbv7em-none-eabi"
LINES = ["embassy runs", "clock good", "temp 25", "rng good", "qspi c22817 good", "nvmc good", "spim good", "ppi good",
         "wdt fed, awake false"]


class Embassy(unittest.TestCase):
    def test_every_driver(self):
        subprocess.run(["cargo", "build", "-q", "--release", "--target", TARGET, "--target-dir", TARGET_DIR],
                       cwd=HERE, check=True, timeout=850)
        with tempfile.TemporaryDirectory() as tmp:
            hexfile, internal = os.path.join(tmp, "a.hex"), os.path.join(tmp, "internal.bin")
            subprocess.run(["arm-none-eabi-objcopy", "-O", "ihex", os.path.join(TARGET_DIR, TARGET, "release", "embassy-check"),
                            hexfile], check=True)
            p = subprocess.run([SLIPWAY, "board", "run", "--hex", hexfile, "--internal", internal, "--for", "1.44", "--stats"],
                               capture_output=True, text=True, timeout=100)
            self.assertEqual(p.returncode, 0, p.stderr)
            out = p.stdout.splitlines()
            self.assertEqual(out[:-1], LINES)
            stats = json.loads(out[-1])
            self.assertEqual(stats["unmodelled"], [])
            self.assertEqual((stats["internal"]["erases"], stats["external"]["erases"], stats["external"]["programs"]), (1, 1, 4))
            p = subprocess.run([SLIPWAY, "board", "run", "--hex", hexfile, "--for", "2"], capture_output=True, text=True,
                               timeout=100)
            self.assertIn("reset: watchdog", p.stderr)  # nobody feeds it any more
            self.assertEqual(p.stdout.count("embassy runs"), 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
