"""Makespan and bytes against memory: each run is a point of its policies' line."""

from __future__ import annotations

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import numpy as np

import plot
import synthetic
from load import LoadError, load_comparison
from memory_sweep import draw_memory_sweep
from runs import ComparisonRow


def sweep() -> dict:
    """Two evictors at three sizes; less memory takes longer, and the last run of one failed."""
    rows = []
    for i, size in enumerate((4 << 30, 2 << 30, 1 << 30)):
        for j, evict in enumerate(("lru", "next_use")):
            row = {
                "workload": "w", "machine": "m", "gpu_bytes": size, "window": 8, "seed": 1,
                "policies": {"mapper": "dmda", "evict": evict},
                "makespan_ns": (100 + 50 * i - 10 * i * j) * 1_000_000, "bound_ns": 80_000_000,
                "bytes_by_kind": {"host->device": (i + 1) << 30, "write-back": i << 30},
                "busy": {"gpu:0": 0.5},
            }  # fmt: skip
            rows.append(row)
    rows[-1] = {**{k: rows[-1][k] for k in ("workload", "machine", "gpu_bytes", "policies")},
                "error": "does not fit"}  # fmt: skip
    return {"format": "parley-comparison", "version": 1, "rows": rows}


def load_rows(document: dict) -> list[ComparisonRow]:
    with tempfile.TemporaryDirectory() as folder:
        return load_comparison(synthetic.write(Path(folder) / "rows.json", document))


class MemorySweepTest(unittest.TestCase):
    def test_each_set_of_policies_has_a_line_with_a_point_per_size(self) -> None:
        [(makespans, moved)] = draw_memory_sweep(load_rows(sweep()))
        lines = [line.get_xydata() for line in makespans.get_lines()]
        np.testing.assert_allclose(lines[0], [(1 << 30, 200), (2 << 30, 150), (4 << 30, 100)])
        np.testing.assert_allclose(lines[1], [(2 << 30, 140), (4 << 30, 100)])  # one run failed
        np.testing.assert_allclose(
            moved.get_lines()[0].get_xydata(), [(1 << 30, 5), (2 << 30, 3), (4 << 30, 1)]
        )
        self.assertEqual(makespans.get_ylabel(), "makespan (ms)")
        self.assertEqual(moved.get_ylabel(), "bytes moved (GiB)")
        legend = [text.get_text() for text in makespans.figure.legends[0].get_texts()]
        self.assertEqual(legend, ["evict=lru", "evict=next_use"])

    def test_the_first_and_the_last_size_are_always_labelled(self) -> None:
        document = sweep()
        sizes = [1 << 30, 1100 << 20, 3 << 30, 9 << 30, 10 << 30]
        base = document["rows"][0]
        document["rows"] = [{**base, "gpu_bytes": size} for size in sizes]
        [(makespans, _)] = draw_memory_sweep(load_rows(document))
        labels = [label.get_text() for label in makespans.get_xticklabels()]
        self.assertEqual(labels, ["1 GiB", "", "3 GiB", "", "10 GiB"])

    def test_a_comparison_without_sizes_is_refused(self) -> None:
        with self.assertRaisesRegex(LoadError, "--memory"):
            draw_memory_sweep(load_rows(synthetic.comparison()))

    def test_the_command_draws_a_run_or_a_comparison(self) -> None:
        run = synthetic.with_residency(synthetic.summary(50))
        for document in (run, sweep()):
            with tempfile.TemporaryDirectory() as folder:
                file = synthetic.write(Path(folder) / "file.json", document)
                output = Path(folder) / "figure.svg"
                with contextlib.redirect_stdout(io.StringIO()):
                    code = plot.main(["memory", str(file), "-o", str(output)])
                self.assertEqual(code, 0)
                self.assertIn("GPU" if document is not run else "resident", output.read_text())


if __name__ == "__main__":
    unittest.main()
