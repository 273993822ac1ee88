"""The command on folders that mean harm: it names what it could not read, and ends soon in little memory."""
import io
import os
import random
import resource
import subprocess
import sys
import unittest
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from project import LOST, SLIPWAY, Project, doctor_json  # noqa: E402

BOOT = {"prj.conf": "CONFIG_BOOTLOADER_MCUBOOT=y\n"}
CPU_S, WALL_S = 30, 120  # with AddressSanitizer, on a machine that does other things, too


def junk(n, zero=True):
    out = random.Random(n).randbytes(n)
    return out if zero else out.replace(b"\0", b"\1")


def zip_of(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in members.items():
            z.writestr(name, data)
    return out.getvalue()


class Hostile(unittest.TestCase):
    def run_on(self, project, status=(0, 1, 2)):
        """(exit status, stdout, stderr) with the time that the process may take bounded."""
        p = subprocess.run([SLIPWAY, "doctor", project.dir], capture_output=True, timeout=WALL_S, stdin=subprocess.DEVNULL,
                           preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S)))
        err = p.stderr.decode("utf-8", "replace")
        self.assertIn(p.returncode, status if isinstance(status, tuple) else (status,), err[-2000:])
        self.assertNotIn("Sanitizer", err)
        p.stdout.decode("utf-8")
        return p.returncode, p.stdout.decode("utf-8", "replace"), err

    def named(self, files, *messages, status=2):
        with Project({**BOOT, **files}) as p:
            _, out, err = self.run_on(p, status)
        for message in messages:
            self.assertIn(message, err)
        if status == 2:
            self.assertRegex(out.splitlines()[0], "^(UNKNOWN|NO): ")
        return out

    def test_binary_junk(self):
        names = ("prj.conf", "app.overlay", "sysbuild.conf", "sysbuild/mcuboot.conf", "sysbuild/mcuboot.overlay",
                 "pm_static.yml", "boards/x_nrf52840.dts")
        self.named({n: junk(50000) for n in names}, *(f"error: {n}: binary data" for n in names))

    def test_junk_without_zeros(self):
        names = ("prj.conf", "app.overlay", "sysbuild/mcuboot.conf")
        self.named({n: junk(50000, zero=False) for n in names}, *(f"error: {n}: line 1 is not UTF-8 text" for n in names))

    def test_junk_artifacts(self):
        files = {"build/dfu_application.zip": junk(50000), "build/app.hex": junk(50000), "build/app.bin": junk(50000),
                 "key.pem": b"-----BEGIN PRIVATE KEY-----\n" + junk(50000) + b"-----END PRIVATE KEY-----\n"}
        self.named(files, "warning: build/dfu_application.zip: it is not a readable zip file",
                   "warning: build/app.hex: line 1 is no Intel HEX record", "warning: key.pem: no key can be read from it",
                   status=(0, 1))

    def test_hundred_megabytes(self):
        for name in ("prj.conf", "app.overlay", "pm_static.yml", "sysbuild.conf"):
            with self.subTest(name), Project(BOOT) as p:
                os.truncate(p.put(name, ""), 100 << 20)
                _, _, err = self.run_on(p, 2)
                self.assertIn(f"error: {name}: 104857600 bytes are more than the doctor reads", err)

    def test_folders_in_a_circle(self):
        with Project(LOST) as p:
            before = doctor_json(p)[1]["findings"]
            os.symlink(".", os.path.join(p.dir, "self"))
            os.symlink("../..", os.path.join(p.dir, "boards", "acme", "up"))
            os.symlink("b", os.path.join(p.dir, "a"))
            os.symlink("a", os.path.join(p.dir, "b"))
            _, _, err = self.run_on(p, 1)
            self.assertEqual(doctor_json(p)[1]["findings"], before)
        self.assertIn("note: self: a link to a folder is not followed", err)
        self.assertIn("warning: a: a link that leads nowhere", err)

    def test_input_that_is_a_link_to_itself(self):
        with Project({}) as p:
            os.symlink("prj.conf", os.path.join(p.dir, "prj.conf"))
            _, _, err = self.run_on(p, 2)
        self.assertIn("error: prj.conf: a link that leads nowhere", err)

    def test_pipes_and_devices(self):
        with Project({"sysbuild/x": ""}) as p:
            for name in ("prj.conf", "app.overlay", "sysbuild/mcuboot.conf", "key.pem"):
                os.mkfifo(os.path.join(p.dir, name))
            os.symlink("/dev/zero", os.path.join(p.dir, "sysbuild.conf"))
            _, _, err = self.run_on(p, 2)
        for name in ("prj.conf", "app.overlay", "sysbuild/mcuboot.conf"):
            self.assertIn(f"error: {name}: a named pipe, not a file", err)
        self.assertIn("error: sysbuild.conf: a device, not a file", err)
        self.assertIn("warning: key.pem: a named pipe", err)

    def test_includes(self):
        self.named({"app.overlay": '#include "app.overlay"\n#include "app.overlay"\n'}, "error: app.overlay: line ")
        with Project(BOOT) as p:
            os.mkfifo(os.path.join(p.dir, "pipe.dtsi"))
            p.put("app.overlay", '#include "pipe.dtsi"\n#include "/dev/zero"\n#include "../../../../../etc/passwd"\n/ { };\n')
            _, out, _ = self.run_on(p)
        self.assertNotIn("root:", out)

    def test_yaml_bombs(self):
        laughs = "a: &a [x, x, x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n"
                                               for i in range(12))
        self.named({"pm_static.yml": laughs}, status=(0, 1))
        for text in ("[" * 900000, "{a: " * 200000, "- " * 400000, "? " * 300000,
                     "".join(f"p{i}: {{address: {i}, size: 1}}\n" for i in range(20000))):
            with self.subTest(text[:4]):
                self.named({"pm_static.yml": text}, "error: pm_static.yml: more entries or levels than a partition map can have")
        self.named({"pm_static.yml": '"' + "a" * 900000}, "error: pm_static.yml: not valid YAML: line 1")

    def test_broken_utf8(self):
        self.named({"app.overlay": b'/ { model = "\xc3("; chosen { nordic,pm-ext-flash = &\xff\xfe; }; };\n',
                    "sysbuild/mcuboot.conf": b'CONFIG_A="\xff\x9b31m"\n'},
                   "error: app.overlay: line 1 is not UTF-8 text", "error: sysbuild/mcuboot.conf: line 1 is not UTF-8 text")

    def test_ten_thousand_nodes(self):
        nodes = "".join(f"n{i}: node@{i:x} {{ reg = <{i} 1>; label = \"n{i}\"; p = <&n{max(i - 1, 0)}>; }};\n" for i in range(10000))
        gone = "".join(f"/delete-node/ &n{i};\n" for i in range(9999, -1, -1))
        self.named({"app.overlay": f"/ {{\n{nodes}}};\n"}, status=(0, 1))
        self.named({"app.overlay": f"/ {{\n{nodes}}};\n{gone}"}, status=(0, 1))

    def test_deep_and_wide_devicetrees(self):
        for text in ("/ { " + "a { " * 200000, "#if 1\n" * 100000, "/ { x = <" + "(" * 500000):
            with self.subTest(text[:8]):
                self.named({"app.overlay": text}, "error: app.overlay: line ", "more is open here than in any devicetree")
        macros = "".join(f"#define A{i} A{i + 1} A{i + 1}\n" for i in range(60))
        self.named({"app.overlay": macros + "/ { x = <A0>; };\n"}, status=(0, 1))

    def test_contradictions_without_end(self):
        text = "".join(f"CONFIG_A{i % 20000}=y\nCONFIG_A{i % 20000}=n\n" for i in range(25000))
        out = self.named({"prj.conf": text}, status=(0, 1))
        self.assertIn("more of rules that fire all the time", out.splitlines()[-1])

    def test_zips(self):
        bomb = zip_of(**{"manifest.json": '{"files": []}', "app.bin": bytes(100 << 20)})
        self.named({"dfu_application.zip": bomb}, "dfu_application.zip: it unpacks to more than any firmware", status=(0, 1))
        nested = zip_of(**{"manifest.json": "[" * 100000})
        self.named({"dfu_application.zip": nested}, "dfu_application.zip: its manifest.json has no list of files", status=(0, 1))
        with Project(BOOT) as p:
            p.put("dfu_application.zip", zip_of(**{"manifest.json": '{"files": [{"file": "../../evil.bin", "image_index": 0}]}',
                                                   "../../evil.bin": bytes(100), "a\x1b[31m.bin": bytes(50)}))
            self.run_on(p, (0, 1))
            self.assertEqual(sorted(os.listdir(p.temp.name)), ["app"])
            self.assertFalse(os.path.exists(os.path.join(p.temp.name, "..", "evil.bin")))

    def test_names(self):
        key = "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----\n"
        with Project(BOOT) as p:
            for name in (b"a\x1b[31mred.pem", b"x\nerror: y.pem", b"\xff\xfe.pem", "\u202egnp.pem".encode()):
                with open(os.path.join(p.dir.encode(), name), "w", encoding="ascii") as f:
                    f.write(key)
            _, _, err = self.run_on(p)
        for name in ("a?[31mred.pem", "x?error: y.pem", "??.pem", "?gnp.pem"):
            self.assertIn(f"warning: {name}: no key", err)
        self.assertEqual(len(err.splitlines()), 4)

    def test_many_files_that_cannot_be_read(self):
        with Project(BOOT) as p:
            for i in range(300):
                os.mkfifo(os.path.join(p.dir, f"pipe{i}"))
            _, _, err = self.run_on(p)
            self.assertEqual(len(doctor_json(p)[1]["unread"]), 300)
        self.assertIn("280 more could not be read", err)
        self.assertEqual(len(err.splitlines()), 21)

    def test_folders_below_folders(self):
        with Project(BOOT) as p:
            os.makedirs(os.path.join(p.dir, *["d"] * 60))
            _, _, err = self.run_on(p)
        self.assertIn(": deeper than 16 folders", err)


if __name__ == "__main__":
    unittest.main()
