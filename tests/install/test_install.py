"""Slipway installed into a prefix, and the example application built outside of the tree against it."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD, C_COMPILER, C_FLAGS = sys.argv[1:5]
EXAMPLE = os.path.join(SOURCE, "examples", "update_service")
OWN_BOARD = os.path.join(SOURCE, "tests", "vectors", "boards", "custom_no_scratch.dts")


def run(*args, ok=True):
    p = subprocess.run(args, capture_output=True, text=True)
    if ok and p.returncode != 0:
        raise AssertionError(f"{args}: exit {p.returncode}\n{p.stdout}{p.stderr}")
    return p


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="slipway-install-")
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        cls.prefix = os.path.join(cls.dir, "prefix")
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)
        cls.slipway = os.path.join(cls.prefix, "bin", "slipway")

    def project(self, name, board=None):
        """A copy of the example, for another board if one is named."""
        there = os.path.join(self.dir, name)
        shutil.copytree(EXAMPLE, there)
        if board:
            path = pathlib.Path(there, "CMakeLists.txt")
            text = path.read_text()
            self.assertIn("slipway_board_header(app nrf52840dk)", text)
            path.write_text(text.replace("app nrf52840dk", f"app {board}"))
        return there

    def configure(self, there, ok=True):
        return run("cmake", "-S", there, "-B", there + "/build", f"-DCMAKE_PREFIX_PATH={self.prefix}",
                   f"-DCMAKE_C_COMPILER={C_COMPILER}", f"-DCMAKE_C_FLAGS={C_FLAGS}", ok=ok)

    def layout_hash(self, board):
        text = run(self.slipway, "layout", board).stdout
        return text.split("layout hash: 0x")[1].split()[0]

    def answer_of(self, there):
        self.configure(there)
        run("cmake", "--build", there + "/build")
        return run(there + "/build/app").stdout.strip()

    def test_example_answers_with_the_boards_layout(self):
        answer = self.answer_of(self.project("dk"))
        self.assertTrue(answer.startswith("0900"), answer)  # a v2 answer to a read
        self.assertIn(b"hash\x1a".hex() + self.layout_hash("nrf52840dk"), answer)

    def test_own_board_outside_of_the_tree(self):
        board = os.path.join(self.dir, "mine.dts")
        shutil.copy(OWN_BOARD, board)
        answer = self.answer_of(self.project("own", board))
        self.assertIn(b"mine".hex(), answer)
        self.assertIn(b"hash\x1a".hex() + self.layout_hash(board), answer)

    def test_unknown_board_is_named(self):
        p = self.configure(self.project("unknown", "nrf52840xx"), ok=False)
        self.assertNotEqual(p.returncode, 0)
        self.assertIn("there is no board nrf52840xx", p.stderr)

    def test_layout_with_an_error_fails_the_build_with_its_line(self):
        board = os.path.join(self.dir, "broken.dts")
        lines = pathlib.Path(OWN_BOARD).read_text().splitlines(keepends=True)
        at = next(i for i, text in enumerate(lines) if "slot1_partition" in text and "@" in text)
        reg = next(i for i in range(at, len(lines)) if "reg" in lines[i])
        lines[reg] = "reg = <0x00000000 0x7fffffff>;\n"
        pathlib.Path(board).write_text("".join(lines))
        there = self.project("broken", board)
        self.configure(there)
        p = run("cmake", "--build", there + "/build", ok=False)
        self.assertNotEqual(p.returncode, 0)
        self.assertIn(f"{board}:{reg + 1}:", p.stdout + p.stderr)

    def test_installed_program_knows_the_boards(self):
        p = run(self.slipway, "layout", "at25xe321d_nrf52840")
        self.assertIn(self.prefix, p.stdout)

    def test_private_headers_stay_private(self):
        headers = [f for _, _, files in os.walk(os.path.join(self.prefix, "include")) for f in files]
        self.assertIn("service.h", headers)
        self.assertEqual([f for f in headers if f.endswith("_priv.h")], [])


unittest.main(argv=sys.argv[:1])
