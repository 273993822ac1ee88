"""slipway update in all its forms, and the --json keys of every command, on a simulated board."""
import os
import pathlib
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from command import slipway  # noqa: E402
from device_case import DeviceCase  # noqa: E402
from simboard import KIB, ROOT, SLIPWAY, Sim, run  # noqa: E402

PAGES = pathlib.Path(ROOT, "docs", "commands")


class Update(DeviceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.old, cls.new = cls.images.signed("1.0.0", 20 * KIB), cls.images.signed("2.0.0", 30 * KIB)

    def board(self, *args):
        return Sim(self.new_state(), *args, key=self.images.key, image=self.old)

    def chips(self, sim):
        return sim.chip("internal"), sim.chip("external")

    def good(self, r, **values):
        self.assertEqual(r.code, 0, r.err)
        for key, value in values.items():
            self.assertEqual(r.last[key], value, r.last)
        return r

    def steps(self, r):
        return [e["name"] for e in r.of("step")]

    def test_whole_on_every_link(self):
        for link in ("udp", "console", "raw", "environment udp", "environment port"):
            with self.subTest(link), self.board() as sim:
                udp = f"127.0.0.1:{sim.port}"
                where, env = {"udp": (["--udp", udp], {}), "console": (["--port", sim.pty], {}),
                              "raw": (["--port", sim.pty, "--raw"], {}),
                              "environment udp": ([], {"SLIPWAY_DEVICE": "udp:" + udp}),
                              "environment port": ([], {"SLIPWAY_DEVICE": sim.pty})}[link]
                r = self.good(slipway("update", self.new, "--json", *where, env=env), version="2.0.0+0", confirmed=True)
                self.assertEqual(self.steps(r), ["upload", "test", "reset", "wait", "confirm"])
                sim.wait_ready()
                self.good(self.slipway(sim, "reset"))
                self.assertEqual(sim.wait_ready()["running"], "2.0.0+0")

    def test_confirm_at_once(self):
        with self.board() as sim:
            r = self.good(self.slipway(sim, "update", "--confirm", self.new), confirmed=True)
            self.assertEqual(self.steps(r), ["upload", "install", "reset", "wait"])
            self.assertEqual(sim.wait_ready()["action"], "install")

    def test_test_only_then_reverted_then_kept(self):
        with self.board() as sim:
            r = self.good(self.slipway(sim, "update", "--test-only", self.new), confirmed=False)
            self.assertEqual(self.steps(r), ["upload", "test", "reset", "wait"])
            sim.wait_ready()
            self.slipway(sim, "reset")
            self.assertEqual((lambda b: (b["action"], b["running"]))(sim.wait_ready()), ("revert", "1.0.0+0"))
            self.assertIn("reverted", [f["code"] for f in self.slipway(sim, "report").event("boot")["findings"]])
            # it lies in slot 1 again: nothing is sent
            r = self.good(self.slipway(sim, "update", self.new), confirmed=True)
            self.assertEqual(r.of("upload"), [])
            self.assertIn("nothing is sent", r.err)

    def test_an_application_that_confirms_itself(self):
        with self.board("--self-confirm") as sim:
            self.good(self.slipway(sim, "update", "--test-only", self.new), confirmed=True)

    def test_on_trial_already(self):
        with self.board() as sim:
            self.slipway(sim, "update", "--test-only", self.new)
            r = self.good(self.slipway(sim, "update", self.new), confirmed=True)
            self.assertEqual(self.steps(r), ["confirm"])
            self.good(self.slipway(sim, "update", self.new), confirmed=True)
            # and back to the old one, which lies behind it
            r = self.good(self.slipway(sim, "update", self.old), version="1.0.0+0", confirmed=True)
            self.assertEqual(r.of("upload"), [])

    def test_another_is_on_trial(self):
        other = self.images.signed("3.0.0", 10 * KIB)
        with self.board() as sim:
            self.slipway(sim, "update", "--test-only", self.new)
            r = self.slipway(sim, "update", other)
            self.assertEqual((r.code, r.last["code"]), (7, "upload_state"), r.err)
            self.assertIn("slipway confirm", r.last["next"])
            self.assertEqual(sim.wait_ready()["running"], "2.0.0+0")

    def test_dry_run_changes_nothing(self):
        with self.board() as sim:
            before = self.chips(sim)
            self.good(self.slipway(sim, "update", "--dry-run", self.new), dry_run=True, uploaded=False, runs=False)
            self.good(self.slipway(sim, "update", "--dry-run", self.old), runs=True)
            self.assertEqual(self.chips(sim), before)
            self.assertEqual(len(sim.boots), 1)
            self.good(self.slipway(sim, "upload", self.new))
            before = self.chips(sim)
            self.good(self.slipway(sim, "update", "--dry-run", self.new), uploaded=True)
            self.assertEqual(self.chips(sim), before)

    def test_dry_run_of_what_would_be_refused(self):
        with self.board() as sim:
            r = self.slipway(sim, "update", "--dry-run", self.images.signed("4.0.0", 10 * KIB, board="nrf52840dk"))
            self.assertEqual((r.code, r.last["code"]), (3, "image_other_layout"))


class Keys(DeviceCase):
    """What scripts read: each event of each command has these keys, and its page names every one of them."""
    SLOT = {"slot", "version", "size", "hash", "unit", "verified", "active", "confirmed", "pending", "permanent"}
    EXPECTED = {
        "info": {"device": {"name", "smp", "buf_size", "buf_count"}, "running": {"version", "slot", "confirmed", "hash"},
                 "system": {"text"}, "bootloader": {"name", "mode"},
                 "layout": {"board", "hash", "boot", "agree", "unit", "gap", "max", "parts"},
                 "chip": {"name", "ok", "size", "erase"}, "result": {"ok", "slipway"}},
        "report": {"boot": {"action", "running", "started", "trial", "stopped", "starts", "attempts", "gap", "units", "ms",
                            "slots", "findings", "failures"}, "upload": {"state", "off", "len"}, "result": {"ok"}},
        "list": {"slot": SLOT, "result": {"ok", "images"}},
        "upload": {"progress": {"what", "done", "total"}, "result": {"ok", "version", "hash", "slot"},
                   "upload": {"len", "resumed_at", "window", "chunk", "repeated", "restarts", "seconds"}},
        "test": {"result": {"ok", "version", "hash", "slot"}},
        "confirm": {"result": {"ok", "version", "hash", "slot", "running"}},
        "echo": {"result": {"ok", "text", "ms"}},
        "erase": {"result": {"ok", "slot", "ms"}},
        "update": {"step": {"name"}, "result": {"ok", "version", "hash", "confirmed"}},
        "reset": {"result": {"ok", "recovery"}},
    }

    def check(self, command, r):
        self.assertEqual(r.code, 0, r.err)
        page = (PAGES / f"{command}.md").read_text()
        self.assertEqual(r.events[-1]["event"], "result")
        for e in r.events:
            missing = self.EXPECTED[command].get(e["event"], set()) - set(e)
            self.assertFalse(missing, f"{command}: {e} lacks {missing}")
        for event, keys in self.EXPECTED[command].items():
            self.assertTrue(r.of(event), f"{command} has no {event}")
            for key in {event, *keys}:
                self.assertRegex(page, rf"(?s)## --json.*\b{key}\b|`--json`.*\b{key}\b", f"{command}.md: {key}")

    def test_keys(self):
        old, new = self.images.signed("1.0.0", 20 * KIB), self.images.signed("2.0.0", 30 * KIB)
        with Sim(self.new_state(), key=self.images.key, image=old) as sim:
            first = {"upload": ["upload", new], "test": ["test"], "confirm": ["confirm", new], "echo": ["echo", "x"],
                     "erase": ["erase"], "update": ["update", new], "list": ["list"], "info": ["info"],
                     "report": ["report"], "reset": ["reset"]}
            for command, args in first.items():
                with self.subTest(command):
                    self.check(command, self.slipway(sim, *args))

    def test_keys_of_a_failure(self):
        page = (PAGES / "device.md").read_text()
        with Sim(self.new_state(), "--fault", "external:absent", key=self.images.key,
                 image=self.images.signed("1.0.0", 20 * KIB)) as sim:
            last = self.slipway(sim, "upload", self.images.signed("2.0.0", 30 * KIB)).last
            self.assertEqual(set(last), {"event", "ok", "code", "message", "detail", "next", "finding", "smp", "slots"})
            self.assertEqual(set(last["finding"]), {"code", "reason", "slot", "found", "found_value", "expected",
                                                    "expected_value", "text"})
            self.assertEqual(set(last["smp"]), {"group", "rc", "name"})
            for key in (*last, *last["finding"], *last["smp"]):
                self.assertIn(f"`{key}`", page)

    def test_every_command_has_a_page(self):
        """And each page is of a command."""
        words = re.findall(r"^  (\w+) ", run(SLIPWAY, "help").stdout, re.M)
        pages = {p.stem for p in PAGES.glob("*.md")}
        self.assertEqual(set(words) - pages - {"doctor", "explain", "board"}, set())
        self.assertEqual(pages - set(words), {"device"})


if __name__ == "__main__":
    unittest.main()
