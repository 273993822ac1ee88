"""For tests of the client's commands: one run of `slipway`, and what a result has to look like."""
import json
import os
import subprocess
import tempfile
import time
import unittest

from simboard import SLIPWAY

CLEAN = {k: v for k, v in os.environ.items() if k not in ("SLIPWAY_DEVICE", "NO_COLOR")}


class Result:
    """What a command did; with --json, its events too."""

    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds

    @property
    def events(self):
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def last(self):
        return self.events[-1]

    def of(self, name):
        return [e for e in self.events if e["event"] == name]

    def event(self, name):
        return self.of(name)[0]


def slipway(*args, env=None, timeout=60):
    start = time.monotonic()
    p = subprocess.run([SLIPWAY, *map(str, args)], capture_output=True, text=True, timeout=timeout,
                       env={**CLEAN, **(env or {})}, stdin=subprocess.DEVNULL)
    return Result(p.returncode, p.stdout, p.stderr, time.monotonic() - start)


class CommandCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def file(self, data, name="app.signed.bin"):
        path = os.path.join(self.dir.name, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def expect(self, result, code, *words):
        text = result.out + result.err
        self.assertEqual(result.code, code, text)
        for word in words:
            self.assertIn(word, text)
        self.assertNotIn("AddressSanitizer", result.err)
        self.assertNotIn("runtime error", result.err)

    def expect_json(self, result, code, name):
        self.expect(result, code)
        self.assertEqual(result.last["event"], "result")
        self.assertIs(result.last["ok"], code == 0)
        if code:
            self.assertEqual(result.last["code"], name)
            self.assertIn("error: " + result.last["message"], result.err)
