"""The micro:bit v2's half of the Universal Hex that uflash carries, as a plain hex file.

    microbit_hex.py uflash.py OUT.hex

A Universal Hex has a section per board: record type 0A begins it with the board's id (9903 is the nRF52
one), 0D is data of a board other than the first, 0B, 0C and 0E fill blocks.
"""
import re
import sys

BOARD = b"\x99\x03"


def record(line):
    return bytearray.fromhex(line[1:])


def section(lines):
    ours = False
    for r in map(record, lines):
        if r[3] == 0x0A:
            ours = bytes(r[4:6]) == BOARD
        elif ours and r[3] not in (0x0B, 0x0C, 0x0E):
            r[3] = 0 if r[3] == 0x0D else r[3]
            r[-1] = -sum(r[:-1]) & 0xFF
            yield ":" + r.hex().upper()


text = re.search(r'^_RUNTIME = """(.*?)"""', open(sys.argv[1], encoding="ascii").read(), re.S | re.M).group(1)
with open(sys.argv[2], "w", encoding="ascii") as out:
    out.write("\n".join(section(l for l in text.split() if l.startswith(":"))) + "\n")
