"""SPEC.md section 18, "RAM across the jump": each field where the text says it is."""
import os
import subprocess
import unittest

from chips import crc32, u16, u32, u8


def finding(b):
    return u16(b, 0), u8(b, 2), u32(b, 4), u32(b, 8), u32(b, 12)


def slot(b):
    version = (u8(b, 4), u8(b, 5), u16(b, 6), u32(b, 8))
    return u8(b, 0), version, u32(b, 0x0C), bytes(b[0x10:0x30]), u8(b, 0x30), u8(b, 0x31), finding(b[0x34:])


class HandoverTest(unittest.TestCase):
    def test_fields(self):
        ram = subprocess.run([os.environ["SPEC_HANDOVER"]], capture_output=True, timeout=60, check=True).stdout
        self.assertEqual((u32(ram, 0), u16(ram, 4), u16(ram, 6)), (0x4F484C53, 1, 344))
        self.assertEqual(u32(ram, 8), crc32(ram[12:12 + 344]))
        self.assertEqual((u32(ram, 0x0C), u32(ram, 0x10)), (0x10001, 30))
        self.assertEqual([u32(ram, 0x14 + 4 * i) for i in range(6)], [3, 0xC123, 0xC456, 0x8200, 0x4000, 0xC200])
        r = ram[0x2C:0x2C + 312]
        self.assertEqual(list(r[:7]), [2, 1, 0, 1, 4, 5, 2])
        self.assertEqual((u16(r, 8), u32(r, 0x0C), u32(r, 0x10)), (213, 0x5FC4A507, 0x1F470C))
        self.assertEqual([u32(r, 0x14 + 4 * i) for i in range(6)], [11, 12, 13, 14, 15, 65])
        for i, n in enumerate((10, 21)):
            want = (1, (n, n + 1, n + 300, n + 70000), n + 80000, bytes(n + k for k in range(32)), n + 2, int(n % 2 == 0),
                    (n + 400, (n + 401) % 256, n + 402, n + 403, n + 404))
            self.assertEqual(slot(r[0x2C + 68 * i:]), want)
        self.assertEqual(u8(r, 0xB4), 3)
        for i in range(8):
            n = 500 + 10 * i
            self.assertEqual(finding(r[0xB8 + 16 * i:]), (n, (n + 1) % 256, n + 2, n + 3, n + 4))


if __name__ == "__main__":
    unittest.main()
