"""The prediction benchmark: a whole table whatever its cells do."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "benchmarks" / "prediction.py"
BINARY = os.environ.get("PARLEY_BINARY", str(ROOT / "build" / "parley"))

ONE = ("--devices", "1", "--machine", "h200x1")
NUMBERS = (
    "devices", "tasks", "measured_ns", "fastest_ns", "slowest_ns", "predicted_ns", "timed_ns",
    "planned_ns", "retimed_ns", "task_time_ns", "predicted_task_time_ns", "bytes",
    "predicted_bytes", "planned_bytes", "same_device",
)  # fmt: skip


class PredictionTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.out = self.folder / "out"

    def run_script(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(SCRIPT), "--out", str(self.out), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def rows(self) -> list[dict[str, str]]:
        with (self.out / "prediction.csv").open(encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def stand_in(self, body: str) -> str:
        """A program that is run instead of parley."""
        path = self.folder / "stand_in"
        path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    @unittest.skipUnless(Path(BINARY).exists(), "parley is not built")
    def test_rows_hold_figures_of_real_and_simulated_runs(self) -> None:
        done = self.run_script(
            "--binary", BINARY, "--only", "wavefront", "--devices", "1,2", "--machine", "h200x2",
            "--repeat", "2",
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rows = self.rows()
        self.assertEqual(len(rows), 8)  # four choices of policies, one and two devices
        for row in rows:
            self.assertEqual(row["fault"], "")
            self.assertEqual(row["tasks"], "100")
            for name in ("measured_ns", "predicted_ns", "timed_ns", "planned_ns", "retimed_ns"):
                self.assertGreater(int(row[name]), 0, name)
            self.assertLessEqual(int(row["fastest_ns"]), int(row["measured_ns"]))
            self.assertEqual(row["bytes"], row["planned_bytes"])  # the same decisions
        report = (self.out / "prediction.md").read_text(encoding="utf-8")
        self.assertEqual(report.count("| wavefront |"), 8)
        self.assertIn("exact in 8 of 8 runs", report)

    def test_what_fails_is_listed_with_its_message(self) -> None:
        binary = self.stand_in('echo "gpu0: no memory" >&2; exit 4')
        done = self.run_script("--binary", binary, "--only", "wavefront", *ONE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("0 runs, 0 failed, 4 not run", done.stdout)
        report = (self.out / "prediction.md").read_text(encoding="utf-8")
        self.assertIn("- 1 GPUs, limit none: exit 4: gpu0: no memory", report)

    def test_a_table_that_is_none_or_a_program_that_is_none_is_no_reason_to_stop(self) -> None:
        for binary in (self.stand_in("exit 0"), str(self.folder / "nothing")):
            done = self.run_script("--binary", binary, "--only", "wavefront", *ONE)
            self.assertEqual(done.returncode, 1)
            self.assertIn("FileNotFoundError", (self.out / "prediction.md").read_text("utf-8"))

    def test_nothing_starts_after_the_time_is_over(self) -> None:
        done = self.run_script("--binary", self.stand_in("exit 4"), "--minutes", "0", *ONE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("0 runs, 0 failed, 60 not run", done.stdout)

    @unittest.skipUnless(Path(BINARY).exists(), "parley is not built")
    def test_what_was_measured_is_simulated_again_without_running(self) -> None:
        words = ("--binary", BINARY, "--devices", "1", "--machine", "h200x1")
        done = self.run_script(
            *words, "--only", "cholesky", "--repeat", "1", "--journals", "--minutes", "2"
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        first = self.out
        measured = (first / "prediction.csv").read_text(encoding="utf-8")
        before = {(row["name"], row["policies"]): row for row in self.rows()}
        self.assertEqual(len(before), 12)  # three sizes, one with less memory
        self.out = self.folder / "again"
        done = self.run_script(*words, "--again", str(first))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(self.rows()), 12)
        for row in self.rows():
            self.assertEqual(row["fault"], "")
            old = before[row["name"], row["policies"]]
            for name in NUMBERS:  # the same machine and simulator: all as it was
                self.assertEqual(row[name], old[name], (row["name"], row["policies"], name))
        self.out = self.folder / "part"  # journals keep their numbers
        done = self.run_script(*words, "--again", str(first), "--only", "small tiles")
        self.assertEqual([row["fault"] for row in self.rows()], [""] * 4)
        self.out = first
        done = self.run_script(*words, "--again", str(first))
        self.assertEqual(done.returncode, 2)
        self.assertIn("is the folder of --out", done.stderr)
        self.assertEqual((first / "prediction.csv").read_text(encoding="utf-8"), measured)
        next((first / "journals" / "1").glob("*.jsonl")).unlink()
        self.out = self.folder / "without"
        done = self.run_script(*words, "--again", str(first))
        self.assertEqual(sum("has no journal" in row["fault"] for row in self.rows()), 1)

    def test_what_takes_too_long_is_interrupted_and_keeps_what_it_has(self) -> None:
        body = """for word in "$@"; do case "$last" in --csv) file=$word;; esac; last=$word; done
        trap 'cp "$0.csv" "$file"; exit 4' INT
        sleep 60 >/dev/null 2>&1 & wait"""
        binary = self.stand_in(body)
        header = "workload,policies,fault," + ",".join(NUMBERS)
        spec = "wavefront:rows=10,columns=10,block=65536,task_ns=200000,kernel=spin"
        figures = ",".join(["1"] * len(NUMBERS))
        Path(binary + ".csv").write_text(
            f'{header}\n"{spec}",mapper=earliest_finish,,{figures}\n'
            f'"{spec}","evict=next_use,window=2",not run: interrupted,{figures}\n',
            encoding="utf-8",
        )
        done = self.run_script(
            "--binary", binary, "--only", "wavefront", "--minutes", "0.03", *ONE
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual([row["policies"] for row in self.rows()], ["default"])
        self.assertIn("1 runs, 0 failed, 3 not run", done.stdout)


if __name__ == "__main__":
    unittest.main()
