"""A board in a process for tests: starts `slipway sim`, reads its lines, gives access to its chips."""
import atexit
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SLIPWAY = os.environ.get("SLIPWAY", os.path.join(ROOT, "build", "slipway"))
IMGTOOL = [os.path.join(os.path.dirname(sys.executable), "imgtool")]

KIB = 1024
SLOT0 = 0xC000
SLOT0_SIZE = 904 * KIB


def run(*args, ok=True, **kw):
    """Runs a program to its end; with ok, a failure is a test failure that shows what it printed."""
    p = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=kw.pop("timeout", 120), **kw)
    if ok and p.returncode != 0:
        raise AssertionError(f"{args} exited {p.returncode}\n{p.stdout}\n{p.stderr}")
    return p


class Workshop:
    """A folder with a key, and signed images on demand, made by imgtool."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="slipway-test-")
        atexit.register(shutil.rmtree, self.dir, True)
        self.key = self.path("key.pem")
        run(*IMGTOOL, "keygen", "-k", self.key, "-t", "ecdsa-p256")

    def path(self, name):
        return os.path.join(self.dir, name)

    def image(self, version, size, seed=None, key=None, *extra):
        """A signed image whose payload is `size` random bytes; returns its path."""
        seed = version if seed is None else seed
        raw, out = self.path(f"{version}-{size}-{seed}.bin"), self.path(f"{version}-{size}-{seed}.signed.bin")
        with open(raw, "wb") as f:
            f.write(random.Random(str(seed)).randbytes(size))
        run(*IMGTOOL, "sign", "-k", key or self.key, "-v", version, "-H", "0x200", "--pad-header", "-S",
            hex(SLOT0_SIZE), "--align", "4", *extra, raw, out)
        return out


class Sim:
    """A running `slipway sim`. Use as a context manager."""

    def __init__(self, state, *args, board="at25xe321d_nrf52840", key=None, image=None, udp=0):
        self.state = state
        cmd = [SLIPWAY, "sim", "--board", board, "--state", state, "--udp", str(udp)]
        cmd += ["--key", key] if key else []
        cmd += ["--image", image] if image else []
        self.lines, self.boots = [], []
        self.log = open(os.path.join(os.path.dirname(os.path.abspath(state)), "sim.log"), "ab")
        self.p = subprocess.Popen(cmd + [str(a) for a in args], stdout=subprocess.PIPE, stderr=self.log)
        self.buf = b""
        self.port = self.pty = None
        self.wait_ready()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def line(self, timeout=60):
        end = time.monotonic() + timeout
        while b"\n" not in self.buf:
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f"no line from the sim for {timeout} s; so far: {self.lines}")
            if select.select([self.p.stdout], [], [], left)[0]:
                data = os.read(self.p.stdout.fileno(), 4096)
                if not data:
                    raise AssertionError(f"the sim ended with {self.p.wait()}; lines: {self.lines}")
                self.buf += data
        line, self.buf = self.buf.split(b"\n", 1)
        self.lines.append(line.decode())
        return self.lines[-1]

    def wait_ready(self, timeout=60):
        """The next boot's fields; sets port and pty."""
        while True:
            word, *fields = self.line(timeout).split()
            values = dict(f.split("=", 1) for f in fields if "=" in f)
            if word in ("boot", "recovery"):
                values["line"] = word
                self.boots.append(values)
            elif word == "ready":
                if "udp" in values:
                    self.port = int(values["udp"].rsplit(":", 1)[1])
                self.pty = values.get("pty")
                return self.boots[-1] if self.boots else None

    @property
    def boot(self):
        return self.boots[-1]

    def chip(self, name):
        with open(os.path.join(self.state, name + ".bin"), "rb") as f:
            return f.read()

    def slot(self, n):
        return self.chip("internal")[SLOT0:SLOT0 + SLOT0_SIZE] if n == 0 else self.chip("external")[:1024 * KIB]

    def stop(self, sig=signal.SIGTERM):
        if self.p.poll() is None:
            self.p.send_signal(sig)
        rc = self.p.wait(30)
        self.p.stdout.close()
        self.log.close()
        return rc
