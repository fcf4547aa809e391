"""Simulated beside measured: where the marks are, and which rows the lanes show."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import synthetic
from load import LoadError, load_predicted_run, load_predictions
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from runs import PredictedRun
from sim_vs_real import draw_sim_vs_real


def load(document: dict) -> PredictedRun:
    with tempfile.TemporaryDirectory() as folder:
        return load_predicted_run(synthetic.write(Path(folder) / "run.json", document))


def predicted(task_count: int, mapper: str = "parla", with_rows: bool = True) -> PredictedRun:
    return load(synthetic.with_prediction(synthetic.summary(task_count, mapper), with_rows))


def marks(ax: Axes, is_hollow: bool) -> list[tuple[float, float]]:
    """(measured, simulated) of the marks of one kind, in axis units."""
    def is_of_kind(line: Line2D) -> bool:
        has_mark = line.get_marker() not in ("None", "", None)
        return has_mark and (line.get_markerfacecolor() == "white") == is_hollow

    return [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for line in ax.get_lines() if is_of_kind(line)
    ]  # fmt: skip


HEADER = "workload,devices,policies,measured_ns,predicted_ns,timed_ns,retimed_ns,fault\n"


class PredictionTableTest(unittest.TestCase):
    def load(self, rows: str, header: str = HEADER) -> list[PredictedRun]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.csv"
            path.write_text(header + rows, encoding="utf-8")
            return load_predictions(path)

    def test_rows_that_ran_are_drawn(self) -> None:
        runs = self.load(
            '"lu:tiles=4,tile=8",2,"mapper=parla,window=4",1000,900,2000,1900,""\n'
            'chol,1,default,500,600,500,500,""\n'
            'chol,1,other,0,0,0,0,"execution: interrupted"\n'
        )
        self.assertEqual([run.measured.makespan for run in runs], [1000, 500])
        self.assertEqual([run.retimed for run in runs], [950, 500])  # timed runs took longer
        (ax,) = draw_sim_vs_real(runs)
        self.assertEqual(len(marks(ax, is_hollow=False)), 2)
        self.assertIn("1 GPU, 2 GPUs: 2 runs", ax.get_title(loc="left"))

    def test_what_is_no_such_table_is_refused(self) -> None:
        for rows, header in (
            ("", HEADER), ("1,2\n", "a,b\n"), ("chol,1,x,a,1,1,1,\n", HEADER),
            ("chol,1,x,1,1,1,1,failed\n", HEADER),
        ):  # fmt: skip
            with self.assertRaises(LoadError):
                self.load(rows, header)


class SimVsRealTest(unittest.TestCase):
    def test_marks_stand_at_measured_and_simulated_makespans(self) -> None:
        runs = [predicted(40), predicted(80, "round_robin")]
        (ax,) = draw_sim_vs_real(runs)
        filled, hollow = marks(ax, is_hollow=False), marks(ax, is_hollow=True)
        self.assertEqual((len(filled), len(hollow)), (2, 2))
        for (measured, simulated), (same, retimed) in zip(filled, hollow):
            self.assertAlmostEqual(simulated / measured, 0.75, places=3)
            self.assertEqual(retimed, same)
        self.assertAlmostEqual(
            filled[1][0] / filled[0][0], runs[1].measured.makespan / runs[0].measured.makespan
        )
        self.assertIn("median error 25 %", ax.get_title(loc="left"))
        self.assertIn("with measured durations 0 %", ax.get_title(loc="left"))

    def test_one_run_is_drawn_lane_by_lane_measured_above_simulated(self) -> None:
        above, below = draw_sim_vs_real([predicted(40)])
        self.assertIn("measured", above.get_title(loc="left"))
        self.assertIn("simulated", below.get_title(loc="left"))

    def test_the_simulated_rows_are_those_of_the_prediction(self) -> None:
        run = predicted(40)
        assert run.simulated is not None and run.simulated.tasks is not None
        assert run.measured.tasks is not None
        self.assertEqual(
            list(run.simulated.tasks.end), [end // 2 for end in run.measured.tasks.end]
        )
        self.assertEqual(run.simulated.makespan, run.predicted)

    def test_a_brief_summary_becomes_a_mark(self) -> None:
        (ax,) = draw_sim_vs_real([predicted(40, with_rows=False)])
        self.assertEqual(len(marks(ax, is_hollow=False)), 1)

    def test_a_summary_without_prediction_is_refused(self) -> None:
        document = synthetic.summary(4)
        with self.assertRaisesRegex(LoadError, "no prediction"):
            load(document)
        document = synthetic.with_prediction(document)
        document["prediction"]["makespan_ns"] = "soon"
        with self.assertRaisesRegex(LoadError, "prediction.makespan_ns"):
            load(document)


if __name__ == "__main__":
    unittest.main()
