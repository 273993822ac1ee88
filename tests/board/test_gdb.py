"""The board under the real gdb-multiarch: attach, break, step, registers, memory, and what firmware makes of it.

    test_gdb.py SLIPWAY FIRMWARE.elf FIRMWARE.hex
"""
import re
import shutil
import socket
import subprocess
import sys
import unittest

SLIPWAY, ELF, HEX = sys.argv[1:4]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Gdb(unittest.TestCase):
    def session(self, *commands, elf=True, args=(), code=0):
        """Runs gdb with these commands on a fresh board; its output and the board's."""
        port = free_port()
        board = subprocess.Popen([SLIPWAY, "board", "run", "--hex", HEX, "--gdb", str(port), "--for", "2", *args],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            line = board.stderr.readline()
            self.assertIn("waiting for a debugger", line)
            script = ["set pagination off", "set confirm off", "set architecture arm"]
            if elf:
                script.append(f"file {ELF}")
            script += [f"target remote localhost:{port}", *commands]
            argv = [shutil.which("gdb-multiarch") or "gdb-multiarch", "-nx", "-batch"]
            for c in script:
                argv += ["-ex", c]
            gdb = subprocess.run(argv, capture_output=True, text=True, timeout=100)
            out, err = board.communicate(timeout=100)
            self.assertEqual(board.returncode, code, err)
            return gdb.stdout + gdb.stderr, out
        finally:
            board.kill()
            board.wait()

    def test_attaches_halted_at_reset(self):
        out, _ = self.session("info registers", "p/x $sp", "p/x $pc", "x/2xw 0", "kill")
        sp, pc = re.search(r"0x0.*:\s+(0x\w+)\s+(0x\w+)", out).groups()
        self.assertIn(f"= {hex(int(sp, 16))}", out)
        self.assertIn(f"= {hex(int(pc, 16) & ~1)}", out)
        for name in ("r0", "r12", "lr", "xpsr", "msp", "psp", "primask", "basepri", "faultmask", "control"):
            self.assertRegex(out, rf"(?m)^{name}\s")

    def test_breaks_and_continues(self):
        out, _ = self.session("break main", "continue", "bt", "delete", "break print", "continue",
                              "x/s $r0", "continue", "x/s $r0", "kill")
        self.assertRegex(out, r"Breakpoint 1, .*main")
        self.assertRegex(out, r"#0 .*main")
        self.assertRegex(out, r"Breakpoint 2, .*print")
        self.assertIn('"ok "', out)
        self.assertIn('"priority bits"', out)

    def test_steps_single_instructions(self):
        out, _ = self.session("break main", "continue", "p/x $pc", "stepi", "p/x $pc", "stepi", "p/x $pc", "kill")
        pcs = [int(x, 16) for x in re.findall(r"\$\d+ = (0x\w+)", out)]
        self.assertEqual(len(pcs), 3, out)
        self.assertEqual(len(set(pcs)), 3, out)

    def test_reads_and_writes(self):
        out, _ = self.session("set {int}0x20030000 = 0x12345678", "x/xw 0x20030000", "x/4xb 0x20030000",
                              "set $r5 = 77", "p $r5", "x/xw 0x10000100", "x/xw 0xe000ed00", "x/xw 0x70000000", "kill")
        self.assertRegex(out, r"0x20030000:\s+0x12345678")
        self.assertRegex(out, r"0x78\s+0x56\s+0x34\s+0x12")
        self.assertRegex(out, r"\$\d+ = 77")
        self.assertRegex(out, r"0x10000100:\s+0x00052840")
        self.assertRegex(out, r"0xe000ed00:\s+0x410fc241")
        self.assertIn("Cannot access memory at address 0x70000000", out)

    def test_runs_to_the_end_of_its_time(self):
        out, text = self.session("continue")
        self.assertIn("failed 00000000", text)
        self.assertIn("done", text)
        self.assertIn("exited normally", out)

    def test_detaching_ends_the_run(self):
        out, text = self.session("break main", "continue", "detach")
        self.assertIn("main", out)
        self.assertNotIn("done", text)

    def test_until_and_stats_work_with_a_debugger(self):
        _, text = self.session("continue", args=("--until", "ok preemption", "--stats"))
        self.assertIn("ok preemption", text)
        self.assertTrue(text.splitlines()[-1].startswith('{"insns":'), text[-300:])
        self.assertIn('"stop":"until"', text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
