"""Clients that no registry has, by the frames they send: mcumgr (Go), mcumgr-client (Rust), AuTerm, iOS.

Written from descriptions of what these programs do on the wire, and of what in an answer they cannot take.
Each story is an update on `slipway sim`, over UDP and over the serial line, from list to erase.
"""
import hashlib
import os
import pathlib
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from simboard import KIB, Sim, Workshop  # noqa: E402
from smp_peer import (IMG, OS, READ, V1, V2, WRITE, RawPeer, SerialPeer, UdpPeer, frame,  # noqa: E402
                      lines_each_encoded, lines_of_packet)

STATE, UPLOAD, ERASE, SLOTS = 0, 1, 5, 6
ECHO, RESET, PARAMS, INFO, BOOTLOADER = 0, 5, 6, 7, 8
# What strict models allow in an entry of the list; image is left out where there is only one.
ENTRY = {"slot", "version", "hash", "bootable", "pending", "confirmed", "active", "permanent"}


class Client:
    """What they all have: a sequence that counts from 0 in each run, one request at a time."""
    version = V2

    def __init__(self, peer):
        self.peer, self.seq = peer, 0

    def ask(self, op, group, command, body=None):
        self.peer.send(frame(op, group, command, body, self.version, self.seq))
        a = self.peer.receive()
        assert (a.op, a.group, a.command, a.seq) == (op + 1, group, command, self.seq), a.raw
        assert a.version == self.version and a.flags == 0, "a version that was not asked for"
        assert len(a.payload) > 0, "a payload of nothing: two clients take it for an error"
        self.check_errors(a.body)
        self.seq = (self.seq + 1) % 256
        return a.body

    def check_errors(self, body):
        if self.version == V1:
            assert "err" not in body
        if "err" in body:
            assert set(body["err"]) == {"group", "rc"}, body

    def must(self, *args):
        body = self.ask(*args)
        assert "rc" not in body and "err" not in body, body
        return body

    def list(self):
        images = self.must(READ, IMG, STATE, self.empty())["images"]
        for i in images:
            assert set(i) <= ENTRY and len(i["hash"]) == 32, i
        return {i["slot"]: i for i in images}

    def empty(self):
        return {}

    def upload(self, data, keys):
        """One chunk after the other, following the offsets; keys(off) gives the request."""
        off = 0
        while off < len(data):
            answer = self.must(WRITE, IMG, UPLOAD, keys(off))
            assert set(answer) <= {"off", "match"}, answer
            assert answer["off"] > off, "it does not move"
            off = answer["off"]
        assert off == len(data)

    def test(self, hash_):
        return self.must(WRITE, IMG, STATE, {"hash": hash_, "confirm": False})

    def confirm(self):
        return self.must(WRITE, IMG, STATE, {"confirm": True})

    def erase(self):
        assert self.must(WRITE, IMG, ERASE, {"slot": 1}) == {}

    def reset(self):
        assert self.must(WRITE, OS, RESET, self.empty()) == {}


class GoPinned(Client):
    """mcumgr as its go.mod pins it: v1, messages of at most 371 bytes, `image` in each chunk, hash null."""
    version, largest, sha = V1, 371, True

    def send_image(self, data):
        def keys(off):
            body = {"image": 0, "data": b"", "off": off}
            if off == 0:
                body["len"] = len(data)
                if self.sha:
                    body["sha"] = hashlib.sha256(data).digest()
            room = self.largest - len(frame(WRITE, IMG, UPLOAD, body)) - 2
            body["data"] = data[off:off + min(room, 512)]
            return body
        self.upload(data, keys)

    def confirm(self):
        return self.must(WRITE, IMG, STATE, {"confirm": True, "hash": None})


class GoNew(GoPinned):
    """With a newtmgr of today: one line per message on a serial port, and never a sha."""
    largest, sha = 83, False


class RustClient(Client):
    """mcumgr-client: 512 bytes a chunk without asking, image 1 in each, reset and list without a payload."""

    def empty(self):
        return None

    def send_image(self, data):
        def keys(off):
            body = {"image": 1, "off": off, "data": data[off:off + 512]}
            if off == 0:
                body.update(len=len(data), sha=hashlib.sha256(data).digest(), upgrade=None)
            return body
        self.upload(data, keys)


class RustSerial(RustClient):
    version = V1


class AuTerm(Client):
    """Asks in v2; all keys in every first chunk, the whole packet in lines."""

    def send_image(self, data):
        def keys(off):
            body = {"image": 0, "off": off, "data": data[off:off + 200]}
            if off == 0:
                body.update(len=len(data), sha=hashlib.sha256(data).digest(), upgrade=False)
            return body
        self.upload(data, keys)


class AuTermV1(AuTerm):
    version = V1


class Ios(Client):
    """Several chunks under way; an offset it did not expect: waits for all answers, then goes on from there."""
    depth = 4

    def send_image(self, data):
        buf_size = self.must(READ, OS, PARAMS, {})["buf_size"]
        size = (buf_size - 40) // 4 * 4
        off = 0
        while off < len(data):
            expected, at = {}, off
            for _ in range(self.depth if off else 1):
                if at >= len(data):
                    break
                chunk = data[at:at + (size - 60 if at == 0 else size)]
                body = {"data": chunk, "off": at}
                if at == 0:
                    body.update(len=len(data), sha=hashlib.sha256(data).digest())
                self.peer.send(frame(WRITE, IMG, UPLOAD, body, self.version, self.seq))
                at += len(chunk)
                expected[self.seq] = at
                self.seq = (self.seq + 1) % 256
            for _ in range(len(expected)):
                a = self.peer.receive()
                assert a.body["off"] == expected.pop(a.seq), "answers are not in order"
            off = at


class Wire(unittest.TestCase):
    boards = 0

    @classmethod
    def setUpClass(cls):
        cls.shop = Workshop()
        cls.v1, cls.v2 = cls.shop.image("1.0.0", 20 * KIB), cls.shop.image("2.0.0", 30 * KIB + 3)
        cls.new = pathlib.Path(cls.v2).read_bytes()

    def board(self, *args, image=True):
        Wire.boards += 1
        return Sim(self.shop.path(f"board{self.boards}"), *args, key=self.shop.key, image=self.v1 if image else None)

    def peer(self, sim, link):
        p = {"udp": lambda: UdpPeer(sim.port), "raw": lambda: RawPeer(sim.pty), "serial": lambda: SerialPeer(sim.pty),
             "slow serial": lambda: SerialPeer(sim.pty, gap_s=0.02),
             "each line": lambda: SerialPeer(sim.pty, lines_each_encoded)}[link]()
        self.addCleanup(p.close)
        return p

    def story(self, client, link):
        with self.board() as sim:
            c = client(self.peer(sim, link))
            self.assertEqual({s: i["version"] for s, i in c.list().items()}, {0: "1.0.0"})
            c.send_image(self.new)
            self.assertEqual(sim.slot(1)[:len(self.new)], self.new)
            c = client(c.peer)  # a new run: its sequence begins at 0 again
            hash_ = c.list()[1]["hash"]
            after = {i["slot"]: i for i in c.test(hash_)["images"]}
            self.assertTrue(after[1]["pending"] and not after[1].get("permanent"))
            c.reset()
            boot = sim.wait_ready()
            self.assertEqual((boot["action"], boot["running"]), ("test", "2.0.0+0"))
            c = client(c.peer)
            self.assertEqual({s: i["version"] for s, i in c.list().items()}, {0: "2.0.0", 1: "1.0.0"})
            after = {i["slot"]: i for i in c.confirm()["images"]}
            self.assertTrue(after[0]["confirmed"] and after[0]["active"])
            c.erase()
            self.assertEqual(set(c.list()), {0})

    def test_updates(self):
        for client, links in ((GoPinned, ("udp", "slow serial")), (GoNew, ("udp", "serial")), (RustClient, ("udp",)),
                              (RustSerial, ("serial", "each line")), (AuTerm, ("udp", "serial", "raw")),
                              (AuTermV1, ("serial",)), (Ios, ("udp",))):
            for link in links:
                with self.subTest(client=client.__name__, link=link):
                    self.story(client, link)

    # -- single rules ----------------------------------------------------------------------------------
    def test_same_sequence_number_is_no_repetition(self):
        with self.board() as sim:
            for link in ("udp", "serial"):
                p = self.peer(sim, link)
                for text in ("one", "two", "three"):
                    p.send(frame(WRITE, OS, ECHO, {"d": text}, seq=0))
                    self.assertEqual(p.receive().body, {"r": text})

    def test_repeated_chunks(self):
        """The same chunk 0 six times, with the same sequence number: no new erase, no other answer; then old ones."""
        sha = hashlib.sha256(self.new).digest()
        first = frame(WRITE, IMG, UPLOAD, {"off": 0, "len": len(self.new), "sha": sha, "data": self.new[:1000]}, seq=9)
        with self.board() as sim:
            p = self.peer(sim, "udp")
            for _ in range(6):
                p.send(first)
                self.assertEqual(p.receive().body, {"off": 1000})
            for off, want in ((1000, 2000), (2000, 3000), (1000, 3000), (9000, 3000), (0, 3000), (3000, 4000)):
                if off:
                    p.send(frame(WRITE, IMG, UPLOAD, {"off": off, "data": self.new[off:off + 1000]}))
                else:
                    p.send(first)
                self.assertEqual(p.receive().body, {"off": want})
            Client(p).upload(self.new, lambda off: {"off": off, "data": self.new[off:off + 1000]} if off else
                             {"off": 0, "len": len(self.new), "sha": sha, "data": self.new[:1000]})
            last = len(self.new) - 100
            p.send(frame(WRITE, IMG, UPLOAD, {"off": last, "data": self.new[last:]}))
            self.assertEqual(p.receive().body["off"], len(self.new))
            self.assertEqual(sim.slot(1)[:len(self.new)], self.new)

    def test_chunk_without_a_session(self):
        with self.board() as sim:
            p = self.peer(sim, "udp")
            p.send(frame(WRITE, IMG, UPLOAD, {"off": 5000, "data": bytes(100)}))
            self.assertEqual(p.receive().body, {"off": 0})

    def test_hash_that_is_empty_or_null(self):
        """Three ways to say "the running image"."""
        with self.board() as sim:
            for body in ({"confirm": True}, {"confirm": True, "hash": None}, {"confirm": True, "hash": b""}):
                for version in (V1, V2):
                    c = Client(self.peer(sim, "udp"))
                    c.version = version
                    images = c.must(WRITE, IMG, STATE, body)["images"]
                    self.assertTrue(images[0]["confirmed"])

    def test_a_refused_upload_repeated_without_an_end(self):
        """mcumgr asks again some thousand times a second: another client still gets its answers."""
        with self.board() as sim:
            stop, flood, other = threading.Event(), self.peer(sim, "udp"), Client(self.peer(sim, "udp"))
            sent = [0]

            def run():
                refused = frame(WRITE, IMG, UPLOAD, {"image": 0, "off": 0, "len": 5000, "data": bytes(512)}, V1)
                while not stop.is_set():
                    flood.send(refused)
                    assert flood.receive().body == {"rc": 3}
                    sent[0] += 1
            thread = threading.Thread(target=run)
            thread.start()
            try:
                asked = 0
                while asked < 50 or (sent[0] < 50 and asked < 5000):
                    self.assertEqual(other.must(WRITE, OS, ECHO, {"d": str(asked)}), {"r": str(asked)})
                    asked += 1
                self.assertEqual(other.list()[0]["version"], "1.0.0")
            finally:
                stop.set()
                thread.join()
            self.assertGreaterEqual(sent[0], 50)

    def test_lines_of_answers_of_every_length(self):
        """SerialPeer.receive() refuses CR, '=' inside a packet, long lines, and anything before an answer."""
        with self.board() as sim:
            p = self.peer(sim, "serial")
            for n in list(range(0, 100)) + [183, 184, 185, 276, 277, 278, 600, 1400]:
                p.send(frame(WRITE, OS, ECHO, {"d": "x" * n}, V1))
                a = p.receive()
                self.assertEqual((a.version, a.body), (V1, {"r": "x" * n}))

    def test_what_may_stand_between_lines(self):
        message = frame(WRITE, OS, ECHO, {"d": "y" * 150})
        lines = lines_of_packet(message)
        self.assertGreater(len(lines), 1)
        with self.board() as sim:
            p = self.peer(sim, "serial")
            for noise in (b"", b"uart:~$ \r\n", b"\x1b[1;32m<inf> log\x1b[0m\n", b"\x04\x14QUJD\n", lines[0],
                          b"\x06\x09not base64!\n", b"\n\n", b"\r\n", b"x" * 300 + b"\n"):
                with self.subTest(noise):
                    os.write(p.fd, noise + b"".join(lines))
                    self.assertEqual(p.receive().body, {"r": "y" * 150})
            os.write(p.fd, b"".join(line[:-1] + b"\r\n" for line in lines))
            self.assertEqual(p.receive().body, {"r": "y" * 150})

    def test_damaged_packets_are_dropped(self):
        lines = lines_of_packet(frame(WRITE, OS, ECHO, {"d": "z" * 150}))
        bad = (lines[:1], [lines[0], lines[1][:-10] + b"\n"], [lines[0][:20] + b"A" + lines[0][21:], lines[1]],
               [b"\x06\x09AAA=\n"], [b"\x06\x09AAAAAA==\n"])
        with self.board() as sim:
            p = self.peer(sim, "serial")
            for packet in bad:
                os.write(p.fd, b"".join(packet))
                p.send(frame(WRITE, OS, ECHO, {"d": "after"}))
                self.assertEqual(p.receive().body, {"r": "after"})

    def test_unknown_groups_and_commands(self):
        """Also those whose silence makes a phone wait for 40 s; an answer in the version of the request."""
        with self.board() as sim:
            p = self.peer(sim, "udp")
            for version in (V1, V2):
                for op in (READ, WRITE):
                    for group in [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 63, 65, 128, 65535]:
                        p.send(frame(op, group, 1, {}, version))
                        self.assertEqual((lambda a: (a.version, a.body))(p.receive()), (version, {"rc": 8}))
                    for group, command in ((OS, 2), (OS, 3), (OS, 4), (OS, 99), (IMG, 2), (IMG, 3), (IMG, 4), (IMG, 99)):
                        p.send(frame(op, group, command, {}, version))
                        self.assertEqual(p.receive().body, {"rc": 8})

    def test_v1_errors(self):
        """Group errors come as the codes that v1 has; nothing but `rc` beside them."""
        with self.board() as sim:
            c = Client(self.peer(sim, "udp"))
            c.version = V1
            for body, rc in (({"hash": bytes(32), "confirm": False}, 1), ({"hash": b"short"}, 3), ({}, 3),
                             (b"\x01", 3)):
                self.assertEqual(c.ask(WRITE, IMG, STATE, body), {"rc": rc})
            self.assertEqual(c.ask(WRITE, IMG, ERASE, {"slot": 0}), {"rc": 6})
            self.assertEqual(c.ask(WRITE, IMG, ERASE, {"slot": 9}), {"rc": 3})
            self.assertEqual(c.ask(WRITE, IMG, UPLOAD, {"data": b"x"}), {"rc": 3})

    def test_reset_is_answered_first(self):
        """Over a line the answer comes whole, then the board is away; nothing is printed on the line by its start."""
        with self.board() as sim:
            for link in ("serial", "udp", "raw"):
                c = RustClient(self.peer(sim, link))
                c.reset()
                self.assertEqual(sim.wait_ready()["running"], "1.0.0+0")
                self.assertEqual(c.ask(WRITE, OS, ECHO, {"d": "back"}), {"r": "back"})

    def test_recovery_into_slot_0(self):
        """Without the external chip the bootloader writes slot 0. A word takes two programs there, so it takes less
        than it is sent; but never of the last chunk: mcumgr would wait for ever."""
        for client, link in ((GoNew, "serial"), (GoPinned, "udp"), (RustClient, "udp")):
            with self.subTest(client.__name__), self.board("--fault", "external:absent", image=False) as sim:
                c = client(self.peer(sim, link))
                c.send_image(self.new)
                c.reset()
                self.assertEqual(sim.wait_ready()["running"], "2.0.0+0")
                self.assertEqual(sim.slot(0)[:len(self.new)], self.new)

    def test_recovery_speaks_the_same(self):
        """With nothing to start, the bootloader takes the first image from such clients too."""
        for client, link in ((GoPinned, "serial"), (RustClient, "udp"), (AuTerm, "raw")):
            with self.subTest(client.__name__), self.board(image=False) as sim:
                self.assertEqual(sim.lines[1], "recovery reason=no_image")
                c = client(self.peer(sim, link))
                c.send_image(self.new)
                c.must(WRITE, IMG, STATE, {"hash": c.list()[1]["hash"], "confirm": False})
                c.reset()
                self.assertEqual(sim.wait_ready()["running"], "2.0.0+0")


if __name__ == "__main__":
    unittest.main()
