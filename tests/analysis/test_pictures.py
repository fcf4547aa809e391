"""States, memory, traffic, comparison: what is drawn is what the file says."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

import style
import synthetic
from compare import draw_comparison
from load import LoadError, load_comparison, load_run
from memory import draw_memory
from runs import ComparisonRow, Run
from states import draw_states
from traffic import byte_matrix, draw_traffic, link_rates


def load(document: dict) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        return load_run(synthetic.write(Path(folder) / "run.json", document))


def load_rows(document: dict) -> list[ComparisonRow]:
    with tempfile.TemporaryDirectory() as folder:
        return load_comparison(synthetic.write(Path(folder) / "comparison.json", document))


def bands(ax, state: str) -> list[Rectangle]:
    colour = style.MSI_STATES[state].lower()
    return [p for p in ax.patches if to_hex(p.get_facecolor()) == colour]


class StatesTest(unittest.TestCase):
    def test_each_array_has_a_lane_for_each_space_that_holds_it(self) -> None:
        ax = draw_states(load(synthetic.with_states(synthetic.summary(50))))
        labels = [label.get_text() for label in ax.get_yticklabels()]
        self.assertEqual(labels, ["host", "gpu0", "gpu1"] * 2)
        self.assertEqual(ax.get_xlabel(), "time (ms)")

    def test_a_band_lasts_until_the_next_change(self) -> None:
        run = load(synthetic.with_states(synthetic.summary(50)))
        ax = draw_states(run, ["A"])
        end = run.makespan
        found = sorted((p.get_x(), p.get_x() + p.get_width()) for p in bands(ax, "MODIFIED"))
        expected = [(0, end // 5 / 1e6), (end // 2 / 1e6, end / 1e6)]
        np.testing.assert_allclose(found, expected)
        self.assertEqual(len(bands(ax, "SHARED")), 2)

    def test_a_band_is_as_tall_as_the_share_that_is_valid(self) -> None:
        ax = draw_states(load(synthetic.with_states(synthetic.summary(50))), ["B"])
        whole, half = bands(ax, "MODIFIED")[0], bands(ax, "SHARED")[0]
        self.assertAlmostEqual(half.get_height(), whole.get_height() / 2)

    def test_unknown_arrays_and_missing_states_are_refused(self) -> None:
        run = load(synthetic.with_states(synthetic.summary(50)))
        with self.assertRaisesRegex(LoadError, "no array 'C'; there are A, B"):
            draw_states(run, ["C"])
        with self.assertRaisesRegex(LoadError, "--states"):
            draw_states(load(synthetic.summary(4)))


class MemoryTest(unittest.TestCase):
    def test_a_panel_for_each_space_that_holds_bytes_with_its_capacity(self) -> None:
        axes = draw_memory(load(synthetic.with_residency(synthetic.summary(50))))
        self.assertEqual([ax.get_ylabel() for ax in axes], [f"gpu{g}\n(GiB)" for g in range(4)])
        for ax in axes:
            line, capacity = ax.lines
            self.assertEqual(max(line.get_ydata()), 28 / 4)
            self.assertEqual(capacity.get_ydata()[0], 8.0)
            self.assertGreater(ax.get_ylim()[1], 8.0)

    def test_a_capacity_far_above_is_told_not_drawn(self) -> None:
        document = synthetic.with_residency(synthetic.summary(50))
        document["residency"] = [["gpu1", 0, 1 << 30]]
        (ax,) = draw_memory(load(document))
        self.assertEqual(len(ax.lines), 1)
        self.assertIn("peak 1 GiB of 8 GiB (12 %)", [text.get_text() for text in ax.texts])

    def test_a_summary_without_residency_is_refused(self) -> None:
        with self.assertRaisesRegex(LoadError, "--states"):
            draw_memory(load(synthetic.summary(4)))


class TrafficTest(unittest.TestCase):
    def test_the_matrix_adds_up_to_the_bytes_copied(self) -> None:
        document = synthetic.summary(500)
        run = load(document)
        matrix = byte_matrix(run)
        self.assertEqual(matrix.sum(), sum(row[3] for row in document["copy_list"]))
        from_host = sum(row[3] for row in document["copy_list"] if row[1:3] == ["host", "gpu1"])
        self.assertEqual(matrix[0, 2], from_host)
        grid, links = draw_traffic(run)
        self.assertEqual((grid.get_xlabel(), grid.get_ylabel()), ("to", "from"))
        self.assertIn("GiB", grid.get_title(loc="left"))
        self.assertEqual(len(links.get_yticks()), np.count_nonzero(matrix))

    def test_rates_spread_bytes_over_the_time_of_the_copy(self) -> None:
        document = synthetic.summary(4)
        document["copy_list"] = [
            ["A", "host", "gpu0", 600, 100, 400],
            ["A", "host", "gpu0", 7, 900, 900],
        ]
        del document["copy_reasons"]
        run = load(document)
        edges = np.array([0.0, 200.0, 300.0, 1000.0])
        rates = link_rates(run, 0, 1, edges)
        np.testing.assert_allclose(rates * np.diff(edges) / 1e9, [200, 200, 207])

    def test_rates_are_shares_where_the_routes_state_theirs(self) -> None:
        document = synthetic.summary(50)
        shares = draw_traffic(load(document))[1].images[0]
        self.assertEqual(shares.get_clim(), (0.0, 100.0))
        self.assertLessEqual(shares.get_array().max(), 100.001)
        del document["layout"]
        plain = draw_traffic(load(document))[1].images[0]
        self.assertNotEqual(plain.get_clim(), (0.0, 100.0))


class CompareTest(unittest.TestCase):
    def test_a_bar_for_each_row_with_the_bound_beside_it(self) -> None:
        times, moved, busy = draw_comparison(load_rows(synthetic.comparison()))[0]
        self.assertEqual([p.get_width() for p in times.patches], [100.0, 110.0, 120.0])
        labels = [label.get_text() for label in times.get_yticklabels()]
        self.assertEqual(labels, ["round_robin", "parla", "earliest_finish"])
        self.assertEqual({line.get_xdata()[0] for line in times.lines}, {80.0})
        self.assertIn("100 ms  (1.25×)", [text.get_text() for text in times.texts])
        self.assertIn("(GiB)", moved.get_xlabel())
        self.assertEqual(sum(p.get_width() for p in moved.patches), 16 + 17 + 18)
        self.assertIn("%", busy.get_xlabel())

    def test_policies_keep_their_colour_and_differ(self) -> None:
        first = style.policy_colours(["parla", "round_robin", "earliest_finish", "dmda"])
        second = style.policy_colours(["parla", "round_robin"])
        self.assertEqual(len(set(first.values())), 4)
        for name, colour in second.items():
            self.assertEqual(first[name], colour)

    def test_bars_differ_in_colour_whatever_tells_their_rows_apart(self) -> None:
        document = synthetic.comparison(("parla", "parla"))
        document["rows"][1]["policies"]["evict"] = "next_use"
        times = draw_comparison(load_rows(document))[0][0]
        self.assertEqual(len({p.get_facecolor() for p in times.patches}), 2)

    def test_each_workload_and_machine_is_a_group_of_its_own(self) -> None:
        document = synthetic.comparison()
        document["rows"][2]["machine"] = "dgx1v"
        groups = draw_comparison(load_rows(document))
        self.assertEqual([len(group[0].patches) for group in groups], [2, 1])

    def test_repetitions_show_their_median_middle_half_and_range(self) -> None:
        times = draw_comparison(load_rows(synthetic.repeated_comparison()))[0][0]
        self.assertEqual([p.get_width() for p in times.patches], [120.0, 110.0])
        spans = {tuple(line.get_xdata()) for line in times.lines}
        self.assertIn((100.0, 140.0), spans)
        self.assertIn((110.0, 130.0), spans)
        self.assertIn("median", times.get_xlabel())
        self.assertIn("120 ms", [text.get_text() for text in times.texts])

    def test_a_failed_row_says_why(self) -> None:
        document = synthetic.comparison()
        document["rows"][0] = {**document["rows"][0], "error": "task t fits nowhere"}
        times = draw_comparison(load_rows(document))[0][0]
        self.assertIn("task t fits nowhere", " ".join(text.get_text() for text in times.texts))
        self.assertEqual(len(times.patches), 2)


class StyleTest(unittest.TestCase):
    def test_families_are_the_names_before_the_indices(self) -> None:
        for name, family in (
            ("gemm[3, 1]", "gemm"), ("T_12", "T"), ("step7", "step"), ("42", "42"), ("x2[0]", "x2"),
        ):  # fmt: skip
            self.assertEqual(style.family_of(name), family)

    def test_families_differ_in_colour_up_to_the_palette(self) -> None:
        names = [f"kernel_{c}" for c in "abcdefgh"]
        self.assertEqual(len(set(style.family_colours(names).values())), 8)
        crowd = style.family_colours(names + ["gemm", "kernel_i", "kernel_j"])
        self.assertEqual(crowd["gemm"], style.family_colours(["gemm"])["gemm"])
        self.assertEqual(len(set(crowd.values())), 9)

    def test_a_device_and_its_space_have_one_colour(self) -> None:
        self.assertEqual(style.device_colour("gpu:3"), style.device_colour("gpu3"))
        self.assertNotEqual(style.device_colour("gpu:3"), style.device_colour("gpu:2"))
        self.assertEqual(style.device_colour("host"), style.device_colour("cpu"))

    def test_quantities_are_written_with_their_unit(self) -> None:
        for ns, text in (
            (0, "0 ns"),
            (999, "999 ns"),
            (1_234_567, "1,235 µs"),
            (5_260_000, "5.26 ms"),
        ):
            self.assertEqual(style.format_time(ns), text)
        for count, text in (
            (0, "0 B"),
            (1536, "1.5 KiB"),
            (94 << 30, "94 GiB"),
            (5 << 40, "5 TiB"),
        ):
            self.assertEqual(style.format_bytes(count), text)
        for share, text in (
            (0.0, "0 %"),
            (0.001, "<1 %"),
            (0.37, "37 %"),
            (0.9999, ">99 %"),
            (1.0, "100 %"),
        ):
            self.assertEqual(style.format_share(share), text)

    def test_labels_tell_what_differs(self) -> None:
        base = {"mapper": "parla", "evict": "lru"}
        self.assertEqual(
            style.policy_labels([base, {**base, "evict": "next_use"}]),
            ["evict=lru", "evict=next_use"],
        )
        self.assertEqual(style.policy_labels([base]), ["parla, evict=lru"])
        self.assertEqual(style.policy_labels([base, base]), ["parla", "parla"])


if __name__ == "__main__":
    unittest.main()
