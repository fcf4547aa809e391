"""Lanes of intervals: what a Gantt chart draws, prepared so that 50 and 50,000 intervals both read.

A lane's intervals are packed into rows (one unless several overlap). An interval of at least
`WIDE_PX` pixels becomes a box of its own; narrower ones are summed up in bins of `BIN_PX` pixels,
where each category takes a height in proportion to its share of the bin's time. So no picture has
more shapes than its pixels can show, and busy and idle time stay true at every scale.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDE_PX = 2.0
BIN_PX = 3.0

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Lane:
    """Intervals of one device or engine. Arrays: (n,); times in ns; category: any small integer."""

    label: str
    start: IntArray
    end: IntArray
    category: IntArray
    names: list[str]
    slots: int = 1  # rows shown even when fewer are used at once

    def busy_share(self, span: int) -> float:
        """Share of `span` ns in which at least one interval runs."""
        return covered(self.start, self.end) / span if span > 0 else 0.0


@dataclass(frozen=True)
class Boxes:
    """Rectangles of one lane. Times in ns; bottom and top are shares of the lane's height, 0 to 1
    from below. is_whole: one interval each (else a category's share of a bin). index: of the
    interval, for whole ones. Arrays: (n_boxes,)."""

    left: FloatArray
    right: FloatArray
    bottom: FloatArray
    top: FloatArray
    category: IntArray
    is_whole: NDArray[np.bool_]
    index: IntArray


def covered(start: IntArray, end: IntArray) -> int:
    """Length of the union of intervals, ns."""
    if len(start) == 0:
        return 0
    order = np.argsort(start, kind="stable")
    begin, reach = start[order], np.maximum.accumulate(end[order])
    fresh = np.maximum(begin[1:], reach[:-1])
    return int(reach[0] - begin[0] + np.maximum(reach[1:] - fresh, 0).sum())


def pack_rows(start: IntArray, end: IntArray) -> IntArray:
    """The lowest row free for each interval, by start time; shape (n,). Intervals that only touch
    share a row, and those without length, which cannot be seen, take none from others."""
    rows = np.zeros(len(start), dtype=np.int64)
    busy: list[tuple[int, int]] = []  # (end, row)
    free: list[int] = []
    used = 0
    for i in np.lexsort((end, start)):
        if end[i] <= start[i]:
            continue
        while busy and busy[0][0] <= start[i]:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if free:
            rows[i] = heapq.heappop(free)
        else:
            rows[i] = used
            used += 1
        heapq.heappush(busy, (int(end[i]), int(rows[i])))
    return rows


def coverage(
    start: IntArray, end: IntArray, edges: FloatArray, weight: FloatArray | None = None
) -> FloatArray:
    """Time covered in each bin, counted once per interval and times its weight (default 1).

    edges: (n + 1,) ns; weight: (n_intervals,); returns (n,), ns times the weight's unit."""
    if len(start) == 0:
        return np.zeros(len(edges) - 1)
    # The integral of (intervals started - intervals ended), read off at the edges.
    times = np.concatenate([start, end]).astype(np.float64)
    weights = np.ones(len(start)) if weight is None else weight
    steps = np.concatenate([weights, -weights])
    order = np.argsort(times, kind="stable")
    times, running = times[order], np.cumsum(steps[order])
    area = np.concatenate([[0.0], np.cumsum(running[:-1] * np.diff(times))])
    return np.diff(np.interp(edges, times, area))


def lane_boxes(lane: Lane, ns_per_px: float) -> Boxes:
    """The rectangles that show a lane at a given scale."""
    rows = pack_rows(lane.start, lane.end)
    row_count = max(lane.slots, int(rows.max(initial=0)) + 1)
    is_wide = (lane.end - lane.start) >= WIDE_PX * ns_per_px
    wide = np.flatnonzero(is_wide)
    bottom = 1.0 - (rows[wide] + 1) / row_count
    parts = [
        Boxes(
            left=lane.start[wide].astype(np.float64),
            right=lane.end[wide].astype(np.float64),
            bottom=bottom,
            top=bottom + 1.0 / row_count,
            category=lane.category[wide],
            is_whole=np.ones(len(wide), dtype=bool),
            index=wide,
        )
    ]
    for row in range(row_count):
        narrow = np.flatnonzero(~is_wide & (rows == row))
        if len(narrow):
            parts.append(_binned(lane, narrow, row, row_count, BIN_PX * ns_per_px))
    return _joined(parts)


def _binned(lane: Lane, chosen: IntArray, row: int, row_count: int, bin_ns: float) -> Boxes:
    """Narrow intervals of one row as stacked shares of each bin's time."""
    first = np.floor(lane.start[chosen].min() / bin_ns)
    last = np.ceil(lane.end[chosen].max() / bin_ns)
    edges = np.arange(first, max(last, first + 1) + 1) * bin_ns
    categories = np.unique(lane.category[chosen])
    base = np.zeros(len(edges) - 1)
    floor, height = 1.0 - (row + 1) / row_count, 1.0 / row_count
    parts = []
    for category in categories:
        mine = chosen[lane.category[chosen] == category]
        share = coverage(lane.start[mine], lane.end[mine], edges) / bin_ns
        shown = np.flatnonzero(share > 1e-6)
        parts.append(
            Boxes(
                left=edges[shown],
                right=edges[shown + 1],
                bottom=floor + height * base[shown],
                top=floor + height * np.minimum(base[shown] + share[shown], 1.0),
                category=np.full(len(shown), category),
                is_whole=np.zeros(len(shown), dtype=bool),
                index=np.full(len(shown), -1),
            )
        )
        base += share
    return _joined(parts)


def _joined(parts: list[Boxes]) -> Boxes:
    fields = ("left", "right", "bottom", "top", "category", "is_whole", "index")
    return Boxes(**{f: np.concatenate([getattr(p, f) for p in parts]) for f in fields})
