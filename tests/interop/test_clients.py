"""Other people's SMP clients, unmodified, on `slipway sim`: smpclient, smpmgr and mcumgr-toolkit.

Each of them does an update from list to erase, over UDP and over the pty, with console framing and raw
where it has that. What the board did is read from its boot lines and its chips' files, not from the client.
"""
import asyncio
import logging
import multiprocessing
import os
import pathlib
import re
import sys
import unittest

import mcumgr_toolkit
from smpclient import SMPClient
from smpclient.exceptions import SMPUploadError
from smpclient.generics import error
from smpclient.requests import image_management as img
from smpclient.requests import os_management as osm
from smpclient.transport.serial import SMPSerialRawTransport, SMPSerialTransport
from smpclient.transport.udp import SMPUDPTransport

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from simboard import IMGTOOL, KIB, Sim, Workshop, run  # noqa: E402

# smpmgr knows no other UDP port than 1337: each run of this file takes a loopback address of its own.
HOST = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250 + 1}.1"
UDP_PORT = 1337
FLAGS = ("active", "confirmed", "pending", "permanent")


class Refused(Exception):
    """The client said that the device refused; the text is what it showed."""


class Smpclient:
    """The library below smpmgr: strict models, no retries, 2.5 s."""
    transports = {"udp": SMPUDPTransport, "console": SMPSerialTransport, "raw": SMPSerialRawTransport}

    def __init__(self, link, sim):
        self.transport, self.address = self.transports[link], HOST if link == "udp" else sim.pty

    def do(self, work):
        async def session():
            async with SMPClient(self.transport(), self.address) as client:
                return await work(client)
        return asyncio.run(session())

    def ask(self, request):
        answer = self.do(lambda client: client.request(request))
        if error(answer):
            raise Refused(repr(answer))
        return answer

    def list(self):
        return {i.slot: (i.version, i.hash, {f for f in FLAGS if getattr(i, f)})
                for i in self.ask(img.ImageStatesRead()).images}

    def upload(self, path):
        async def send(client):
            return [off async for off in client.upload(pathlib.Path(path).read_bytes())]
        try:
            offsets = self.do(send)
        except SMPUploadError as e:
            raise Refused(repr(e.args)) from e
        assert offsets == sorted(set(offsets)), "the offsets do not only go up"

    def test(self, hash_):
        self.ask(img.ImageStatesWrite(hash=hash_))

    def confirm(self, hash_=None):
        self.ask(img.ImageStatesWrite(hash=hash_, confirm=True))

    def erase(self, slot=1):
        self.ask(img.ImageErase(slot=slot))

    def reset(self):
        self.ask(osm.ResetWrite())

    def echo(self, text):
        return self.ask(osm.EchoWrite(d=text)).r


# The program's modules are loaded once: each command still is a process of its own.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["smpmgr.main"])


def smpmgr_main(args, path):
    """In a process of its own: the program's entry point, with its output in a file."""
    from smpmgr.main import app
    os.environ.update(COLUMNS="400", NO_COLOR="1", TERM="dumb")
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    sys.argv = ["smpmgr", *args]
    app()


class Smpmgr:
    """The program, command by command."""

    def __init__(self, link, sim):
        self.where = ["--ip", HOST] if link == "udp" else ["--port", sim.pty]
        self.output = os.path.join(sim.state, "smpmgr.log")

    def run(self, *args):
        p = PROCESSES.Process(target=smpmgr_main, args=([*self.where, *map(str, args)], self.output))
        p.start()
        p.join(120)
        text = pathlib.Path(self.output).read_text()
        if p.exitcode or re.search(r"Error|Traceback", text):
            raise Refused(f"exit {p.exitcode}: {text}")
        return text

    def list(self):
        entries = re.findall(r"ImageState\((.*?)\)\n", self.run("image", "state-read"), re.S)
        found = {}
        for e in entries:
            values = dict(re.findall(r"(\w+)=([^,\n]+)", e))
            hash_ = re.search(r"HashBytes\('([0-9A-F]+)'", e.replace("\n", ""))
            found[int(values["slot"])] = (values["version"].strip("'\""), bytes.fromhex(hash_.group(1)),
                                          {f for f in FLAGS if values.get(f) == "True"})
        return found

    def upload(self, path):
        self.run("image", "upload", path)

    def test(self, hash_):
        self.run("image", "state-write", hash_.hex())

    def confirm(self, hash_=None):
        self.run("image", "state-write", *([hash_.hex()] if hash_ else []), "--confirm")

    def erase(self, slot=1):
        self.run("image", "erase", slot)

    def reset(self):
        self.run("os", "reset")

    def echo(self, text):
        return re.search(r"r='(.*?)'", self.run("os", "echo", text)).group(1)


class Toolkit:
    """mcumgr-toolkit: a core in Rust that shares nothing with the other two."""

    def __init__(self, link, sim):
        if link == "udp":
            self.open = lambda: mcumgr_toolkit.MCUmgrClient.udp(HOST, UDP_PORT)
        elif link == "console":
            self.open = lambda: mcumgr_toolkit.MCUmgrClient.serial(sim.pty)
        else:
            self.open = lambda: mcumgr_toolkit.MCUmgrClient.raw_serial(sim.pty)

    def do(self, work):
        try:
            with self.open() as client:
                client.use_auto_frame_size()
                return work(client)
        except RuntimeError as e:
            raise Refused(str(e)) from e

    def list(self):
        return {i.slot: (i.version, i.hash, {f for f in FLAGS if getattr(i, f)})
                for i in self.do(lambda c: c.image_get_state())}

    def upload(self, path):
        self.do(lambda c: c.image_upload(pathlib.Path(path).read_bytes()))

    def test(self, hash_):
        self.do(lambda c: c.image_set_state(hash_))

    def confirm(self, hash_=None):
        self.do(lambda c: c.image_set_state(hash_, True))

    def erase(self, slot=1):
        self.do(lambda c: c.image_erase(slot))

    def reset(self):
        self.do(lambda c: c.os_system_reset())

    def echo(self, text):
        return self.do(lambda c: c.os_echo(text))


class Clients(unittest.TestCase):
    boards = 0

    @classmethod
    def setUpClass(cls):
        logging.getLogger("smpclient").setLevel(logging.CRITICAL)  # it logs each refusal that a test asks for
        cls.shop = Workshop()
        cls.v1 = cls.shop.image("1.0.0", 40 * KIB)
        cls.v2 = cls.shop.image("2.3.4+5", 50 * KIB + 1)
        cls.new = pathlib.Path(cls.v2).read_bytes()
        cls.hash1, cls.hash2 = (cls.hash_of(p) for p in (cls.v1, cls.v2))
        stranger = cls.shop.path("stranger.pem")
        run(*IMGTOOL, "keygen", "-k", stranger, "-t", "ecdsa-p256")
        cls.foreign = cls.shop.image("3.0.0", 20 * KIB, "foreign", stranger)

    @staticmethod
    def hash_of(path):
        data = pathlib.Path(path).read_bytes()
        size = int.from_bytes(data[8:10], "little") + int.from_bytes(data[12:16], "little")
        at = size + 4
        while int.from_bytes(data[at:at + 2], "little") != 0x10:
            at += 4 + int.from_bytes(data[at + 2:at + 4], "little")
        return data[at + 4:at + 36]

    def board(self, link):
        """A new board with version 1.0.0 in slot 0."""
        Clients.boards += 1
        return Sim(self.shop.path(f"board{self.boards}"), key=self.shop.key, image=self.v1,
                   udp=f"{HOST}:{UDP_PORT}" if link == "udp" else "0")

    def update(self, link, client):
        """List, upload, test, reset, confirm, reset, erase; after each step, what the client shows."""
        running, other = {"active", "confirmed"}, "2.3.4.5"
        with self.board(link) as sim:
            c = client(link, sim)
            self.assertEqual(c.list(), {0: ("1.0.0", self.hash1, running)})
            self.assertEqual(c.echo("hello"), "hello")
            c.upload(self.v2)
            self.assertEqual(sim.slot(1)[:len(self.new)], self.new)
            self.assertEqual(c.list(), {0: ("1.0.0", self.hash1, running), 1: (other, self.hash2, set())})
            c.test(self.hash2)
            self.assertEqual(c.list()[1], (other, self.hash2, {"pending"}))
            c.reset()
            b = sim.wait_ready()
            self.assertEqual((b["action"], b["running"]), ("test", "2.3.4+5"))
            self.assertEqual(c.list(), {0: (other, self.hash2, {"active"}), 1: ("1.0.0", self.hash1, {"confirmed"})})
            c.confirm()
            self.assertEqual(c.list(), {0: (other, self.hash2, running), 1: ("1.0.0", self.hash1, set())})
            c.reset()
            b = sim.wait_ready()
            self.assertEqual((b["action"], b["running"]), ("none", "2.3.4+5"))
            c.erase()
            self.assertEqual(c.list(), {0: (other, self.hash2, running)})
            self.assertEqual(sim.slot(1).count(0xFF), len(sim.slot(1)))

    def refusals(self, link, client):
        """What each of them must see as an error; and confirm for good with the other image's hash."""
        with self.board(link) as sim:
            c = client(link, sim)
            with self.assertRaisesRegex(Refused, "(?i)hash.?not.?found"):
                c.test(bytes(32))
            with self.assertRaisesRegex(Refused, "(?i)invalid.?hash"):
                c.upload(self.foreign)
            self.assertNotIn(1, c.list())
            with self.assertRaisesRegex(Refused, "(?i)no.?free.?slot"):
                c.erase(0)
            with self.assertRaisesRegex(Refused, "(?i)(active.?denied|already)"):
                c.test(self.hash1)
            c.upload(self.v2)
            c.confirm(self.hash2)
            self.assertEqual(c.list()[1][2], {"pending", "permanent"})
            c.reset()
            b = sim.wait_ready()
            self.assertEqual((b["action"], b["running"]), ("install", "2.3.4+5"))
            self.assertEqual(c.list()[0][2], {"active", "confirmed"})

    def test_smpclient(self):
        for link in ("udp", "console", "raw"):
            with self.subTest(link):
                self.update(link, Smpclient)
                self.refusals(link, Smpclient)

    def test_smpmgr(self):
        for link in ("udp", "console"):
            with self.subTest(link):
                self.update(link, Smpmgr)
        self.refusals("udp", Smpmgr)

    def test_smpmgr_upgrade(self):
        """Its command that does all of it. Without --slot 1 it asks for nothing, and nothing may happen."""
        for options, action, then in ((["--slot", 1], "test", "revert"), (["--confirm"], "install", "none"),
                                      ([], "none", "none")):
            with self.subTest(options), self.board("udp") as sim:
                c = Smpmgr("udp", sim)
                c.run("upgrade", *options, self.v2)
                b = sim.wait_ready()
                self.assertEqual((b["action"], b["running"]), (action, "1.0.0+0" if action == "none" else "2.3.4+5"))
                c.reset()
                self.assertEqual(sim.wait_ready()["action"], then)

    def test_toolkit(self):
        for link in ("udp", "console", "raw"):
            with self.subTest(link):
                self.update(link, Toolkit)
                self.refusals(link, Toolkit)

    def test_toolkit_firmware_update(self):
        """Its own upgrade: what it asks of the bootloader, and that it ends with a reset."""
        for confirm, action in ((False, "test"), (True, "install")):
            with self.subTest(confirm), self.board("udp") as sim:
                c = Toolkit("udp", sim)
                c.do(lambda m: m.firmware_update(self.new, force_confirm=confirm))
                b = sim.wait_ready()
                self.assertEqual((b["action"], b["running"]), (action, "2.3.4+5"))

    def test_toolkit_reads_what_it_can(self):
        with self.board("udp") as sim:
            c = Toolkit("udp", sim)
            p = c.do(lambda m: m.os_mcumgr_parameters())
            self.assertGreaterEqual(p.buf_size, 640)
            self.assertGreaterEqual(p.buf_count, 4)
            self.assertIn("Slipway", c.do(lambda m: m.os_application_info("sv")))
            slots = c.do(lambda m: m.image_slot_info())[0]
            self.assertEqual([s.size for s in slots.slots], [904 * KIB, 1024 * KIB])
            self.assertIn("mode", repr(c.do(lambda m: m.os_bootloader_info())))
            self.assertEqual(sim.p.poll(), None)


if __name__ == "__main__":
    unittest.main()
