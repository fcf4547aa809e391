"""Lanes show every nanosecond, whether their intervals are drawn one by one or summed up."""

from __future__ import annotations

import random
import unittest

import numpy as np

import synthetic  # noqa: F401  (puts analysis/ on the path)
from lanes import WIDE_PX, Lane, coverage, covered, lane_boxes, pack_rows


def lane_of(intervals: list[tuple[int, int, int]], slots: int = 1) -> Lane:
    start, end, category = (np.array(column, dtype=np.int64) for column in zip(*intervals))
    return Lane("lane", start, end, category, [str(i) for i in range(len(start))], slots)


def random_intervals(rng: random.Random, count: int, span: int, longest: int) -> list:
    out = []
    for _ in range(count):
        start = rng.randrange(span)
        out.append((start, start + rng.randrange(longest), rng.randrange(3)))
    return out


class LanesTest(unittest.TestCase):
    def test_covered_counts_each_nanosecond_once(self) -> None:
        rng = random.Random(1)
        for _ in range(200):
            intervals = random_intervals(rng, rng.randrange(1, 12), 40, 15)
            lane = lane_of(intervals)
            brute = len({t for start, end, _ in intervals for t in range(start, end)})
            self.assertEqual(covered(lane.start, lane.end), brute, intervals)

    def test_coverage_counts_each_interval_in_each_bin(self) -> None:
        rng = random.Random(2)
        edges = np.arange(0, 61, 6, dtype=np.float64)
        for _ in range(100):
            intervals = random_intervals(rng, rng.randrange(1, 12), 40, 15)
            lane = lane_of(intervals)
            found = coverage(lane.start, lane.end, edges)
            for i in range(len(edges) - 1):
                brute = sum(
                    max(0, min(end, edges[i + 1]) - max(start, edges[i]))
                    for start, end, _ in intervals
                )
                self.assertAlmostEqual(found[i], brute)

    def test_rows_never_overlap_and_are_as_few_as_can_be(self) -> None:
        rng = random.Random(3)
        for _ in range(100):
            lane = lane_of(random_intervals(rng, 30, 60, 12))
            rows = pack_rows(lane.start, lane.end)
            for row in np.unique(rows):
                mine = np.flatnonzero((rows == row) & (lane.end > lane.start))
                mine = mine[np.argsort(lane.start[mine])]
                self.assertTrue((lane.start[mine][1:] >= lane.end[mine][:-1]).all())
            depth = max(int(((lane.start <= t) & (t < lane.end)).sum()) for t in range(75))
            self.assertLessEqual(int(rows.max()) + 1, max(depth, 1))

    def test_intervals_that_touch_share_a_row(self) -> None:
        self.assertEqual(pack_rows(np.array([0, 5, 9]), np.array([5, 9, 12])).tolist(), [0, 0, 0])

    def test_the_area_of_the_boxes_is_the_busy_time_at_every_scale(self) -> None:
        rng = random.Random(4)
        clock, intervals = 0, []
        for _ in range(400):
            clock += rng.choice((0, 0, 30))
            end = clock + rng.randrange(1, 200)
            intervals.append((clock, end, rng.randrange(3)))
            clock = end
        lane = lane_of(intervals)
        for ns_per_px in (0.1, 10.0, 40.0, 1000.0, 1e6):
            boxes = lane_boxes(lane, ns_per_px)
            for category in range(3):
                mine = boxes.category == category
                area = (boxes.right - boxes.left) * (boxes.top - boxes.bottom)
                busy = (lane.end - lane.start)[lane.category == category].sum()
                self.assertAlmostEqual(area[mine].sum() / busy, 1.0, places=6)

    def test_no_more_boxes_than_pixels_can_show(self) -> None:
        count, duration = 50_000, 100
        start = np.arange(count) * duration
        lane = Lane("l", start, start + duration, np.arange(count) % 4, [""] * count)
        pixels = 1000
        boxes = lane_boxes(lane, count * duration / pixels)
        self.assertFalse(boxes.is_whole.any())
        self.assertLessEqual(len(boxes.left), 4 * (pixels / 3 + 2))

    def test_wide_intervals_stay_whole_among_narrow_ones(self) -> None:
        lane = lane_of([(0, 1, 0), (1, 1000, 1), (1000, 1001, 0)])
        boxes = lane_boxes(lane, ns_per_px=10.0)
        whole = np.flatnonzero(boxes.is_whole)
        self.assertEqual(boxes.index[whole].tolist(), [1])
        self.assertEqual((boxes.left[whole[0]], boxes.right[whole[0]]), (1.0, 1000.0))
        self.assertGreater(1000 - 1, WIDE_PX * 10.0)

    def test_slots_keep_their_height_when_few_are_used(self) -> None:
        boxes = lane_boxes(lane_of([(0, 100, 0)], slots=4), ns_per_px=1.0)
        self.assertEqual((boxes.bottom[0], boxes.top[0]), (0.75, 1.0))

    def test_an_empty_lane_has_no_boxes(self) -> None:
        empty = np.array([], dtype=np.int64)
        lane = Lane("l", empty, empty, empty, [])
        self.assertEqual(len(lane_boxes(lane, 1.0).left), 0)
        self.assertEqual(lane.busy_share(100), 0.0)


if __name__ == "__main__":
    unittest.main()
