"""Zephyr with its Bluetooth controller, as somebody else built it, asked over UART as a computer would ask it.

    test_hci.py SLIPWAY FIRMWARE.hex

The answers that matter are the Bluetooth specification's own: HCI, and the sample data of its encryption, which the
firmware computes with the chip's ECB.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

RESET, LOCAL_VERSION, LE_ENCRYPT, LE_RAND = 0x0C03, 0x1001, 0x2017, 0x2018
# LL encryption sample data (volume 6, part C): session key of LTK and SKD
KEY, SKD = "4C68384139F574D836BCF34E9DFB01BF", "0213243546576879ACBDCEDFE0F10213"
ENCRYPTED = "99AD1B5226A37E3E058E3B8E27C2C666"


def command(opcode, parameters=b""):
    return bytes([1, opcode & 255, opcode >> 8, len(parameters)]) + parameters


def answers(data):
    """{opcode: return parameters} of Command Complete events; what is anything else is an error."""
    found = {}
    while data:
        assert data[:2] == b"\x04\x0e" and len(data) >= 3 + data[2], f"no Command Complete: {data.hex()}"
        event, data = data[3:3 + data[2]], data[3 + data[2]:]
        opcode = event[1] | event[2] << 8
        if opcode:  # 0: only says how many commands may follow
            found[opcode] = event[3:]
    return found


def main():
    slipway, firmware = sys.argv[1:]
    swapped = bytes.fromhex(KEY)[::-1] + bytes.fromhex(SKD)[::-1]
    sent = command(RESET) + command(LOCAL_VERSION) + command(LE_ENCRYPT, swapped) + command(LE_RAND)
    with tempfile.TemporaryDirectory() as d:
        asked, told = pathlib.Path(d) / "in", pathlib.Path(d) / "out"
        asked.write_bytes(sent)
        run = subprocess.run([slipway, "board", "run", "--hex", firmware, "--input", asked, "--uart0", f"file:{told}", "--for", "3",
                              "--stats"], capture_output=True, text=True, timeout=120)
        assert run.returncode == 0, run.stderr
        got = answers(told.read_bytes())
    assert list(got) == [RESET, LOCAL_VERSION, LE_ENCRYPT, LE_RAND], got
    assert all(parameters[0] == 0 for parameters in got.values()), got
    assert got[LE_ENCRYPT][1:][::-1] == bytes.fromhex(ENCRYPTED), got[LE_ENCRYPT].hex()
    assert len(got[LE_RAND]) == 9 and len(set(got[LE_RAND][1:])) > 4, got[LE_RAND].hex()
    not_modelled = json.loads(run.stdout.splitlines()[-1])["unmodelled"]
    assert not_modelled == ["RADIO+0x304 (0x40001304)"], not_modelled
    print("1 passed, 0 failed")


main()
