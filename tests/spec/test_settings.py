"""SPEC.md section 18, "Settings": the values that a storage partition holds, read by the text."""
import os
import subprocess
import unittest

from chips import crc32, u16, u32, u8

UNIT, SETT, SETV = 4096, 0x54544553, 0x56544553


def records(unit):
    """Those that count, in order: (key, value)."""
    at = 0x14
    while at + 20 <= len(unit):
        length = u8(unit, at + 6)
        data = (length + 3) // 4 * 4
        end = at + 0x0C + data
        whole = u32(unit, at) == SETV and length <= 64 and end + 8 <= len(unit)
        if whole and u32(unit, at + 8) == crc32(unit[at + 4:at + 8] + unit[at + 0x0C:end]):
            if u32(unit, end) == 0:
                yield u16(unit, at + 4), bytes(unit[at + 0x0C:at + 0x0C + length])
            at = end + 8
        else:
            at += 4


def read(partition):
    units = [partition[i:i + UNIT] for i in range(0, len(partition), UNIT)]
    good = [u for u in units if u32(u, 0) == SETT and u32(u, 8) == crc32(u[:8]) and u32(u, 0x0C) == 0]
    values = dict(records(max(good, key=lambda u: u32(u, 4))))
    return {k: v for k, v in values.items() if v}, len(good)


class SettingsTest(unittest.TestCase):
    def test_values(self):
        want = {}
        for i in range(150):
            key = 1 + i % 7
            want[key] = b"" if i % 5 == 0 else bytes([i]) * key * 8
        out = subprocess.run([os.environ["SPEC_SETTINGS"]], capture_output=True, timeout=60, check=True).stdout
        values, units = read(out)
        self.assertEqual(values, {k: v for k, v in want.items() if v})
        self.assertEqual(units, 2)  # they were full, and changed places


if __name__ == "__main__":
    unittest.main()
