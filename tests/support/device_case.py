"""For tests of the client's commands on simulated boards: signed images, and commands over UDP."""
import atexit
import os
import pathlib
import random
import shutil
import tempfile
import unittest

from command import slipway
from simboard import IMGTOOL, SLIPWAY, run

BOARD = "at25xe321d_nrf52840"


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
