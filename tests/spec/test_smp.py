"""SPEC.md section 11 on the wire: what is answered to what, and both framings, byte by byte."""
import os
import re
import select
import sys
import time
import tty
import unittest

import smp
import spec

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from simboard import Sim, Workshop  # noqa: E402


def message(first, group=0, command=0, body=b"\xa1\x61d\x62hi", seq=7, length=None):
    n = len(body) if length is None else length
    return bytes([first, 0]) + n.to_bytes(2, "big") + group.to_bytes(2, "big") + bytes([seq, command]) + body


READ, WRITE = 0x08, 0x0A  # v2


class SmpTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = Workshop()
        cls.sim = Sim(cls.shop.path("board"), key=cls.shop.key, image=cls.shop.image("1.0.0", 5000))
        cls.c = smp.Client(cls.sim.port)

    @classmethod
    def tearDownClass(cls):
        cls.c.s.close()
        cls.sim.stop()

    def answer(self, msg):
        got = self.c.raw(msg)
        self.assertEqual(got[4:8], msg[4:8])
        self.assertEqual(int.from_bytes(got[2:4], "big"), len(got) - 8)
        return got[0], smp.decode(got[8:])

    def silent(self, msg):
        """No answer: the next one is that to an echo sent behind it."""
        self.c.s.sendto(msg, self.c.to)
        self.assertEqual(self.c.raw(message(WRITE, seq=99))[6], 99)

    def test_what_is_looked_at(self):
        self.silent(b"\x0a\x00\x00")
        self.silent(message(WRITE, body=bytes(1470)))
        self.assertEqual(self.answer(message(WRITE, length=9)), (0x0B, {"rc": 9}))
        self.silent(message(0x09))
        self.silent(message(0x0B))
        for op in (4, 5, 6, 7):
            self.assertEqual(self.answer(message(0x08 | op)), (0x0B, {"rc": 8}))
        for version in (2, 3):
            self.assertEqual(self.answer(message(version << 3 | 2)), (0x0B, {"rc": 13}))
        self.assertEqual(self.answer(message(READ, group=99)), (0x09, {"rc": 8}))
        self.assertEqual(self.answer(message(READ, command=77)), (0x09, {"rc": 8}))
        self.assertEqual(self.answer(message(READ, command=5)), (0x09, {"rc": 8}))
        self.assertEqual(self.answer(message(WRITE, body=b"\xa1\x61d\x01")), (0x0B, {"rc": 3}))
        self.assertEqual(self.answer(message(WRITE, body=b"\xa2\x61d\x61a\x61d\x61b")), (0x0B, {"rc": 3}))
        self.assertEqual(self.answer(message(WRITE, body=b"\x81\x01")), (0x0B, {"rc": 3}))
        self.assertEqual(self.answer(message(WRITE, group=1, command=5, body=smp.encode({"slot": 7}))),
                         (0x0B, {"err": {"group": 1, "rc": 14}}))
        self.assertEqual(self.answer(message(0x02, group=1, command=5, body=smp.encode({"slot": 7}))), (0x03, {"rc": 3}))

    def test_requests(self):
        hi = {"r": "hi"}
        for body in (b"\xbf\x61d\x62hi\xff", b"\xa2\x61x\x82\x01\xa1\x01\x02\x61d\x62hi", b"\xa1\x61d\x62hi\x00\x00"):
            self.assertEqual(self.answer(message(WRITE, body=body)), (0x0B, hi))
        self.assertEqual(self.answer(message(WRITE, body=b"")), (0x0B, {"r": ""}))
        self.assertEqual(self.answer(message(WRITE, body=b"\xa1\x61d\xf6")), (0x0B, {"r": ""}))
        deep = b"\xa2\x61x" + b"\x81" * 7 + b"\x01\x61d\x62hi"
        self.assertEqual(self.answer(message(WRITE, body=deep)), (0x0B, hi))
        deeper = b"\xa2\x61x" + b"\x81" * 8 + b"\x01\x61d\x62hi"
        self.assertEqual(self.answer(message(WRITE, body=deeper)), (0x0B, {"rc": 3}))
        self.assertEqual(self.answer(message(READ, command=6, body=b"")), (0x09, {"buf_size": 1472, "buf_count": 4}))

    def test_the_largest_message(self):
        text = "x" * 1400
        self.assertEqual(self.answer(message(WRITE, body=smp.encode({"d": text}))), (0x0B, {"r": text}))
        body = smp.encode({"d": "x" * (1472 - 8 - 6)})
        self.assertEqual(len(message(WRITE, body=body)), 1472)
        self.assertEqual(self.answer(message(WRITE, body=body)), (0x0B, {"rc": 7}))

    def test_several_requests_in_a_message(self):
        self.c.s.sendto(message(WRITE, seq=1) + message(READ, command=6, seq=2), self.c.to)
        self.assertEqual([self.c.s.recv(2048)[6] for _ in range(2)], [1, 2])
        self.c.s.sendto(message(WRITE, seq=3) + message(READ, group=99, seq=4) + message(WRITE, seq=5), self.c.to)
        self.assertEqual([self.c.s.recv(2048)[6] for _ in range(2)], [3, 4])
        self.silent(b"")

    def line(self, send, whole):
        """Sends on the pseudo terminal, and reads until `whole` finds a message."""
        fd = os.open(self.sim.pty, os.O_RDWR | os.O_NOCTTY)
        try:
            tty.setraw(fd)
            os.write(fd, send)
            data, end = b"", time.monotonic() + 20
            while whole(data) is None:
                self.assertTrue(select.select([fd], [], [], max(end - time.monotonic(), 0))[0], data)
                data += os.read(fd, 4096)
            self.data = data
            return whole(data)
        finally:
            os.close(fd)

    def test_console_line_of_the_spec(self):
        text = spec.section("Console")
        encoded = re.search(r"`06 09` `(\w+)` `0A`", text).group(1).encode()
        self.assertEqual(smp.console_lines(message(WRITE, seq=0x42)), b"\x06\x09" + encoded + b"\n")

    def test_framings(self):
        long = "y" * 700
        asked = message(WRITE, body=smp.encode({"d": long}))
        lines = smp.console_lines(asked)
        self.assertGreater(lines.count(b"\n"), 5)
        self.assertLessEqual(max(len(line) + 1 for line in lines.split(b"\n")), 127)
        each = self.each_line_for_itself(asked)
        for send, whole in ((lines, smp.console_message), (asked, smp.raw_message), (each, smp.console_message),
                            (b"noise\x06\n" + lines.replace(b"\n", b"\r\n"), smp.console_message)):
            got = self.line(send, whole)
            self.assertEqual((got[0], smp.decode(got[8:])), (0x0B, {"r": long}))
            if whole is smp.console_message:
                self.assertEqual(self.data, smp.console_lines(got))

    @staticmethod
    def each_line_for_itself(asked):
        """The other way of encoding: base64 of each line's bytes, with padding in the middle of a packet."""
        import base64
        packet = (len(asked) + 2).to_bytes(2, "big") + asked + smp.crc16(asked).to_bytes(2, "big")
        parts = [packet[i:i + 91] for i in range(0, len(packet), 91)]
        return b"".join((b"\x04\x14" if i else b"\x06\x09") + base64.b64encode(p) + b"\n" for i, p in enumerate(parts))


if __name__ == "__main__":
    unittest.main()
