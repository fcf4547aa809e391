"""The tally of test results counts every failure, whatever way a test fails."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / ".ci"))
import tally  # noqa: E402

GOOD = "[doctest] test cases:  12 |  12 passed | 0 failed | 3 skipped\n[doctest] Status: SUCCESS!"
BAD = "[doctest] test cases:  12 |  10 passed | 2 failed | 0 skipped\n[doctest] Status: FAILURE!"


class TallyTest(unittest.TestCase):
    def counted(self, *tests: tuple[str, str, str]) -> tuple[int, int, list[str]]:
        """The tally of a file with tests (name, status, output)."""
        cases = "".join(
            f'<testcase name="{name}" status="{status}"><system-out>{escape(output)}</system-out>'
            "</testcase>"
            for name, status, output in tests
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "results.xml"
            path.write_text(f"<testsuite>{cases}</testsuite>", encoding="utf-8")
            return tally.tally(path)

    def test_reported_cases_are_counted(self) -> None:
        self.assertEqual(self.counted(("core", "run", GOOD)), (12, 0, []))
        self.assertEqual(self.counted(("core", "fail", BAD)), (10, 2, ["core"]))
        self.assertEqual(
            self.counted(("a", "run", "..\nRan 55 tests in 9.0s\n\nOK\n")), (55, 0, [])
        )
        failed = "Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=2)\n"
        self.assertEqual(self.counted(("a", "fail", failed)), (2, 3, ["a"]))
        skipped = "Ran 5 tests in 0.1s\n\nOK (skipped=2)\n"
        self.assertEqual(self.counted(("a", "run", skipped)), (3, 0, []))
        all_skipped = self.counted(
            ("a", "run", "Ran 1 test in 0.1s\n\nOK (skipped=1)\n"), ("b", "run", "")
        )
        self.assertEqual(all_skipped, (1, 0, []))

    def test_a_failure_beyond_the_reported_cases_counts(self) -> None:
        leak = GOOD + "\n==1==ERROR: LeakSanitizer: detected memory leaks"
        self.assertEqual(self.counted(("core", "fail", leak)), (12, 1, ["core"]))
        self.assertEqual(self.counted(("core", "fail", "Segmentation fault")), (0, 1, ["core"]))

    def test_a_test_without_cases_is_a_failure(self) -> None:
        none = "[doctest] test cases: 0 | 0 passed | 0 failed | 9 skipped"
        self.assertEqual(self.counted(("core", "run", none)), (0, 1, ["core"]))
        self.assertEqual(self.counted(), (0, 1, ["no test ran"]))

    def test_only_tests_that_skip_themselves_are_left_out(self) -> None:
        for message, expected in (("SKIP_RETURN_CODE=77", (1, 0)), ("Unable to find", (1, 1))):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "results.xml"
                path.write_text(
                    f'<t><testcase name="gpu" status="notrun"><skipped message="{message}"/>'
                    '</testcase><testcase name="n" status="run"/></t>',
                    encoding="utf-8",
                )
                self.assertEqual(tally.tally(path)[:2], expected)

    def test_a_plain_command_counts_as_one(self) -> None:
        results = self.counted(("x", "run", "fine"), ("y", "fail", "bad"), ("z", "run", ""))
        self.assertEqual(results, (2, 1, ["y"]))

    def test_the_last_line_is_the_sum_and_the_status_tells(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name, status in (("a", "run"), ("b", "fail")):
                path = Path(folder) / f"{name}.xml"
                path.write_text(f'<t><testcase name="n" status="{status}"/></t>', encoding="utf-8")
                paths.append(str(path))
            for chosen, last, status in (
                (paths, "1 passed, 1 failed", 1),
                (paths[:1], "1 passed, 0 failed", 0),
            ):
                out = io.StringIO()
                with contextlib.redirect_stdout(out):
                    self.assertEqual(tally.main(chosen), status)
                self.assertEqual(out.getvalue().splitlines()[-1], last)


if __name__ == "__main__":
    unittest.main()
