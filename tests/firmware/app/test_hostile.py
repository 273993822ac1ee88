"""The shipped application and an external chip that fails during an upload: the client ends with the reason, the
application goes on, and with a good chip the same update works. On the virtual board, over its UART.

    test_hostile.py
"""
import os
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from machine import Bench, Images  # noqa: E402

BOARD = "nrf52840dk"
FAULTS = {
    "busy@30": "stays busy",
    "ones@30": "does not answer",
    "zeros@30": "a program of the external flash did not happen",
    "bad-program@30": "a program of the external flash did not happen",
    "bad-erase@1": "an erase of the external flash did not happen",
}


class Hostile(unittest.TestCase):
    def upload(self, fault):
        images = Images(BOARD)
        with Bench("board", images, "state") as b:
            if fault.startswith("bad-erase"):  # an erase of what was never written changes nothing
                b.slipway("upload", images.image("2.0.0"))
            b.m.off()
            b.m.options = ["--fault", f"external:{fault}"]
            b.m.on()
            begun = time.monotonic()
            failed = b.slipway("upload", "--restart", images.image("3.0.0"), ok=False)
            took = time.monotonic() - begun
            info = b.slipway("info", ok=False)
            again = None
            if fault.startswith("bad-program"):
                b.m.off()
                b.m.options = []
                b.m.on()
                again = b.slipway("update", images.image("4.0.0"), ok=False)
            return took, failed, info, again

    def test_upload(self):
        with ThreadPoolExecutor(2) as pool:
            runs = list(pool.map(self.upload, FAULTS))
        for (fault, reason), (took, failed, info, again) in zip(FAULTS.items(), runs):
            with self.subTest(fault=fault):
                self.assertEqual(failed.returncode, 7, failed.stderr)
                self.assertLess(took, 60)
                self.assertIn(reason, failed.stderr)
                self.assertIn("slot 0: 1.0.0+0", failed.stderr)
                self.assertEqual(info.returncode, 0, info.stderr)
                self.assertIn("the last upload met this", info.stdout + info.stderr)
                if again:
                    self.assertEqual(again.returncode, 0, again.stderr)
                    self.assertIn("4.0.0+0 runs and is confirmed", again.stdout + again.stderr)


if __name__ == "__main__":
    unittest.main()
