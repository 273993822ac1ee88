"""A fault in the shipped application, as the person at the client sees it: what `slipway report` says after the
reset, and `slipway explain` of the log. On the virtual board, over its UART.

    test_fault.py
"""
import os
import re
import select
import sys
import time
import tty
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from machine import Bench, Images  # noqa: E402
from simboard import SLIPWAY, run  # noqa: E402

BOARD = "nrf52840dk"
WORDS = "a fault ended what ran, and the chip was reset"


class Fault(unittest.TestCase):
    def test_report(self):
        with Bench("board", Images(BOARD), "fault") as b:
            self.assertNotIn(WORDS, b.slipway("report").stdout)
            fd = os.open(b.pty, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(fd)
            os.write(fd, b"crash\r")
            log, end = b"", time.monotonic() + 20
            while b"slipway-app " not in log and time.monotonic() < end:
                if select.select([fd], [], [], 0.2)[0]:
                    log += os.read(fd, 4096)
            os.close(fd)
            said = b.slipway("report").stdout
            self.assertIn(WORDS, said)
            boot = next(e for e in b.events("report") if e["event"] == "boot")
            found = [f for f in boot["findings"] if f["code"] == "fault"]
            self.assertEqual(len(found), 1, boot)
            self.assertEqual(found[0]["slot"], 0)
            # The bootloader's own line, and the words that the host has for it.
            line = re.search(rb"@slw 42 ff ([0-9a-f]+) ", log)
            self.assertIsNotNone(line, log)
            path = os.path.join(b.state, "said.txt")
            with open(path, "wb") as f:
                f.write(log)
            words = run(SLIPWAY, "explain", path).stdout
            self.assertIn(WORDS, words)
            self.assertIn(line.group(1).decode(), words)
            b.reset()
            self.assertNotIn(WORDS, b.slipway("report").stdout)


if __name__ == "__main__":
    unittest.main()
