"""
imgtool and slipway, each on what the other made: keys, signed images, and what both say about them.

  SLIPWAY=build/host/host/cli/slipway .tools/venv/bin/python tests/interop/test_imgtool.py
"""
import hashlib
import json
import os
import random
import stat
import struct
import subprocess
import tempfile
import unittest
import zipfile

from cryptography.hazmat.primitives import serialization
from intelhex import IntelHex

from imgtool_peer import imgtool, run_tests, slipway, slipway_json

BOARD = "at25xe321d_nrf52840"
SLOT0, SLOT0_SIZE = 0xC000, 904 * 1024
EXTERNAL_SIZE = 4 * 1024 * 1024
MAGIC = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")

# name, header, payload bytes, version, options that both have, options of imgtool alone
MATRIX = [
    ("plain", 0x200, 5000, "1.2.3", [], []),
    ("header 0x20", 0x20, 5000, "1.2.3", [], []),
    ("odd header, odd payload", 0x123, 4097, "1.0.0", [], []),
    ("header 0x21", 0x21, 1, "0.0.1", [], []),
    ("large header", 0xFFFF, 77, "1.0.0", [], []),
    ("no payload", 0x20, 0, "1.0.0", [], []),
    ("payload of a unit", 0x200, 4096 - 0x200, "1.0.0", [], []),
    ("128 KiB", 0x200, 131072, "1.0.0", [], []),
    ("build number", 0x200, 999, "1.2.3+4", [], []),
    ("largest version", 0x200, 999, "255.255.65535+4294967295", [], []),
    ("version of two parts", 0x200, 999, "7.8", [], []),
    ("version of one part", 0x200, 999, "7", [], []),
    ("padded signature", 0x200, 999, "1.0.0", [], ["--pad-sig"]),
    ("security counter", 0x200, 999, "1.0.0", ["--security-counter", "305419896"], []),
    ("security counter 0", 0x20, 999, "1.0.0", ["--security-counter", "0"], []),
    ("security counter auto", 0x200, 999, "3.2.1+9", ["--security-counter", "auto"], []),
    ("dependency", 0x200, 999, "1.0.0", ["--dependencies", "(0, 1.2.0)"], []),
    ("dependencies", 0x200, 999, "1.0.0", ["--dependencies", "(0, 1.2.0+7), (1,2.0.0), (255, 3)"], []),
    ("custom TLV, bytes", 0x200, 999, "1.0.0", ["--custom-tlv", "0xa0", "0x00ff10"], []),
    ("custom TLV, text", 0x200, 999, "1.0.0", ["--custom-tlv", "0x1fa0", "Slipway"], []),
    ("custom TLV, empty", 0x200, 999, "1.0.0", ["--custom-tlv", "0xa1", ""], []),
    ("custom TLVs", 0x200, 999, "1.0.0",
     ["--custom-tlv", "0xfffe", "0x" + "5a" * 300, "--custom-tlv", "0xa7", "0x", "--custom-tlv", "161", "x"], []),
    ("everything", 0x151, 12345, "9.8.7+6",
     ["--security-counter", "auto", "--dependencies", "(0, 1.2.0)", "--custom-tlv", "0xa0", "0x0102",
      "--custom-tlv", "0xb0", "text"], ["--pad-sig"]),
    ("boot record", 0x200, 999, "1.0.0", [], ["--boot-record", "app"]),
    ("UUIDs", 0x200, 999, "1.0.0", [], ["--vid", "example.com", "--cid", "board"]),
    ("ROM fixed", 0x200, 999, "1.0.0", [], ["--rom-fixed", hex(SLOT0)]),
    ("RAM load", 0x200, 999, "1.0.0", [], ["--load-addr", "0x20001000"]),
    ("not bootable", 0x200, 999, "1.0.0", [], ["--non-bootable"]),
    ("--pad", 0x200, 5000, "1.2.3", ["--pad"], []),
    ("--confirm", 0x200, 5000, "1.2.3", ["--confirm"], []),
    ("--pad, --align 8", 0x200, 5000, "1.2.3", ["--pad", "--align", "8"], []),
    ("--confirm, everything", 0x33, 5001, "1.2.3+4",
     ["--confirm", "--security-counter", "7", "--custom-tlv", "0xa0", "0x0102"], []),
]


class Base(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = tempfile.TemporaryDirectory()
        cls.random = random.Random(20261123)
        cls.keys = {}
        for name in ("one", "two"):
            path = cls.path(f"{name}.pem")
            assert imgtool("keygen", "-k", path, "-t", "ecdsa-p256").code == 0
            assert imgtool("getpub", "-k", path, "-e", "pem", "-o", cls.path(f"{name}.pub.pem")).code == 0
        ours = cls.path("ours.pem")
        assert slipway("keygen", ours).code == 0

    @classmethod
    def tearDownClass(cls):
        cls.tmp.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.tmp.name, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def read(self, path):
        with open(path, "rb") as f:
            return f.read()

    def payload(self, header, size, where=SLOT0):
        """Random bytes that begin as a vector table in slot 0 does, if there is room."""
        data = bytearray(self.random.randbytes(size))
        if size >= 8:
            data[:8] = struct.pack("<II", 0x20010000, where + header + 0x101)
        return bytes(data)

    def by_imgtool(self, out, data, key="one", header=0x200, version="1.0.0", extra=()):
        src = self.write("in.bin", data)
        args = ["sign", "--version", version, "--header-size", hex(header), "--pad-header", "--slot-size",
                hex(SLOT0_SIZE)]
        if "--align" not in extra:
            args += ["--align", "4"]
        if key:
            args += ["--key", self.path(f"{key}.pem")]
        r = imgtool(*args, *extra, src, self.path(out))
        self.assertEqual(r.code, 0, r.err)
        return self.path(out)

    def by_slipway(self, out, data, key="one", header=0x200, version="1.0.0", extra=()):
        src = self.write("in.bin", data)
        args = ["sign", "--version", version, "--header-size", hex(header), "--pad-header", "--slot-size",
                hex(SLOT0_SIZE)]
        if "--align" not in extra:
            args += ["--align", "4"]
        r = slipway(*args, "--key", self.path(f"{key}.pem"), *extra, src, self.path(out))
        self.assertEqual(r.code, 0, r.err)
        return self.path(out)

    def assertSameInfo(self, path):
        """`slipway inspect` says what `imgtool dumpinfo` says."""
        r = imgtool("dumpinfo", "--format", "json", path)
        self.assertEqual(r.code, 0, r.err)
        theirs = json.loads(r.out[r.out.index("{"):])
        mine = slipway_json("inspect", path)
        self.assertEqual(mine.code, 0, mine.err)
        image = mine.events()[0]
        self.assertEqual(image["event"], "image")
        for part in ("header", "tlv_area", "trailer"):
            self.assertEqual(image[part], theirs[part])
        return image


class TheirImages(Base):
    def test_matrix(self):
        for name, header, size, version, both, theirs in MATRIX:
            with self.subTest(name):
                data = self.payload(header, size)
                path = self.by_imgtool("their.bin", data, header=header, version=version, extra=both + theirs)
                for key in ("one.pem", "one.pub.pem"):
                    r = slipway_json("verify", "--key", self.path(key), path)
                    self.assertEqual(r.code, 0, r.err)
                    self.assertTrue(r.result()["ok"])
                    self.assertTrue(r.result()["signature_checked"])
                self.assertEqual(slipway("verify", "--key", self.path("two.pem"), path).code, 4)
                self.assertEqual(slipway("verify", "--key", self.path("two.pem"), "--key",
                                         self.path("one.pub.pem"), path).code, 0)
                image = self.assertSameInfo(path)
                self.assertTrue(image["hash_matches"])

    def test_hex(self):
        data = self.payload(0x200, 3000)
        self.by_imgtool("x.hex", data, extra=["--hex-addr", "0xc000"])
        self.assertEqual(slipway("verify", "--key", self.path("one.pem"), self.path("x.hex")).code, 0)
        self.assertSameInfo(self.path("x.hex"))

    def test_both_signature_encodings_occur(self):
        """r and s with and without a leading zero, and shorter: imgtool's signatures are 70 to 72 bytes."""
        seen = set()
        for i in range(40):
            path = self.by_imgtool("s.bin", self.payload(0x20, 40 + i), header=0x20)
            tlvs = slipway_json("inspect", path).events()[0]["tlv_area"]["tlvs"]
            seen.add(tlvs[2]["len"])
            self.assertEqual(slipway("verify", "--key", self.path("one.pem"), path).code, 0)
        self.assertTrue({70, 71, 72} <= seen, seen)

    def test_what_runs_on_the_board(self):
        cases = [
            (0x200, SLOT0, [], 0, None),
            (0x100, SLOT0, [], 0, None),
            (0x20, SLOT0, [], 8, "image_vector_align"),
            (0x200, 0x10000, [], 0, None),
            (0x200, 0, [], 8, "image_vectors"),
            (0x200, 0x100000, [], 8, "image_vectors"),
            (0x200, SLOT0, ["--rom-fixed", hex(SLOT0)], 0, None),
            (0x200, SLOT0, ["--rom-fixed", "0x80000"], 8, "image_flags"),
            (0x200, SLOT0, ["--load-addr", "0x20001000"], 8, "image_flags"),
            (0x200, SLOT0, ["--non-bootable"], 8, "image_flags"),
            (0x200, SLOT0, ["--custom-tlv", "0x5aa0", "0x01020304"], 8, "image_other_layout"),
        ]
        for header, where, extra, code, reason in cases:
            with self.subTest(header=hex(header), where=hex(where), extra=extra):
                path = self.by_imgtool("r.bin", self.payload(header, 600, where), header=header, extra=extra)
                r = slipway_json("verify", "--board", BOARD, "--key", self.path("one.pem"), path)
                self.assertEqual(r.code, code, r.err)
                self.assertEqual(r.result().get("code"), reason)

    def test_what_is_refused(self):
        data = self.payload(0x200, 1600)
        for extra, key, code, reason in [
            ([], None, 4, "image_unsigned"),
            (["--encrypt", self.path("one.pub.pem")], "one", 3, "image_encrypted"),
            (["--encrypt", self.path("one.pub.pem"), "--encrypt-keylen", "256"], "one", 3, "image_encrypted"),
            (["--compression", "lzma2"], "one", 3, "image_flags"),
        ]:
            with self.subTest(extra=extra, key=key):
                if "lzma2" in extra:
                    data = bytes(20000)
                path = self.by_imgtool("bad.bin", data, key=key, extra=extra)
                r = slipway_json("verify", "--key", self.path("one.pem"), path)
                self.assertEqual((r.code, r.result()["code"]), (code, reason), r.err)
                self.assertFalse(r.result()["ok"])
        unsigned = self.by_imgtool("bad.bin", data, key=None)
        self.assertEqual(slipway("verify", unsigned).code, 0)  # the hash is all there is

    def test_other_signatures(self):
        data = self.payload(0x200, 1600)
        for kind, reason, code in [("rsa-2048", "image_stranger", 4), ("ed25519", "image_stranger", 4),
                                   ("ecdsa-p384", "image_no_hash", 3)]:
            with self.subTest(kind):
                self.assertEqual(imgtool("keygen", "-k", self.path(f"{kind}.pem"), "-t", kind).code, 0)
                path = self.by_imgtool("o.bin", data, key=kind)
                r = slipway_json("verify", "--key", self.path("one.pem"), path)
                self.assertEqual((r.code, r.result()["code"]), (code, reason), r.err)
                self.assertSameInfo(path)
                r = slipway_json("verify", "--key", self.path(f"{kind}.pem"), path)
                self.assertEqual((r.code, r.result()["code"]), (3, "key_file"), r.err)

    def test_changed_and_cut(self):
        good = bytearray(self.read(self.by_imgtool("g.bin", self.payload(0x200, 1500),
                                                   extra=["--security-counter", "5"])))
        tlvs = 0x200 + 1500
        places = list(range(0, 28)) + list(range(tlvs, len(good), 5)) + [32, 0x1FF, 0x200, 0x300, tlvs - 1]
        for at in places:
            bad = bytearray(good)
            bad[at] ^= 1 << self.random.randrange(8)
            r = slipway_json("verify", "--key", self.path("one.pem"), self.write("b.bin", bad))
            self.assertIn(r.code, (3, 4), f"byte {at}")
            self.assertIn("detail", r.result())
        for n in list(range(0, 40, 3)) + [0x1FF, 0x200, 1000, tlvs, tlvs + 3, tlvs + 13, len(good) - 1]:
            r = slipway_json("verify", "--key", self.path("one.pem"), self.write("b.bin", good[:n]))
            self.assertEqual((r.code, r.result()["code"]), (3, "image_truncated"), f"{n} bytes: {r.err}")


class OurImages(Base):
    def test_matrix(self):
        for name, header, size, version, both, _ in MATRIX:
            with self.subTest(name):
                data = self.payload(header, size)
                path = self.by_slipway("our.bin", data, header=header, version=version, extra=both)
                r = imgtool("verify", "--key", self.path("one.pem"), path)
                self.assertEqual(r.code, 0, r.err)
                self.assertIn("Image was correctly validated", r.out)
                self.assertEqual(imgtool("verify", "--key", self.path("two.pem"), path).code, 1)
                self.assertSameInfo(path)
                self.assertEqual(slipway("verify", "--key", self.path("one.pub.pem"), path).code, 0)

    def test_same_bytes(self):
        """All of it up to the signature, which is random, and the trailer."""
        for name, header, size, version, both, theirs in MATRIX:
            if theirs and theirs != ["--pad-sig"]:
                continue
            with self.subTest(name):
                data = self.payload(header, size)
                a = self.read(self.by_imgtool("a.bin", data, header=header, version=version, extra=both))
                b = self.read(self.by_slipway("b.bin", data, header=header, version=version, extra=both))
                prot = struct.unpack_from("<H", a, 10)[0]
                tlvs = header + size + prot
                before_sig = tlvs + 4 + 36 + 36
                self.assertEqual(a[:tlvs], b[:tlvs])
                self.assertEqual(a[tlvs + 4:before_sig], b[tlvs + 4:before_sig])
                if "--pad" in both or "--confirm" in both:
                    self.assertEqual(len(a), len(b))
                    self.assertEqual(a[-4096:], b[-4096:])

    def test_board(self):
        """--board: header 0x200, align 4, slot 0's size, and the layout hash as a protected TLV."""
        layout = slipway_json("layout", BOARD).result()
        data = bytes(0x200) + self.payload(0x200, 40000)
        src = self.write("zephyr.bin", data)
        out = self.path("board.bin")
        r = slipway("sign", "--key", self.path("one.pem"), "--version", "1.2.3+4", "--board", BOARD, "--confirm",
                    src, out)
        self.assertEqual((r.code, r.err), (0, ""))
        self.assertEqual(imgtool("verify", "-k", self.path("one.pem"), out).code, 0)
        image = self.assertSameInfo(out)
        self.assertEqual(image["header"]["hdr_size"], 0x200)
        self.assertEqual(os.path.getsize(out), SLOT0_SIZE)
        tlv = image["tlv_area"]["tlvs_prot"][0]
        self.assertEqual(tlv["type"], 0x5AA0)
        self.assertEqual(struct.unpack("<I", bytes.fromhex(tlv["data"]))[0], int(str(layout["hash"]), 0))
        self.assertEqual(image["trailer"]["image_ok"], 1)
        self.assertEqual(slipway("verify", "--board", BOARD, "--key", self.path("one.pem"), out).code, 0)
        r = slipway_json("verify", "--board", "nrf52840dk", "--key", self.path("one.pem"), out)
        self.assertEqual((r.code, r.result()["code"]), (8, "image_other_layout"))

    def test_hex(self):
        data = self.payload(0x200, 3000)
        for in_hex in (False, True):
            for out_hex in (False, True):
                with self.subTest(in_hex=in_hex, out_hex=out_hex):
                    src = self.write("in.bin", data)
                    if in_hex:
                        h = IntelHex()
                        h.frombytes(data, offset=SLOT0 + 0x200)
                        src = self.path("in.hex")
                        h.tofile(src, "hex")
                    out = self.path("out.hex" if out_hex else "out.bin")
                    r = slipway("sign", "--key", self.path("one.pem"), "--version", "1.0.0", "--board", BOARD,
                                "--pad-header", src, out)
                    self.assertEqual((r.code, r.err), (0, ""))
                    self.assertEqual(imgtool("verify", "-k", self.path("one.pem"), out).code, 0)
                    if out_hex:
                        self.assertEqual(IntelHex(out).minaddr(), SLOT0)
                        self.assertEqual(IntelHex(out).tobinstr()[0x200:0x200 + len(data)], data)
                    else:
                        self.assertEqual(self.read(out)[0x200:0x200 + len(data)], data)

    def test_header_room(self):
        src = self.write("in.bin", self.payload(0x200, 3000))
        r = slipway_json("sign", "--key", self.path("one.pem"), "--version", "1.0.0", "--board", BOARD, src,
                         self.path("no.bin"))
        self.assertEqual((r.code, r.result()["code"]), (3, "no_header_room"))
        self.assertIn("--pad-header", r.result()["next"])
        self.assertFalse(os.path.exists(self.path("no.bin")))

    def test_too_large(self):
        """The largest image that can be swapped on this board is 900 KiB, slot 0 has 904."""
        overhead = len(self.read(self.by_slipway("o.bin", b"x" * 100, extra=["--custom-tlv", "0x5aa0", "0x00000000"]))
                       ) - 100
        for size, code, reason in [(900 * 1024 - overhead - 4, 0, None),
                                   (900 * 1024 - overhead + 4, 3, "image_too_large_to_swap"),
                                   (904 * 1024 - overhead + 4, 3, "image_too_large_for_slot"),
                                   (2 << 20, 3, "image_too_large_for_slot")]:
            with self.subTest(size=size):
                out = self.path("large.bin")
                r = slipway_json("sign", "--key", self.path("one.pem"), "--version", "1.0.0", "--board", BOARD,
                                 "--pad-header", self.write("in.bin", self.payload(0x200, size)), out)
                self.assertEqual(r.code, code, r.err)
                self.assertEqual(r.result().get("code"), reason)
                self.assertEqual(os.path.exists(out), code == 0)
                if code:
                    for number in (str(SLOT0_SIZE), str(900 * 1024)):
                        self.assertIn(number, r.result()["detail"])
                else:
                    os.unlink(out)

    def test_slot_size_as_imgtool(self):
        """Without a board both stop at the same size: the trailer of 128 sectors has to fit."""
        slot, trailer, around = 32768, 1584, 0x200 + 4 + 36 + 36 + 4  # the signature has 70 to 72 bytes, rarely less
        for size, fits in [(slot - trailer - around - 72, True), (slot - trailer - around - 60, False)]:
            for tool in (imgtool, slipway):
                with self.subTest(size=size, tool=tool.__name__):
                    r = tool("sign", "--key", self.path("one.pem"), "--version", "1.0.0", "--header-size", "0x200",
                             "--pad-header", "--slot-size", slot, "--align", "4", self.write("in.bin", b"Z" * size),
                             self.path("edge.bin"))
                    self.assertEqual(r.code == 0, fits, r.err)

    def test_usage(self):
        key = ["--key", self.path("one.pem")]
        board = ["--board", BOARD]
        src, out = self.write("in.bin", bytes(1000)), self.path("u.bin")
        for args in [
            [*board, "--version", "1.0.0", src, out],
            [*key, *board, src, out],
            [*key, *board, "--version", "1.0.0", src],
            [*key, "--version", "1.0.0", src, out],
            [*key, *board, "--version", "1.0.0", src, out, "more"],
            [*key, *board, "--version", "1.0.0", "--what", src, out],
            [*key, *board, "--version", "01.0.0", src, out],
            [*key, *board, "--version", "1.0.0.0", src, out],
            [*key, *board, "--version", "256.0.0", src, out],
            [*key, *board, "--version", "1.0.0", "--dependencies", "0,1.0.0", src, out],
            [*key, *board, "--version", "1.0.0", "--dependencies", "", src, out],
            [*key, *board, "--version", "1.0.0", "--custom-tlv", "0x9f", "0x00", src, out],
            [*key, *board, "--version", "1.0.0", "--custom-tlv", "0xa0", "0x000", src, out],
            [*key, *board, "--version", "1.0.0", "--custom-tlv", "0xa0", "0x0g", src, out],
            [*key, *board, "--version", "1.0.0", "--custom-tlv", "0x5aa0", "0x00000000", src, out],
            [*key, *board, "--version", "1.0.0", "--security-counter", "-1", src, out],
            [*key, *board, "--version", "1.0.0", "--align", "3", src, out],
            [*key, *board, "--version", "1.0.0", "--slot-size", "1000", src, out],
            [*key, "--version", "1.0.0", "--header-size", "31", "--slot-size", "0x8000", "--align", "4", src, out],
        ]:
            with self.subTest(args=args):
                r = slipway_json("sign", *args)
                self.assertEqual(r.code, 2, r.err)
                self.assertEqual(r.result()["code"], "usage")
                self.assertFalse(os.path.exists(out))


class Keys(Base):
    def test_ours_in_imgtool(self):
        path = self.path("ours.pem")
        self.assertEqual(imgtool("keyinfo", "-k", path).out.strip(), "private")
        theirs = imgtool("getpub", "-k", path, "-e", "pem").out
        self.assertEqual(slipway("pubkey", path).out, theirs)
        data = self.payload(0x200, 700)
        self.assertEqual(slipway("verify", "--key", path, self.by_imgtool("k.bin", data, key="ours")).code, 0)
        self.assertEqual(imgtool("verify", "-k", path, self.by_slipway("k.bin", data, key="ours")).code, 0)

    def test_file(self):
        path = self.path("ours.pem")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertTrue(self.read(path).startswith(b"-----BEGIN PRIVATE KEY-----\n"))
        before = self.read(path)
        r = slipway_json("keygen", path)
        self.assertEqual((r.code, r.result()["code"]), (3, "file_exists"))
        self.assertEqual(self.read(path), before)
        os.symlink(self.path("nowhere.pem"), self.path("link.pem"))
        self.assertNotEqual(slipway("keygen", self.path("link.pem")).code, 0)
        self.assertFalse(os.path.exists(self.path("nowhere.pem")))
        self.assertEqual(slipway("keygen", self.path("no/such/folder.pem")).code, 3)
        self.assertEqual(slipway("keygen").code, 2)

    def test_same_pem_as_imgtool(self):
        """PKCS#8 with the public half inside, byte for byte what imgtool writes of the same key."""
        for name in ("one", "ours"):
            pem = self.read(self.path(f"{name}.pem"))
            key = serialization.load_pem_private_key(pem, None)
            self.assertEqual(pem, key.private_bytes(serialization.Encoding.PEM,
                                                    serialization.PrivateFormat.PKCS8,
                                                    serialization.NoEncryption()))

    def test_key_hash(self):
        for name in ("one", "two", "ours"):
            out = self.path("hash.bin")
            self.assertEqual(imgtool("getpubhash", "-k", self.path(f"{name}.pem"), "-e", "raw", "-o", out).code, 0)
            r = slipway_json("pubkey", self.path(f"{name}.pem"))
            self.assertEqual(r.result()["keyhash"], self.read(out).hex())

    def test_other_forms(self):
        """SEC1, public halves, the two concatenated; password, curve and rubbish are refused by name."""
        key = serialization.load_pem_private_key(self.read(self.path("one.pem")), None)
        sec1 = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                 serialization.NoEncryption())
        locked = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                   serialization.BestAvailableEncryption(b"secret"))
        locked1 = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                    serialization.BestAvailableEncryption(b"secret"))
        pub = self.read(self.path("one.pub.pem"))
        self.assertEqual(imgtool("keygen", "-k", self.path("p384.pem"), "-t", "ecdsa-p384").code, 0)
        want = slipway("pubkey", self.path("one.pem")).out
        self.assertEqual(want.encode(), pub)
        for name, pem, ok, word in [
            ("SEC1", sec1, True, None),
            ("public", pub, True, None),
            ("text before", b"# my key\n" + sec1, True, None),
            ("CRLF", sec1.replace(b"\n", b"\r\n"), True, None),
            ("password, PKCS#8", locked, False, "password"),
            ("password, SEC1", locked1, False, "password"),
            ("P-384", self.read(self.path("p384.pem")), False, "P-256"),
            ("empty", b"", False, "no key"),
            ("rubbish", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", False, "no key"),
            ("cut", pub[:100], False, "no key"),
            ("an image", bytes(5000), False, "no key"),
        ]:
            with self.subTest(name):
                r = slipway("pubkey", self.write("form.pem", pem))
                self.assertEqual(r.code, 0 if ok else 3, r.err)
                if ok:
                    self.assertEqual(r.out, want)
                else:
                    self.assertIn(word, r.err)
        data = self.payload(0x200, 700)
        self.write("sec1.pem", sec1)
        self.assertEqual(imgtool("verify", "-k", self.path("one.pem"),
                                 self.by_slipway("k.bin", data, key="sec1")).code, 0)
        self.write("public.pem", pub)
        r = slipway_json("sign", "--key", self.path("public.pem"), "--version", "1", "--board", BOARD, "--pad-header",
                         self.write("in.bin", data), self.path("x.bin"))
        self.assertEqual((r.code, r.result()["code"]), (3, "key_file"))

    def test_openssl_reads_ours(self):
        r = subprocess.run(["openssl", "pkey", "-in", self.path("ours.pem"), "-pubout"], capture_output=True, text=True)
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(r.stdout, slipway("pubkey", self.path("ours.pem")).out)


class Inspect(Base):
    def chip(self):
        """The external chip after an install at gap 2: the old image at S[2], and a pending request."""
        old = self.read(self.by_imgtool("old.bin", self.payload(0x200, 9000), version="1.0.0"))
        data = bytearray(b"\xff" * EXTERNAL_SIZE)
        data[0x2000:0x2000 + len(old)] = old
        data[0x100000 - 16:0x100000] = MAGIC
        data[0x100000 - 24] = 1
        return data

    def test_chip(self):
        path = self.write("external.bin", self.chip())
        r = slipway_json("inspect", "--board", BOARD, path)
        self.assertEqual(r.code, 0, r.err)
        image, trailer, result = r.events()[0], r.events()[1], r.result()
        self.assertEqual((image["offset"], image["place"], image["header"]["version"]), (0x2000, "slot 1", "1.0.0+0"))
        self.assertTrue(image["hash_matches"])
        self.assertEqual((trailer["event"], trailer["end"], trailer["place"]), ("trailer", 0x100000, "slot 1"))
        self.assertEqual((trailer["image_ok"], trailer["copy_done"]), (1, 255))
        self.assertEqual((result["images"], result["trailers"]), (1, 1))
        self.assertEqual(len(r.events()), 3)
        self.assertEqual(image["trailer"], {})  # the chip's end is not the slot's
        data = self.chip()
        data[0x100000 - 32:0x100000] = b"\xff" * 32
        trailer = slipway_json("inspect", "--board", BOARD, self.write("external.bin", data)).events()[1]
        self.assertEqual((trailer["end"], trailer["magic"]), (0x100000, "ff" * 16))

    def test_damaged_chip(self):
        data = self.chip()
        data[0x2000 + 0x400] ^= 4
        image = slipway_json("inspect", self.write("external.bin", data)).events()[0]
        self.assertFalse(image["hash_matches"])
        data[0x2000 + 12:0x2000 + 16] = b"\xff\xff\xff\x7f"
        image = slipway_json("inspect", self.write("external.bin", data)).events()[0]
        self.assertEqual(image["problem"]["code"], "image_truncated")

    def test_slot(self):
        slot = bytearray(self.chip()[:0x100000])
        new = self.read(self.by_imgtool("new.bin", self.payload(0x200, 5000), version="2.0.0"))
        slot[:len(new)] = new
        r = slipway_json("inspect", self.write("slot.bin", slot))
        versions = [e["header"]["version"] for e in r.events() if e["event"] == "image"]
        self.assertEqual(versions, ["2.0.0+0", "1.0.0+0"])
        text = slipway("inspect", self.path("slot.bin")).out
        self.assertIn("magic good, image_ok set, copy_done blank", text)

    def test_nothing(self):
        for name, data, code in [("blank", b"\xff" * 8192, "no_image"), ("empty", b"", "no_image"),
                                 ("zeros", bytes(8192), "no_image_magic"),
                                 ("unsigned", self.payload(0x200, 5000), "no_image_magic")]:
            with self.subTest(name):
                r = slipway_json("inspect", self.write("n.bin", data))
                self.assertEqual((r.code, r.result()["code"]), (3, code))

    def test_cut(self):
        image = self.read(self.by_imgtool("c.bin", self.payload(0x200, 5000)))
        r = slipway_json("inspect", self.write("c.bin", image[:3000]))
        self.assertEqual((r.code, r.result()["code"]), (3, "image_truncated"))
        self.assertEqual(r.events()[0]["header"]["img_size"], 5000)

    def test_keys(self):
        path = self.by_imgtool("k.bin", self.payload(0x200, 5000))
        for keys, verifies, verdict in [(["one"], True, "none"), (["two"], False, "image_stranger"),
                                        (["two", "one"], True, "none")]:
            args = [a for k in keys for a in ("--key", self.path(f"{k}.pub.pem"))]
            image = slipway_json("inspect", *args, path).events()[0]
            self.assertEqual((image["verifies"], image["verdict"]), (verifies, verdict))

    def package(self, manifest, files):
        path = self.path("dfu_application.zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
            for name, data in files.items():
                z.writestr(name, data)
            if manifest is not None:
                z.writestr("manifest.json", manifest if isinstance(manifest, str) else json.dumps(manifest))
        return path

    def test_package(self):
        image = self.read(self.by_imgtool("p.bin", self.payload(0x200, 5000), version="1.2.3+4"))
        entry = {"type": "application", "board": "nrf52840dk", "soc": "nRF52840", "load_address": 49664,
                 "image_index": "0", "slot_index_primary": "1", "slot_index_secondary": "2",
                 "version_MCUBOOT": "1.2.3+4", "size": len(image), "file": "app_update.bin", "modtime": 1700000000}
        manifest = {"format-version": 0, "time": 1700000000, "name": "app", "files": [entry]}
        r = slipway_json("inspect", self.package(manifest, {"app_update.bin": image}))
        self.assertEqual(r.code, 0, r.err)
        self.assertEqual(r.err, "")
        first, second, result = r.events()
        self.assertEqual((first["event"], first["version"], first["image_index"]), ("entry", "1.2.3+4", 0))
        self.assertEqual(second["header"]["version"], "1.2.3+4")
        self.assertEqual((result["images"], result["mismatches"]), (1, 0))
        for change, mismatches in [({"size": 7}, 1), ({"version_MCUBOOT": "1.2.4"}, 1),
                                   ({"version_MCUBOOT": "1.2.3.4"}, 0), ({"file": "gone.bin"}, 1)]:
            with self.subTest(change=change):
                manifest["files"] = [{**entry, **change}]
                r = slipway_json("inspect", self.package(manifest, {"app_update.bin": image}))
                self.assertEqual(r.result()["mismatches"], mismatches)

    def test_bad_packages(self):
        image = self.read(self.by_imgtool("p.bin", self.payload(0x200, 500)))
        r = slipway("inspect", self.package(None, {"app.bin": image}))
        self.assertEqual(r.code, 0)
        self.assertIn("no manifest.json", r.err)
        for name, manifest, files in [("no JSON", "{", {"app.bin": image}), ("no files", "{}", {"app.bin": image}),
                                      ("no image", {"files": [{"file": "a"}]}, {"a": b"text"})]:
            with self.subTest(name):
                self.assertEqual(slipway("inspect", self.package(manifest, files)).code, 3)
        path = self.package({"files": []}, {"app.bin": image})
        data = self.read(path)
        self.assertEqual(slipway("inspect", self.write("cut.zip", data[:len(data) // 2])).code, 3)


if __name__ == "__main__":
    run_tests()
