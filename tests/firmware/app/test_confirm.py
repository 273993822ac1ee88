"""The shipped application's policy: an image on trial confirms itself after its self-test if, and only if, the
setting says so. On the virtual board, over its UART.

    test_confirm.py
"""
import os
import sys
import time
import tty
import unittest
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from machine import Bench, Images  # noqa: E402

BOARD = "nrf52840dk"
SELF_TEST_S = 2  # APP_SELF_TEST_MS


class Confirm(unittest.TestCase):
    def trial(self, confirm):
        """What runs, and how, after a trial's self-test and a power cycle."""
        images = Images(BOARD)
        with Bench("board", images, f"confirm-{confirm}") as b:
            if confirm:
                fd = os.open(b.pty, os.O_RDWR | os.O_NOCTTY)
                tty.setraw(fd)
                os.write(fd, b"set confirm 1\r")
                time.sleep(1)
                os.close(fd)
            b.slipway("update", "--test-only", images.image("2.0.0"))
            time.sleep(SELF_TEST_S + 2)
            b.power_cycle()
            r = next(e for e in b.events("report") if e["event"] == "boot")
            return r["action"], r["running"]

    def test_policy(self):
        with ThreadPoolExecutor(2) as pool:
            off, on = pool.map(self.trial, (False, True))
        self.assertEqual(off, ("revert", "1.0.0+0"))
        self.assertEqual(on, ("none", "2.0.0+0"))


if __name__ == "__main__":
    unittest.main()
