"""What ends in the middle: boards and clients that are killed, lines that go dead, others that talk in between.

Every command ends by itself within a minute with the exit status that its contract has for it, nothing is
lost that was acknowledged, and nothing is believed that is not there.
"""
import contextlib
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import tty
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from command import CLEAN, Result, slipway  # noqa: E402
from device_case import DeviceCase  # noqa: E402
from simboard import KIB, SLIPWAY, Sim  # noqa: E402

LIMIT_S = 60
MAGIC = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")


class Running:
    """A command under way, whose progress lines can be waited for."""

    def __init__(self, *args):
        self.start = time.monotonic()
        self.p = subprocess.Popen([SLIPWAY, *map(str, args), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, env=CLEAN)
        self.lines = []

    def until(self, event, **values):
        """Reads events until one that has these values; `done` is a lower bound."""
        for line in self.p.stdout:
            self.lines.append(line)
            e = json.loads(line)
            least = values.get("done", 0)
            if e["event"] == event and e.get("done", 0) >= least and all(
                    e.get(k) == v for k, v in values.items() if k != "done"):
                return e
        raise AssertionError(f"no {event}: {self.lines} {self.p.stderr.read()}")

    def end(self):
        out, err = self.p.communicate(timeout=LIMIT_S + 30)
        return Result(self.p.returncode, "".join(self.lines) + out, err, time.monotonic() - self.start)

    def kill(self):
        self.p.kill()
        self.p.communicate()


class Interrupted(DeviceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.old = cls.images.signed("1.0.0", 40 * KIB)
        cls.new = cls.images.signed("2.0.0", 60 * KIB)
        cls.large = cls.images.signed("3.0.0", 700 * KIB)
        cls.large_bytes = pathlib.Path(cls.large).read_bytes()

    def board(self, *args, state=None):
        self.state = state or self.new_state()
        return Sim(self.state, *args, key=self.images.key, image=self.old)

    def ends(self, result, code, name):
        self.assertEqual((result.code, result.last["code"]), (code, name), result.err)
        self.assertLess(result.seconds, LIMIT_S)
        self.assertTrue(result.last.get("next"), result.last)

    def where(self, sim, link):
        return ["--udp", f"127.0.0.1:{sim.port}"] if link == "udp" else ["--port", sim.pty]

    def assert_goes_on(self, sim):
        r = self.slipway(sim, "upload", self.large)
        self.assertEqual(r.code, 0, r.err)
        self.assertEqual(sim.slot(1)[:len(self.large_bytes)], self.large_bytes)
        return r.event("upload")["resumed_at"]

    # -- uploads ---------------------------------------------------------------------------------------
    def test_client_killed_then_reset(self):
        """What a later client is told of the half image, before and after a reset; then it goes on."""
        for link in ("udp", "pty"):
            with self.subTest(link), self.board() as sim:
                upload = Running("upload", self.large, *self.where(sim, link))
                done = upload.until("progress", done=300000)["done"]
                upload.kill()
                for reset in (False, True):
                    if reset:
                        self.slipway(sim, "reset")
                        self.assertEqual(sim.wait_ready()["running"], "1.0.0+0")
                    slot = self.slipway(sim, "list").of("slot")[1]
                    self.assertEqual(slot["why"]["code"], "upload_running")
                    found = self.slipway(sim, "report").event("boot")["slots"][1]
                    self.assertEqual(found["why"]["code"], "upload_running" if reset else "no_image")
                    self.assertGreaterEqual(slot["why"]["found_value"], done - (4096 if reset else 0))
                    self.assertEqual(slot["why"]["expected_value"], len(self.large_bytes))
                    r = self.slipway(sim, "test")
                    self.ends(r, 7, "upload_running")
                    self.assertIn("goes on where it stopped", r.last["next"])
                    r = self.slipway(sim, "test", self.large)
                    self.ends(r, 7, "hash_not_found")
                    self.assertIn("slot 1: no image: an upload is not complete", r.last["detail"])
                at = self.assert_goes_on(sim)
                self.assertGreaterEqual(at, done - 4096)
                self.assertEqual(at % 4096, 0)
                why = self.slipway(sim, "report").event("upload")["why"]
                self.assertEqual((why["code"], why["found_value"], why["expected_value"]),
                                 ("upload_resumed", at, len(self.large_bytes)))

    def test_board_killed(self):
        """kill -9 of the board: the client ends, and the upload goes on at the next power-up."""
        for link, codes in (("udp", ((5, "device_gone"), (6, "no_answer"))), ("pty", ((5, "device_gone"),))):
            with self.subTest(link):
                with self.board() as sim:
                    upload = Running("upload", self.large, *self.where(sim, link))
                    done = upload.until("progress", done=200000)["done"]
                    sim.stop(signal.SIGKILL)
                    r = upload.end()
                    self.assertIn((r.code, r.last["code"]), codes, r.err)
                    self.assertLess(r.seconds, LIMIT_S)
                    self.assertIn("stopped at", r.last["message"])
                    self.assertTrue(r.last["next"])
                with self.board(state=self.state) as sim:
                    self.assertGreaterEqual(self.assert_goes_on(sim), done - 4096)

    def test_interrupted_by_a_person(self):
        with self.board() as sim:
            upload = Running("upload", self.large, *self.where(sim, "udp"))
            upload.until("progress", done=100000)
            upload.p.send_signal(signal.SIGINT)
            r = upload.end()
            self.ends(r, 130, "interrupted")
            self.assertIn("goes on where it stopped", r.err)
            self.assertGreater(self.assert_goes_on(sim), 0)

    def test_power_fails_in_an_update(self):
        """The board loses power in the swap and comes back: `update` sees the end of it."""
        with self.board("--cut", "400:half") as sim:
            update = Running("update", self.new, "--wait", "40", *self.where(sim, "udp"))
            update.until("step", name="wait")
            self.assertEqual(sim.p.wait(30), 20)
            port = sim.port
            with Sim(self.state, key=self.images.key, udp=port) as again:
                self.assertEqual(again.port, port)
                self.assertEqual(again.boot["running"], "2.0.0+0")
                r = update.end()
                self.assertEqual(r.code, 0, r.err)
                self.assertTrue(r.last["confirmed"])

    def test_serial_port_that_goes_away(self):
        """As a USB port does with the reset: the link leads to another terminal when the board is back."""
        link = self.images.path("tty")
        with self.board("--cut", "400:half", "--pty", link) as sim:
            update = Running("update", self.new, "--wait", "40", "--port", link)
            update.until("step", name="wait")
            self.assertEqual(sim.p.wait(30), 20)
            time.sleep(2)  # nobody there for a while
            with Sim(self.state, "--pty", link, key=self.images.key) as again:
                self.assertEqual(again.boot["running"], "2.0.0+0")
                r = update.end()
                self.assertEqual(r.code, 0, r.err)

    def test_board_does_not_come_back(self):
        with self.board("--cut", "400:half") as sim:
            r = slipway("update", self.new, "--wait", "5", "--json", *self.where(sim, "udp"))
            self.ends(r, 6, "did_not_come_back")
            self.assertIn("a cut does no harm", r.last["detail"])

    def test_two_clients_at_once(self):
        """The slot belongs to one upload: whatever the other is told, none is told of an image that is not there."""
        with self.board() as sim:
            one, other = (Running("upload", f, *self.where(sim, "udp")) for f in (self.large, self.new))
            ends = [one.end(), other.end()]
            for r in ends:
                self.assertLess(r.seconds, LIMIT_S)
                self.assertIn(r.code, (0, 1, 6, 7, 8), r.err)
                self.assertTrue(r.code == 0 or r.last.get("next"), r.last)
            slot = self.slipway(sim, "list").of("slot")[1]
            for r, path in zip(ends, (self.large, self.new)):
                if r.code == 0 and r is max(ends, key=lambda e: e.seconds):
                    data = pathlib.Path(path).read_bytes()
                    self.assertEqual(sim.slot(1)[:len(data)], data)
                    self.assertTrue(slot["verified"])
            self.assert_goes_on(sim)

    def test_second_client_on_a_port(self):
        """A line has one user; the other is told so at once, and the first is not disturbed."""
        with self.board() as sim:
            upload = Running("upload", self.large, "--port", sim.pty)
            upload.until("progress", done=1)
            r = slipway("list", "--port", sim.pty, "--json")
            self.ends(r, 5, "device_busy")
            self.assertEqual(upload.end().code, 0)

    # -- who is there ----------------------------------------------------------------------------------
    def test_silent_host(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
            mute.bind(("127.0.0.1", 0))
            for command in (("list",), ("upload", self.new), ("update", self.new), ("reset",)):
                r = slipway(*command, "--json", "--udp", f"127.0.0.1:{mute.getsockname()[1]}")
                self.ends(r, 6, "no_answer")
                self.assertIn("does not answer", r.last["message"])

    def test_wrong_device(self):
        """Something that talks, but not SMP: it sends everything back, or logs without an end."""
        def echo(data):
            return data

        def log(data):
            return b"[00:00:01.000] <inf> main: \x1b[32mhello\x1b[0m\r\n> "
        for reply in (echo, log):
            with self.subTest(reply.__name__), talker(reply) as path:
                for raw in ([], ["--raw"]):
                    r = slipway("list", "--json", "--port", path, *raw)
                    self.assertIn((r.code, r.last["code"]), ((6, "no_answer"), (1, "bad_answer")), r.err)
                    self.assertLess(r.seconds, LIMIT_S)

    def test_chip_that_stays_busy_in_real_time(self):
        """`ready` within 30 s, every command within 60: from power-up on, and from the middle of an upload."""
        for fault in ("external:busy", "external:busy@40"):
            with self.subTest(fault):
                begun = time.monotonic()
                with self.board("--fault", fault, "--time", "real") as sim:
                    self.assertLess(time.monotonic() - begun, 30)
                    commands = [["upload", self.new], ["upload", self.new], ["info"], ["report"], ["list"], ["test"],
                                ["confirm"], ["erase"], ["echo", "x"], ["update", self.new], ["reset"]]
                    for command in commands:
                        r = self.slipway(sim, *command)
                        self.assertLess(r.seconds, LIMIT_S, command)
                        if r.code:
                            self.assertEqual((r.code, r.last["code"]), (7, "external_flash_busy"), (command, r.err))
                    begun = time.monotonic()
                    self.assertEqual(sim.wait_ready(30)["running"], "1.0.0+0")
                    self.assertLess(time.monotonic() - begun, 30)


@contextlib.contextmanager
def talker(reply):
    """A pseudo terminal behind which something answers each piece of input."""
    master, slave = os.openpty()
    tty.setraw(slave)
    stop = threading.Event()

    def run():
        while not stop.is_set():
            if select.select([master], [], [], 0.05)[0]:
                os.write(master, reply(os.read(master, 4096)))
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield os.ttyname(slave)
    finally:
        stop.set()
        thread.join()
        os.close(master)
        os.close(slave)


class PutThereByAProbe(DeviceCase):
    """Images in slot 1 with MCUboot's magic in the trailer, as a debugger or an application writes them."""

    def test_refused_requests(self):
        old, new = self.images.signed("1.0.0", 40 * KIB), pathlib.Path(self.images.signed("2.0.0", 60 * KIB)).read_bytes()
        size = int.from_bytes(new[8:10], "little") + int.from_bytes(new[12:16], "little") + int.from_bytes(new[10:12], "little")
        cases = {
            "image_stranger": pathlib.Path(self.images.signed("3.0.0", 20 * KIB, key=self.images.stranger)).read_bytes(),
            "image_unsigned": new[:size] + b"\x07\x69\x28\x00" + new[size + 4:size + 40],
            "image_hash": new[:5000] + bytes([new[5000] ^ 1]) + new[5001:],
            "image_signature": new[:-20] + bytes([new[-20] ^ 1]) + new[-19:],
            "image_no_tlvs": new[:40000],
            "no_image_magic": bytes(5000),
            "no_image": b"",
            "image_other_layout": pathlib.Path(self.images.signed("4.0.0", 20 * KIB, board="nrf52840dk")).read_bytes(),
            "image_too_large_to_swap": pathlib.Path(self.images.imgtool("5.0.0", 901 * KIB)).read_bytes(),
            "image_vectors": pathlib.Path(self.images.imgtool("5.2.0", 20 * KIB, base=0xF8000)).read_bytes(),
        }
        for code, data in cases.items():
            with self.subTest(code):
                state = self.new_state()
                with Sim(state, key=self.images.key, image=old):
                    pass
                with open(os.path.join(state, "external.bin"), "r+b") as chip:
                    chip.write(data)
                    chip.seek(1024 * KIB - 16)
                    chip.write(MAGIC)
                with Sim(state, key=self.images.key) as sim:
                    self.assertEqual((sim.boot["action"], sim.boot["running"]), ("none", "1.0.0+0"))
                    findings = self.slipway(sim, "report").event("boot")["findings"]
                    told = [f["code"] for f in findings]
                    self.assertIn("request_refused", told, findings)
                    refused = findings[told.index("request_refused")]
                    self.assertIn(code, told)
                    self.assertEqual(refused["slot"], 1)
                    why = self.slipway(sim, "list").of("slot")[1].get("why")
                    self.assertEqual(why and why["code"], code)
                    # the request is gone, and an upload works as ever
                    self.assertEqual(sim.slot(1)[-16:], b"\xff" * 16)
                    self.assertEqual(self.slipway(sim, "upload", self.images.signed("2.0.0", 60 * KIB)).code, 0)


if __name__ == "__main__":
    unittest.main()
