"""The Gantt chart: lanes, labels, colours and extents for 50 and for 50,000 tasks."""

from __future__ import annotations

import tempfile
import time
import unittest
from pathlib import Path

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex

import style
import synthetic
from gantt import draw_gantt
from load import LoadError, load_run
from runs import Run

GPU_LABELS = ["cpu", "gpu:0", "gpu:1", "gpu:2", "gpu:3"]


def load(document: dict) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        return load_run(synthetic.write(Path(folder) / "run.json", document))


def labels_of(ax) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def shapes_of(ax, colour: str) -> np.ndarray:
    """The rectangles of one colour; shape (n, 4, 2), in axis units."""
    found = [
        path.vertices[:4]
        for collection in ax.collections
        if isinstance(collection, PolyCollection)
        and to_hex(collection.get_facecolor()[0]).upper() == colour.upper()
        for path in collection.get_paths()
    ]
    return np.array(found).reshape(-1, 4, 2)


def legend_texts(figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


class GanttTest(unittest.TestCase):
    def test_devices_come_first_then_the_engines_that_were_used(self) -> None:
        document = synthetic.summary(50)
        ax = draw_gantt([load(document)])[0]
        labels = labels_of(ax)
        self.assertEqual(labels[:5], GPU_LABELS)
        engines = {
            (route["from"], route["to"]): route["engines"][0]
            for route in document["layout"]["routes"]
        }
        used = {engines[(row[1], row[2])] for row in document["copy_list"]}
        self.assertEqual(labels[5:], sorted(used))
        self.assertIn("left out", " ".join(text.get_text() for text in ax.figure.texts))

    def test_all_lanes_also_shows_unused_engines(self) -> None:
        ax = draw_gantt([load(synthetic.summary(2))], all_lanes=True)[0]
        self.assertEqual(len(labels_of(ax)), 5 + 4 * 3)
        self.assertEqual([text.get_text() for text in ax.figure.texts], [])

    def test_without_engines_a_lane_is_a_pair_of_spaces(self) -> None:
        document = synthetic.summary(50)
        del document["layout"]
        document["copy_list"] = [["A", "host", "gpu2", 8, 0, 9], ["A", "gpu1", "gpu1", 8, 0, 9]]
        document["copy_reasons"] = ["fetch", "fetch"]
        labels = labels_of(draw_gantt([load(document)])[0])
        self.assertEqual(labels, GPU_LABELS + ["host → gpu2", "gpu1 local"])

    def test_every_task_of_fifty_is_a_box_of_its_family_from_start_to_end(self) -> None:
        document = synthetic.summary(50)
        ax = draw_gantt([load(document)])[0]
        self.assertEqual(ax.get_xlabel(), "time (ms)")
        for family, colour in style.family_colours(synthetic.FAMILIES).items():
            expected = sorted(
                (start / 1e6, end / 1e6)
                for name, _, start, end in document["tasks"]
                if name.startswith(family)
            )
            shapes = shapes_of(ax, colour)
            found = sorted((shape[0, 0], shape[1, 0]) for shape in shapes)
            np.testing.assert_allclose(found, expected)

    def test_copies_have_the_colour_of_their_kind(self) -> None:
        document = synthetic.summary(50)
        ax = draw_gantt([load(document)])[0]
        for kind, way in (
            ("host->device", lambda row, _: row[1] == "host"),
            ("device->device", lambda row, _: "host" not in row[1:3]),
            ("write-back", lambda _, reason: reason == "write_back"),
            ("device->host", lambda row, reason: row[2] == "host" and reason != "write_back"),
        ):
            rows = zip(document["copy_list"], document["copy_reasons"])
            expected = sum(1 for row, reason in rows if way(row, reason))
            self.assertGreater(expected, 0)
            self.assertEqual(len(shapes_of(ax, style.COPY_KINDS[kind])), expected, kind)
            self.assertIn(style.kind_label(kind), legend_texts(ax.figure))
        self.assertNotIn("local copy", legend_texts(ax.figure))

    def test_boxes_lie_in_the_lane_of_their_device(self) -> None:
        document = synthetic.summary(50)
        document["tasks"] = [["only[0]", "gpu:2", 1_000_000, 2_000_000]]
        ax = draw_gantt([load(document)])[0]
        box = shapes_of(ax, style.family_colours(["only"])["only"])[0]
        centre = ax.get_yticks()[labels_of(ax).index("gpu:2")]
        self.assertAlmostEqual((box[0, 1] + box[2, 1]) / 2, centre)

    def test_idle_shares_stand_beside_each_lane(self) -> None:
        document = synthetic.summary(50)
        document["busy"]["gpu:1"] = 0.625
        ax = draw_gantt([load(document)])[0]
        notes = [text.get_text() for text in ax.texts if text.get_text().startswith("idle")]
        self.assertEqual(len(notes), len(labels_of(ax)))
        self.assertEqual(notes[0], "idle 100 %")
        self.assertEqual(notes[2], "idle 38 %")

    def test_names_are_written_where_they_fit(self) -> None:
        document = synthetic.summary(8)
        texts = {text.get_text() for text in draw_gantt([load(document)])[0].texts}
        self.assertTrue({row[0] for row in document["tasks"]} <= texts)

    def test_fifty_thousand_tasks_keep_their_share_of_the_picture(self) -> None:
        document = synthetic.summary(50_000)
        run = load(document)
        begin = time.process_time()
        ax = draw_gantt([run])[0]
        self.assertLess(time.process_time() - begin, 20.0)
        height = 0.36
        total = 0
        for family, colour in style.family_colours(synthetic.FAMILIES).items():
            shapes = shapes_of(ax, colour)
            total += len(shapes)
            area = (shapes[:, 1, 0] - shapes[:, 0, 0]) * (shapes[:, 0, 1] - shapes[:, 2, 1])
            busy = sum(r[3] - r[2] for r in document["tasks"] if r[0].startswith(family)) / 1e9
            self.assertAlmostEqual(area.sum() / (busy * height), 1.0, places=6)
        self.assertLess(total, 10_000)
        notes = " ".join(text.get_text() for text in ax.figure.texts)
        self.assertIn("height is share of time", notes)

    def test_several_runs_share_the_time_axis_and_the_lanes(self) -> None:
        runs = [load(synthetic.summary(50)), load(synthetic.summary(80, "parla"))]
        axes = draw_gantt(runs)
        self.assertEqual(len(axes), 2)
        self.assertEqual(axes[0].get_xlim(), axes[1].get_xlim())
        self.assertAlmostEqual(axes[0].get_xlim()[1], max(r.makespan for r in runs) / 1e6)
        self.assertIn("earliest_finish", axes[0].get_title(loc="left"))
        self.assertIn("parla", axes[1].get_title(loc="left"))
        self.assertGreater(axes[0].get_position().y0, axes[1].get_position().y1)

    def test_a_window_limits_the_axis(self) -> None:
        ax = draw_gantt([load(synthetic.summary(50))], window=(1_000_000, 3_000_000))[0]
        self.assertEqual(ax.get_xlim(), (1.0, 3.0))

    def test_the_lower_bound_is_a_line_at_its_time(self) -> None:
        run = load(synthetic.summary(50))
        ax = draw_gantt([run])[0]
        lines = [line.get_xdata()[0] for line in ax.lines]
        self.assertEqual(lines, [run.bound / 1e6])
        self.assertIn(f"{run.makespan / run.bound:.2f} × lower bound", ax.get_title(loc="left"))

    def test_an_empty_run_is_drawn_and_a_brief_one_refused(self) -> None:
        document = {
            **synthetic.summary(4),
            "tasks": [],
            "copy_list": [],
            "copy_reasons": [],
            "makespan_ns": 0,
        }
        document["busy"], document["bounds_ns"] = {}, {}
        self.assertEqual(labels_of(draw_gantt([load(document)])[0]), GPU_LABELS)
        del document["tasks"]
        with self.assertRaisesRegex(LoadError, "--summary-brief"):
            draw_gantt([load(document)])


if __name__ == "__main__":
    unittest.main()
