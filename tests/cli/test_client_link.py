"""The client on its links: which device, framing, loss, noise, versions, against smp_server.py.

ctest gives the path of `slipway` in SLIPWAY. What is checked is the contract: exit codes, codes under
--json, words on stderr, and what was left in the device.
"""
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from command import CLEAN, CommandCase, slipway  # noqa: E402
from simboard import SLIPWAY  # noqa: E402
from smp_server import HEADER, Device, Pty, Udp, image  # noqa: E402


class Choice(CommandCase):
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


class Link(CommandCase):
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


if __name__ == "__main__":
    unittest.main(verbosity=1)
