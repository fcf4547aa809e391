"""Adds up the test cases of CTest's JUnit files: `tally.py FILE...` ends with "N passed, N failed".

A doctest program or a unittest run counts as the cases that its output reports, any other test as
one. A test that fails beyond the cases that it reports (a sanitizer at exit, a crash, a time-out)
counts as one more failure, and so does one that ran no case at all, unless its cases say that they
were skipped for want of something. Exit status 1 on any failure.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

DOCTEST = re.compile(r"\[doctest\] test cases:\s*\d+\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed")
UNITTEST = re.compile(
    r"^Ran (\d+) tests? in .*?^(OK|FAILED)(?: \((.*?)\))?", re.MULTILINE | re.DOTALL
)


def cases_of(output: str) -> tuple[int, int, int] | None:
    """Cases passed, failed and skipped by a test's own report; None when it has none. What doctest
    calls skipped was not asked for."""
    if found := DOCTEST.search(output):
        return int(found[1]), int(found[2]), 0
    if found := UNITTEST.search(output):
        counts = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", found[3] or "")}
        failed, skipped = counts.get("failures", 0) + counts.get("errors", 0), counts.get(
            "skipped", 0
        )
        return int(found[1]) - failed - skipped, failed, skipped
    return None


def tally(path: Path) -> tuple[int, int, list[str]]:
    """Cases passed, cases failed and the names of the tests that failed, of one JUnit file."""
    passed = failed = 0
    names = []
    for test in ElementTree.parse(path).getroot().iter("testcase"):
        skip = test.find("skipped")  # also how CTest reports a program that is not there
        if skip is not None and (skip.get("message") or "").startswith("SKIP_"):
            continue
        did_pass = test.get("status") == "run"
        reported = cases_of(test.findtext("system-out") or "")
        good, bad, skipped = reported if reported is not None else (int(did_pass), 0, 0)
        if not bad and (not did_pass or not good + skipped):
            bad = 1
        passed, failed = passed + good, failed + bad
        if bad:
            names.append(test.get("name", "?"))
    if not passed and not failed:
        return 0, 1, ["no test ran"]
    return passed, failed, names


def main(paths: list[str]) -> int:
    """Prints a line for each file with failures, then the sum."""
    total_passed = total_failed = 0
    for path in sorted(map(Path, paths)):
        passed, failed, names = tally(path)
        total_passed, total_failed = total_passed + passed, total_failed + failed
        print(
            f"{path.stem}: {passed} passed, {failed} failed{': ' * bool(names)}{', '.join(names)}"
        )
    print(f"{total_passed} passed, {total_failed} failed")
    return 1 if total_failed or not total_passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
