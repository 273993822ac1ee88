#!/usr/bin/env python3
"""Recovery of the shipped bootloader with the client: test_recovery.py BOARD

A board without an image takes an upload over its UART, refuses a damaged one and says why, and starts
what was uploaded after a reset. SLIPWAY: the client under test; SLIPWAY_RUNNER: the program that runs
the board; SLIPWAY_FIRMWARE, SLIPWAY_IMAGES: the folders of hex files and of make_images.py.
"""
import os
import signal
import subprocess
import sys
import tempfile
import time

BOARD = sys.argv[1]
SLIPWAY = os.environ["SLIPWAY"]
RUNNER = os.environ.get("SLIPWAY_RUNNER", SLIPWAY)
HEX = f"{os.environ['SLIPWAY_FIRMWARE']}/{BOARD}/slipway-boot.hex"
IMAGE = f"{os.environ['SLIPWAY_IMAGES']}/one.bin"


def board(folder, *options):
    return [RUNNER, "board", "run", "--board", BOARD, "--hex", HEX, "--internal", f"{folder}/int.bin",
            "--external", f"{folder}/ext.bin", *options]


def client(port, *words):
    run = subprocess.run([SLIPWAY, "--port", port, *words], capture_output=True, text=True, timeout=240)
    return run.returncode, run.stdout + run.stderr


def check(what, good, said):
    if not good:
        sys.exit(f"{what}:\n{said}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        port = f"{folder}/uart"
        running = subprocess.Popen(board(folder, "--uart0", f"pty:{port}"), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            for _ in range(300):
                if os.path.exists(port):
                    break
                time.sleep(0.1)
            rc, said = client(port, "report")
            check("the report says what is wrong", rc == 0 and "slot is blank" in said, said)
            damaged = bytearray(open(IMAGE, "rb").read())
            damaged[5000] ^= 1
            open(f"{folder}/damaged.bin", "wb").write(damaged)
            rc, said = client(port, "upload", f"{folder}/damaged.bin")
            check("a damaged image is refused", rc != 0, said)
            rc, said = client(port, "upload", IMAGE)
            check("the upload", rc == 0, said)
            rc, said = client(port, "list")
            check("the list", rc == 0 and "1.0.0" in said, said)
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)
        run = subprocess.run(board(folder, "--for", "20", "--until", "app done"), capture_output=True, text=True, timeout=240)
        check("what was uploaded is started", run.returncode == 0 and "app one" in run.stdout, run.stdout + run.stderr)


main()
