"""`slipway sim` as a board: power on, power off, reset by the client, and the raw contents of its chips."""
import os
import re
import selectors
import subprocess
import time

BOOT = re.compile(r"boot action=(\S+) running=(\S+)")


class Board:
    """The lines of each boot are read up to `ready`; `boots` holds (action, running, recovery reason or None)."""

    def __init__(self, name, state, keys, *extra):
        self.args = [os.environ["SLIPWAY"], "sim", "--board", name, "--state", state, "--udp", "0", "--time", "none"]
        for key in keys:
            self.args += ["--key", key]
        self.args += [str(a) for a in extra]
        self.state, self.process, self.boots, self.address = state, None, [], None

    def __enter__(self):
        self.process = subprocess.Popen(self.args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        self.buffer = b""
        try:
            self.boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.selector.close()
        self.process.terminate()
        self.process.communicate(timeout=30)

    def line(self, deadline):
        while b"\n" not in self.buffer:
            if not self.selector.select(max(0, deadline - time.monotonic())):
                raise TimeoutError(f"no further line from {' '.join(self.args)}")
            data = os.read(self.process.stdout.fileno(), 4096)
            if not data:
                raise EOFError(self.process.stderr.read().decode())
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode()

    def boot(self):
        """Reads the lines of one boot; returns its entry in `boots`."""
        deadline = time.monotonic() + 30
        action = running = reason = None
        while True:
            line = self.line(deadline)
            if m := BOOT.match(line):
                action, running = m.groups()
            elif line.startswith("recovery reason="):
                reason = line.split("=", 1)[1]
            elif line.startswith("ready "):
                self.address = re.search(r"udp=(\S+)", line).group(1)
                self.boots.append((action, running, reason))
                return self.boots[-1]

    def chip(self, name):
        with open(os.path.join(self.state, f"{name}.bin"), "rb") as f:
            return f.read()
