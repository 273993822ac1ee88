"""slipway board run as docs/commands/board.md has it: options, files, ends and their exit status, UART, pace."""
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

SLIPWAY = os.environ["SLIPWAY"]
FW = pathlib.Path(os.environ["FW_DIR"])
KEYS = ["insns", "virtual_s", "wall_s", "stop", "internal", "external", "overlap_ms", "unmodelled"]
MIB = 1 << 20


def hexfile(records):
    """Intel hex of [(address, bytes)]."""
    lines = []

    def put(typ, addr, data):
        r = bytes([len(data), addr >> 8 & 255, addr & 255, typ]) + data
        lines.append(":" + (r + bytes([-sum(r) & 255])).hex().upper())

    for addr, data in records:
        for i in range(0, len(data), 16):
            put(4, 0, struct.pack(">H", addr + i >> 16))
            put(0, addr + i & 0xFFFF, data[i:i + 16])
    put(1, 0, b"")
    return "\n".join(lines) + "\n"


def program(code, hard_fault=0x201):
    """Vectors, and Thumb halfwords at 0x100; the HardFault handler at 0x200 is `b .`."""
    vectors = [0x20001000, 0x101, 0x201, hard_fault] + [0x201] * 60
    return hexfile([(0, struct.pack("<64I", *vectors)), (0x100, struct.pack(f"<{len(code)}H", *code)),
                    (0x200, b"\xfe\xe7")])


def load32(reg, value):
    """movw, movt reg, #value"""
    out = []
    for op, half in ((0xF240, value & 0xFFFF), (0xF2C0, value >> 16)):
        out += [op | half >> 12 | (half >> 11 & 1) << 10, reg << 8 | (half >> 8 & 7) << 12 | half & 0xFF]
    return out


SPIN = program([0xE7FE])
BUSY = program([0x3001, 0xE7FD])  # adds r0, #1; b back
MASKED = program([0xB672, 0xE7FE])  # cpsid i; b .
FAULT = program(load32(0, 0x70000004) + [0x6800, 0xE7FE])  # ldr r0, [r0]
LOCKUP = program(load32(0, 0x70000004) + [0x6800, 0xE7FE], hard_fault=0x70000001)
AGAIN = program([0xDE00], hard_fault=0x205).replace(":00000001FF\n", "") + hexfile([(0x204, b"\x70\x47")])  # udf; bx lr
POLL_RADIO = program(load32(0, 0x40001110) + [0x6801, 0x2900, 0xD0FC, 0xE7FE])
WAIT_RADIO = program(load32(0, 0xE000E100) + [0x2102, 0x6001] + load32(0, 0x40001000) + [0x2101, 0x6001, 0xBF30, 0xE7FD])
SLEEP = program([0xBF30, 0xE7FD])
UNMODELLED = program(load32(0, 0x4001C500) + [0x6801, 0x6001, 0xBF30, 0xE7FD])


class BoardTest(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.dir = pathlib.Path(self.tmp.name)

    def tearDown(self):
        self.tmp.cleanup()

    def file(self, name, content):
        p = self.dir / name
        p.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(p)

    def board(self, *args, code=0, said=None, stdin=None, timeout=120):
        p = subprocess.run([SLIPWAY, "board", "run", *map(str, args)], capture_output=True, timeout=timeout,
                           input=stdin if stdin is None else stdin.encode())
        out, err = p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")
        self.assertEqual(p.returncode, code, f"{args}\n{out[-500:]}\n{err[-1500:]}")
        for s in [said] if isinstance(said, str) else said or []:
            self.assertIn(s, err)
        return out, err

    def fw(self, name):
        return str(FW / f"{name}.hex")

    def stats(self, out):
        return json.loads(out.splitlines()[-1])

    # ---- usage, files ----

    def test_usage(self):
        h = self.fw("check")
        for args, said in [
                (["--hex", h, "--for", "x"], "--for"), (["--hex", h, "--for", "-1"], "--for"),
                (["--hex", h, "--for", "nan"], "--for"), (["--hex", h, "--pace", "fast"], "--pace"),
                (["--hex", h, "--until", ""], "--until"), (["--hex", h, "--until", "x" * 600], "--until"),
                (["--hex", h, "--gdb", "0"], "--gdb"), (["--hex", h, "--gdb", "70000"], "--gdb"),
                (["--hex", h, "--gdb", "12x"], "--gdb"), (["--hex", h, "--cut", "0"], "--cut"),
                (["--hex", h, "--cut", "-3"], "--cut"), (["--hex", h, "--cut", "3:some"], "--cut"),
                (["--hex", h, "--cut", "3:"], "--cut"), (["--hex", h, "--uart0", "tcp:1"], "--uart0"),
                (["--hex", h, "--uart0", "file:"], "--uart0"), (["--hex", h, "--uart0", "unix"], "--uart0"),
                (["--hex", h, "--usb0", "tcp:1"], "--usb0 is"), (["--hex", h, "--vbus", "yes"], "--vbus"),
                (["--hex", h, "--usb0", "stdio", "--vbus", "off"], "--vbus off"),
                (["--hex", h, "--usb0", "stdio", "--uart0", "stdio"], "cannot both"),
                (["--hex", h, "--fault", "external:slow"], "--fault"), (["--hex", h, "--fault", "internal:busy"], "--fault"),
                (["--hex", h, "--fault", "external:busy@0"], "--fault"), (["--hex", h, "--fault", "external:busy@x"], "--fault"),
                (["--hex", h, "--fast"], "unknown option --fast"), (["--hex"], "--hex needs a value"),
                ([], "nothing to run"), (["--bin", h], "FILE@ADDRESS"), (["--bin", f"{h}@here"], "no address"),
                (["--bin", f"{h}@0x1000000000"], "no address"), (["--hex", h, "operand"], "operand"),
                (sum((["--hex", h] for _ in range(17)), []), "at most 16")]:
            with self.subTest(args=args):
                out, err = self.board(*args, code=2, said=said)
                self.assertEqual(out, "")
                self.assertIn("slipway help board", err)
        p = subprocess.run([SLIPWAY, "board", "fly"], capture_output=True, text=True)
        self.assertEqual(p.returncode, 2)

    def test_bad_files(self):
        good = pathlib.Path(self.fw("check")).read_text()
        first = good.splitlines()[1]
        bad = [
            ("no.hex", None, ["cannot read", "No such file"]),
            ("empty.hex", "", ["no end record"]),
            ("none.hex", ":00000001FF\n", ["no data"]),
            ("cut.hex", good[:len(good) // 2], ["line "]),
            ("sum.hex", good.replace(first, first[:-2] + "00", 1), ["line 2: wrong checksum"]),
            ("text.hex", "hello\n", ["starts with ':'", "'h'"]),
            ("type.hex", ":00000009F7\n", ["unknown record type 9"]),
            ("ram.hex", hexfile([(0x20000000, b"1234")]), ["0x20000000", "no memory of this board"]),
            ("end.hex", hexfile([(0xFFFFC, b"12345678")]), ["no memory of this board"]),
            ("ext.hex", hexfile([(0x12800000, b"1234")]), ["0x12800000"]),
            ("binary.hex", bytes(range(256)) * 10, ["line 1"]),
        ]
        for name, content, said in bad:
            with self.subTest(name=name):
                path = self.dir / name
                if content is not None:
                    self.file(name, content)
                out, _ = self.board("--hex", path, code=3, said=said + ["nothing was run"])
                self.assertEqual(out, "")
        self.board("--bin", self.file("x.bin", b"") + "@0", code=3, said="empty")
        self.board("--bin", self.file("y.bin", b"1234") + "@0x200000", code=3, said="do not fit")
        self.board("--bin", str(self.dir) + "@0", code=3, said="cannot read")
        for option in ("--internal", "--external"):
            self.board("--hex", self.fw("check"), option, self.file("small", b"1234"), code=3, said="4 bytes, the chip has")
        self.board("--hex", self.fw("check"), "--input", self.dir / "none", code=3, said="cannot read")
        self.board("--hex", self.fw("check"), "--trace", self.dir / "no" / "where", code=3, said="cannot write")
        self.board("--hex", self.fw("check"), "--uart0", f"file:{self.dir}/no/where", code=5, said="cannot write")

    def test_a_file_is_loaded_whole_or_not_at_all(self):
        chip = self.dir / "int"
        chip.write_bytes(b"\xff" * MIB)
        self.board("--hex", self.file("half.hex", hexfile([(0x1000, b"abcd"), (0x30000000, b"efgh")])), "--internal", chip,
                   code=3)
        self.assertEqual(chip.read_bytes(), b"\xff" * MIB)

    # ---- ends ----

    def test_for_and_stats(self):
        out, err = self.board("--hex", self.fw("flash"), "--for", "2.5", "--stats")
        s = self.stats(out)
        self.assertEqual(list(s), KEYS)
        self.assertEqual(list(s["internal"]), ["erases", "programs", "busy_ms"])
        self.assertEqual(list(s["external"]), ["erases", "programs", "busy_ms"])
        self.assertEqual((s["stop"], s["virtual_s"], s["unmodelled"]), ("for", 2.5, []))
        self.assertEqual((s["internal"]["erases"], s["internal"]["programs"]), (4, 64))
        self.assertEqual((s["external"]["erases"], s["external"]["programs"]), (4, 16))
        self.assertAlmostEqual(s["internal"]["busy_ms"], 4 * 85 + 64 * 0.041, places=2)
        self.assertAlmostEqual(s["external"]["busy_ms"], 4 * 48 + 16 * 0.896, places=2)
        self.assertTrue(100 < s["overlap_ms"] <= s["external"]["busy_ms"])
        self.assertGreater(s["insns"], 100000)
        self.assertEqual(err, "")
        self.assertEqual(out.count("good "), 4)

    def test_stats_begin_a_line_of_their_own(self):
        out, _ = self.board("--hex", self.fw("check"), "--until", "ok preem", "--stats")
        self.assertTrue(out.splitlines()[-2].endswith("ok preem"), out[-300:])
        self.assertEqual(self.stats(out)["stop"], "until")

    def test_json(self):
        hexfile, log = self.fw("check"), f"file:{self.dir}/log"
        for args, code, event in [
                (["--hex", hexfile, "--until", "done"], 0, {"event": "result", "ok": True, "stop": "until"}),
                (["--hex", self.fw("flash"), "--cut", "3"], 20, {"event": "result", "ok": False, "stop": "cut"})]:
            p = subprocess.run([SLIPWAY, "--json", "board", "run", "--uart0", log, *args], capture_output=True, text=True)
            self.assertEqual((p.returncode, json.loads(p.stdout)), (code, event))
        p = subprocess.run([SLIPWAY, "--json", "board", "run", "--uart0", log, "--hex", self.file("f.hex", FAULT), "--stats"],
                           capture_output=True, text=True)
        result, stats = map(json.loads, p.stdout.splitlines())
        self.assertEqual((p.returncode, result["ok"], result["code"], stats["stop"]), (21, False, "fault", "fault"))

    def test_until(self):
        out, _ = self.board("--hex", self.fw("check"), "--until", "failed 00000000")
        self.assertTrue(out.endswith("failed 00000000"))
        self.board("--hex", self.fw("check"), "--until", "never said", "--for", "1", code=1, said="never said")
        self.board("--hex", self.fw("check"), "--until", "never said", code=1, said="Asleep")
        self.board("--hex", self.file("spin.hex", SPIN), "--until", "x", code=1, said="endless loop")

    def test_idle_and_loops(self):
        out, err = self.board("--hex", self.file("sleep.hex", SLEEP), "--stats")
        self.assertEqual(self.stats(out)["stop"], "idle")
        self.assertIn("Asleep", err)
        out, _ = self.board("--hex", self.dir / "sleep.hex", "--for", "1000", "--stats")
        self.assertEqual((self.stats(out)["stop"], self.stats(out)["virtual_s"]), ("for", 1000))
        spin = self.file("spin.hex", SPIN)
        self.board("--hex", spin, code=21, said="endless loop at 0x00000100")
        out, _ = self.board("--hex", spin, "--for", "3", "--stats")  # main() that ends so is idle
        self.assertEqual(self.stats(out)["stop"], "for")
        self.board("--hex", self.file("masked.hex", MASKED), "--for", "3", code=21, said="endless loop at 0x00000102")
        out, _ = self.board("--hex", self.file("busy.hex", BUSY), "--for", "0.5", "--stats")
        self.assertEqual(self.stats(out)["virtual_s"], 0.5)

    def test_faults(self):
        _, err = self.board("--hex", self.file("fault.hex", FAULT), "--for", "5", code=21,
                            said=["HardFault at pc 0x00000108", "address 0x70000004", "r0 ", "cfsr 0x00008200"])
        self.assertRegex(err, r"sp 0x[0-9a-f]{8}  lr 0x[0-9a-f]{8}  pc 0x[0-9a-f]{8}")
        out, _ = self.board("--hex", self.file("lock.hex", LOCKUP), "--stats", code=21, said=["Lock-up", "0x70000004"])
        self.assertEqual(self.stats(out)["stop"], "lockup")
        self.board("--hex", self.file("again.hex", AGAIN), code=21, said="again and again")
        self.board("--hex", self.file("none.hex", hexfile([(0x8000, b"1234")])), code=21)  # erased vectors

    def test_broken_chip(self):
        ops = lambda st: st["external"]["erases"] + st["external"]["programs"]
        out, _ = self.board("--hex", self.fw("flash"), "--for", 3, "--stats")
        good = ops(self.stats(out))
        out, _ = self.board("--hex", self.fw("flash"), "--for", 3, "--stats", "--fault", "external:busy@3")
        self.assertEqual(ops(self.stats(out)), 3)  # it never gets to a fourth
        self.assertGreater(good, 3)
        out, _ = self.board("--hex", self.fw("flash"), "--for", 3, "--stats", "--fault", "external:ones")
        self.assertEqual(ops(self.stats(out)), 0)

    def test_waits_for_what_is_not_modelled(self):
        out, _ = self.board("--hex", self.file("poll.hex", POLL_RADIO), "--for", "60", "--stats", code=22,
                            said=["RADIO", "0x40001110"])
        self.assertEqual(self.stats(out)["stop"], "unmodelled")
        self.assertLess(self.stats(out)["virtual_s"], 5)
        self.assertEqual(self.stats(out)["unmodelled"], ["RADIO+0x110 (0x40001110)"])
        self.board("--hex", self.file("wait.hex", WAIT_RADIO), code=22, said="interrupt of RADIO")
        for mode, seconds, code, said in [(b"i", 60, 22, "interrupt of RADIO"), (b"k", 5, 22, "interrupt of CRYPTOCELL"),
                                          (b"7", 20, 0, None), (b"t", 20, 0, None)]:  # beside a tick: tests/board/fw/wait.c
            self.board("--hex", self.fw("wait"), "--bin", self.file("mode", mode + b"\0\0\0") + "@0xF0000", "--for", seconds, code=code,
                       said=said)
        out, err = self.board("--hex", self.file("touch.hex", UNMODELLED), "--for", "1", "--stats")
        self.assertEqual(self.stats(out)["unmodelled"], ["PWM0+0x500 (0x4001c500)"])
        self.assertEqual(err.count("not modelled"), 1)

    # ---- power cuts, the chips' files ----

    def cut(self, n, tag):
        chips = [self.dir / f"{c}{tag}" for c in ("int", "ext")]
        _, err = self.board("--hex", self.fw("flash"), "--internal", chips[0], "--external", chips[1], "--cut", n, code=20)
        self.assertIn("Power was cut in flash operation", err)
        return [c.read_bytes() for c in chips]

    def test_cut(self):
        a, b = self.cut("9:bits", 1), self.cut("9:bits", 2)
        self.assertEqual(a, b)
        self.assertEqual([len(c) for c in a], [MIB, 8 * MIB])
        none, every, half = self.cut("9:none", 3), self.cut("9:all", 4), self.cut("9:half", 5)
        self.assertEqual(none, self.cut("9", 6))
        self.assertNotEqual(none, every)
        self.assertNotIn(half, (none, every))
        out, _ = self.board("--hex", self.fw("flash"), "--cut", "1000", "--for", "2", "--stats")
        self.assertEqual(self.stats(out)["stop"], "for")

    def test_chips_are_kept(self):
        internal, external = self.dir / "int", self.dir / "ext"
        self.board("--hex", self.fw("flash"), "--internal", internal, "--external", external, "--for", "2")
        first = internal.read_bytes(), external.read_bytes()
        self.assertNotEqual(first[1][:1024], b"\xff" * 1024)
        out, _ = self.board("--internal", internal, "--external", external, "--for", "2")  # no hex: what is in there
        self.assertIn("good ", out)
        self.assertEqual(internal.read_bytes()[:0x1000], first[0][:0x1000])
        raw = self.file("raw.bin", first[0])
        out, _ = self.board("--bin", f"{raw}@0x0", "--for", "2")
        self.assertIn("good ", out)
        seed = self.file("ext.hex", hexfile([(0x12000000 + 0x700000, b"Zephyr")]))
        self.board("--hex", self.fw("check"), "--hex", seed, "--external", self.dir / "ext2", "--for", "1")
        self.assertEqual((self.dir / "ext2").read_bytes()[0x700000:0x700006], b"Zephyr")
        (self.dir / "folder").mkdir()
        self.board("--hex", self.fw("check"), "--internal", self.dir / "folder", "--for", "1", code=3)

    # ---- determinism ----

    def test_trace(self):
        for name in ("a", "b", "c"):
            self.board("--hex", self.fw("flash"), "--trace", self.dir / name, "--input", self.file("in", "recorded"), "--for", "1")
        a = (self.dir / "a").read_text()
        self.assertEqual(a, (self.dir / "b").read_text())
        self.assertEqual(a, (self.dir / "c").read_text())
        self.assertRegex(a.splitlines()[-1], r"^hash [0-9a-f]{16}$")
        self.assertEqual(len(re.findall(r" flash \d+ internal erase 0x0008[01]000 4096", a)), 4)
        self.assertEqual(len(re.findall(r" flash \d+ external program 0x000\w+ 256", a)), 16)
        self.board("--hex", self.fw("flash"), "--trace", self.dir / "d", "--input", self.file("in", "REcorded"), "--for", "1")
        self.assertNotEqual(a, (self.dir / "d").read_text())

    # ---- UART, pace, signals ----

    def test_input_and_stdio(self):
        out, _ = self.board("--hex", self.fw("echo"), "--input", self.file("in", "abc\nxyz"), "--until", "XYZ")
        self.assertEqual(out, "ready\nABC\nXYZ")
        out, _ = self.board("--hex", self.fw("echo"), "--uart0", "stdio", "--until", "LLO", stdin="hello")
        self.assertEqual(out, "ready\nHELLO")
        out, _ = self.board("--hex", self.fw("echo"), "--uart0", "stdio", "--stats", stdin="hello")  # end of input: idle
        self.assertEqual(self.stats(out)["stop"], "idle")
        out, _ = self.board("--hex", self.fw("echo"), "--for", "1", stdin="not taken")  # stdin only if asked for
        self.assertEqual(out, "ready\n")
        big = "the quick brown fox\n" * 2000
        out, _ = self.board("--hex", self.fw("echo"), "--input", self.file("in", big + "$"), "--until", "$")
        self.assertTrue(out == "ready\n" + big.upper() + "$", f"{len(out)} bytes came")

    def start(self, *args):
        return subprocess.Popen([SLIPWAY, "board", "run", *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def stop(self, p, sig=signal.SIGINT, code=130):
        p.send_signal(sig)
        out, err = p.communicate(timeout=30)
        self.assertEqual(p.returncode, code, err)
        return out, err

    def wait_for(self, path):
        end = time.monotonic() + 30
        while not os.path.lexists(path):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def test_file(self):
        log = self.dir / "log"
        out, _ = self.board("--hex", self.fw("check"), "--uart0", f"file:{log}", "--until", "done", "--stats")
        self.assertEqual(len(out.splitlines()), 1)
        self.assertIn("failed 00000000", log.read_text())

    def test_pty(self):
        link = self.dir / "tty"
        p = self.start("--hex", self.fw("echo"), "--uart0", f"pty:{link}")
        self.wait_for(link)
        fd = os.open(link, os.O_RDWR | os.O_NOCTTY)
        os.write(fd, b"typed\n")
        got = b""
        while b"TYPED" not in got:
            got += os.read(fd, 100)
        os.close(fd)
        _, err = self.stop(p)
        self.assertIn(b"uart0 is /dev/pts/", err)
        self.assertFalse(os.path.lexists(link))
        precious = pathlib.Path(self.file("mine", "precious"))
        self.board("--hex", self.fw("echo"), "--uart0", f"pty:{precious}", code=5, said="cannot make the link")
        self.assertEqual(precious.read_text(), "precious")

    def test_unix(self):
        path = self.dir / "sock"
        p = self.start("--hex", self.fw("echo"), "--uart0", f"unix:{path}")
        self.wait_for(path)
        for _ in range(2):  # a client may leave and another come
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(str(path))
                s.sendall(b"hi")
                got = b""
                while b"HI" not in got:
                    got += s.recv(100)
        self.stop(p, signal.SIGTERM)
        self.assertFalse(path.exists())
        precious = pathlib.Path(self.file("mine", "precious"))
        self.board("--hex", self.fw("echo"), "--uart0", f"unix:{precious}", code=5, said="cannot listen")
        self.assertEqual(precious.read_text(), "precious")

    def test_pace(self):
        t = time.monotonic()
        self.board("--hex", self.fw("check"), "--for", "1.2", "--pace", "real")
        self.assertGreater(time.monotonic() - t, 1.15)
        t = time.monotonic()
        self.board("--hex", self.fw("check"), "--for", "3600")
        self.assertLess(time.monotonic() - t, 30)  # idle time costs nothing
        t = time.monotonic()
        self.board("--hex", self.fw("check"), "--for", "1.2", "--uart0", f"pty:{self.dir}/x")  # a live client: real
        self.assertGreater(time.monotonic() - t, 1.15)

    def test_signals_end_a_busy_run_and_keep_the_chips(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            chip = self.dir / f"int{sig}"
            p = self.start("--hex", self.file("busy.hex", BUSY), "--internal", chip, "--stats")
            time.sleep(0.7)
            t = time.monotonic()
            out, _ = self.stop(p, sig)
            self.assertLess(time.monotonic() - t, 10)
            self.assertEqual(json.loads(out.splitlines()[-1])["stop"], "interrupted")
            self.assertEqual(len(chip.read_bytes()), MIB)

    def test_signal_while_waiting_for_a_debugger(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
            s.listen()
            self.board("--hex", self.fw("check"), "--gdb", port, code=5, said="cannot listen on port")
        p = self.start("--hex", self.fw("check"), "--gdb", port)
        p.stderr.readline()
        self.stop(p)

    # ---- boards ----

    def dts(self, body):
        return self.file("my.dts", "/dts-v1/;\n/ { };\n" + body)

    def test_boards(self):
        chip = self.dir / "ext"
        self.board("--hex", self.fw("check"), "--board", "at25xe321d_nrf52840", "--external", chip, "--for", "0.1")
        self.assertEqual(chip.stat().st_size, 4 * MIB)
        chip.unlink()
        self.board("--hex", self.fw("check"), "--board", "nrf52840dk", "--external", chip, "--for", "0.1")
        self.assertEqual(chip.stat().st_size, 8 * MIB)
        chip.unlink()
        qspi = '&qspi { f: flash@0 { compatible = "nordic,qspi-nor"; reg = <0>; jedec-id = [ef 40 16]; size = <33554432>; }; };'
        self.board("--hex", self.fw("check"), "--board", self.dts(qspi), "--external", chip, "--for", "0.1")
        self.assertEqual(chip.stat().st_size, 4 * MIB)
        chip.unlink()
        spi = ('&spi2 { cs-gpios = <&gpio0 17 1>; f: flash@0 { compatible = "jedec,spi-nor"; reg = <0>; '
               'jedec-id = [ef 40 15]; size = <16777216>; }; };')
        self.board("--hex", self.fw("check"), "--board", self.dts(spi), "--external", chip, "--for", "0.1")
        self.assertEqual(chip.stat().st_size, 2 * MIB)
        self.board("--hex", self.fw("check"), "--board", self.dts(""), "--external", chip, code=2, said="no external flash")
        self.board("--hex", self.fw("flash"), "--board", self.dts(""), "--until", "good", "--for", "1", code=1)

    def test_bad_boards(self):
        for body, said in [
                ("&qspi { f { ;", "no devicetree"),
                ('&qspi { f: f@0 { compatible = "nordic,qspi-nor"; reg = <0>; }; };', "no jedec-id"),
                ('&qspi { f: f@0 { compatible = "nordic,qspi-nor"; jedec-id = [ef 40 16]; size = <1000>; }; };', "power of two"),
                ('&spi2 { f: f@0 { compatible = "jedec,spi-nor"; reg = <0>; jedec-id = [ef 40 16]; }; };', "which pin selects it"),
                ('&i2c0 { f: f@0 { compatible = "jedec,spi-nor"; reg = <0>; jedec-id = [ef 40 16]; }; };', "none of SPIM0")]:
            with self.subTest(body=body):
                self.board("--hex", self.fw("check"), "--board", self.dts(body), code=3, said=[said, "nothing was run"])
        self.board("--hex", self.fw("check"), "--board", "no_such_board", code=3, said=["no_such_board", "boards/"])
        self.board("--hex", self.fw("check"), "--board", self.file("b.dts", b"\0\1\2"), code=3)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[1:])
