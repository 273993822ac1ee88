"""The README's commands, run as they stand there; its links lead somewhere."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(sys.argv[1])
SLIPWAY = sys.argv[2]
README = (SOURCE / "README.md").read_text()
# <!-- run -->, <!-- run: exit N --> or <!-- run: firmware --> (what `make` leaves below build/firmware), and the
# block that follows.
BLOCK = re.compile(r"<!-- run(?:: (?:exit (\d+)|firmware))? -->\n```sh\n(.*?)```", re.S)


class Readme(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="slipway-readme-")
        self.addCleanup(shutil.rmtree, self.dir)
        os.mkdir(os.path.join(self.dir, "build"))
        os.symlink(SLIPWAY, os.path.join(self.dir, "build", "slipway"))
        os.symlink(SOURCE / "build" / "firmware", os.path.join(self.dir, "build", "firmware"))
        os.symlink(SOURCE / "examples", os.path.join(self.dir, "examples"))

    def run_block(self, text):
        # A session of its own, so that the board it starts in the background ends with it. The output
        # goes to a file: a pipe would stay open as long as that board runs.
        path = f"{self.dir}/build:{os.environ['PATH']}"
        with tempfile.TemporaryFile("w+") as out:
            p = subprocess.Popen(["bash", "-euo", "pipefail", "-c", text], cwd=self.dir, stdout=out,
                                 stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                 env={**os.environ, "PATH": path}, start_new_session=True)
            try:
                code = p.wait(300)
            finally:
                try:
                    os.killpg(p.pid, signal.SIGTERM)
                except ProcessLookupError:
                    pass
            out.seek(0)
            return code, out.read()

    def test_commands(self):
        blocks = BLOCK.findall(README)
        self.assertGreaterEqual(len(blocks), 4)
        for want, text in blocks:
            with self.subTest(text.splitlines()[0]):
                code, out = self.run_block(text)
                self.assertEqual(code, int(want or 0), out)

    def test_an_update_by_the_first_block(self):
        code, out = self.run_block(BLOCK.findall(README)[0][1])
        self.assertEqual(code, 0, out)
        self.assertRegex(out, r"0 +2\.0\.0\+0 .*active, confirmed\n1 +1\.0\.0\+0")
        self.assertNotIn("warning", out)

    def test_links(self):
        for page in [SOURCE / "README.md", *sorted((SOURCE / "docs").rglob("*.md")),
                     *(p for p in (SOURCE / n for n in ("DESIGN.md", "SPEC.md", "CONTRIBUTING.md", "SECURITY.md")))]:
            for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
                if re.match(r"[a-z]+:", target):
                    continue
                self.assertTrue((page.parent / target).exists(), f"{page.relative_to(SOURCE)} links to {target}")

    def test_every_command_has_a_page(self):
        names = subprocess.run([SLIPWAY, "help"], capture_output=True, text=True, check=True).stdout
        commands = re.findall(r"^  ([a-z]+) ", names, re.M)
        self.assertIn("update", commands)
        for name in commands:
            if name != "help":
                self.assertTrue((SOURCE / "docs" / "commands" / f"{name}.md").exists(), name)


unittest.main(argv=sys.argv[:1])
