"""slipway sim as docs/commands/sim.md has it: lines, files, exit status, faults, power cuts."""
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest

import cbor2

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from simboard import IMGTOOL, KIB, SLIPWAY, SLOT0, Sim, Workshop, run  # noqa: E402

BOARD = "at25xe321d_nrf52840"
BOOT = re.compile(r"boot action=(none|test|revert|install|resume|recover) running=(\d+\.\d+\.\d+\+\d+|none) "
                  r"internal_erases=\d+ internal_ms=\d+\.\d external_erases=\d+ external_ms=\d+\.\d elapsed_ms=\d+\.\d$")
READY = re.compile(r"ready udp=127\.0\.0\.1:\d+ pty=/dev/pts/\d+$")


class SimTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = Workshop()
        cls.v1 = cls.shop.image("1.0.0", 40 * KIB)
        cls.v2 = cls.shop.image("2.3.4+5", 50 * KIB)
        cls.old, cls.new = (pathlib.Path(p).read_bytes() for p in (cls.v1, cls.v2))

    def board(self, *args, image=None, key=None, **kw):
        """Starts a board on this test's folder."""
        return Sim(self.shop.path(self._testMethodName), *args, key=key or self.shop.key,
                   image=image or self.v1, **kw)

    def refused(self, *args, code, said):
        """A start that must fail."""
        p = run(SLIPWAY, "sim", *args, ok=False, timeout=30)
        self.assertEqual((p.returncode, p.stdout), (code, ""), p.stderr)
        self.assertIn(said, p.stderr)

    def ask(self, sim, group, cmd, write=False, **body):
        """One SMP request over UDP."""
        data = cbor2.dumps(body)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(10)
            s.sendto(struct.pack(">BBHHBB", 0x0A if write else 0x08, 0, len(data), group, 1, cmd) + data,
                     ("127.0.0.1", sim.port))
            return cbor2.loads(s.recv(4096)[8:])

    def slipway(self, sim, *args, ok=True):
        return run(SLIPWAY, *args, "--udp", f"127.0.0.1:{sim.port}", ok=ok)

    def request(self, sim, image):
        """Upload and test; nothing is reset."""
        self.slipway(sim, "upload", image)
        self.slipway(sim, "test")

    def cut_run(self, n, tear, *args):
        """A start that power ends at the n-th operation: what it printed and how it ended."""
        p = subprocess.run([SLIPWAY, "sim", "--board", BOARD, "--state", self.shop.path(self._testMethodName),
                            "--key", self.shop.key, "--udp", "0", "--cut", f"{n}:{tear}", *args],
                           capture_output=True, text=True, timeout=60)
        return p.returncode, p.stdout

    # -- lines and files -----------------------------------------------------------------------------
    def test_lines(self):
        with self.board() as sim:
            boot, ready = sim.lines
            self.assertRegex(boot, BOOT)
            self.assertRegex(ready, READY)
            self.assertEqual((sim.boot["action"], sim.boot["running"]), ("none", "1.0.0+0"))
            self.slipway(sim, "reset")
            sim.wait_ready()
            self.assertRegex(sim.lines[2], BOOT)
            self.assertEqual(sim.lines[3], ready)
            self.assertEqual(sim.stop(), 0)

    def test_files_are_the_chips(self):
        with self.board() as sim:
            internal, external = sim.chip("internal"), sim.chip("external")
            self.assertEqual((len(internal), len(external)), (1024 * KIB, 4096 * KIB))
            self.assertEqual(internal[SLOT0:SLOT0 + len(self.old)], self.old)
            self.assertEqual(external.count(0xFF), len(external))
            self.slipway(sim, "upload", self.v2)
            self.assertEqual(sim.slot(1)[:len(self.new)], self.new)

    def test_json(self):
        state = self.shop.path("json")
        p = subprocess.Popen([SLIPWAY, "sim", "--json", "--board", BOARD, "--state", state, "--udp", "0",
                              "--key", self.shop.key, "--image", self.v1], stdout=subprocess.PIPE, text=True)
        boot, ready = json.loads(p.stdout.readline()), json.loads(p.stdout.readline())
        p.send_signal(signal.SIGINT)
        rest = p.stdout.read().splitlines()
        p.stdout.close()
        self.assertEqual(p.wait(30), 0)
        self.assertEqual((boot["event"], boot["action"], boot["running"]), ("boot", "none", "1.0.0+0"))
        self.assertEqual(boot["external_erases"], 0)
        self.assertEqual((ready["event"], ready["pty"][:9]), ("ready", "/dev/pts/"))
        self.assertEqual([json.loads(line) for line in rest], [{"event": "result", "ok": True}])

    def test_time_none_reports_zeros(self):
        with self.board("--time", "none") as sim:
            self.assertNotEqual(sim.boot["internal_erases"], "0")
            self.assertEqual([sim.boot[k] for k in ("internal_ms", "external_ms", "elapsed_ms")], ["0.0"] * 3)

    def test_time_real_sleeps(self):
        with self.board() as sim:
            self.request(sim, self.v2)
        start = time.monotonic()
        with self.board("--time", "real") as sim:
            took = 1000 * (time.monotonic() - start)
            self.assertEqual(sim.boot["action"], "test")
            self.assertGreater(took, float(sim.boot["elapsed_ms"]))
            self.assertLess(took, 3 * float(sim.boot["elapsed_ms"]) + 3000)

    # -- an update, by the models' count --------------------------------------------------------------
    def test_update_and_revert(self):
        units = -(-len(self.new) // 4096)
        with self.board() as sim:
            self.request(sim, self.v2)
            for action, running in (("test", "2.3.4+5"), ("revert", "1.0.0+0"), ("none", "1.0.0+0")):
                self.slipway(sim, "reset")
                b = sim.wait_ready()
                self.assertEqual((b["action"], b["running"]), (action, running))
                if action == "none":
                    self.assertEqual((b["internal_erases"], b["external_erases"]), ("0", "0"))
                    continue
                self.assertLessEqual(int(b["internal_erases"]), units + 3)
                self.assertLessEqual(int(b["external_erases"]), units + 3)
                elapsed, internal, external = (float(b[k]) for k in ("elapsed_ms", "internal_ms", "external_ms"))
                self.assertLess(elapsed, internal + external)
                self.assertGreaterEqual(elapsed, internal)
                self.assertLessEqual(elapsed, 1.05 * (units + 3) * (85 + 1024 * 0.041))
            self.assertEqual(sim.slot(0)[:len(self.old)], self.old)

    def test_self_confirm(self):
        with self.board("--self-confirm") as sim:
            self.request(sim, self.v2)
            for action in ("test", "none"):
                self.slipway(sim, "reset")
                b = sim.wait_ready()
                self.assertEqual((b["action"], b["running"]), (action, "2.3.4+5"))

    def test_keeps_state_between_runs(self):
        with self.board() as sim:
            self.request(sim, self.v2)
            self.assertEqual(sim.stop(), 0)
        with self.board() as sim:
            self.assertEqual((sim.boot["action"], sim.boot["running"]), ("test", "2.3.4+5"))

    def test_kill_loses_nothing(self):
        with self.board() as sim:
            self.request(sim, self.v2)
            before = sim.chip("internal"), sim.chip("external")
            sim.stop(signal.SIGKILL)
            self.assertEqual((sim.chip("internal"), sim.chip("external")), before)
        with self.board() as sim:
            self.assertEqual((sim.boot["action"], sim.boot["running"]), ("test", "2.3.4+5"))

    def test_killed_in_the_middle_of_a_swap(self):
        with self.board() as sim:
            self.request(sim, self.v2)
            before = sim.slot(0)
        p = subprocess.Popen([SLIPWAY, "sim", "--board", BOARD, "--state", self.shop.path(self._testMethodName),
                              "--key", self.shop.key, "--udp", "0", "--time", "real"], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while sim.slot(0) == before and time.monotonic() < end:
            time.sleep(0.01)
        p.kill()
        self.assertEqual(p.communicate()[0], b"")
        with self.board() as sim:
            self.assertEqual((sim.boot["action"], sim.boot["running"]), ("resume", "2.3.4+5"))
            self.assertEqual(sim.slot(0)[:len(self.new)], self.new)

    # -- keys, images, recovery -----------------------------------------------------------------------
    def test_recovery_answers(self):
        state = self.shop.path("recovery")
        with Sim(state, key=self.shop.key) as sim:
            self.assertEqual([line.split()[0] for line in sim.lines], ["boot", "recovery", "ready"])
            self.assertEqual(sim.lines[1], "recovery reason=no_image")
            self.assertIn("running=none", sim.lines[0])
            self.assertEqual(self.ask(sim, 0, 0, write=True, d="there?"), {"r": "there?"})

    def test_reset_into_recovery_and_out(self):
        with self.board() as sim:
            self.ask(sim, 0, 5, write=True, boot_mode=1)
            b = sim.wait_ready()
            self.assertEqual((b["line"], b["reason"]), ("recovery", "requested"))
            self.assertEqual(self.ask(sim, 0, 0, write=True, d="x"), {"r": "x"})
            self.ask(sim, 0, 5, write=True)
            self.assertEqual(sim.wait_ready()["running"], "1.0.0+0")

    def test_keys(self):
        second, public = self.shop.path("second.pem"), self.shop.path("public.pem")
        run(*IMGTOOL, "keygen", "-k", second, "-t", "ecdsa-p256")
        with open(public, "w") as f:
            f.write(run(SLIPWAY, "pubkey", self.shop.key).stdout)
        with self.board(key=second) as sim:
            self.assertEqual(sim.lines[1], "recovery reason=image_stranger")
        with self.board("--key", public, key=second) as sim:
            self.assertEqual(sim.boot["running"], "1.0.0+0")

    def test_image_only_into_a_blank_slot(self):
        with self.board():
            pass
        with self.board(image=self.v2) as sim:
            self.assertEqual(sim.boot["running"], "1.0.0+0")

    # -- links ----------------------------------------------------------------------------------------
    def test_pty_link(self):
        link = self.shop.path("tty")
        with self.board("--pty", link) as sim:
            self.assertEqual(os.readlink(link), sim.pty)
            self.assertIn("1.0.0", run(SLIPWAY, "list", "--port", link).stdout)
            self.assertIn("1.0.0", run(SLIPWAY, "list", "--port", link, "--raw").stdout)
            self.assertIn("1.0.0", run(SLIPWAY, "list", "--port", link).stdout)
            sim.stop()
            self.assertFalse(os.path.lexists(link))

    def test_what_cannot_be_had(self):
        state = self.shop.path("nothing")
        base = ["--board", BOARD, "--state", state, "--key", self.shop.key]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = str(taken.getsockname()[1])
            self.refused(*base, "--udp", port, code=5, said=port)
        occupied = self.shop.path("occupied")
        pathlib.Path(occupied).touch()
        self.refused(*base, "--udp", "0", "--pty", occupied, code=5, said="occupied")
        with self.board() as sim:
            self.refused("--board", BOARD, "--state", sim.state, "--udp", "0", code=5, said="another board runs")

    def test_wrong_use(self):
        state = self.shop.path("usage")
        base = ["--board", BOARD, "--state", state]
        for args in (["--board", BOARD], ["--state", state], [*base, "--time", "slow"], [*base, "--cut", "0"],
                     [*base, "--cut", "5:some"], [*base, "--cut", "x"], [*base, "--fault", "external:bad"],
                     [*base, "--fault", "internal:absent"], [*base, "--fault", "external:busy@0"],
                     [*base, "--udp", "host:"], [*base, "--udp", "99999"], [*base, "extra"], [*base, "--what", "x"],
                     [*base, "--pty"]):
            self.refused(*args, code=2, said="slipway help sim")

    def test_bad_files(self):
        state = self.shop.path("files")
        junk = self.shop.path("junk")
        with open(junk, "wb") as f:
            f.write(bytes(1000))
        large = self.shop.path("large")
        with open(large, "wb") as f:
            f.write(self.old[:32] + bytes(904 * KIB))
        base = ["--board", BOARD, "--state", state, "--udp", "0"]
        self.refused("--board", "no_such_board", "--state", state, code=3, said="no_such_board")
        self.refused(*base, "--key", junk, code=3, said="junk")
        self.refused(*base, "--key", self.shop.key, "--image", junk, code=3, said="junk")
        self.refused(*base, "--key", self.shop.key, "--image", large, code=3, said="slot 0 has room for")
        self.refused(*base, "--key", self.shop.key, "--image", junk + "2", code=3, said="junk2")
        with open(os.path.join(state, "internal.bin"), "ab") as f:
            f.write(b"x")
        self.refused(*base, "--key", self.shop.key, code=3, said="internal.bin has 1048577 bytes")

    # -- broken chips ---------------------------------------------------------------------------------
    def test_chip_faults_do_not_stop_the_board(self):
        for fault, reason in (("external:absent", "external_flash_absent"), ("external:id=C22817", "external_flash_id"),
                              ("external:busy", "external_flash_busy"), ("external:read-error", "external_flash_read"),
                              ("external:no-program", "external_flash_program")):
            with self.subTest(fault), self.board("--fault", fault) as sim:
                self.assertEqual(sim.boot["running"], "1.0.0+0")
                p = self.slipway(sim, "--json", "upload", self.v2, ok=False)
                self.assertEqual(p.returncode, 7, p.stdout)
                self.assertEqual(json.loads(p.stdout.splitlines()[-1])["code"], reason)

    def test_busy_in_real_time(self):
        start = time.monotonic()
        with self.board("--fault", "external:busy", "--time", "real") as sim:
            self.assertLess(time.monotonic() - start, 30)
            for command in (["list"], ["upload", self.v2], ["report"]):
                start = time.monotonic()
                self.slipway(sim, *command, ok=False)
                self.assertLess(time.monotonic() - start, 60)

    def test_no_erase(self):
        with self.board() as sim:
            self.slipway(sim, "upload", self.v2)
        with self.board("--fault", "external:no-erase") as sim:
            p = self.slipway(sim, "--json", "upload", self.v1, ok=False)
            self.assertEqual(json.loads(p.stdout.splitlines()[-1])["code"], "external_flash_erase", p.stdout)

    def test_fault_from_an_operation_on(self):
        with self.board("--fault", "external:no-program@100") as sim:
            p = self.slipway(sim, "--json", "upload", self.v2, ok=False)
            self.assertEqual(json.loads(p.stdout.splitlines()[-1])["code"], "external_flash_program")
            self.assertGreater(len(sim.slot(1).rstrip(b"\xff")), 0)

    def test_chip_dies_in_the_middle_of_a_swap(self):
        for fault, reason in (("absent", "external_flash_absent"), ("busy", "external_flash_busy"),
                              ("read-error", "external_flash_read"), ("no-program", "external_flash_program"),
                              ("no-erase", "external_flash_erase")):
            with self.subTest(fault):
                run("rm", "-rf", self.shop.path(self._testMethodName))
                with self.board() as sim:
                    self.request(sim, self.v2)
                with self.board("--fault", f"external:{fault}@100") as sim:
                    self.assertIn(f"recovery reason={reason}", sim.lines)
                    self.assertIn("a swap had to stop", self.slipway(sim, "report").stdout)
                    self.assertIn("an upload gives it up", self.slipway(sim, "update", "--dry-run", self.v2).stderr)
                with self.board() as sim:
                    self.assertEqual((sim.boot["action"], sim.boot["running"]), ("resume", "2.3.4+5"))
                    self.assertEqual(sim.slot(0)[:len(self.new)], self.new)

    def test_internal_read_error_is_recovery(self):
        with self.board("--fault", "internal:read-error") as sim:
            self.assertEqual(sim.lines[1], "recovery reason=internal_flash_read")

    def test_other_layout(self):
        with self.board("--fault", "layout:other") as sim:
            p = self.slipway(sim, "--json", "upload", self.v2, ok=False)
            self.assertEqual((p.returncode, json.loads(p.stdout.splitlines()[-1])["code"]), (7, "layout_mismatch"))
            self.assertEqual(sim.slot(1).count(0xFF), 1024 * KIB)

    # -- power ----------------------------------------------------------------------------------------
    def test_cuts(self):
        """Each tear at some operations of an install; the next start is the next power-up."""
        for tear in ("none", "all", "half", "bits", "weak"):
            for n in (1, 2, 20, 77, 150, 240):
                with self.subTest(tear=tear, n=n):
                    state = self.shop.path(self._testMethodName)
                    run("rm", "-rf", state)
                    with self.board() as sim:
                        self.request(sim, self.v2)
                    code, out = self.cut_run(n, tear)
                    self.assertEqual((code, out), (20, ""))
                    for _ in range(2):
                        with self.board() as sim:
                            self.assertIn(sim.boot["running"], ("1.0.0+0", "2.3.4+5"))
                            booted = sim.boot["running"]
                    image = self.new if booted == "2.3.4+5" else self.old
                    self.assertEqual(sim.slot(0)[:len(image)], image)

    def test_cut_counts_operations_of_this_process(self):
        with self.board() as sim:
            self.request(sim, self.v2)
        for n in (1, 2):
            self.assertEqual(self.cut_run(n, "none"), (20, ""))
        with self.board() as sim:
            self.assertEqual(sim.boot["running"], "2.3.4+5")

    def test_cut_during_an_upload(self):
        with self.board("--cut", "50:half") as sim:
            p = self.slipway(sim, "upload", self.v2, ok=False)
            self.assertNotEqual(p.returncode, 0)
            self.assertEqual(sim.p.wait(30), 20)
        with self.board() as sim:
            self.slipway(sim, "upload", self.v2)
            self.assertEqual(sim.slot(1)[:len(self.new)], self.new)

    def test_weak_cells_are_listed_until_rewritten(self):
        state = self.shop.path(self._testMethodName)
        weak = os.path.join(state, "weak.txt")
        with self.board() as sim:
            self.request(sim, self.v2)
            self.assertFalse(os.path.exists(weak))
        readings = set()
        # In the middle of two pages; a mark would stay weak in a state unit that is history.
        self.assertEqual(self.cut_run(60, "weak")[0], 20)
        with open(weak) as f:
            head = f.readline().split()
        self.assertEqual(head[0], "weak")
        self.assertIn(head[1], ("internal", "external"))
        chip, off, length, n = head[1], int(head[2], 16), int(head[3]), int(head[4])
        self.assertGreaterEqual(n, 2)
        for _ in range(12):
            # Power fails again before anything is written: only the reading changes.
            self.assertEqual(self.cut_run(1, "none")[0], 20)
            with open(os.path.join(state, chip + ".bin"), "rb") as f:
                readings.add(f.read()[off:off + length])
        self.assertGreater(len(readings), 1)
        with self.board() as sim:
            self.assertEqual((sim.boot["action"], sim.boot["running"]), ("resume", "2.3.4+5"))
        self.assertFalse(os.path.exists(weak))


if __name__ == "__main__":
    unittest.main()
