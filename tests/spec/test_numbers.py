"""Names and numbers of SPEC.md are those of the code: each table here, each X-macro and enum there."""
import glob
import os
import re
import unittest

import spec


def plain(cell):
    return cell.strip("`")


class Numbers(unittest.TestCase):
    maxDiff = None

    def test_errors(self):
        code = [[n, name, text] for n, name, text in spec.macro("core/base/err.h", "ERR_TABLE")]
        self.assertGreater(len(code), 15)
        self.assertEqual([[plain(c) for c in row] for row in spec.tables("Errors")[0]], code)

    def test_reasons(self):
        code = [[r[0]] + r[2:] for r in spec.macro("core/base/reason.h", "REASON_TABLE")]
        self.assertGreater(len(code), 50)
        self.assertEqual([[plain(c) for c in row] for row in spec.tables("Reasons")[0]], code)

    def test_meanings_of_a_findings_numbers(self):
        """Those with a row of their own are used by a reason."""
        used = {m for r in spec.macro("core/base/reason.h", "REASON_TABLE") for m in r[3:6]}
        for row in spec.tables("Findings and the boot report")[0]:
            self.assertLessEqual(set(spec.words(row[0])), used, row)

    def test_actions(self):
        code = [[n, text] for n, _, text in spec.macro("core/boot/report.h", "BOOT_ACTION_TABLE")]
        self.assertEqual([[plain(c) for c in row[:2]] for row in spec.tables("Findings and the boot report")[1]], code)

    def test_tears(self):
        code = [text for _, text in spec.macro("sim/flash/power.h", "SIM_TEAR_TABLE")]
        self.assertEqual([plain(r[0]) for r in spec.tables("A simulated board's folder")[1]], code)

    def test_group_64(self):
        code = spec.enum("core/smp/groups/slipway.h", "slipway_cmd")
        rows = {"SLIPWAY_" + r[1].upper(): int(r[0]) for r in spec.tables("Group 64, slipway")[0]}
        self.assertEqual(rows, code)

    def test_codes_of_the_image_group(self):
        code = spec.enum("core/smp/groups/img.h", "smp_img_err")
        rows = {"SMP_IMG_ERR_" + r[1]: int(r[0]) for r in spec.tables("Group 1, images")[0]}
        self.assertEqual(rows, code)

    def test_codes_said_of_reasons(self):
        """The table in img.c, code by code."""
        number = {r[1]: int(r[0]) for r in spec.macro("core/base/reason.h", "REASON_TABLE")}
        codes = spec.enum("core/smp/groups/img.h", "smp_img_err")
        said = {}
        for reason, err in re.findall(r"\{ REASON_(\w+), (SMP_IMG_ERR_\w+) \}", spec.read("core/smp/groups/img.c")):
            said.setdefault(codes[err], set()).add(number[reason])
        for rc, name, text in spec.tables("Group 1, images")[0]:
            numbers = {int(n) for n in re.findall(r"\d+", text)}
            self.assertEqual(numbers, said.get(int(rc), set()), name)

    def test_words_of_the_state_cell(self):
        values = dict(re.findall(r"\[STATE_(\w+)\] = (0x\w+)u", spec.read("core/boot/state.c")))
        self.assertEqual(len(values), 5)
        values["mark[j]"] = re.search(r"mark_value = (0x\w+)u", spec.read("core/boot/state.c")).group(1)
        table = {r[0]: r[2] for r in spec.tables("State cell")[1]}
        self.assertEqual({k: int(v, 16) for k, v in table.items()}, {k: int(v, 16) for k, v in values.items()})

    def test_news_are_not_logged(self):
        number = {r[1]: int(r[0]) for r in spec.macro("core/base/reason.h", "REASON_TABLE")}
        body = re.search(r"is_failure.*?\n\}", spec.read("core/boot/failure.c"), re.S).group(0)
        code = {number[n] for n in re.findall(r"case REASON_(\w+):", body)}
        text = re.search(r"except reasons ([\d, and]+?),? which are news", spec.section("Failure log")).group(1)
        self.assertEqual({int(n) for n in re.findall(r"\d+", text)}, code)

    def test_settings(self):
        code = [[r[0], r[2], r[3]] for r in spec.macro("firmware/app/app.h", "APP_SETTING_TABLE")]
        self.assertEqual([[plain(c) for c in row] for row in spec.tables("Settings")[0]], code)

    def test_magic_numbers(self):
        """Each that stands in SPEC.md as number and text is that text; and each of the sources' is there."""
        said = dict(re.findall(r'(0x[0-9A-F]{4,8}) "(\w{2,4})"', spec.read("SPEC.md")))
        for number, text in said.items():
            self.assertEqual(int(number, 16).to_bytes(len(text), "little").decode(), text)
        for path, name in (("core/boot/state.h", "STATE_MAGIC"), ("core/boot/upload.h", "UPLOAD_MAGIC"),
                           ("core/boot/failure.c", "MAGIC"), ("core/boot/handover.c", "HANDOVER_MAGIC"),
                           ("core/settings/settings.h", "SETTINGS_MAGIC"), ("core/settings/settings.h", "SETTINGS_MARK"),
                           ("firmware/app/recorder.h", "RECORDER_MAGIC")):
            value = re.search(rf"\b{name}\b[ =]+(0x[0-9A-Fa-f]+)", spec.read(path)).group(1)
            self.assertIn(int(value, 16), {int(n, 16) for n in said}, name)

    def test_exit_status(self):
        head = spec.read("host/cli/cli.h")
        code = {int(n) for n in re.findall(r"EXIT_\w+ = (\d+)", head)}
        code |= {int(n) for n in re.findall(r"EXIT_\w+ = (\d+)", spec.read("host/cli/cmd_board.c"))}
        self.assertEqual({int(r[0]) for r in spec.tables("Exit status")[0]}, code)

    def test_codes_of_failures(self):
        """Every code that the command's sources give by name has its row, and no row is of nothing."""
        code = set()
        for path in glob.glob(os.path.join(spec.ROOT, "host/cli/*.c")):
            with open(path) as f:
                text = f.read()
            for m in re.finditer(r"\b(?:cli_fail|cli_fail_more|device_fail_state)\(", text):
                code |= set(self.code_argument(text[m.end():]))
        code.add("power_cut")  # an event of its own: sim ends at once
        reasons = {r[2] for r in spec.macro("core/base/reason.h", "REASON_TABLE")}
        rows = {w for r in spec.tables("Codes of failures")[0] for w in spec.words(r[0])}
        self.assertEqual(code - reasons - rows, set())
        self.assertEqual(rows - code, set())

    @staticmethod
    def code_argument(text):
        """Names in the argument that is the code: the third, at the parenthesis' own depth."""
        depth, args, quoted = 0, [""], False
        for c in text:
            quoted ^= c == '"'
            if not quoted and c == ")" and depth == 0:
                break
            depth += (c in "([{") - (c in ")]}") if not quoted else 0
            if c == "," and depth == 0 and not quoted:
                args.append("")
            else:
                args[-1] += c
        return re.findall(r'"([a-z_]+)"', args[2]) if len(args) > 2 else []


if __name__ == "__main__":
    unittest.main()
