"""
A board's chips, read by SPEC.md alone at each moment of an update, against what the client says of them;
and group 64 by a client that is written from SPEC.md alone.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import unittest

import chips
import smp
import spec
from chips import Board, crc32
from test_layout import header, layout_of

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from simboard import KIB, SLIPWAY, Sim, Workshop, run  # noqa: E402

BOARD = "at25xe321d_nrf52840"
CHUNK = 1024
IMG, SLIPWAY_GROUP = 1, 64
STATE, UPLOAD = 0, 1
REPORT, FLASH, LAYOUT, LAST_UPLOAD, SLOTS = range(5)

REASON = {int(r[0]): r[1].strip("`") for r in spec.tables("Reasons")[0]}
NUMBER = {code: n for n, code in REASON.items()}


class BoardTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.shop = Workshop()
        numbers = header(BOARD, cls.shop.dir)
        cls.layout = layout_of(numbers)
        cls.v1 = cls.shop.image("1.0.0", 30 * KIB)
        cls.v2 = cls.shop.image("2.3.4+5", 41 * KIB, None, None, "--custom-tlv", "0x5AA0",
                                "0x" + cls.layout.hash.to_bytes(4, "little").hex(), "--custom-tlv", "0x5AA1", "0x1e000000")
        cls.v3 = cls.shop.image("3.0.0", 20 * KIB)
        pem = run(SLIPWAY, "pubkey", cls.shop.key).stdout.encode()
        from cryptography.hazmat.primitives import serialization as ser
        key = ser.load_pem_public_key(pem)
        cls.point = key.public_bytes(ser.Encoding.X962, ser.PublicFormat.UncompressedPoint)
        cls.seen = {}

    def setUp(self):
        self.state = self.shop.path(self._testMethodName)
        self.board = BOARD

    def sim(self, *args, image=None):
        return Sim(self.state, *args, board=self.board, key=self.shop.key, image=image or self.v1)

    def read_chips(self):
        contents = []
        for name in ("internal", "external"):
            with open(os.path.join(self.state, name + ".bin"), "rb") as f:
                contents.append(f.read())
        return Board(self.layout, *contents)

    def client(self, sim, *args, ok=True):
        """The command's events; their members are those of SPEC.md."""
        p = run(SLIPWAY, *args, "--json", "--udp", f"127.0.0.1:{sim.port}", ok=ok)
        events = [json.loads(line) for line in p.stdout.splitlines()]
        spec.check_events(self, args[0], events)
        return events

    # ---- what both say ----------------------------------------------------------------------------

    def compare(self, sim):
        """At rest: slots, failures, layout as read from the chips and as told by the client."""
        board = self.read_chips()
        self.compare_slots(board, [e for e in self.client(sim, "list") if e["event"] == "slot"])
        boot = next(e for e in self.client(sim, "report") if e["event"] == "boot")
        self.compare_failures(board.failures[-8:], boot["failures"])
        info = self.client(sim, "info")
        layout = next(e for e in info if e["event"] == "layout")
        self.assertEqual((layout["hash"], layout["boot"], layout["agree"]), (self.layout.hash, self.layout.hash, True))
        self.assertEqual((layout["max"], layout["gap"]), self.layout.best())
        for part in layout["parts"]:
            self.assertEqual((part["off"], part["size"]), getattr(self.layout, part["name"]))
        with smp.Client(sim.port) as c:
            self.compare_group_64(board, c)
        return board, boot

    def compare_slots(self, board, told):
        self.assertEqual([e["slot"] for e in told], [0, 1])
        for n, e in enumerate(told):
            image, where = board.image(n)
            if image is None:
                self.assertNotIn("version", e)
                record = board.record
                if n == 1 and record and record.have < record.len:
                    self.assertEqual((e["why"]["code"], e["why"]["found_value"], e["why"]["expected_value"]),
                                     ("upload_running", record.have, record.len))
                else:
                    self.assertEqual(e["why"]["reason"], where)
                continue
            self.assertEqual((e["version"], e["hash"], e["size"], e["unit"]),
                             (image.version, image.hash.hex(), image.end, where))
            self.assertEqual(e["verified"], image.verifies(self.point))
        asked, trial = board.trailers[1], board.swap() == "trial"
        self.assertEqual((told[1]["pending"], told[1]["permanent"]),
                         (asked.magic == "set", asked.magic == "set" and asked.image_ok == "set"))
        self.assertEqual((told[0]["active"], told[0]["confirmed"]), (True, not trial))
        self.assertEqual(told[1]["confirmed"], trial and board.image(1)[0] is not None)

    def compare_failures(self, read, told):
        self.assertEqual([(REASON[f["reason"]], f["slot"] if f["slot"] != 0xFF else None) for f in read],
                         [(f["code"], f.get("slot")) for f in told])
        for f, t in zip(read, told):
            for member in ("found", "expected", "where"):
                if member + "_value" in t:
                    self.assertEqual(t[member + "_value"], f[member])

    def compare_group_64(self, board, c):
        """Every member of every answer: known to SPEC.md, of its type, and as read from the chips."""
        answers = [c.read(SLIPWAY_GROUP, n) for n in range(5)]
        for n, answer in enumerate(answers):
            self.check_keys(n, answer)
        report, flash, layout, _, slots = answers
        self.assertEqual([f["r"] for f in report["failures"]], [f["reason"] for f in board.failures[-8:]])
        self.assertEqual(sum(report["ms"][k] for k in ("state", "verify", "digest", "slide", "close")) <=
                         report["ms"]["total"], True)
        self.assertEqual([(x["name"], x["size"], x["erase"]) for x in flash["chips"]],
                         [("internal", self.layout.internal_size, self.layout.internal_erase),
                          ("external", self.layout.external_size, self.layout.external_erase)])
        self.assertEqual((layout["board"], layout["hash"], layout["unit"]),
                         (os.path.basename(self.board).split(".")[0], self.layout.hash, self.layout.unit))
        self.assertEqual(slots["swap"], board.swap())
        for n, s in enumerate(slots["slots"]):
            image, unit = board.image(n)
            if image:
                want = {"v": image.version, "size": image.end, "hash": image.hash, "unit": unit,
                        "ok": image.verifies(self.point)}
                self.assertEqual(s["image"], want)
            else:
                self.assertNotIn("image", s)

    def check_keys(self, command, answer):
        cell = spec.tables("Group 64, slipway")[0][command][2]
        names = set(spec.words(cell))
        inner = {"finding": {"r", "slot", "f", "e", "w"}, "image": {"v", "size", "hash", "unit", "ok"}}

        def walk(v, allowed):
            if isinstance(v, dict):
                self.assertLessEqual(set(v), allowed)
                for k, x in v.items():
                    finding = k in ("why", "refused", "findings", "failures")
                    walk(x, inner["image"] if k == "image" else inner["finding"] if finding else allowed)
            elif isinstance(v, list):
                for x in v:
                    walk(x, allowed)

        walk(answer, names)
        self.seen.setdefault(command, set()).update(answer)

    def check_image(self, board, slot, path, unit=0):
        with open(path, "rb") as f:
            data = f.read()
        image, at = board.image(slot)
        self.assertEqual((image.bytes, at), (data, unit))
        self.assertTrue(image.verifies(self.point))

    @staticmethod
    def in_short(board):
        """Of the base: cell, kind, dir, words."""
        b = board.cell.base
        return board.cell.name, b.kind, b.dir, b.words

    def slipway(self, sim, *args):
        return self.client(sim, *args)[-1]

    # ---- moments ----------------------------------------------------------------------------------

    def test_a_board_that_was_never_updated(self):
        with self.sim() as sim:
            board, boot = self.compare(sim)
            self.assertEqual(boot["action"], "none")
            self.assertEqual((board.cell.name, board.cell.base.seq, board.cell.settled), ("IDLE", 1, True))
            self.assertEqual(board.cell.base.words, {"SEAL", "ACT", "SETTLE"})
            self.assertEqual([u.valid for u in board.cell.units], [True, False, False])
            self.assertEqual(str(board.trailers[0]), "magic blank, image_ok blank, copy_done blank")
            self.assertIsNone(board.record)
            self.assertEqual(board.failures, [])
            self.check_image(board, 0, self.v1)
            self.assertEqual(board.image(1), (None, NUMBER["no_image"]))

    def test_echo_as_it_is_in_the_spec(self):
        text = spec.section("SMP messages")
        asked, answered = (bytes.fromhex(h) for h in re.findall(r"`(0[AB](?: [0-9A-F]+)+)`", text))
        with self.sim() as sim, smp.Client(sim.port) as c:
            self.assertEqual(c.raw(asked), answered)
            v1 = bytes([2]) + asked[1:]
            self.assertEqual(c.raw(v1), bytes([3]) + answered[1:])

    def test_an_upload_stops_half_way(self):
        with open(self.v2, "rb") as f:
            data = f.read()
        sha = hashlib.sha256(data).digest()
        with self.sim() as sim, smp.Client(sim.port) as c:
            off = 0
            while off < len(data) // 2:
                part = {"off": off, "data": data[off:off + CHUNK]}
                off = c.write(IMG, UPLOAD, part if off else dict(part, len=len(data), sha=sha))["off"]
            record = self.read_chips().record
            self.assertEqual((record.len, record.sha, record.unit), (len(data), sha, self.layout.external_erase))
            self.assertEqual(len(record.words), off // record.unit)
            self.assertEqual(record.proven(self.read_chips().slots[1], len(data)), len(record.words))
            self.assertEqual(c.read(SLIPWAY_GROUP, LAST_UPLOAD)["state"], "running")
        with self.sim() as sim, smp.Client(sim.port) as c:
            board, _ = self.compare(sim)
            self.assertEqual(board.record.have, off // record.unit * record.unit)
            first = {"off": 0, "data": data[:CHUNK], "len": len(data), "sha": sha}
            self.assertEqual(c.write(IMG, UPLOAD, first)["off"], board.record.have)
            done = self.slipway(sim, "upload", self.v2)
            self.assertEqual(done["hash"], board_hash(data))
            board, _ = self.compare(sim)
            self.check_image(board, 1, self.v2)
            self.assertEqual(board.record.proven(board.slots[1], len(data)), -(-len(data) // record.unit))
            self.assertEqual(board.image(1)[0].custom(0x5AA0), self.layout.hash)
            self.assertEqual(board.image(1)[0].custom(0x5AA1), 30)
            last = c.read(SLIPWAY_GROUP, LAST_UPLOAD)
            self.assertEqual((last["state"], last["hash"].hex(), last["version"]), ("done", done["hash"], "2.3.4+5"))

    def test_a_trial_that_is_confirmed(self):
        with self.sim() as sim:
            self.slipway(sim, "upload", self.v2)
            self.slipway(sim, "test", self.v2)
            board, _ = self.compare(sim)
            self.assertEqual(str(board.trailers[1]), "magic set, image_ok blank, copy_done blank")
            self.assertIsNotNone(board.record)
            self.slipway(sim, "reset")
            sim.wait_ready()
            board, boot = self.compare(sim)
            self.assertEqual(boot["action"], "test")
            self.check_trial(board)
            self.slipway(sim, "confirm")
            board, _ = self.compare(sim)
            self.assertEqual((board.cell.name, board.swap()), ("TRIAL", "idle"))
            self.slipway(sim, "reset")
            sim.wait_ready()
            board, _ = self.compare(sim)
            self.assertEqual((board.cell.name, board.cell.base.state, board.cell.settled), ("IDLE", chips.CONFIRMED, True))
            self.assertEqual(str(board.trailers[0]), "magic set, image_ok set, copy_done set")
            self.check_image(board, 0, self.v2)
            self.check_image(board, 1, self.v1, 2)

    def check_trial(self, board):
        u = board.cell.base
        self.assertEqual(self.in_short(board), ("TRIAL", chips.TEST, 0, {"SEAL", "ACT", "DONE", "START"}))
        self.assertEqual((u.gap, u.n_p, u.n_s, u.starts), (2, 8, 11, 0))
        self.assertEqual(u.gap, self.layout.gap_for(max(board.image(n)[0].end for n in (0, 1))))
        self.assertEqual([crc32(board.unit(0, i)) for i in range(u.n_s)], u.s_table)
        self.assertEqual([crc32(board.unit(1, i + u.gap)) for i in range(u.n_p)], u.p_table)
        self.assertEqual(u.marks[-1], len(chips.groups(u)) + 1)
        self.assertEqual(str(board.trailers[0]), "magic set, image_ok blank, copy_done set")
        self.assertEqual(str(board.trailers[1]), "magic blank, image_ok blank, copy_done blank")
        self.assertIsNone(board.record)
        self.assertTrue(chips.blank(board.unit(1, 0)))
        self.check_image(board, 0, self.v2)
        self.check_image(board, 1, self.v1, 2)

    def test_a_trial_that_is_reverted(self):
        with self.sim() as sim:
            self.slipway(sim, "update", self.v2, "--test-only")
            sim.wait_ready()
            before = self.read_chips().cell.base
            self.slipway(sim, "reset")
            sim.wait_ready()
            board, boot = self.compare(sim)
            self.assertEqual((boot["action"], [f["code"] for f in boot["findings"]]), ("revert", ["reverted"]))
            u = board.cell.base
            self.assertEqual(self.in_short(board), ("IDLE", chips.REVERT, 1, {"SEAL", "ACT", "SETTLE", "DONE"}))
            self.assertEqual((u.s_table, u.p_table, u.prev_seq), (before.p_table, before.s_table, before.seq))
            self.assertEqual(str(board.trailers[0]), "magic set, image_ok set, copy_done set")
            self.assertEqual([f["reason"] for f in board.failures], [NUMBER["reverted"]])
            self.check_image(board, 0, self.v1)
            self.check_image(board, 1, self.v2)

    def test_power_fails_in_the_middle_of_a_swap(self):
        with self.sim() as sim:
            self.slipway(sim, "upload", self.v2)
            self.slipway(sim, "test", self.v2)
        before = self.read_chips()
        for cut in (40, 50, 30):
            self.cut(cut)
            board = self.read_chips()
            u = board.cell.base
            self.assertEqual((board.cell.name, u.kind, board.swap()), ("UNFINISHED", chips.TEST, "unfinished"))
            self.assertEqual(u.s_table, [crc32(before.unit(1, i)) for i in range(u.n_s)])
            self.assertEqual(u.p_table, [crc32(before.unit(0, i)) for i in range(u.n_p)])
            self.check_half_way(board, u)
        with self.sim() as sim:
            board, boot = self.compare(sim)
            self.assertEqual((boot["action"], [f["code"] for f in boot["findings"]]), ("resume", ["swap_resumed"]))
            self.assertEqual(board.cell.base.start, boot["findings"][0]["found_value"])
            self.assertEqual(board.cell.name, "TRIAL")
            self.check_image(board, 0, self.v2)
            self.check_image(board, 1, self.v1, 2)

    def cut(self, n, tear="half"):
        p = subprocess.run([SLIPWAY, "sim", "--board", self.board, "--state", self.state, "--key", self.shop.key, "--udp", "0",
                            "--cut", f"{n}:{tear}"], capture_output=True, text=True, timeout=120)
        self.assertEqual(p.returncode, 20, p.stderr)

    def check_half_way(self, board, u):
        """Groups before the position are done, the sources of it and of those behind it are there."""
        groups = chips.groups(u)
        digest = {"s": u.p_table, "p": u.s_table}
        self.assertGreater(u.position, 0)
        self.assertLess(u.position, len(groups))
        for j, group in enumerate(groups):
            for move in group:
                place = chips.target(u, move) if j < u.position else chips.source(u, move)
                self.assertEqual(crc32(board.unit(*place)), digest[move[0]][move[1]], (j, u.position, move))

    def small_board(self):
        """Equal slots of 16 units, where images of 14 units are swapped at gap 1."""
        text = spec.read("boards/nrf52840dk/board.dts")
        for old in ("<0x0000c000 0x000e2000>", "<0x00000000 0x000e2000>"):
            self.assertIn(old, text)
            text = text.replace(old, old.replace("0x000e2000", "0x00010000"))
        self.board = self.shop.path("small.dts")
        with open(self.board, "w") as f:
            f.write(text)
        self.layout = layout_of(header(self.board, self.shop.dir))
        self.assertEqual(self.layout.best(), (14 * self.layout.unit, 1))

    def test_power_fails_in_a_swap_at_gap_1(self):
        self.small_board()
        v4, v5 = self.shop.image("4.0.0", 53 * KIB), self.shop.image("5.0.0", 55 * KIB)
        with self.sim(image=v4) as sim:
            self.slipway(sim, "upload", v5)
            self.slipway(sim, "test", v5)
        for cut in (60, 90, 100):
            self.cut(cut)
            board = self.read_chips()
            u = board.cell.base
            self.assertEqual((board.cell.name, u.gap, u.n_p, u.n_s), ("UNFINISHED", 1, 14, 14))
            self.assertEqual(len(chips.groups(u)), u.n_p + u.n_s)
            self.check_half_way(board, u)
        with self.sim() as sim:
            board, boot = self.compare(sim)
            self.assertEqual((boot["action"], board.cell.name), ("resume", "TRIAL"))
            self.check_image(board, 0, v5)
            self.check_image(board, 1, v4, 1)
            self.slipway(sim, "reset")
            sim.wait_ready()
            board, _ = self.compare(sim)
            self.check_image(board, 0, v4)
            self.check_image(board, 1, v5)

    def test_weak_cells(self):
        """[17] what weak.txt says is what the chips read, word by word."""
        with self.sim() as sim:
            self.slipway(sim, "upload", self.v2)
            self.slipway(sim, "test", self.v2)
        self.cut(60, "weak")
        with open(os.path.join(self.state, "weak.txt")) as f:
            lines = f.read().splitlines()
        self.cut(1, "none")
        board = self.read_chips()
        entries = 0
        while lines:
            name, off, length, n = re.fullmatch(r"weak (internal|external) 0x([0-9a-f]+) (\d+) (\d+)", lines.pop(0)).groups()
            off, length, n = int(off, 16), int(length), int(n)
            self.assertIn(n, range(1, 13))
            readings = [bytes.fromhex(lines.pop(0)) for _ in range(n)]
            self.assertEqual({len(r) for r in readings}, {length})
            contents = {"internal": board.internal, "external": board.external}[name][off:off + length]
            for at in range(0, length, 4):
                self.assertIn(contents[at:at + 4], {r[at:at + 4] for r in readings})
            entries += 1
        self.assertGreater(entries, 0)

    def test_failures_outlive_the_board(self):
        with self.sim("--fault", "external:id=C22817") as sim:
            board = self.read_chips()
            self.assertEqual([(f["reason"], f["slot"], f["found"], f["expected"], f["number"]) for f in board.failures],
                             [(NUMBER["external_flash_id"], 1, 0xC22817, 0x1F470C, 1)])
            boot = next(e for e in self.client(sim, "report") if e["event"] == "boot")
            self.compare_failures(board.failures, boot["failures"])
        with self.sim("--fault", "external:absent") as sim:
            board = self.read_chips()
            self.assertEqual([REASON[f["reason"]] for f in board.failures],
                             ["external_flash_id", "external_flash_absent"])
        with self.sim() as sim:
            self.compare(sim)

    def test_other_commands(self):
        """Their events have the members of SPEC.md (checked in client())."""
        with self.sim() as sim:
            for args in (("upload", self.v3), ("erase",), ("echo", "hi"), ("update", self.v3, "--dry-run"),
                         ("update", self.v3), ("reset", "--recovery")):
                self.assertTrue(self.slipway(sim, *args)["ok"], args)
            sim.wait_ready()
            sim.wait_ready()
            self.assertEqual(sim.boot["line"], "recovery")

    def test_keys_of_group_64_were_all_met(self):
        """What SPEC.md promises is sent: at the top of each answer, all but what is optional."""
        with self.sim() as sim, smp.Client(sim.port) as c:
            for command, row in enumerate(spec.tables("Group 64, slipway")[0]):
                top = set(c.read(SLIPWAY_GROUP, command))
                self.assertLessEqual(top, set(spec.words(row[2])))
                optional = {"refused", "why", "hash", "version"} if command in (LAST_UPLOAD, SLOTS) else set()
                nested = {"state", "verify", "digest", "slide", "close", "total", "slot", "image", "why", "name", "size",
                          "erase", "jedec", "jedec_want", "ok", "chip", "off", "pending", "permanent", "confirmed", "active"}
                missing = set(spec.words(row[2])) - top - optional
                self.assertLessEqual(missing, nested, row)


def board_hash(data):
    return chips.Image(data + b"\xff" * 32).hash.hex()


if __name__ == "__main__":
    unittest.main()
