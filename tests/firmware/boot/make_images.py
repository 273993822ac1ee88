#!/usr/bin/env python3
"""Builds the applications of the firmware tests and signs them: make_images.py KEY.pem OUT

NAME.bin is what `slipway sign` or imgtool makes of it; those for slot 1 that end in a request have it in
NAME.slot1-SIZE.bin, padded to the size of a slot by imgtool. SLIPWAY names the slipway program.
"""
import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
KEY, OUT = sys.argv[1], sys.argv[2]
SLIPWAY = os.environ["SLIPWAY"]
IMGTOOL = os.path.join(os.path.dirname(sys.executable), "imgtool")
SLOTS = (0xE2000, 0x100000)  # slot 1 of the two boards
SMALL, LARGE = 24 * 1024, 400 * 1024  # of the signed image

# name, version, size, signed by, request for slot 1, what the application does
IMAGES = [
    ("one", "1.0.0", SMALL, "slipway", None, {}),
    ("two", "2.0.0", SMALL, "imgtool", "--pad", {"CONFIRM": 1}),
    ("silent", "3.0.0", SMALL, "imgtool", "--pad", {}),
    ("hang", "4.0.0", SMALL, "watchdog", "--pad", {"HANG": 1}),
    ("forever", "5.0.0", SMALL, "imgtool", "--pad --confirm", {}),
    ("large_one", "1.1.0", LARGE, "slipway", None, {}),
    ("large_two", "2.1.0", LARGE, "imgtool", "--pad", {"CONFIRM": 1}),
    ("recover", "6.0.0", SMALL, "imgtool", None, {"RESET": 2}),
    ("power_down", "7.1.0", SMALL, "imgtool", None, {"RESET": 1, "MISCHIEF": 1}),
    ("erasing", "7.2.0", SMALL, "imgtool", None, {"RESET": 1, "MISCHIEF": 2}),
    ("protected", "7.3.0", SMALL, "imgtool", None, {"RESET": 1, "MISCHIEF": 3}),
    ("quad_off", "7.4.0", SMALL, "imgtool", None, {"RESET": 1, "MISCHIEF": 4}),
    ("four_byte", "7.5.0", SMALL, "imgtool", None, {"RESET": 1, "MISCHIEF": 5}),
    ("qpi", "7.6.0", SMALL, "imgtool", None, {"RESET": 1, "MISCHIEF": 6}),
    ("intruder", "7.9.0", SMALL, "imgtool", None, {"RESET": 1, "MISCHIEF": 7}),
]


def run(*cmd):
    result = subprocess.run([str(c) for c in cmd], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, cmd))}:\n{result.stdout}{result.stderr}")


def build(name, does, size):
    defines = [f"-DAPP_{k}={does.get(k, 0)}" for k in ("CONFIRM", "HANG", "RESET", "MISCHIEF")]
    elf, raw = f"{OUT}/{name}.elf", f"{OUT}/{name}.raw"
    run("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-Os", "-ffreestanding", "-nostdlib", "-Wall",
        "-Wextra", "-Werror", f'-DAPP_TEXT="{name}"', *defines, "-T", f"{HERE}/fw/app.ld", f"{HERE}/fw/app.c", "-o", elf)
    run("arm-none-eabi-objcopy", "-O", "binary", elf, raw)
    code = open(raw, "rb").read()
    fill = random.Random(name).randbytes(size - 0x200 - 300 - len(code))
    open(raw, "wb").write(code + fill)
    return raw


def imgtool(raw, out, version, slot, *options):
    run(IMGTOOL, "sign", "--key", KEY, "--version", version, "--header-size", "0x200", "--pad-header", "--align", "4",
        "--slot-size", hex(slot), *options, raw, out)


def sign(name, version, raw, by, request):
    out = f"{OUT}/{name}.bin"
    # Five seconds of watchdog for an image on trial, little-endian.
    options = ["--custom-tlv", "0x5AA1", "0x05000000"] if by == "watchdog" else []
    if by == "slipway":
        run(SLIPWAY, "-q", "sign", "--key", KEY, "--version", version, "--header-size", "0x200", "--pad-header", "--align",
            "4", "--slot-size", hex(SLOTS[0]), raw, out)
    else:
        imgtool(raw, out, version, SLOTS[0], *options)
    for slot in SLOTS if request else ():
        imgtool(raw, f"{OUT}/{name}.slot1-{slot:x}.bin", version, slot, *options, *request.split())


os.makedirs(OUT, exist_ok=True)
for image in IMAGES:
    sign(image[0], image[1], build(image[0], image[5], image[2]), image[3], image[4])
