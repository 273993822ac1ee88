"""What a person does with a board, from the first upload to the last confirm, on each machine alike.

    test_scenarios.py MACHINE BOARD [TEST]...     MACHINE: sim or board

The same steps, the same expectations, on `slipway sim` and on the shipped hex files on the virtual board. A
scenario is a board of its own; they run at the same time, since on the virtual board most of it is waiting
for a line of 115200 baud.
"""
import os
import pathlib
import subprocess
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, os.path.join(HERE, "..", "interop"))
from machine import Bench, Images  # noqa: E402

MACHINE, BOARD = os.environ.get("MACHINE", "sim"), os.environ.get("BOARD", "at25xe321d_nrf52840")
OTHER = {"at25xe321d_nrf52840": "nrf52840dk", "nrf52840dk": "at25xe321d_nrf52840"}[BOARD]


class Scenario(unittest.TestCase):
    def setUp(self):
        self.images = Images(BOARD)
        self.new = self.images.image("2.3.4+5")

    def bench(self):
        return Bench(MACHINE, self.images, "state")

    def slots(self, b):
        """What `slipway list` shows: {slot: (version, flags)}."""
        flags = ("active", "confirmed", "pending", "permanent")
        return {e["slot"]: (e["version"], {f for f in flags if e.get(f)})
                for e in b.events("list") if e["event"] == "slot" and "version" in e}

    def report(self, b):
        return next(e for e in b.events("report") if e["event"] == "boot")

    def boot(self, b):
        r = self.report(b)
        return r["action"], r["running"], r["trial"]

    def test_whole_update(self):
        """Upload, test, reset, run on trial, confirm, and it stays: each step by its own command."""
        with self.bench() as b:
            self.assertEqual(b.result("info")["ok"], True)
            self.assertEqual(self.slots(b), {0: ("1.0.0+0", {"active", "confirmed"})})
            b.slipway("upload", self.new)
            self.assertEqual(self.slots(b)[1], ("2.3.4+5", set()))
            b.slipway("test")
            self.assertEqual(self.slots(b)[1], ("2.3.4+5", {"pending"}))
            b.reset()
            self.assertEqual(self.boot(b), ("test", "2.3.4+5", True))
            self.assertEqual(self.slots(b), {0: ("2.3.4+5", {"active"}), 1: ("1.0.0+0", {"confirmed"})})
            b.slipway("confirm")
            self.assertEqual(self.slots(b), {0: ("2.3.4+5", {"active", "confirmed"}), 1: ("1.0.0+0", set())})
            b.reset()
            self.assertEqual(self.boot(b), ("none", "2.3.4+5", False))
            b.slipway("erase", timeout=60)
            self.assertNotIn(1, self.slots(b))

    def test_update_in_one(self):
        with self.bench() as b:
            r = b.result("update", self.new)
            self.assertEqual((r["ok"], self.slots(b)[0]), (True, ("2.3.4+5", {"active", "confirmed"})))
            b.power_cycle()
            self.assertEqual(self.boot(b)[:2], ("none", "2.3.4+5"))
            b.m.off()
            new = pathlib.Path(self.new).read_bytes()
            self.assertEqual(b.m.chip("internal")[0xC000:0xC000 + len(new)], new)

    def test_not_confirmed_is_reverted(self):
        with self.bench() as b:
            old = pathlib.Path(b.m.first).read_bytes()
            b.slipway("update", "--test-only", self.new)
            self.assertEqual(self.boot(b), ("test", "2.3.4+5", True))
            b.power_cycle()
            self.assertEqual(self.boot(b), ("revert", "1.0.0+0", False))
            self.assertIn("reverted", [f["code"] for f in self.report(b)["findings"]])
            b.m.off()
            self.assertEqual(b.m.chip("internal")[0xC000:0xC000 + len(old)], old)

    def test_installed_for_good(self):
        with self.bench() as b:
            b.slipway("update", "--confirm", self.new)
            self.assertEqual(self.boot(b), ("install", "2.3.4+5", False))
            b.reset()
            self.assertEqual(self.boot(b), ("none", "2.3.4+5", False))

    def test_what_is_refused(self):
        """A stranger's signature, another board's image; and nothing has changed."""
        with self.bench() as b:
            for path, code in ((self.images.image("3.0.0", key=self.images.stranger), "image_stranger"),
                               (self.images.image("3.0.0", board=OTHER), "image_other_layout")):
                r = b.result("upload", "--force", path, ok=False)
                self.assertEqual((r["ok"], r["code"]), (False, code), r)
            self.assertEqual(b.result("test", ok=False)["ok"], False)
            b.reset()
            self.assertEqual(self.boot(b), ("none", "1.0.0+0", False))

    def test_an_upload_is_continued(self):
        """Power fails in the middle; the next upload goes on where that one was."""
        from test_clients import Smpclient
        with self.bench() as b:
            async def some(client):
                async for off in client.upload(pathlib.Path(self.new).read_bytes()):
                    if off > 20000:
                        break
            Smpclient("console", b).do(some)
            b.power_cycle()
            done = next(e for e in b.events("upload", self.new) if e["event"] == "upload")
            self.assertGreater(done["resumed_at"], 12000)
            self.assertEqual(self.slots(b)[1], ("2.3.4+5", set()))

    def peer(self, client, link):
        """Another client, unmodified: list, upload, test, reset, confirm."""
        with self.bench() as b:
            c = client(link, b)
            self.assertEqual(c.list()[0][0], "1.0.0")
            c.upload(self.new)
            new_hash = c.list()[1][1]
            c.test(new_hash)
            c.reset()
            b.m.booted()
            self.assertEqual(c.list()[0], ("2.3.4.5", new_hash, {"active"}))
            c.confirm()
            self.assertEqual(c.list()[0][2], {"active", "confirmed"})
            self.assertEqual(self.boot(b), ("test", "2.3.4+5", True))

    def test_smpmgr(self):
        from test_clients import Smpmgr
        self.peer(Smpmgr, "console")

    def test_toolkit(self):
        from test_clients import Toolkit
        self.peer(Toolkit, "console")

    def test_toolkit_raw(self):
        from test_clients import Toolkit
        self.peer(Toolkit, "raw")


def one(name):
    start = time.monotonic()
    p = subprocess.run([sys.executable, os.path.abspath(__file__), MACHINE, BOARD, name], capture_output=True, text=True)
    return name, p.returncode, p.stderr, time.monotonic() - start


def main():
    global MACHINE, BOARD
    os.environ["MACHINE"], os.environ["BOARD"] = sys.argv[1:3]
    if sys.argv[1:3] != [MACHINE, BOARD]:
        os.execv(sys.executable, [sys.executable, *sys.argv])
    names = sys.argv[3:]
    if len(names) == 1:
        unittest.main(argv=[sys.argv[0], f"Scenario.{names[0]}"])
    names = names or unittest.TestLoader().getTestCaseNames(Scenario)
    failed = 0
    with ThreadPoolExecutor(3 if MACHINE == "board" else 2) as pool:
        for name, rc, text, took in pool.map(one, names):
            print(f"{'ok    ' if rc == 0 else 'FAILED'} {name} ({took:.1f} s)")
            if rc:
                failed += 1
                print(text)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
