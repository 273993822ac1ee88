"""slipway explain as a person or a script calls it."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from project import SLIPWAY, slipway  # noqa: E402

LOG = b"*** Booting MCUboot ***\r\nE: JEDEC id [00 00 00] expect [c2 28 17]\x1b[0m\r\n\xff\xfe\r\nI: Swap type: revert\r\n"


class Explain(unittest.TestCase):
    def test_code_text_and_number(self):
        for args, words in ((("smp", "1", "8"), "IMG 8 HASH_NOT_FOUND"), (("smp 1 8",), "IMG 8 HASH_NOT_FOUND"),
                            (("--", "-2"), "-2 (ENOENT)"), (("-2",), "-2 (ENOENT)"), (("Hash not Found (8)",), "No slot that"),
                            (("Hash", "not", "Found", "(8)"), "No slot that")):
            with self.subTest(args):
                p = slipway("explain", *args)
                self.assertEqual((p.returncode, p.stderr), (0, ""))
                self.assertIn(words, p.stdout)
                for part in ("\n  1. ", "\n  What to do: "):
                    self.assertIn(part, p.stdout)

    def test_log_from_file_and_stdin(self):
        with tempfile.NamedTemporaryFile() as f:
            f.write(LOG)
            f.flush()
            file = slipway("explain", f.name)
        stdin = subprocess.run([SLIPWAY, "explain", "-"], input=LOG, capture_output=True)
        self.assertEqual((file.returncode, stdin.returncode), (0, 0))
        self.assertEqual(file.stdout.encode(), stdin.stdout)
        self.assertEqual([line for line in file.stdout.splitlines() if line.startswith("line ")],
                         ["line 2: E: JEDEC id [00 00 00] expect [c2 28 17]?[0m?", "line 4: I: Swap type: revert?"])

    def test_json(self):
        p = subprocess.run([SLIPWAY, "--json", "explain", "-"], input=LOG, capture_output=True)
        events = [json.loads(line) for line in p.stdout.splitlines()]
        self.assertEqual([e["event"] for e in events], ["explanation", "explanation", "result"])
        self.assertEqual((events[0]["line"], events[1]["line"]), (2, 4))
        self.assertGreaterEqual(len(events[0]["causes"]), 3)
        self.assertEqual(events[2], {"event": "result", "ok": True, "explained": 2})
        one = [json.loads(line) for line in slipway("--json", "explain", "smp", "1", "8").stdout.splitlines()]
        self.assertEqual(one[0]["code"], "IMG 8 HASH_NOT_FOUND")
        self.assertNotIn("line", one[0])

    def test_findings_of_slipway_itself(self):
        p = slipway("explain", "external_flash_absent")
        self.assertEqual(p.returncode, 0)
        self.assertIn("external_flash_absent (finding ", p.stdout)
        events = [json.loads(line) for line in slipway("--json", "explain", "external_flash_absent").stdout.splitlines()]
        self.assertEqual((events[0]["code"], events[-1]["ok"]), ("external_flash_absent", True))

    def test_console_of_a_device(self):
        log = b"@slw 64 ff 0 0 0\r\n\xfe\n[12.5] @slw 2 1 c22817 1f470c 0\r\n@slw 2 1 c2"
        text = subprocess.run([SLIPWAY, "explain", "-"], input=log, capture_output=True)
        self.assertEqual((text.returncode, text.stderr), (0, b""))
        said = text.stdout.decode().split("\n\n")
        self.assertEqual(len(said), 2)
        self.assertIn("line 1, from the device: the bootloader runs after a reset", said[0])
        self.assertNotIn("try:", said[0])
        self.assertIn("line 3, from the device: another flash chip answers", said[1])
        self.assertIn("found c2 28 17, expected 1f 47 0c\n  try: slipway info", said[1])
        p = subprocess.run([SLIPWAY, "--json", "explain", "-"], input=log, capture_output=True)
        events = [json.loads(line) for line in p.stdout.splitlines()]
        self.assertEqual([(e["event"], e.get("line")) for e in events],
                         [("console", 1), ("console", 3), ("result", None)])
        self.assertEqual(events[1]["finding"]["code"], "external_flash_id")
        self.assertIn("written anew", slipway("explain", "@slw 3f ff 0 0 0").stdout)

    def test_nothing_known(self):
        for args in (("frobnicate",), ("smp", "1", "99"), ("--", "-9999")):
            with self.subTest(args):
                p = slipway("explain", *args)
                self.assertEqual((p.returncode, p.stdout), (1, ""))
                self.assertIn("error: ", p.stderr)
                self.assertIn("try: slipway explain", p.stderr)
        p = subprocess.run([SLIPWAY, "explain", "-"], input=b"all is well\n", capture_output=True, text=False)
        self.assertEqual(p.returncode, 1)
        self.assertIn(b"no line of standard input is known", p.stderr)

    def test_wrong_use(self):
        for args, words in (((), "what is to be explained?"), (("--frob",), "unknown option --frob"),
                            (("/root/../etc/shadow-no",), "neither a file")):
            p = slipway("explain", *args)
            self.assertIn(p.returncode, (1, 2))
            self.assertIn(words, p.stderr)

    def test_any_bytes_and_much_of_it(self):
        noise = os.urandom(1 << 20) + b"\nE: Unable to find bootable image\n" + b"x" * (17 << 20)
        p = subprocess.run([SLIPWAY, "explain", "-"], input=noise, capture_output=True, timeout=120)
        self.assertEqual(p.returncode, 0)
        self.assertIn(b"MCUboot finds no valid image", p.stdout)
        self.assertIn(b"only the first 16 MiB", p.stderr)
        p.stdout.decode("utf-8")


if __name__ == "__main__":
    unittest.main()
