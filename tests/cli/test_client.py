"""The client commands against a server of its own kind (smp_server.py), over UDP and a pty.

ctest gives the path of `slipway` in SLIPWAY. What is checked is the contract: exit codes, codes under
--json, words on stderr, and what was left in the device.
"""
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

from smp_server import HEADER, Device, Pty, Refuse, Udp, image, image_hash

SLIPWAY = os.environ["SLIPWAY"]
CLEAN = {k: v for k, v in os.environ.items() if k not in ("SLIPWAY_DEVICE", "NO_COLOR")}


class Result:
    def __init__(self, done, seconds):
        self.code, self.out, self.err, self.seconds = done.returncode, done.stdout, done.stderr, seconds

    @property
    def events(self):
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def last(self):
        return self.events[-1]


def slipway(*args, env=None, timeout=60):
    start = time.monotonic()
    done = subprocess.run([SLIPWAY, *map(str, args)], capture_output=True, text=True, timeout=timeout,
                          env={**CLEAN, **(env or {})}, stdin=subprocess.DEVNULL)
    return Result(done, time.monotonic() - start)


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def file(self, data, name="app.signed.bin"):
        path = os.path.join(self.dir.name, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def expect(self, result, code, *words):
        text = result.out + result.err
        self.assertEqual(result.code, code, text)
        for word in words:
            self.assertIn(word, text)
        self.assertNotIn("AddressSanitizer", result.err)
        self.assertNotIn("runtime error", result.err)

    def expect_json(self, result, code, name):
        self.expect(result, code)
        self.assertEqual(result.last["event"], "result")
        self.assertIs(result.last["ok"], code == 0)
        if code:
            self.assertEqual(result.last["code"], name)
            self.assertIn("error: " + result.last["message"], result.err)


class Choice(Case):
    """Which device, and wrong uses."""

    def test_wrong_uses(self):
        f = self.file(image())
        for args in (["echo"], ["echo", "a", "b"], ["list", "x"], ["info", "-x"], ["upload"],
                     ["upload", f, f], ["upload", "--bogus", f], ["upload", f, "--image", "9"],
                     ["test", "--x"], ["confirm", "a", "b"], ["erase", "--slot"], ["erase", "--slot", "x"],
                     ["reset", "now"], ["update"], ["update", f, "--confirm", "--test-only"],
                     ["update", f, "--wait", "0"], ["report", "x"],
                     ["list", "--udp", "127.0.0.1:1", "--port", "/dev/null"],
                     ["list", "--udp", "127.0.0.1:99999"], ["list", "--udp", ":1337"],
                     ["list", "--udp", "127.0.0.1", "--raw"], ["list", "--port", "/dev/null", "--baud", "fast"]):
            with self.subTest(args):
                self.expect(slipway(*args), 2, "error: ")

    def test_wrong_environment(self):
        self.expect(slipway("list", env={"SLIPWAY_DEVICE": "ttyACM0"}), 2, "SLIPWAY_DEVICE")

    def test_environment(self):
        with Udp(Device()) as s:
            env = {"SLIPWAY_DEVICE": "udp:" + s.options[1]}
            self.expect(slipway("echo", "hello", env=env), 0, "hello")
        with Pty(Device()) as s:
            self.expect(slipway("echo", "hello", env={"SLIPWAY_DEVICE": s.path}), 0, "hello")

    def test_nobody_there(self):
        self.expect_json(slipway("list", "--udp", "127.0.0.1:9", "--json"), 5, "no_device")
        self.expect_json(slipway("list", "--port", self.dir.name + "/none", "--json"), 5, "no_device")
        self.expect_json(slipway("list", "--port", self.file(b"x"), "--json"), 5, "no_device")

    def test_link_to_a_pty(self):
        with Pty(Device()) as s:
            link = os.path.join(self.dir.name, "board")
            os.symlink(s.path, link)
            self.expect(slipway("echo", "x", "--port", link), 0)

    def test_port_in_use(self):
        with Pty(Device()) as s, open(s.path, "rb", buffering=0) as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            self.expect_json(slipway("list", "--port", s.path, "--json"), 5, "device_busy")

    def test_silence(self):
        with Udp(Device(), lambda n, q, a: []) as s:
            r = slipway("list", *s.options, "--json")
        self.expect_json(r, 6, "no_answer")
        self.assertLess(r.seconds, 15)


class Link(Case):
    """Framing, loss, noise, versions."""

    def links(self, make=Device, **kw):
        return (Udp(make(**kw)), Pty(make(**kw)), Pty(make(**kw), raw=True))

    def test_echo_on_every_link(self):
        for s in self.links():
            with s, self.subTest(s.options):
                self.expect(slipway("echo", "héllo, welt", *s.options), 0, "héllo, welt")
                self.assertEqual(s.device.log, [])

    def test_long_echo_takes_several_lines(self):
        text = "0123456789" * 30
        for s in self.links():
            with s, self.subTest(s.options):
                self.expect(slipway("echo", text, *s.options), 0, text)

    def test_too_long_echo(self):
        with Udp(Device(buf_size=128)) as s:
            self.expect_json(slipway("echo", "x" * 200, *s.options, "--json"), 2, "too_long")

    def test_echo_that_differs(self):
        class Liar(Device):
            def echo(self, op, body):
                return {"r": "other"}
        with Udp(Liar()) as s:
            self.expect_json(slipway("echo", "x", *s.options, "--json"), 8, "echo_differs")

    def test_noise_between_frames(self):
        noise = b"[00:00:01] <inf> app: hello \x1b[0m\r\n$ \x06\x08 half \x04\x14QUJD\n"
        with Pty(Device(), noise=noise) as s:
            self.expect(slipway("list", *s.options), 0, "1.0.0")

    def test_log_inside_a_frame_is_repaired_by_repetition(self):
        class Torn(Pty):
            broken = False

            def send(self, message):
                lines = list(__import__("smp.packet").packet.encode(message))
                if len(lines) > 1 and not self.broken:
                    self.broken = True
                    lines.insert(1, b"\x06\x09 <err> log line in the middle\n")
                os.write(self.master, b"".join(lines))
        with Torn(Device()) as s:
            self.expect(slipway("list", *s.options), 0, "1.0.0")
            self.assertTrue(s.broken)

    def test_raw_noise(self):
        with Pty(Device(), raw=True, noise=b"\xff\x01garbage") as s:
            self.expect(slipway("list", *s.options), 0, "1.0.0")

    def test_lost_and_repeated_answers(self):
        for name, mangle in (("first lost", lambda n, q, a: [a] if n else []),
                             ("every second lost", lambda n, q, a: [a] if n % 2 else []),
                             ("all twice", lambda n, q, a: [a, a]),
                             ("stale before", lambda n, q, a: [bytes([a[0], 0]) + a[2:6] + bytes([a[6] ^ 1]) + a[7:], a]),
                             ("foreign before", lambda n, q, a: [HEADER.pack(1, 0, 1, 9, a[6], 0) + b"\xa0", a]),
                             ("short before", lambda n, q, a: [a[:5], b"", a])):
            with self.subTest(name), Udp(Device(), mangle) as s:
                self.expect(slipway("list", *s.options), 0, "1.0.0")

    def test_answers_that_are_no_maps(self):
        def bad(payload):
            return lambda n, q, a: [a] if n == 0 else [a[:2] + len(payload).to_bytes(2, "big") + a[4:8] + payload]
        for payload in (b"\x01", b"\xa1\x61", b"\xff", b"\xa1\x01\x02", b"\x9f" * 50, b"\xbf" * 50,
                        b"\xa1\x61a\x5b\xff\xff\xff\xff\xff\xff\xff\xff", b"\xa0\xa0"):
            with self.subTest(payload), Udp(Device(), bad(payload)) as s:
                self.expect_json(slipway("list", *s.options, "--json"), 1, "bad_answer")

    def test_indefinite_maps_and_unknown_keys(self):
        class Zephyr(Device):
            def state(self, op, body):
                return (b"\xbf\x66images\x9f\xbf\x67version\x651.2.3\x64hash\x58\x20" + bytes(32)
                        + b"\x66active\xf5\x63new\xfb" + bytes(8) + b"\xff\xff\x65other\xf6\xff")
        with Udp(Zephyr()) as s:
            self.expect(slipway("list", *s.options), 0, "1.2.3", "active")

    def test_terminal_codes_of_a_device_are_not_printed(self):
        class Evil(Device):
            def state(self, op, body):
                return {"images": [{"slot": 0, "version": "1\x1b[2J\x07", "hash": bytes(32), "active": True}]}
        with Udp(Evil()) as s:
            r = slipway("list", *s.options)
        self.expect(r, 0)
        self.assertNotIn("\x1b", r.out)

    def test_v1_only(self):
        for mangle in (None, lambda n, q, a: [a] if q[0] >> 3 == 0 else []):
            with self.subTest(mangle), Udp(Device(v1_only=True), mangle) as s:
                self.expect(slipway("list", *s.options), 0, "1.0.0")

    def test_device_that_never_stops_talking(self):
        # Something else's messages, without an end: the command still ends.
        def flood(n, q, a):
            return [HEADER.pack(1, 0, 1, 7, 0, 0) + b"\xa0"] * 2000
        with Udp(Device(), flood) as s:
            r = slipway("list", *s.options)
        self.expect(r, 6)
        self.assertLess(r.seconds, 60)

    def test_log_file(self):
        log = os.path.join(self.dir.name, "log")
        with Udp(Device()) as s:
            self.expect(slipway("echo", "x", *s.options, "--log", log), 0)
        with open(log) as f:
            text = f.read()
        self.assertIn(" > 08", text)
        self.assertIn(" < 0b", text)

    def test_interrupt(self):
        with Udp(Device(), lambda n, q, a: [a] if n == 0 else []) as s:
            p = subprocess.Popen([SLIPWAY, "list", *s.options, "--json"], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, env=CLEAN)
            time.sleep(1)
            p.send_signal(signal.SIGINT)
            out, _ = p.communicate(timeout=10)
        self.assertEqual(p.returncode, 130)
        self.assertEqual(json.loads(out.splitlines()[-1])["code"], "interrupted")


class Upload(Case):
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


class FileChecks(Case):
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


def finding(reason, found=0, expected=0, where=0, slot=1):
    return {"r": reason, "slot": slot, "f": found, "e": expected, "w": where}


def layout(app=0x1234, boot=0x1234, slot1=0x40000, max_=0x3F000):
    return {"board": "test", "hash": app, "boot": boot, "unit": 4096, "gap": 2, "max": max_,
            "parts": [{"name": "slot0", "chip": "internal", "off": 0xC000, "size": 0x40000},
                      {"name": "slot1", "chip": "external", "off": 0, "size": slot1}]}


def chips(why=None):
    bad = {"name": "external", "size": 0x400000, "erase": 4096, "jedec": 0x1F470C, "jedec_want": 0x1F470C,
           "ok": why is None}
    if why:
        bad["why"] = why
    return {"chips": [{"name": "internal", "size": 0x100000, "erase": 4096, "jedec": 0, "jedec_want": 0, "ok": True},
                      bad]}


def slots(why=None, **kw):
    one = {"slot": 1, "pending": False, "permanent": False, "confirmed": False, "active": False}
    if why:
        one["why"] = why
    return {"swap": "idle", "slots": [
        {"slot": 0, "image": {"v": "1.0.0", "size": 4700, "hash": image_hash(image()), "unit": 0, "ok": True},
         "pending": False, "permanent": False, "confirmed": True, "active": True}, one], **kw}


class Explained(Case):
    """Refusals by a device with group 64: what was found, expected, where, the state, what next."""

    def refuse_upload(self, why, group_rc=11, more=None):
        class Refusing(Device):
            def chunk(self, op, body):
                raise Refuse(group_rc, 1)
        verdict = {"state": "refused", "len": 4000, "off": 0, "why": why}
        answers = {1: chips(), 2: layout(), 3: verdict, 4: slots(), **(more or {})}
        with Udp(Refusing(slipway=answers)) as s:
            return slipway("upload", self.file(image(payload=4000, layout=0x1234)), *s.options, "--json")

    def test_findings_of_an_upload(self):
        for why, code, found, expected, words in (
                (finding(1, 0xFFFFFF, 0x1F470C), "external_flash_absent", "ff ff ff (no answer)", "1f 47 0c", "slot 1"),
                (finding(2, 0xC22817, 0x1F470C), "external_flash_id", "c2 28 17", "1f 47 0c", "another flash chip"),
                (finding(3, 400, 240, 0x1000), "external_flash_busy", "400 ms", "240 ms", "at offset 0x1000"),
                (finding(4, 0x00, 0xFF, 0x2000), "external_flash_erase", "0x00", "0xff", "at offset 0x2000"),
                (finding(5, 0xFF, 0x3D, 0), "external_flash_program", "0xff", "0x3d", "did not happen"),
                (finding(30), "image_unsigned", None, None, "no signature"),
                (finding(31, 0xAABBCCDD), "image_stranger", "key aabbccdd...", None, "does not know"),
                (finding(29, 0x11223344, 0x55667788), "image_hash", "11223344...", "55667788...", "changed"),
                (finding(33, 300000, 262144), "image_too_large_for_slot", "300000 bytes (293.0 KiB)",
                 "262144 bytes (256.0 KiB)", "at most"),
                (finding(83), "upload_state", None, None, "only copy of the old image")):
            with self.subTest(code):
                r = self.refuse_upload(why)
                self.expect_json(r, 7, code)
                self.assertEqual(r.last["finding"].get("found"), found)
                self.assertEqual(r.last["finding"].get("expected"), expected)
                self.assertEqual(r.last["finding"]["slot"], 1)
                self.assertIn(words, r.last["message"])
                self.assertIn("IMG 11 FLASH_READ_FAILED", r.last["detail"])
                self.assertIn("slot 0: 1.0.0", r.last["detail"])
                self.assertEqual(r.last["slots"][0]["version"], "1.0.0")
                self.assertTrue(r.last["next"])
                if found:
                    self.assertIn(found, r.last["message"])

    def test_an_unknown_reason_is_said_to_be_unknown(self):
        r = self.refuse_upload(finding(999, 5))
        self.expect_json(r, 7, "unknown")
        self.assertIn("999", r.last["message"])

    def test_the_chip_is_looked_at_when_the_verdict_says_nothing(self):
        r = self.refuse_upload(None, more={3: {"state": "none", "len": 0, "off": 0},
                                           1: chips(finding(1, 0, 0x1F470C))})
        self.expect_json(r, 7, "external_flash_absent")

    def check(self, layout_, data, code, reason, *words):
        with Udp(Device(slipway={1: chips(), 2: layout_, 4: slots()})) as s:
            r = slipway("upload", self.file(data), *s.options, "--json")
            self.expect_json(r, code, reason)
            self.assertNotIn((1, 1), [(g, c) for _, g, c, _ in s.device.requests])
        for w in words:
            self.assertIn(w, r.last["message"] + r.last["detail"] + r.last["next"])

    def test_before_anything_is_sent(self):
        self.check(layout(), image(layout=0x9999), 3, "image_other_layout", "0x00009999", "0x00001234", "--board")
        self.check(layout(boot=0x4321), image(layout=0x1234), 7, "layout_mismatch", "0x00004321", "both")
        self.check(layout(slot1=4096), image(payload=9000), 3, "image_too_large_for_slot", "4096 bytes")
        self.check(layout(max_=8192), image(payload=9000), 3, "image_too_large_to_swap", "8192 bytes")

    def test_info_and_list_show_a_bad_chip(self):
        why = finding(2, 0xC22817, 0x1F470C)
        report = {"action": "none", "started": True, "trial": False, "stopped": False, "starts": 0, "attempts": 1,
                  "gap": 0, "units": 0, "ms": {"total": 12, "verify": 10}, "running": "1.0.0", "slots": [],
                  "findings": [why], "failures": [finding(4, 0, 255, 4096)]}
        answers = {0: report, 1: chips(why), 2: layout(), 3: {"state": "none", "len": 0, "off": 0}, 4: slots(why)}
        with Udp(Device(slipway=answers)) as s:
            self.expect(slipway("info", *s.options), 0, "NOT USABLE", "c2 28 17", "1f 47 0c", "board.dts",
                        "application and bootloader agree", "0x00c000")
            self.expect(slipway("list", *s.options), 0, "another flash chip answers")
            self.expect(slipway("report", *s.options), 0, "started 1.0.0 from slot 0", "another flash chip",
                        "Failures kept in flash", "at offset 0x1000", "took 12 ms")
            r = slipway("info", *s.options, "--json")
            chip = [e for e in r.events if e["event"] == "chip"][1]
            self.assertEqual((chip["ok"], chip["why"]["code"]), (False, "external_flash_id"))
            r = slipway("report", *s.options, "--json")
            self.assertEqual(r.events[0]["findings"][0]["code"], "external_flash_id")
            self.assertEqual(r.last, {"event": "result", "ok": True})


class States(Case):
    """test, confirm, erase, reset, list, info, report on a plain server."""

    def device(self, second=True, **kw):
        d = Device(**kw)
        if second:
            d.slots[1] = image((1, 1, 0, 0), seed=9)
        return d

    def test_list(self):
        with Udp(self.device()) as s:
            r = slipway("list", *s.options)
            self.expect(r, 0, "1.0.0", "active, confirmed", "1.1.0", image_hash(s.device.slots[1]).hex()[:16])
            r = slipway("list", *s.options, "--json")
        self.assertEqual([e["event"] for e in r.events], ["slot", "slot", "result"])
        self.assertEqual(r.events[1]["hash"], image_hash(s.device.slots[1]).hex())

    def test_plain_server_has_no_report(self):
        with Udp(self.device()) as s:
            self.expect_json(slipway("report", *s.options, "--json"), 7, "no_report")
            self.expect(slipway("info", *s.options), 0, "no group 64", "MCUboot", "1.0.0+0 from slot 0")

    def test_test_names_an_image(self):
        d = self.device()
        wanted = image_hash(d.slots[1]).hex()
        for arg in ([], [wanted], [wanted[:8]], [wanted.upper()[:10]], [self.file(d.slots[1])]):
            with self.subTest(arg), Udp(d) as s:
                d.pending = False
                self.expect_json(slipway("test", *arg, *s.options, "--json"), 0, None)
                self.assertTrue(d.pending)
                self.assertFalse(d.permanent)

    def test_hash_that_no_slot_holds(self):
        with Udp(self.device(second=False)) as s:
            r = slipway("test", "ab" * 32, *s.options, "--json")
        self.expect_json(r, 7, "hash_not_found")
        self.assertIn("slot 0: 1.0.0", r.last["detail"])
        self.assertEqual(r.last["smp"]["name"], "IMG 8 HASH_NOT_FOUND")
        with Udp(self.device(second=False, slipway={1: chips(), 2: layout(), 4: slots(finding(21, 5, 0x96F3B83D))})) as s:
            r = slipway("test", "ab" * 32, *s.options, "--json")
        self.expect_json(r, 7, "hash_not_found")
        self.assertIn("slot 1: no image: what lies there is not an MCUboot image", r.last["detail"])

    def test_file_that_was_not_uploaded(self):
        with Udp(self.device()) as s:
            r = slipway("test", self.file(image((3, 0, 0, 0), seed=77)), *s.options, "--json")
        self.expect_json(r, 7, "hash_not_found")
        self.assertEqual(len(r.last["slots"]), 2)

    def test_neither_file_nor_hash(self):
        self.expect_json(slipway("test", "xyz.bin", "--udp", "127.0.0.1:9", "--json"), 3, "no_such_file")

    def test_test_without_a_candidate(self):
        with Udp(self.device(second=False)) as s:
            self.expect_json(slipway("test", *s.options, "--json"), 1, "nothing_to_test")

    def test_test_of_the_running_image(self):
        with Udp(self.device()) as s:
            r = slipway("test", image_hash(s.device.slots[0]).hex(), *s.options, "--json")
        self.expect_json(r, 7, "img_image_setting_test_to_active_denied")

    def test_accepted_but_not_pending(self):
        class Liar(Device):
            def request_image(self, body):
                pass
        d = Liar()
        d.slots[1] = image((1, 1, 0, 0), seed=9)
        with Udp(d) as s:
            self.expect_json(slipway("test", *s.options, "--json"), 8, "not_pending")
            d.confirmed = False
            self.expect_json(slipway("confirm", *s.options, "--json"), 8, "not_confirmed")

    def test_confirm(self):
        d = self.device()
        with Udp(d) as s:
            d.confirmed = False
            self.expect_json(slipway("confirm", *s.options, "--json"), 0, None)
            self.assertTrue(d.confirmed)
            self.expect(slipway("confirm", *s.options), 0, "it was before")
            self.expect(slipway("confirm", image_hash(d.slots[1]).hex()[:12], *s.options), 0, "for good")
            self.assertTrue(d.permanent)
            self.expect_json(slipway("confirm", *s.options, "--json"), 1, "several_images")

    def test_erase(self):
        d = self.device()
        with Udp(d) as s:
            self.expect_json(slipway("erase", *s.options, "--json"), 0, None)
            self.assertIsNone(d.slots[1])
            r = slipway("erase", "--slot", "0", *s.options, "--json")
        self.expect_json(r, 7, "img_no_free_slot")
        self.assertIsNotNone(d.slots[0])

    def test_erase_that_takes_long(self):
        # Longer than the wait before the request is repeated: the late answer serves.
        with Udp(self.device(), lambda n, q, a: (time.sleep(6 if n == 1 else 0), [a])[1]) as s:
            self.expect(slipway("erase", *s.options), 0)

    def test_reset(self):
        d = self.device()
        with Udp(d) as s:
            self.expect_json(slipway("reset", *s.options, "--json"), 0, None)
            self.assertEqual((d.resets, d.boot_mode), (1, 0))

    def test_reset_that_is_not_answered_is_sent_once(self):
        d = self.device()
        with Udp(d, lambda n, q, a: [] if q[7] == 5 else [a]) as s:
            self.expect_json(slipway("reset", *s.options, "--json"), 6, "no_answer")
        self.assertEqual(d.resets, 1)


class Update(Case):
    NEW = image((2, 0, 0, 0), payload=20000, seed=5)

    def update(self, device, *options, mangle=None, data=NEW, link=Udp):
        with link(device, mangle) as s:
            return slipway("update", self.file(data), *s.options, "--json", *options)

    def test_whole(self):
        for link in (Udp, Pty):
            d = Device()
            r = self.update(d, link=link)
            self.expect_json(r, 0, None)
            self.assertEqual([e["name"] for e in r.events if e["event"] == "step"],
                             ["upload", "test", "reset", "wait", "confirm"])
            self.assertEqual((d.slots[0], d.confirmed, d.resets, r.last["version"]), (self.NEW, True, 1, "2.0.0+0"))
            self.assertEqual(d.log, [])

    def test_test_only(self):
        d = Device()
        r = self.update(d, "--test-only")
        self.expect_json(r, 0, None)
        self.assertEqual((d.slots[0], d.confirmed, r.last["confirmed"]), (self.NEW, False, False))

    def test_confirm_at_once(self):
        d = Device()
        r = self.update(d, "--confirm")
        self.expect_json(r, 0, None)
        self.assertEqual((d.slots[0], d.confirmed), (self.NEW, True))
        self.assertNotIn("confirm", [e.get("name") for e in r.events])

    def test_dry_run(self):
        d = Device()
        r = self.update(d, "--dry-run")
        self.expect_json(r, 0, None)
        self.assertEqual((d.slots[1], d.resets), (None, 0))

    def test_runs_already(self):
        d = Device(running=self.NEW)
        d.confirmed = False
        self.expect_json(self.update(d), 0, None)
        self.assertEqual((d.confirmed, d.resets), (True, 0))

    def test_old_version_still_runs(self):
        d = Device()
        d.swap_on_reset = False
        r = self.update(d)
        self.expect_json(r, 8, "old_version_runs")
        self.assertEqual(r.last["running"], "1.0.0+0")

    def test_old_version_still_runs_and_the_report_says_why(self):
        refused = {"r": 54, "slot": 1, "f": 32, "e": 0, "w": 0}
        report = {"action": "none", "started": True, "trial": False, "stopped": False, "starts": 0, "attempts": 1,
                  "gap": 0, "units": 0, "ms": {"total": 5}, "running": "1.0.0", "slots": [], "findings": [refused],
                  "failures": []}
        d = Device(slipway={0: report, 1: chips(), 2: layout(), 3: {"state": "done", "len": 1, "off": 1}, 4: slots()})
        d.swap_on_reset = False
        r = self.update(d)
        self.expect_json(r, 8, "request_refused")
        self.assertIn("the signature does not verify", r.last["detail"])

    def test_away_for_a_while(self):
        d = Device()
        back = []

        def away(n, q, a):
            if d.resets and q[7] != 5:
                back.append(back[0] if back else time.monotonic() + 3)
                return [a] if time.monotonic() > back[0] else []
            return [a]
        self.expect_json(self.update(d, mangle=away), 0, None)

    def test_never_back(self):
        d = Device()
        r = self.update(d, "--wait", "4", mangle=lambda n, q, a: [] if d.resets else [a])
        self.expect_json(r, 6, "did_not_come_back")

    def test_reset_answer_lost(self):
        d = Device()
        self.expect_json(self.update(d, mangle=lambda n, q, a: [] if q[7] == 5 and q[4:6] == b"\0\0" else [a]), 0, None)
        self.assertEqual(d.resets, 1)


if __name__ == "__main__":
    unittest.main(verbosity=1)
