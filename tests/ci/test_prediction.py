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
    def test_cells_hold_the_figures_of_their_summaries(self) -> None:
        done = self.run_script("--binary", BINARY, "--only", "wavefront", "--devices", "1,2")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rows = self.rows()
        self.assertEqual(len(rows), 8)  # four choices of policies, one and two devices
        for row in rows:
            self.assertEqual(row["status"], "ok", row["message"])
            measured, predicted = float(row["measured_ms"]), float(row["predicted_ms"])
            self.assertAlmostEqual(float(row["error"]), predicted / measured - 1, places=3)
            self.assertEqual(row["tasks"], "100")
        self.assertEqual(len(list((self.out / "summaries").glob("*.json"))), 8)
        report = (self.out / "prediction.md").read_text(encoding="utf-8")
        self.assertEqual(report.count("| wavefront |"), 8)
        self.assertIn("8 cells, 0 failed", report)

    def test_cells_that_fail_are_listed_with_their_message(self) -> None:
        binary = self.stand_in('echo "gpu0: no memory" >&2; exit 4')
        done = self.run_script("--binary", binary, "--only", "wavefront", "--devices", "1")
        self.assertEqual(done.returncode, 1)
        self.assertEqual({row["status"] for row in self.rows()}, {"exit 4"})
        self.assertEqual({row["message"] for row in self.rows()}, {"gpu0: no memory"})
        self.assertIn("## Failed", (self.out / "prediction.md").read_text(encoding="utf-8"))

    def test_a_summary_that_is_none_or_a_program_that_is_none_is_no_reason_to_stop(self) -> None:
        for binary in (self.stand_in("exit 0"), str(self.folder / "nothing")):
            done = self.run_script("--binary", binary, "--only", "wavefront", "--devices", "1")
            self.assertEqual(done.returncode, 1)
            self.assertEqual({row["status"] for row in self.rows()}, {"error"})

    def test_no_cell_starts_after_the_time_is_over(self) -> None:
        done = self.run_script("--binary", self.stand_in("exit 4"), "--minutes", "0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("0 cells, 0 failed, 132 for want of time not run", done.stdout)


if __name__ == "__main__":
    unittest.main()
