"""The benchmark on GPUs: a table whatever its runs do, with figures that follow from summaries."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "benchmarks" / "gpu.py"
RAW = [("task_chain", 1, 3.0, "us"), ("host_to_gpu_256MiB", 1, 50.0, "GB/s"),
       ("gpu_to_host_256MiB", 1, 40.0, "GB/s"), ("peer_one_way_256MiB", 2, 400.0, "GB/s"),
       ("host_both_ways_256MiB", 1, 75.0, "GB/s")]  # fmt: skip
# Answers with $SUMMARY whatever it is asked; writes down what it was asked.
STAND_IN = """#!/bin/sh
echo "$@" >>"$(dirname "$0")/asked"
while [ "$1" != --summary ]; do shift; done
cp "$(dirname "$0")/summary" "$2"
"""


class GpuBenchmarkTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.out = self.folder / "out"
        lines = [json.dumps(dict(zip(("name", "gpus", "value", "unit"), raw))) for raw in RAW]
        (self.folder / "raw").write_text("\n".join(lines), encoding="utf-8")

    def run_script(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        binary = self.folder / "stand_in"
        binary.write_text(program, encoding="utf-8")
        binary.chmod(0o755)
        command = [
            sys.executable, str(SCRIPT), "--binary", str(binary), "--raw-file",
            str(self.folder / "raw"), "--out", str(self.out), *words,
        ]  # fmt: skip
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def answer(self, **summary: Any) -> None:
        (self.folder / "summary").write_text(json.dumps(summary), encoding="utf-8")

    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads((self.out / "gpu.json").read_text())["rows"]
        return rows

    def test_costs_are_medians_of_the_later_runs_and_stand_beside_plain_cuda(self) -> None:
        self.answer(runs_ns=[900_000_000, 120_000_000, 150_000_000, 180_000_000])
        done = self.run_script(STAND_IN, "--gpus", "1", "--only", "tasks", "--match", "one chain")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        row = self.rows()[0]
        self.assertAlmostEqual(row["value"], 5.0)  # 150 ms over 30,000 tasks
        self.assertAlmostEqual(row["ratio"], 5.0 / 3.0)
        report = (self.out / "gpu.md").read_text(encoding="utf-8")
        self.assertIn("| one chain | 1 | 5 us | 3 | 1.67 | 4.5 NO |", report)
        self.assertIn("--graph", (self.folder / "asked").read_text())

    def test_rates_are_those_of_the_best_run_of_a_factorisation(self) -> None:
        self.answer(runs_ns=[1, 2_000_000_000, 1_000_000_000])
        self.run_script(STAND_IN, "--gpus", "2", "--only", "cholesky", "--match", "65536")
        for row in self.rows():
            self.assertAlmostEqual(row["value"], 65536**3 / 3e9)
        self.assertIn("| 85,000 yes | 92,000 yes |", (self.out / "gpu.md").read_text())

    def test_a_transfer_bound_takes_both_directions_of_a_link_together(self) -> None:
        self.answer(
            runs_ns=[10_000_000_000], makespan_ns=2_000_000_000,
            verification={"holds": True, "method": "same bytes"},
            prediction={"makespan_ns": 1_800_000_000},
            bytes_copied={"host->gpu0": 60e9, "gpu0->host": 60e9, "gpu0->gpu1": 100e9},
        )  # fmt: skip
        self.run_script(STAND_IN, "--gpus", "1", "--only", "large", "--match", "lru")
        note = self.rows()[0]["note"]
        self.assertIn("1.25 x the 1.600 s that host and gpu0, both ways", note)
        self.assertIn("predicted 1.800 s", note)

    def test_a_run_that_fails_leaves_the_others(self) -> None:
        program = '#!/bin/sh\ncase "$2" in wavefront*) echo "gpu0: gone" >&2; exit 4;; esac\n'
        self.answer(runs_ns=[1, 30_000_000])
        done = self.run_script(
            program + STAND_IN.split("\n", 1)[1], "--gpus", "1", "--only", "tasks"
        )
        self.assertEqual(done.returncode, 1)
        failed = [row for row in self.rows() if row["value"] is None]
        self.assertEqual([row["name"] for row in failed], ["wavefront"])
        self.assertEqual(failed[0]["note"], "FAILED, exit code 4: gpu0: gone")

    def test_what_does_not_fit_the_time_is_said_to_be_missing(self) -> None:
        done = self.run_script(STAND_IN, "--gpus", "1", "--budget-seconds", "1")
        self.assertEqual({row["note"] for row in self.rows()}, {"not run for want of time"})
        self.assertEqual(done.returncode, 1)

    def test_wrong_parts_are_refused(self) -> None:
        done = self.run_script(STAND_IN, "--only", "task")
        self.assertEqual(done.returncode, 2)
        self.assertIn("allowed: tasks, cholesky", done.stderr)


if __name__ == "__main__":
    unittest.main()
