"""One interface to two machines, so that the same scenarios run on both: a board in a host process
(`slipway sim`), and the shipped hex files on the virtual board (`slipway board run`). What a scenario
sees is what a person has: a serial line, a power switch, and the contents of both chips when it is off.

The images are the application of the firmware build, under other versions; the simulated board takes any.
"""
import atexit
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from simboard import IMGTOOL, ROOT, SLIPWAY, Sim, run

FIRMWARE = os.environ.get("SLIPWAY_FIRMWARE", os.path.join(ROOT, "build", "firmware"))
# The virtual board computes much: a release build, whatever the command under test was built as.
RUNNER = os.environ.get("SLIPWAY_RUNNER", os.path.join(ROOT, "build", "slipway"))
SLOT1_SIZE = {"at25xe321d_nrf52840": 1 << 20, "nrf52840dk": 904 << 10}


def firmware(board, name):
    path = os.path.join(FIRMWARE, board, name)
    if not os.path.exists(path):
        raise AssertionError(f"{path} is missing: run `make`, which builds the firmware")
    return path


class Images:
    """Applications that the bootloader of the firmware build accepts, and one that it does not."""

    def __init__(self, board):
        self.board = board
        self.dir = tempfile.mkdtemp(prefix="slipway-scenario-")
        atexit.register(shutil.rmtree, self.dir, True)
        self.key = os.environ.get("SLIPWAY_KEY", os.path.join(FIRMWARE, "throw-away-key.pem"))
        self.stranger = self.path("stranger.pem")
        run(*IMGTOOL, "keygen", "-k", self.stranger, "-t", "ecdsa-p256")

    def path(self, name):
        return os.path.join(self.dir, name)

    def image(self, version, key=None, board=None, payload=None):
        out = self.path(f"{version}-{board or self.board}-{'s' if key else 'o'}.signed.bin")
        run(SLIPWAY, "-q", "sign", "--key", key or self.key, "--version", version, "--board", board or self.board,
            "--pad-header", payload or firmware(self.board, "slipway-app.bin"), out)
        return out


class Machine:
    def booted(self):
        """Answers again after a reset: that comes 0.25 s after the answer that promised it."""
        time.sleep(0.4)
        end = time.monotonic() + 60
        while (p := run(SLIPWAY, "echo", "there", "--port", self.pty, ok=False)).returncode:
            if time.monotonic() > end:
                raise AssertionError(f"the board does not answer: {p.stderr}\n{self.said()}")


class SimMachine(Machine):
    """`slipway sim`."""
    name = "sim"

    def __init__(self, images, first, where):
        self.images, self.first, self.state = images, first, images.path(where)
        self.sim = self.pty = None

    def on(self):
        self.sim = Sim(self.state, board=self.images.board, key=self.images.key, image=self.first)
        self.pty = self.sim.pty

    def off(self):
        if self.sim:
            self.sim.stop()
        self.sim = None

    def said(self):
        return "\n".join(self.sim.lines)

    def chip(self, name):
        with open(os.path.join(self.state, name + ".bin"), "rb") as f:
            return f.read()


class BoardMachine(Machine):
    """The shipped hex files on the virtual board."""
    name = "board"

    def __init__(self, images, first, where):
        self.images, self.first, self.state = images, first, images.path(where)
        os.makedirs(self.state, exist_ok=True)
        self.pty = os.path.join(self.state, "uart0")
        self.options = []  # more of `slipway board run`
        self.p = None

    def on(self):
        cmd = [RUNNER, "board", "run", "--board", self.images.board, "--uart0", f"pty:{self.pty}", "--stats", *self.options]
        for chip in ("internal", "external"):
            cmd += [f"--{chip}", os.path.join(self.state, chip + ".bin")]
        if not os.path.exists(os.path.join(self.state, "internal.bin")):
            cmd += ["--hex", firmware(self.images.board, "slipway-boot.hex"), "--bin", f"{self.first}@0xC000"]
        self.log = open(os.path.join(self.state, "run.log"), "ab")
        self.p = subprocess.Popen([str(c) for c in cmd], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while not os.path.exists(self.pty):
            if self.p.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"the board did not start: {self.said()}")
            time.sleep(0.02)
        self.booted()

    def off(self):
        if self.p and self.p.poll() is None:
            self.p.send_signal(signal.SIGTERM)
            self.p.wait(30)
        if self.p:
            self.log.close()
        self.p = None

    def said(self):
        with open(os.path.join(self.state, "run.log")) as f:
            return f.read()

    def chip(self, name):
        assert self.p is None, "what a chip holds is in its file when the board is off"
        with open(os.path.join(self.state, name + ".bin"), "rb") as f:
            return f.read()


MACHINES = {m.name: m for m in (SimMachine, BoardMachine)}


class Bench:
    """A machine with version 1.0.0 in slot 0, and the command on its serial line."""

    def __init__(self, machine, images, where):
        self.images = images
        self.m = MACHINES[machine](images, images.image("1.0.0"), where)

    def __enter__(self):
        self.m.on()
        return self

    def __exit__(self, *_):
        self.m.off()

    @property
    def pty(self):
        return self.m.pty

    @property
    def state(self):
        return self.m.state

    def slipway(self, *args, ok=True, timeout=120):
        return run(SLIPWAY, *args, "--port", self.pty, ok=ok, timeout=timeout)

    def result(self, *args, ok=True):
        """The last event of a command with --json."""
        p = self.slipway("--json", *args, ok=ok)
        return json.loads(p.stdout.splitlines()[-1])

    def events(self, *args):
        return [json.loads(line) for line in self.slipway("--json", *args).stdout.splitlines()]

    def power_cycle(self):
        self.m.off()
        self.m.on()

    def reset(self):
        self.slipway("reset")
        self.m.booted()
