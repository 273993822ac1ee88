"""test, confirm, erase, reset, update and what a device explains, against smp_server.py.

ctest gives the path of `slipway` in SLIPWAY. What is checked is the contract: exit codes, codes under
--json, words on stderr, and what was left in the device.
"""
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from command import CommandCase, slipway  # noqa: E402
from smp_server import Device, Pty, Refuse, Udp, image, image_hash  # noqa: E402


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


class Explained(CommandCase):
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
                  "findings": [why], "failures": [finding(4, 0, 255, 4096), why]}
        answers = {0: report, 1: chips(why), 2: layout(), 3: {"state": "none", "len": 0, "off": 0}, 4: slots(why)}
        with Udp(Device(slipway=answers)) as s:
            self.expect(slipway("info", *s.options), 0, "NOT USABLE", "c2 28 17", "1f 47 0c", "board.dts",
                        "application and bootloader agree", "0x00c000")
            self.expect(slipway("list", *s.options), 0, "another flash chip answers")
            self.expect(slipway("report", *s.options), 0, "started 1.0.0 from slot 0", "another flash chip",
                        "Earlier failures, kept in flash", "at offset 0x1000", "took 12 ms")
            self.assertEqual(slipway("report", *s.options).out.count("another flash chip answers"), 1)
            r = slipway("info", *s.options, "--json")
            chip = [e for e in r.events if e["event"] == "chip"][1]
            self.assertEqual((chip["ok"], chip["why"]["code"]), (False, "external_flash_id"))
            r = slipway("report", *s.options, "--json")
            self.assertEqual(r.events[0]["findings"][0]["code"], "external_flash_id")
            self.assertEqual(r.last, {"event": "result", "ok": True})


    def test_list_of_a_board_in_the_middle_of_a_swap(self):
        """Only slot 1 can be listed; slot 0 comes first all the same."""
        class Half(Device):
            def entry(self, slot):
                return super().entry(slot) if slot == 1 else None
        there = image((2, 0, 0, 0), seed=3)
        held = {"v": "2.0.0", "size": len(there), "hash": image_hash(there), "unit": 0, "ok": True}
        d = Half(slipway={4: {"swap": "unfinished", "slots": [
            {"slot": 0, "why": finding(25, 0x23AD, 0x6908, 0xA200, 0)}, {"slot": 1, "image": held, "pending": True}]}})
        d.slots[1] = there
        with Udp(d) as s:
            lines = [line for line in slipway("list", *s.options).out.splitlines() if line[:1].isdigit()]
        self.assertEqual([line.split()[:2] for line in lines], [["0", "no"], ["1", "2.0.0+0"]])


class States(CommandCase):
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


class Update(CommandCase):
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
