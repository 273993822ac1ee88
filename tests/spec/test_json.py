"""SPEC.md section 16: --json of the commands that need no device, and of every wrong use."""
import json
import os
import subprocess
import sys
import unittest

import spec

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from simboard import SLIPWAY, Workshop  # noqa: E402

BOARD = "at25xe321d_nrf52840"


class JsonTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = Workshop()
        cls.image = cls.shop.image("1.2.3+4", 5000, None, None, "--custom-tlv", "0x00A0", "hi")
        cls.raw = cls.shop.path("raw.bin")
        with open(cls.raw, "wb") as f:
            f.write(bytes(range(256)) * 8)

    def events(self, *args):
        p = subprocess.run([SLIPWAY, "--json", *args], capture_output=True, text=True, timeout=60)
        return p.returncode, [json.loads(line) for line in p.stdout.splitlines()]

    def done(self, *args):
        rc, events = self.events(*args)
        self.assertEqual(rc, 0, events)
        spec.check_events(self, args[0], events)
        return events

    def failed(self, code, status, *args):
        rc, events = self.events(*args)
        self.assertEqual((rc, len(events)), (status, 1), (args, events))
        spec.check_events(self, args[0], events)
        self.assertEqual((events[0]["ok"], events[0]["code"]), (False, code), args)

    def test_results(self):
        key = self.shop.path("new.pem")
        self.done("keygen", key)
        self.done("pubkey", key)
        self.done("sign", "--key", key, "--version", "1.0.0", "--board", BOARD, "--pad-header", self.raw,
                  self.shop.path("out.bin"))
        self.done("verify", self.image)
        self.done("verify", "--key", self.shop.key, self.image)
        self.done("explain", "smp", "1", "8")
        self.done("explain", "external_flash_absent")
        log = self.shop.path("boot.log")
        with open(log, "w") as f:
            f.write("@slw 1 1 ffffff 1f470c 0\r\nHash not Found (8)\n")
        self.assertEqual({e["event"] for e in self.done("explain", log)}, {"console", "explanation", "result"})
        names = {e["event"] for e in self.done("layout", BOARD)}
        self.assertEqual(names, {"chip", "part", "result"})

    def test_failures(self):
        self.failed("file_exists", 3, "keygen", self.shop.key)
        self.failed("no_file", 3, "verify", self.shop.path("nothing"))
        self.failed("no_board", 3, "layout", "no_such_board")
        self.failed("no_image_magic", 3, "inspect", self.raw)
        self.failed("key_file", 3, "pubkey", self.raw)
        self.failed("image_stranger", 4, "verify", "--key", self.other_key(), self.image)
        self.failed("no_device", 5, "list", "--port", self.shop.path("no_port"))

    def other_key(self):
        key = self.shop.path("other.pem")
        if not os.path.exists(key):
            self.done("keygen", key)
        return key

    def test_every_wrong_use_is_told(self):
        for args in ((), ("verify",), ("nothing",), ("--nothing",), ("verify", "--key"), ("--log",), ("list", "--port"),
                     ("verify", "--color", "pink", self.image), ("verify", "--log", "/", self.image),
                     ("verify", "--nothing", self.image), ("sim",), ("sim", "--cut", "x"), ("board",), ("layout",)):
            rc, events = self.events(*args)
            self.assertEqual((rc, len(events)), (2, 1), (args, events))
            self.assertEqual((events[0]["event"], events[0]["ok"], events[0]["code"]), ("result", False, "usage"), args)
            self.assertTrue(events[0]["message"], args)


if __name__ == "__main__":
    unittest.main()
