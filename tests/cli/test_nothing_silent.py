"""Nothing silent: whatever is wrong with a chip, an image or a board, the client says so.

One line a case. Each runs a command against `slipway sim` and checks what a person needs at two in the
morning: exit status and code, what was found and expected, which slot, what lies in the slots now, and
what to do next; that the device's own report has it too; and that the image which ran still runs.
"""
import dataclasses
import os
import pathlib
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from device_case import DeviceCase  # noqa: E402
from simboard import KIB, SLOT0, Sim  # noqa: E402

JEDEC, NOBODY = "1f 47 0c", "ff ff ff (no answer)"


@dataclasses.dataclass
class Wrong:
    """A command that has to fail, and with what words."""
    name: str
    command: tuple  # of slipway; an image's name stands for its file
    code: str
    exit: int = 7
    fault: str = None  # of the board, at the time of the command
    before: tuple = ()  # commands on the healthy board, which succeed
    slot: int = 1  # that the finding names; None: none
    found: str = None
    expected: str = None
    where: str = None
    says: str = ""  # in the message
    next: str = ""  # in what to do
    report: str = "upload"  # where the device tells it: boot, upload, both of them, or None
    sent: bool = True  # False: the client knew before it sent anything of the file
    silent_boot: bool = False  # the fault lasts over the reset, and the boot need not meet it


NO_CHIP = dict(found=NOBODY, expected=JEDEC, next="supply, wiring and pins", report="both")
OTHER_CHIP = dict(found="c2 28 17", expected=JEDEC, next="jedec-id", report="both")
BUSY_CHIP = dict(found="0 ms", expected="3000 ms", says="busy before anything was asked", next="slipway reset",
                 report="both")
UNREADABLE = dict(found="ERR_IO (the device reports an error)", next="supply, wiring", report="both")
FORCE = ("upload", "--force")
TOO_LARGE = dict(exit=3, sent=False, report=None, next="slipway layout BOARD")

CASES = [
    # chips, from the start on
    Wrong("absent: upload", ("upload", "new"), "external_flash_absent", fault="external:absent", **NO_CHIP),
    Wrong("absent: update", ("update", "new"), "external_flash_absent", fault="external:absent", **NO_CHIP),
    Wrong("absent: erase", ("erase",), "external_flash_absent", fault="external:absent", **{**NO_CHIP, "report": "boot"}),
    Wrong("absent: test", ("test",), "external_flash_absent", fault="external:absent", **{**NO_CHIP, "report": "boot"}),
    Wrong("absent: test of what was there", ("test", "new"), "hash_not_found", fault="external:absent",
          before=(("upload", "new"),), **{**NO_CHIP, "report": "boot"}),
    Wrong("another chip: upload", ("upload", "new"), "external_flash_id", fault="external:id=C22817", **OTHER_CHIP),
    Wrong("another chip: erase", ("erase",), "external_flash_id", fault="external:id=C22817",
          **{**OTHER_CHIP, "report": "boot"}),
    Wrong("another chip: test", ("test",), "external_flash_id", fault="external:id=C22817",
          **{**OTHER_CHIP, "report": "boot"}),
    Wrong("busy: upload", ("upload", "new"), "external_flash_busy", fault="external:busy", **BUSY_CHIP),
    Wrong("busy: erase", ("erase",), "external_flash_busy", fault="external:busy", **{**BUSY_CHIP, "report": "boot"}),
    Wrong("busy: test", ("test",), "external_flash_busy", fault="external:busy", **{**BUSY_CHIP, "report": "boot"}),
    Wrong("unreadable: upload", ("upload", "new"), "external_flash_read", fault="external:read-error", **UNREADABLE),
    Wrong("unreadable: test of what was there", ("test", "new"), "hash_not_found", fault="external:read-error",
          before=(("upload", "new"),), **{**UNREADABLE, "report": "boot"}),
    # acknowledged, and did not happen
    Wrong("no erase: upload", ("upload", "other"), "external_flash_erase", fault="external:no-erase",
          before=(("upload", "new"),), expected="0xff", where="offset 0xff000", next="slipway info"),
    Wrong("no erase: erase", ("erase",), "external_flash_erase", fault="external:no-erase",
          before=(("upload", "new"),), expected="0xff", where="offset 0xff000", report=None),
    Wrong("no erase: permanent", ("update", "--confirm", "new"), "external_flash_erase",
          fault="external:no-erase", before=(("upload", "new"),), expected="0xff", where="offset 0xff000", report=None,
          next="slipway info"),
    Wrong("no program: upload", ("upload", "new"), "external_flash_program", fault="external:no-program",
          found="0xff", where="offset 0xff000", next="slipway info"),
    Wrong("no program: test", ("test", "new"), "external_flash_program", fault="external:no-program",
          before=(("upload", "new"),), found="0xff", expected="0x77", where="offset 0xffff0", report=None),
    # in the middle of an upload
    Wrong("absent on the way", ("upload", "large"), "external_flash_absent", fault="external:absent@300",
          silent_boot=True, **{**NO_CHIP, "report": "upload"}),
    Wrong("absent in the middle of an update", ("update", "large"), "external_flash_absent", silent_boot=True,
          fault="external:absent@300", says="slot 1: cannot be read", **{**NO_CHIP, "report": "upload"}),
    Wrong("busy on the way", ("upload", "large"), "external_flash_busy", fault="external:busy@300", expected="ms",
          silent_boot=True, next="slipway reset"),
    Wrong("unreadable on the way", ("upload", "large"), "external_flash_read", fault="external:read-error@300",
          silent_boot=True, **{**UNREADABLE, "report": "upload"}),
    Wrong("no erase on the way", ("upload", "large"), "external_flash_erase", fault="external:no-erase@300",
          before=(("upload", "other large"),), expected="0xff", where="offset 0x", next="slipway info"),
    Wrong("no program on the way", ("upload", "large"), "external_flash_program", fault="external:no-program@300",
          found="0xff", where="offset 0x", next="slipway info"),
    Wrong("busy in an erase", ("erase",), "external_flash_busy", fault="external:busy@20", expected="ms",
          before=(("upload", "large"),), report=None, silent_boot=True),
    # images; what the file shows is seen before anything is sent
    Wrong("unsigned", ("upload", "unsigned"), "image_unsigned", 4, sent=False, next="slipway sign", report=None),
    Wrong("unsigned, forced", (*FORCE, "unsigned"), "image_unsigned", next="slipway sign", says="arrived in slot 1"),
    Wrong("stranger", ("upload", "stranger"), "image_stranger", found="key ", next="slipway sign --key",
          says="does not know"),
    Wrong("bit of the payload", ("upload", "payload bit"), "image_hash", 4, sent=False, found="...", expected="...",
          report=None, next="slipway inspect"),
    Wrong("bit of the payload, forced", (*FORCE, "payload bit"), "image_hash", found="...", expected="..."),
    Wrong("bit of the signature", ("upload", "signature bit"), "image_signature", next="slipway verify"),
    Wrong("truncated", ("upload", "truncated"), "image_truncated", 3, sent=False, found="40000 bytes (39.1 KiB)",
          expected="KiB", report=None, next="sign it again"),
    Wrong("truncated, forced", (*FORCE, "truncated"), "image_truncated", found="40000 bytes (39.1 KiB)", expected="KiB"),
    Wrong("no image", ("upload", "no image"), "no_image_magic", 3, sent=False, expected="0x96f3b83d", report=None,
          next="slipway sign"),
    Wrong("no image, forced", (*FORCE, "no image"), "no_image_magic", expected="0x96f3b83d", next="slipway sign"),
    Wrong("too large for the slot", ("upload", "beyond"), "image_too_large_for_slot", expected="1048576 bytes (1024.0 KiB)",
          found="KiB", **TOO_LARGE),
    Wrong("too large for the slot, forced", (*FORCE, "beyond"), "image_too_large_for_slot",
          expected="1048576 bytes (1024.0 KiB)", found="KiB", next="slipway layout BOARD"),
    Wrong("too large to swap", ("upload", "no room"), "image_too_large_to_swap", expected="921600 bytes (900.0 KiB)",
          found="KiB", **TOO_LARGE),
    Wrong("too large to swap, forced", (*FORCE, "no room"), "image_too_large_to_swap",
          expected="921600 bytes (900.0 KiB)", found="KiB", next="slipway layout BOARD"),
    Wrong("another layout", ("upload", "other board"), "image_other_layout", 3, sent=False, found="0x", expected="0x",
          report=None, next="slipway sign --board"),
    Wrong("another layout, forced", (*FORCE, "other board"), "image_other_layout", found="0x", expected="0x",
          says="arrived in slot 1", next="slipway sign --board"),
    Wrong("linked for elsewhere", ("upload", "elsewhere"), "image_vectors", found="0x", expected="0x",
          next="slipway sign --board"),
    # requests
    Wrong("hash of nothing", ("test", "ab" * 32), "hash_not_found", slot=None, report=None, next="slipway upload FILE"),
    Wrong("hash of nothing, slot 1 full", ("test", "other"), "hash_not_found", before=(("upload", "new"),), slot=None,
          report=None, next="slipway upload FILE"),
    Wrong("test of what the device refused", ("test", "stranger"), "image_stranger", report=None, says="holds this image",
          found="key ", next="slipway sign --key", before=(("!upload", "stranger"),)),
    Wrong("test of nothing", ("test",), "nothing_to_test", 1, slot=None, report=None, next="slipway upload FILE"),
    Wrong("test of the running image", ("test", "old"), "img_image_setting_test_to_active_denied", slot=None, report=None),
    Wrong("erase of slot 0", ("erase", "--slot", "0"), "img_no_free_slot", slot=None, report=None),
    Wrong("erase of slot 2", ("erase", "--slot", "2"), "img_invalid_slot", slot=None, report=None),
    # boards
    Wrong("layouts differ: upload", ("upload", "new"), "layout_mismatch", fault="layout:other", slot=None, sent=False,
          found="0x", expected="0x", next="same board.dts", report=None),
    Wrong("layouts differ: forced", (*FORCE, "new"), "layout_mismatch", fault="layout:other", found="0x", expected="0x",
          next="same board.dts"),
    Wrong("layouts differ: test", ("test",), "layout_mismatch", fault="layout:other", slot=None, found="0x", expected="0x",
          next="same board.dts", report=None),
    Wrong("layouts differ: erase", ("erase",), "layout_mismatch", fault="layout:other", found="0x", expected="0x",
          next="same board.dts", report=None),
]


class NothingSilent(DeviceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.files = make_files(cls.images)

    def args(self, command):
        return [self.files.get(word, word) for word in command]

    def prepare(self, case, state):
        with Sim(state, key=self.images.key, image=self.files["old"]) as sim:
            for command in case.before:
                may_fail = command[0].startswith("!")
                r = self.slipway(sim, command[0].lstrip("!"), *self.args(command[1:]))
                self.assertTrue(may_fail or r.code == 0, r.err)

    def check_words(self, case, r):
        last = r.last
        self.assertEqual((r.code, last["ok"], last["code"]), (case.exit, False, case.code), r.err)
        self.assertIn("error: " + last["message"], r.err)
        self.assertIn(case.says, last["message"] + last.get("detail", ""))
        self.assertTrue(last.get("next"), "what to do next is not said")
        self.assertIn(case.next, last["next"])
        self.assertIn("  try: " + last["next"], r.err)
        # the state now: in words, and slot by slot
        if case.sent or "finding" not in last:
            self.assertIn("slot 0: 1.0.0", last["detail"])
            self.assertIn("slot 1: ", last["detail"])
            self.assertEqual([s["slot"] for s in last["slots"]], [0, 1])
        else:
            self.assertRegex(last["message"] + last["detail"], r"(?s)(not sent|Nothing was sent).*")

    def check_finding(self, case, finding):
        for key in ("found", "expected", "where"):
            want = getattr(case, key)
            if want is not None:
                self.assertIn(want, finding.get(key, ""), finding)
        self.assertEqual(finding.get("slot"), case.slot if "slot" in finding or case.sent else None)

    def check_report(self, case, sim, code):
        report = self.slipway(sim, "report")
        self.assertEqual(report.code, 0)
        boot = [f["code"] for f in report.event("boot")["findings"]]
        upload = report.event("upload").get("why", {}).get("code")
        if case.report in ("boot", "both"):
            self.assertIn(code, boot)
        if case.report in ("upload", "both"):
            self.assertEqual(upload, code)

    def old_image(self, state):
        size = os.path.getsize(self.files["old"])
        return pathlib.Path(state, "internal.bin").read_bytes()[SLOT0:SLOT0 + size]

    def check(self, case):
        state = self.new_state()
        self.prepare(case, state)
        before = self.old_image(state)
        with Sim(state, *(["--fault", case.fault] if case.fault else []), key=self.images.key,
                 image=self.files["old"]) as sim:
            self.assertEqual(sim.boot["running"], "1.0.0+0")
            r = self.slipway(sim, *self.args(case.command))
            self.check_words(case, r)
            finding = r.last.get("finding")
            if case.slot is not None or finding:
                self.check_finding(case, finding)
            self.check_report(case, sim, finding["code"] if finding else case.code)
            # the old image runs, and goes on running: now, after a reset, and after power-up without the fault
            listed = self.slipway(sim, "list")
            self.assertEqual([s["version"] for s in listed.of("slot") if s["active"]], ["1.0.0+0"])
            self.slipway(sim, "reset")
            self.assertEqual(sim.wait_ready(30)["running"], "1.0.0+0")
        self.assertEqual(self.old_image(state), before)

    def test_cases(self):
        names = [c.name for c in CASES]
        self.assertEqual(len(names), len(set(names)))
        for case in CASES:
            with self.subTest(case.name):
                self.check(case)


def make_files(images):
    """Every file of the table, by its name there."""
    new = pathlib.Path(images.signed("2.0.0", 60 * KIB)).read_bytes()
    header, size = int.from_bytes(new[8:10], "little"), int.from_bytes(new[12:16], "little")
    protected = int.from_bytes(new[10:12], "little")
    tlvs = header + size + protected
    unsigned = new[:tlvs] + b"\x07\x69\x28\x00" + new[tlvs + 4:tlvs + 40]

    def flip(at):
        return new[:at] + bytes([new[at] ^ 4]) + new[at + 1:]
    files = {
        "old": images.signed("1.0.0", 40 * KIB),
        "new": images.signed("2.0.0", 60 * KIB),
        "other": images.signed("2.1.0", 50 * KIB),
        "large": images.signed("2.2.0", 300 * KIB),
        "other large": images.signed("2.3.0", 300 * KIB),
        "stranger": images.signed("3.0.0", 20 * KIB, key=images.stranger),
        "other board": images.signed("4.0.0", 20 * KIB, board="nrf52840dk"),
        "no room": images.imgtool("5.0.0", 901 * KIB),
        "beyond": images.imgtool("5.1.0", 1030 * KIB),
        "elsewhere": images.imgtool("5.2.0", 20 * KIB, base=0xF8000),
    }
    made = {"unsigned": unsigned, "payload bit": flip(5000), "signature bit": flip(len(new) - 20),
            "truncated": new[:40000], "no image": random.Random(7).randbytes(5000)}
    for name, data in made.items():
        files[name] = images.write(name.replace(" ", "-") + ".bin", data)
    return files


if __name__ == "__main__":
    unittest.main()
