"""Other people's drivers on the board: embassy's, with its executor, built from crates of crates.io.

    test_embassy.py SLIPWAY TARGET_DIR
"""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

import serial

SLIPWAY, TARGET_DIR = sys.argv[1:3]
HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = "thumbv7em-none-eabi"
LINES = ["embassy runs", "clock good", "temp 25", "rng good", "qspi c22817 good", "nvmc good", "spim good", "ppi good",
         "wdt fed, awake false"]


def to_hex(program, hexfile):
    subprocess.run(["arm-none-eabi-objcopy", "-O", "ihex", os.path.join(TARGET_DIR, TARGET, "release", program), hexfile],
                   check=True)
    return hexfile


class Embassy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run(["cargo", "build", "-q", "--release", "--target", TARGET, "--target-dir", TARGET_DIR],
                       cwd=HERE, check=True, timeout=850)

    def test_every_driver(self):
        with tempfile.TemporaryDirectory() as tmp:
            hexfile, internal = to_hex("embassy-check", os.path.join(tmp, "a.hex")), os.path.join(tmp, "internal.bin")
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

    def run_usb(self, *args, code=0, program="embassy-usb-echo", **kw):
        with tempfile.TemporaryDirectory() as tmp:
            hexfile = to_hex(program, os.path.join(tmp, "u.hex"))
            p = subprocess.run([SLIPWAY, "board", "run", "--hex", hexfile, *args], capture_output=True, text=True, timeout=100, **kw)
            self.assertEqual(p.returncode, code, p.stderr)
            return p.stdout, p.stderr

    def test_usb_serial_port(self):
        """Enumerated, opened, and every byte of some hundred packets both ways, full ones and others."""
        text = "".join(f"line {i} of what is sent {'x' * (i % 90)}\n" for i in range(200))
        for program in ("embassy-usb-echo", "usbd-serial-echo"):
            out, err = self.run_usb("--usb0", "stdio", "--for", "1", "--stats", input=text, program=program)
            self.assertIn("CDC ACM opened", err)
            said, stats = out.rsplit("\n", 2)[0] + "\n", json.loads(out.splitlines()[-1])
            self.assertEqual(said, "hello from usb\n" + text.upper())
            self.assertEqual(stats["unmodelled"], [])
        out, _ = self.run_usb("--usb0", "file:/dev/null", "--for", "1")
        self.assertEqual(out.splitlines(), ["usb waits", "usb configured", "dtr 115200"])
        out, _ = self.run_usb("--usb0", "file:/dev/null", "--until", "hello from usb", "--for", "60")
        self.assertIn("dtr 115200", out)

    def test_usb_without_a_computer(self):
        for args in (["--vbus", "on"], ["--vbus", "off"], []):
            out, err = self.run_usb(*args, "--for", "5", "--stats")
            self.assertEqual(out.splitlines()[0], "usb waits")
            self.assertEqual(json.loads(out.splitlines()[-1])["unmodelled"], [])
            self.assertNotIn("configured", out + err)

    def test_the_same_run_is_the_same(self):
        hashes = set()
        for _ in range(2):
            with tempfile.NamedTemporaryFile("r") as trace:
                self.run_usb("--usb0", "file:/dev/null", "--for", "1", "--trace", trace.name)
                hashes.add(trace.read().splitlines()[-1])
        self.assertEqual(len(hashes), 1)

    def test_usb_on_a_pty(self):
        with tempfile.TemporaryDirectory() as tmp:
            hexfile, link = to_hex("embassy-usb-echo", os.path.join(tmp, "u.hex")), os.path.join(tmp, "port")
            p = subprocess.Popen([SLIPWAY, "board", "run", "--hex", hexfile, "--usb0", f"pty:{link}", "--until", "BYE", "--for", "60"],
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            until = time.monotonic() + 50
            while not os.path.exists(link) and time.monotonic() < until:
                time.sleep(0.05)
            with serial.Serial(link, timeout=20) as port:
                self.assertEqual(port.read_until(b"usb\r\n"), b"hello from usb\r\n")
                port.write(b"abc\n")
                self.assertEqual(port.readline(), b"ABC\n")
                port.write(b"bye")
                said, _ = p.communicate(timeout=50)
            self.assertEqual(p.returncode, 0, said)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
