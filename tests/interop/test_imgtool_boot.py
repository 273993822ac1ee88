"""
Images that imgtool signed on a board: those that the chip could start are started, the others are not
and the reason is said; and what lies in the chips afterwards still passes `imgtool verify`.
"""
import os
import struct

from imgtool_peer import imgtool, run_tests, slipway, slipway_json
from sim_board import Board
from test_imgtool import BOARD, SLOT0, SLOT0_SIZE, Base

# name, header, options of imgtool, key, reset vector, recovery reason (None: it starts)
IMAGES = [
    ("plain", 0x200, [], "one", SLOT0 + 0x301, None),
    ("header 0x100", 0x100, [], "one", SLOT0 + 0x201, None),
    ("header 0x300", 0x300, [], "one", SLOT0 + 0x401, None),
    ("padded signature", 0x200, ["--pad-sig"], "one", SLOT0 + 0x301, None),
    ("second key", 0x200, [], "two", SLOT0 + 0x301, None),
    ("security counter", 0x200, ["--security-counter", "auto"], "one", SLOT0 + 0x301, None),
    ("dependency", 0x200, ["--dependencies", "(0, 1.0.0)"], "one", SLOT0 + 0x301, None),
    ("custom TLVs", 0x200, ["--custom-tlv", "0xa0", "0x0102", "--custom-tlv", "0xa1", "x"], "one", SLOT0 + 0x301, None),
    ("boot record", 0x200, ["--boot-record", "app"], "one", SLOT0 + 0x301, None),
    ("padded", 0x200, ["--pad"], "one", SLOT0 + 0x301, None),
    ("padded and confirmed", 0x200, ["--confirm"], "one", SLOT0 + 0x301, None),
    ("ROM fixed to slot 0", 0x200, ["--rom-fixed", hex(SLOT0)], "one", SLOT0 + 0x301, None),
    ("header 0x20", 0x20, [], "one", SLOT0 + 0x121, "image_vector_align"),
    ("odd header", 0x123, [], "one", SLOT0 + 0x301, "image_vector_align"),
    ("linked for elsewhere", 0x200, [], "one", 0xF8301, "image_vectors"),
    ("ROM fixed elsewhere", 0x200, ["--rom-fixed", "0x80000"], "one", SLOT0 + 0x301, "image_flags"),
    ("RAM load", 0x200, ["--load-addr", "0x20001000"], "one", SLOT0 + 0x301, "image_flags"),
    ("not bootable", 0x200, ["--non-bootable"], "one", SLOT0 + 0x301, "image_flags"),
    ("stranger", 0x200, [], "ours", SLOT0 + 0x301, "image_stranger"),
    ("unsigned", 0x200, [], None, SLOT0 + 0x301, "image_unsigned"),
]


class Boot(Base):
    def board(self, state, *extra):
        return Board(BOARD, self.path(state), [self.path("one.pub.pem"), self.path("two.pem")], *extra)

    def flash(self, state, image):
        """Puts the image into slot 0 of an erased chip, as a debug probe would."""
        os.mkdir(self.path(state))
        chip = bytearray(b"\xff" * (1 << 20))
        data = self.read(image)
        chip[SLOT0:SLOT0 + len(data)] = data
        self.write(os.path.join(state, "internal.bin"), chip)

    def vectors(self, reset, size):
        return struct.pack("<II", 0x20010000, reset) + self.random.randbytes(size - 8)

    def test_slot0(self):
        for i, (name, header, extra, key, reset, reason) in enumerate(IMAGES):
            with self.subTest(name):
                image = self.by_imgtool("i.bin", self.vectors(reset, 9000), key=key, header=header,
                                        version="1.2.3+4", extra=extra)
                self.flash(f"slot0_{i}", image)
                with self.board(f"slot0_{i}") as board:
                    self.assertEqual(board.boots[0][1:], ("none" if reason else "1.2.3+4", reason))
                    if not reason:
                        out = self.write("cut.bin", board.chip("internal")[SLOT0:SLOT0 + SLOT0_SIZE])
                        self.assertEqual(imgtool("verify", "-k", self.path(f"{key}.pem"), out).code, 0)

    def test_update_and_back(self):
        """Each image is uploaded, tried and reverted; both chips pass imgtool at every stage."""
        old = self.by_imgtool("old.bin", self.vectors(SLOT0 + 0x301, 20000), key="two", version="1.0.0")
        for i, (name, header, extra, key, reset, reason) in enumerate(IMAGES):
            with self.subTest(name):
                new = self.by_imgtool("new.bin", self.vectors(reset, 30000), key=key, header=header,
                                      version="2.0.0+7", extra=extra)
                with self.board(f"update_{i}", "--image", old) as board:
                    at = ["--udp", board.address]
                    r = slipway_json("upload", *at, new)
                    if reason:
                        self.assertEqual((r.code, r.result()["ok"]), (4 if key is None else 7, False), r.err)
                        self.assertEqual(r.result()["code"], reason)
                        continue
                    self.assertEqual(r.code, 0, r.err)
                    self.passes(board, "external", 0, key)
                    self.assertEqual(slipway("test", *at).code, 0)
                    self.assertEqual(slipway("reset", *at).code, 0)
                    self.assertEqual(board.boot(), ("test", "2.0.0+7", None))
                    self.passes(board, "internal", SLOT0, key)
                    self.passes(board, "external", 0x2000, "two")
                    self.assertEqual(slipway("reset", *at).code, 0)
                    self.assertEqual(board.boot(), ("revert", "1.0.0+0", None))
                    self.passes(board, "internal", SLOT0, "two")
                    self.passes(board, "external", 0, key)

    def passes(self, board, chip, at, key):
        size = SLOT0_SIZE if chip == "internal" else 1 << 20
        out = self.write("cut.bin", board.chip(chip)[at:at + size])
        r = imgtool("verify", "-k", self.path(f"{key}.pem"), out)
        self.assertEqual(r.code, 0, r.err)

    def test_several_keys(self):
        """A board knows both keys: an image of either replaces one of the other; with one key it does not."""
        one = self.by_imgtool("one.bin", self.vectors(SLOT0 + 0x301, 5000), key="one", version="1.0.0")
        two = self.by_imgtool("two.bin", self.vectors(SLOT0 + 0x301, 5000), key="two", version="2.0.0")
        with self.board("keys", "--image", one) as board:
            at = ["--udp", board.address]
            self.assertEqual(slipway("upload", *at, two).code, 0)
            self.assertEqual(slipway("confirm", *at, two).code, 0)
            self.assertEqual(slipway("reset", *at).code, 0)
            self.assertEqual(board.boot(), ("install", "2.0.0+0", None))
        with Board(BOARD, self.path("keys"), [self.path("one.pem")]) as board:
            self.assertEqual(board.boots[0], ("recover", "1.0.0+0", None))
        with Board(BOARD, self.path("keys2"), [self.path("two.pem")], "--image", one) as board:
            self.assertEqual(board.boots[0], ("none", "none", "image_stranger"))


if __name__ == "__main__":
    run_tests()
