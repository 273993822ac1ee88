"""No two libraries of the command define one external name: the linker would take either, without a word."""
import collections
import os
import subprocess
import unittest

BUILD = os.environ["BUILD"]


def libraries():
    """What the command is linked from, as ninja has it."""
    query = subprocess.run(["ninja", "-C", BUILD, "-t", "query", "host/cli/slipway"], check=True, capture_output=True, text=True).stdout
    names = {line.strip().lstrip("| ") for line in query.split("outputs:")[0].splitlines()}
    return sorted(os.path.join(BUILD, n) for n in names if n.endswith(".a") and not os.path.isabs(n))


class Symbols(unittest.TestCase):
    def test_each_has_one_home(self):
        homes = collections.defaultdict(list)
        libs = libraries()
        self.assertGreater(len(libs), 10)
        for lib in libs:
            listing = subprocess.run(["nm", "--defined-only", "--extern-only", lib], check=True, capture_output=True, text=True).stdout
            names = {line.split()[2] for line in listing.splitlines() if len(line.split()) == 3 and line.split()[1] in "TDBR"}
            for name in names:
                if not name.startswith(("__", "_", ".")):
                    homes[name].append(os.path.basename(lib))
        self.assertEqual({name: where for name, where in homes.items() if len(where) > 1}, {})


if __name__ == "__main__":
    unittest.main()
