"""For tests of the client's commands on simulated boards: signed images, and a command's result."""
import atexit
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import time
import unittest

from simboard import IMGTOOL, SLIPWAY, run

BOARD = "at25xe321d_nrf52840"
CLEAN = {k: v for k, v in os.environ.items() if k not in ("SLIPWAY_DEVICE", "NO_COLOR")}


class Images:
    """A folder with two keys and images that could start on the chip, made when they are asked for."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="slipway-test-")
        atexit.register(shutil.rmtree, self.dir, True)
        self.key, self.stranger = self.path("key.pem"), self.path("stranger.pem")
        for key in (self.key, self.stranger):
            run(SLIPWAY, "keygen", key)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, data):
        pathlib.Path(self.path(name)).write_bytes(data)
        return self.path(name)

    def binary(self, version, payload, base=0xC000):
        vectors = (0x20040000).to_bytes(4, "little") + (base + 0x301).to_bytes(4, "little")
        return self.write(f"{version}-{payload}.bin", vectors + random.Random(version).randbytes(payload - 8))

    def signed(self, version, payload, key=None, board=BOARD):
        """By the command, for a board: with its layout's hash."""
        out = self.path(f"{version}-{payload}-{board}.signed.bin")
        if not os.path.exists(out):
            run(SLIPWAY, "sign", "--key", key or self.key, "--version", version, "--board", board, "--pad-header",
                self.binary(version, payload), out)
        return out

    def imgtool(self, version, payload, base=0xC000):
        """By imgtool, which knows no board and no limit."""
        out = self.path(f"{version}-{payload}.imgtool.bin")
        run(*IMGTOOL, "sign", "-k", self.key, "-v", version, "-H", "0x200", "--pad-header", "-S", "0x200000", "--align",
            "4", self.binary(version, payload, base), out)
        return out


class Result:
    """What a command did. With --json, which is the rule here, its events."""

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


class DeviceCase(unittest.TestCase):
    maxDiff = None
    states = 0

    @classmethod
    def setUpClass(cls):
        cls.images = Images()

    def new_state(self):
        DeviceCase.states += 1
        return self.images.path(f"state{self.states}")

    def slipway(self, sim, *args, timeout=60):
        """A command on the board, over UDP; never longer than any may take."""
        r = slipway(*args, "--json", "--udp", f"127.0.0.1:{sim.port}", timeout=timeout)
        self.assertNotIn("Sanitizer", r.err)
        self.assertNotIn("runtime error", r.err)
        return r
