"""docs/doctor/ is what the rules' table gives, and what the pages on doctor and explain show is what comes out."""
import importlib.machinery
import importlib.util
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from project import SLIPWAY, slipway  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]


def shown(page):
    """(command, lines) of each example of a page; '...' ends what is compared."""
    out = []
    for line in (ROOT / "docs" / "commands" / page).read_text("utf-8").splitlines():
        if line.startswith("    $ "):
            out.append((line[6:], []))
        elif out and line.startswith("    ") or (out and not line and out[-1][1]):
            out[-1][1].append(line[4:])
        elif out:
            out.append(("", []))
    return [(command, lines) for command, lines in out if command]


class Pages(unittest.TestCase):
    def test_rule_pages_are_the_tables(self):
        p = subprocess.run([sys.executable, str(ROOT / "tools" / "rule-pages"), "--check", SLIPWAY], capture_output=True, text=True)
        self.assertEqual((p.returncode, p.stderr), (0, ""))

    def test_a_page_that_differs_is_named(self):
        loader = importlib.machinery.SourceFileLoader("rule_pages", str(ROOT / "tools" / "rule-pages"))
        tool = importlib.util.module_from_spec(importlib.util.spec_from_loader("rule_pages", loader))
        loader.exec_module(tool)
        with tempfile.TemporaryDirectory() as tool.DOCS:
            for name, text in (("PM01.md", "as it was"), ("PM02.md", "same"), ("ZZ99.md", "of a rule that is gone")):
                with open(os.path.join(tool.DOCS, name), "w", encoding="utf-8") as f:
                    f.write(text)
            self.assertEqual(tool.differing({"PM01.md": "as it is", "PM02.md": "same", "PM03.md": "new"}),
                             ["PM01.md", "PM03.md", "ZZ99.md"])

    def compare(self, command, got, lines):
        got = got.splitlines()
        while lines and not lines[-1].strip():
            lines.pop()
        cut = lines.index("  ...") if "  ..." in lines else len(lines)
        self.assertEqual([line.rstrip() for line in got[:cut]], [line.rstrip() for line in lines[:cut]], command)

    def test_doctor_shows_what_comes_out(self):
        (command, lines), = shown("doctor.md")
        p = slipway(*command.split()[1:], cwd=ROOT)
        self.compare(command, p.stdout, lines)

    def test_explain_shows_what_comes_out(self):
        log = "*** Booting nRF Connect SDK v2.5.2 ***\nI: Starting bootloader\nW: Failed reading sectors; BOOT_MAX_IMG_SECTORS=128 - too small?\n"
        code, boot = shown("explain.md")
        self.compare(code[0], slipway(*code[0].split()[1:]).stdout, code[1])
        p = subprocess.run([SLIPWAY, "explain", "-"], input=log, capture_output=True, text=True)
        self.compare(boot[0], p.stdout, boot[1])

    def test_links_lead_somewhere(self):
        pages = [ROOT / "docs" / "doctor.md", ROOT / "docs" / "doctor" / "README.md", ROOT / "docs" / "commands" / "doctor.md",
                 ROOT / "docs" / "commands" / "explain.md"]
        for page in pages:
            for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
                self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")

    def test_every_option_has_its_words(self):
        page = (ROOT / "docs" / "commands" / "doctor.md").read_text("utf-8")
        for option in re.findall(r"^  (-{1,2}[\w-]+)", slipway("help", "doctor").stdout, re.M):
            self.assertIn(f"`{option}", page)


if __name__ == "__main__":
    unittest.main()
