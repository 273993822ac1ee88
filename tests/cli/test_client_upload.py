"""Uploads by the client, and what is wrong with a file, against smp_server.py over UDP and a pty.

ctest gives the path of `slipway` in SLIPWAY. What is checked is the contract: exit codes, codes under
--json, words on stderr, and what was left in the device.
"""
import hashlib
import os
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from command import CLEAN, CommandCase, slipway  # noqa: E402
from simboard import SLIPWAY  # noqa: E402
from smp_server import Device, Pty, Refuse, Udp, image, image_hash  # noqa: E402


class Upload(CommandCase):
    def upload(self, s, data, *options):
        return slipway("upload", self.file(data), *s.options, "--json", *options)

    def assert_arrived(self, s, data):
        self.assertEqual(s.device.slots[1], data)
        self.assertEqual(s.device.log, [])

    def test_on_every_link(self):
        data = image((2, 0, 0, 7), payload=20001)
        for s in (Udp(Device()), Pty(Device()), Pty(Device(), raw=True)):
            with s, self.subTest(s.options):
                r = self.upload(s, data)
                self.expect_json(r, 0, None)
                self.assert_arrived(s, data)
                self.assertEqual(r.last["hash"], image_hash(data).hex())
                self.assertEqual(r.last["version"], "2.0.0+7")

    def chunks(self, s):
        return [b for _, g, c, b in s.device.requests if (g, c) == (1, 1)]

    def test_first_chunk_and_alignment(self):
        data = image(payload=9001)
        with Udp(Device(buf_size=512)) as s:
            self.upload(s, data)
        first, *rest = self.chunks(s)
        self.assertEqual((first["len"], first["sha"]), (len(data), hashlib.sha256(data).digest()))
        self.assertNotIn("image", first)
        for c in rest:
            self.assertEqual(set(c), {"off", "data"})
        self.assertTrue(all(len(c["data"]) % 4 == 0 for c in self.chunks(s)[:-1]))

    def test_message_size_and_window(self):
        class Watching(Device):
            longest = 0

            def handle(self, frame):
                self.longest = max(self.longest, len(frame))
                return super().handle(frame)
        for make, size, longest in ((Udp, 512, 512), (Udp, 9000, 1472), (Pty, 512, 508)):
            with self.subTest(make=make, size=size), make(Watching(buf_size=size)) as s:
                self.expect_json(self.upload(s, image(payload=30000)), 0, None)
                self.assertLessEqual(s.device.longest, longest)
                self.assertGreater(s.device.longest, longest - 16)

    def test_smallest_buffer_leaves_the_sha_out(self):
        data = image(payload=600, header=32)
        with Udp(Device(buf_size=72)) as s:
            self.expect_json(self.upload(s, data), 0, None)
            self.assert_arrived(s, data)
        self.assertNotIn("sha", self.chunks(s)[0])

    def test_no_params(self):
        data = image(payload=5000)
        with Udp(Device(params=False)) as s:
            self.expect_json(self.upload(s, data), 0, None)
            self.assert_arrived(s, data)

    def test_buffer_that_is_a_lie(self):
        # Long messages vanish, as in a network that drops fragments: smaller ones are tried.
        class Small(Udp):
            def answers(self, frame):
                return super().answers(frame) if len(frame) <= 400 else []
        data = image(payload=2000)
        with Small(Device(buf_size=1400)) as s:
            self.expect_json(self.upload(s, data), 0, None)
            self.assert_arrived(s, data)

    def test_loss(self):
        data = image(payload=60000)
        plans = {
            "every 7th answer lost": lambda n, q, a: [] if n % 7 == 3 else [a],
            "every answer twice": lambda n, q, a: [a, a],
            "first chunk's answer lost": lambda n, q, a: [] if n == 3 else [a],
        }
        for name, mangle in plans.items():
            with self.subTest(name), Udp(Device(), mangle) as s:
                self.expect_json(self.upload(s, data), 0, None)
                self.assert_arrived(s, data)

    def test_lost_requests_go_back(self):
        class Lossy(Udp):
            def answers(self, frame):
                self.count += 1
                return [] if self.count % 9 == 5 else [self.device.handle(frame)]
        data = image(payload=60000)
        with Lossy(Device()) as s:
            r = self.upload(s, data)
            self.expect_json(r, 0, None)
            self.assert_arrived(s, data)
        up = [e for e in r.events if e["event"] == "upload"][0]
        self.assertGreater(up["repeated"], 0)
        self.assertGreater(up["window"], 0)

    def test_answers_out_of_order(self):
        held = []

        def swap(n, q, a):
            if n % 5 == 4 and not held:
                held.append(a)
                return []
            return [a] + [held.pop()] if held else [a]
        data = image(payload=40000)
        with Udp(Device(), swap) as s:
            self.expect_json(self.upload(s, data), 0, None)
            self.assert_arrived(s, data)

    def test_partial_acceptance(self):
        class Rounding(Device):
            def chunk(self, op, body):
                if body["off"] + len(body["data"]) < self.expected:
                    body["data"] = body["data"][:len(body["data"]) // 512 * 512] or body["data"]
                return super().chunk(op, body)
        data = image(payload=20000)
        with Udp(Rounding()) as s:
            self.expect_json(self.upload(s, data), 0, None)
            self.assert_arrived(s, data)

    def test_resume(self):
        data = image(payload=50000)
        device = Device()
        device.upload, device.expected, device.sha = bytearray(data[:30000]), len(data), hashlib.sha256(data).digest()
        with Udp(device) as s:
            r = self.upload(s, data)
            self.expect_json(r, 0, None)
            self.assert_arrived(s, data)
        self.assertEqual([e for e in r.events if e["event"] == "upload"][0]["resumed_at"], 30000)
        self.assertEqual([c["off"] for c in self.chunks(s)][1], 30000)

    def test_beginning_that_is_not_of_this_file(self):
        """Left by two clients at once: it is resumed, found wrong at the end, and then all of it is sent."""
        class Checking(Device):
            def chunk(self, op, body):
                answer = super().chunk(op, body)
                if self.upload and len(self.upload) == self.expected:
                    answer["match"] = hashlib.sha256(self.upload).digest() == self.sha
                    if not answer["match"]:
                        self.upload, self.sha, self.expected = bytearray(), None, 0
                return answer
        data = image(payload=50000)
        device = Checking()
        device.upload, device.expected, device.sha = bytearray(30000), len(data), hashlib.sha256(data).digest()
        with Udp(device) as s:
            r = self.upload(s, data)
            self.expect_json(r, 0, None)
            self.assert_arrived(s, data)
        self.assertIn("sending all of it", r.err)

    def test_restart_erases(self):
        data = image(payload=50000)
        device = Device()
        device.upload, device.expected, device.sha = bytearray(30000), len(data), hashlib.sha256(data).digest()
        with Udp(device) as s:
            self.expect_json(self.upload(s, data, "--restart"), 0, None)
            self.assert_arrived(s, data)
        self.assertIn((1, 5), [(g, c) for _, g, c, _ in device.requests])

    def test_device_that_lost_its_session_begins_anew(self):
        class Forgetful(Device):
            chunks = 0

            def chunk(self, op, body):
                self.chunks += 1
                if self.chunks == 12:
                    self.upload, self.expected, self.sha = bytearray(), 0, None
                return super().chunk(op, body)
        data = image(payload=30000)
        with Udp(Forgetful()) as s:
            r = self.upload(s, data)
            self.expect_json(r, 0, None)
            self.assert_arrived(s, data)
        self.assertEqual([e for e in r.events if e["event"] == "upload"][0]["restarts"], 1)

    def test_device_that_always_begins_anew(self):
        class Hopeless(Device):
            def chunk(self, op, body):
                return {"off": 0} if body["off"] else super().chunk(op, body)
        with Udp(Hopeless()) as s:
            r = self.upload(s, image(payload=30000))
        self.expect_json(r, 1, "bad_answer")
        self.assertIn("began anew", r.last["message"])

    def test_device_that_lies_about_the_offset(self):
        class Liar(Device):
            def chunk(self, op, body):
                return {"off": 1 << 40}
        with Udp(Liar()) as s:
            self.expect_json(self.upload(s, image(payload=30000)), 1, "bad_answer")

    def test_device_that_does_not_move(self):
        class Stuck(Device):
            def chunk(self, op, body):
                return {"off": min(len(body["data"]), 512)} if body["off"] == 0 else {"off": 512}
        with Udp(Stuck()) as s:
            r = self.upload(s, image(payload=30000))
        self.expect_json(r, 6, "no_answer")
        self.assertLess(r.seconds, 60)

    def test_device_that_vanishes(self):
        with Udp(Device(), lambda n, q, a: [a] if n < 20 else []) as s:
            r = self.upload(s, image(payload=60000))
        self.expect_json(r, 6, "no_answer")
        self.assertIn("goes on where it stopped", r.last["next"])
        self.assertLess(r.seconds, 60)

    def test_pty_that_is_closed(self):
        class Closing(Pty):
            def send(self, message):
                if self.count == 15:
                    os.close(self.slave)
                    os.close(self.master)
                    self.stop.set()
                    raise SystemExit
                super().send(message)
        with Closing(Device()) as s:
            self.expect_json(self.upload(s, image(payload=60000)), 5, "device_gone")

    def test_refused(self):
        class Refusing(Device):
            def chunk(self, op, body):
                raise Refuse(12, 1)
        for v1, code in ((False, "img_flash_write_failed"), (True, "smp_enotsup")):
            with self.subTest(v1), Udp(Refusing()) as s:
                if v1:
                    s.device.chunk = lambda op, body: (_ for _ in ()).throw(Refuse(8))
                r = self.upload(s, image(payload=60000))
            self.expect_json(r, 7, code)
        self.assertEqual(r.last["smp"]["name"], "SMP 8 ENOTSUP")

    def test_mismatch(self):
        with Udp(Device()) as s:
            s.device.match = False
            self.expect_json(self.upload(s, image(payload=5000)), 8, "contents_differ")

    def test_acknowledged_but_not_there(self):
        class Empty(Device):
            def entry(self, slot):
                return super().entry(slot) if slot == 0 else None
        with Udp(Empty()) as s:
            self.expect_json(self.upload(s, image(payload=5000)), 8, "not_listed")

    def test_interrupt_and_resume(self):
        data = image(payload=200000)
        with Udp(Device(), lambda n, q, a: (time.sleep(0.02), [a])[1]) as s:
            p = subprocess.Popen([SLIPWAY, "upload", self.file(data), *s.options, "--json"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=CLEAN)
            while len(s.device.upload) < 50000:
                time.sleep(0.01)
            p.send_signal(signal.SIGINT)
            out, err = p.communicate(timeout=10)
            self.assertEqual(p.returncode, 130, err)
            self.assertIn("goes on where it stopped", err)
            r = self.upload(s, data)
            self.expect_json(r, 0, None)
            self.assert_arrived(s, data)
            self.assertGreater([e for e in r.events if e["event"] == "upload"][0]["resumed_at"], 0)

    def test_progress(self):
        with Udp(Device()) as s:
            r = self.upload(s, image(payload=30000))
            human = slipway("upload", self.file(image(payload=30000, seed=2)), *s.options)
        self.assertEqual([e["done"] for e in r.events if e["event"] == "progress"][-1], 30000 + 0x200 + 4 + 36 + 36 + 74)
        self.assertIn("upload 100 %", human.err)
        self.assertEqual(human.out, "")


class FileChecks(CommandCase):
    """What is wrong with a file is found before anything is sent."""
    GOOD = image(payload=4000, layout=0x1234)
    BAD = {
        "no image": (b"hello world" * 20, 3, "no_image_magic"),
        "erased": (b"\xff" * 4096, 3, "no_image"),
        "short": (GOOD[:20], 3, "image_truncated"),
        "truncated": (GOOD[:3000], 3, "image_truncated"),
        "tlvs cut off": (GOOD[:-30], 3, None),
        "unsigned": (image(payload=4000, signature=False), 4, "image_unsigned"),
        "no hash": (image(payload=4000, hash_=False), 3, "image_no_hash"),
        "payload bit": (GOOD[:1000] + bytes([GOOD[1000] ^ 4]) + GOOD[1001:], 4, "image_hash"),
        "version bit": (GOOD[:20] + bytes([GOOD[20] ^ 1]) + GOOD[21:], 4, "image_hash"),
    }

    def test_bad_files(self):
        with Udp(Device()) as s:
            for name, (data, code, reason) in self.BAD.items():
                for command in ("upload", "update"):
                    with self.subTest(name, command=command):
                        r = slipway(command, self.file(data), *s.options, "--json")
                        self.expect_json(r, code, reason or r.last["code"])
                        self.assertTrue(r.last["next"])
                        self.assertEqual(r.last["finding"]["code"], r.last["code"])
                        self.assertIn("slot 1", r.last["detail"])
            self.assertEqual(s.device.requests, [])

    def test_unreadable(self):
        for path in (self.dir.name, "/nonexistent/file", self.file(b"")):
            self.expect_json(slipway("upload", path, "--udp", "127.0.0.1:9", "--json"), 3, "file_unreadable")

    def test_force(self):
        data = image(payload=4000, signature=False)
        with Udp(Device()) as s:
            self.expect(slipway("upload", "--force", self.file(data), *s.options), 0, "warning", "no signature")
            self.assertEqual(s.device.slots[1], data)

    def test_padding_is_not_sent(self):
        data = image(payload=4000)
        with Udp(Device()) as s:
            self.expect(slipway("upload", self.file(data.ljust(20000, b"\xff") + b"trailer"), *s.options), 0, "padding")
            self.assertEqual(s.device.slots[1], data)

    def test_intel_hex(self):
        import intelhex
        data = image(payload=4000)
        h = intelhex.IntelHex()
        h.frombytes(data, 0xC000)
        path = os.path.join(self.dir.name, "app.hex")
        h.write_hex_file(path)
        with Udp(Device()) as s:
            self.expect(slipway("upload", path, *s.options), 0)
            self.assertEqual(s.device.slots[1], data)

    def test_too_large_for_a_foreign_slot(self):
        with Udp(Device()) as s:
            r = slipway("upload", self.file(image(payload=0x40000)), *s.options, "--json")
            self.expect_json(r, 3, "image_too_large_for_slot")
            self.assertEqual(r.last["finding"]["expected_value"], 0x40000)
            self.assertNotIn((1, 1), [(g, c) for _, g, c, _ in s.device.requests])


if __name__ == "__main__":
    unittest.main(verbosity=1)
