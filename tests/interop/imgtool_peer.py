"""imgtool and slipway as functions, for the tests that hold one against the other."""
import json
import os
import subprocess
import sys
import unittest

from click.testing import CliRunner
from imgtool.main import imgtool as imgtool_cli


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def events(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def result(self):
        return self.events()[-1]


def imgtool(*args):
    """Runs imgtool in this process; a failure that is not an exit of its own is raised."""
    r = CliRunner().invoke(imgtool_cli, [str(a) for a in args])
    if r.exception and not isinstance(r.exception, SystemExit):
        raise r.exception
    return Result(r.exit_code, r.stdout, r.output)


def slipway(*args, env=None):
    r = subprocess.run([os.environ["SLIPWAY"], *[str(a) for a in args]], capture_output=True, text=True,
                       timeout=60, env=env)
    return Result(r.returncode, r.stdout, r.stderr)


def slipway_json(*args):
    return slipway("--json", *args)


class Counting(unittest.TextTestResult):
    """Counts the cases of the tables as well."""
    cases = 0

    def addSubTest(self, test, subtest, err):
        Counting.cases += 1
        super().addSubTest(test, subtest, err)


def run_tests():
    """Runs the tests of the main module and ends the program."""
    if "SLIPWAY" not in os.environ:
        sys.exit("set SLIPWAY to the program to test")
    result = unittest.main(module="__main__", testRunner=unittest.TextTestRunner(resultclass=Counting),
                           exit=False).result
    print(f"{result.testsRun} tests with {Counting.cases} cases in their tables, {len(result.failures)} failed, "
          f"{len(result.errors)} errors")
    sys.exit(not result.wasSuccessful())
