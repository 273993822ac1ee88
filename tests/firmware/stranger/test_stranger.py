"""A stranger's application under this bootloader: embassy's drivers and cortex-m-rt's start-up, signed by imgtool.

It is started, says so on the UART, asks for a trial as MCUboot's library does, is swapped, run and reverted,
asked for again, confirmed by itself, and stays. On the virtual board with the shipped slipway-boot.hex.

    test_stranger.py BOARD
"""
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import time
import tty
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from machine import FIRMWARE, ROOT, RUNNER, SLOT1_SIZE, firmware  # noqa: E402
from simboard import IMGTOOL, SLOT0, SLOT0_SIZE, run  # noqa: E402

BOARD = sys.argv[1] if len(sys.argv) > 1 else "nrf52840dk"
EXTERNAL_SIZE = {"at25xe321d_nrf52840": 4 << 20, "nrf52840dk": 8 << 20}[BOARD]
TARGET = "thumbv7em-none-eabi"


def build(version, out):
    """The application of that version, as a raw binary linked for slot 0."""
    env = dict(os.environ, STRANGER_VERSION=version, STRANGER_SLOT0=str(SLOT0), STRANGER_SLOT0_END=str(SLOT0 + SLOT0_SIZE),
               STRANGER_SLOT1_END=str(SLOT1_SIZE[BOARD]))
    target = os.path.join(ROOT, "build", "stranger")
    run("cargo", "build", "-q", "--release", "--target", TARGET, "--target-dir", target, cwd=HERE, env=env,
        timeout=900)
    run("arm-none-eabi-objcopy", "-O", "binary", os.path.join(target, TARGET, "release", "stranger"), out)


class Uart:
    """The board, with its UART on a pty."""

    def __init__(self, where):
        self.link = os.path.join(where, "uart0")
        self.args = [RUNNER, "board", "run", "--board", BOARD, "--uart0", f"pty:{self.link}",
                     "--internal", os.path.join(where, "internal.bin"), "--external", os.path.join(where, "external.bin")]
        self.heard = ""

    def on(self, *args):
        self.p = subprocess.Popen(self.args + list(args), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while not os.path.exists(self.link) and time.monotonic() < end:
            time.sleep(0.01)
        self.fd = os.open(self.link, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)

    def off(self):
        if self.p.poll() is None:
            self.p.send_signal(signal.SIGTERM)
        self.p.wait(30)
        os.close(self.fd)

    def wait(self, text, seconds=60):
        end = time.monotonic() + seconds
        while text not in self.heard:
            left = end - time.monotonic()
            if left <= 0 or self.p.poll() is not None:
                raise AssertionError(f"the board did not say {text!r}: {self.heard!r}")
            if select.select([self.fd], [], [], min(left, 0.2))[0]:
                self.heard += os.read(self.fd, 4096).decode("ascii", "replace")
        self.heard = self.heard.split(text, 1)[1]

    def ask(self, letter, answer):
        os.write(self.fd, letter)
        self.wait(answer)


class Stranger(unittest.TestCase):
    def sign(self, version, where):
        raw, out = (os.path.join(where, f"{version}{end}") for end in (".bin", ".signed.bin"))
        build(version, raw)
        run(*IMGTOOL, "sign", "-k", os.path.join(FIRMWARE, "throw-away-key.pem"), "-v", version, "-H", "0x200",
            "--pad-header", "-S", hex(SLOT0_SIZE), "--align", "4", raw, out)
        return pathlib.Path(out).read_bytes()

    def test_swapped_reverted_confirmed(self):
        with tempfile.TemporaryDirectory(prefix="slipway-stranger-") as where:
            old, new = self.sign("1.0.0", where), self.sign("2.0.0", where)
            # As a loader of the stranger's own would have left it: the new image in slot 1, nothing asked for.
            pathlib.Path(where, "external.bin").write_bytes(new + b"\xff" * (EXTERNAL_SIZE - len(new)))
            b = Uart(where)
            b.on("--hex", firmware(BOARD, "slipway-boot.hex"), "--bin", os.path.join(where, "1.0.0.signed.bin") + f"@{SLOT0:#x}")
            try:
                b.wait("stranger 1.0.0 runs\r\n")
                b.ask(b"v", "- - - -\r\n")
                b.ask(b"t", "asked\r\n")
                b.ask(b"v", "- - - pending\r\n")
                b.ask(b"r", "stranger 2.0.0 runs\r\n")
                b.ask(b"v", "magic copy_done - -\r\n")
                b.ask(b"r", "stranger 1.0.0 runs\r\n")  # not confirmed
                b.ask(b"v", "magic copy_done image_ok -\r\n")
                b.ask(b"t", "asked\r\n")
                b.ask(b"r", "stranger 2.0.0 runs\r\n")
                b.ask(b"c", "confirmed\r\n")
                b.ask(b"r", "stranger 2.0.0 runs\r\n")
                b.ask(b"v", "magic copy_done image_ok -\r\n")
            finally:
                b.off()
            internal = pathlib.Path(where, "internal.bin").read_bytes()
            self.assertEqual(internal[SLOT0:SLOT0 + len(new)], new)
            self.assertNotEqual(old, new)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
