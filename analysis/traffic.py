"""Where bytes go: a matrix of bytes from each space to each, and how full links are over time."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

import style
from lanes import coverage
from load import LoadError
from runs import Run

BINS = 240  # of the time axis
COLOURS = "cividis"  # perceptually uniform, safe for colour-blind readers
ROW_HEIGHT = 0.26  # inches


def draw_traffic(run: Run) -> tuple[Axes, Axes]:
    """The matrix and the strip chart of links.

    Fails with LoadError when the summary lists no copies.
    """
    if run.copies is None:
        raise LoadError(f"{run.path}: no copies are listed; write it without --summary-brief")
    pairs = sorted(set(zip(run.copies.source.tolist(), run.copies.target.tolist())))
    side = max(3.2, 0.62 * len(run.spaces))
    height = max(side, ROW_HEIGHT * len(pairs) + 0.4) + 1.3
    width = side + 1.6 + 8.4
    figure = style.new_figure(width, height)
    matrix = _add_axes(figure, 0.9, side, side)
    strips = _add_axes(figure, side + 2.6, 6.2, max(0.6, ROW_HEIGHT * len(pairs)))
    _draw_matrix(matrix, run)
    _draw_links(strips, run, pairs)
    figure.text(
        0.9 / width, 1 - 0.25 / height, f"{run.workload} on {run.machine}   ·   "
        f"{len(run.copies.bytes):,} copies, {style.format_bytes(int(run.copies.bytes.sum()))}",
        fontsize=10, color=style.TEXT, va="center",
    )  # fmt: skip
    return matrix, strips


def _add_axes(figure: Figure, left: float, width: float, height: float) -> Axes:
    """Axes under the figure's title; inches."""
    across, down = figure.get_size_inches()
    return figure.add_axes(
        (left / across, 1 - (height + 0.8) / down, width / across, height / down)
    )


def byte_matrix(run: Run) -> NDArray[np.int64]:
    """Bytes copied from space i to space j; shape (n_spaces, n_spaces)."""
    assert run.copies is not None
    matrix = np.zeros((len(run.spaces), len(run.spaces)), dtype=np.int64)
    np.add.at(matrix, (run.copies.source, run.copies.target), run.copies.bytes)
    return matrix


def link_rates(
    run: Run, source: int, target: int, edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean rate of a pair of spaces in each bin; edges: (n + 1,) ns; shape (n,), bytes/s.

    A copy's bytes are spread evenly over its time."""
    copies = run.copies
    assert copies is not None
    mine = (copies.source == source) & (copies.target == target)
    start = copies.start[mine]
    end = np.maximum(copies.end[mine], start + 1)  # a copy within one ns still moves its bytes
    moved = coverage(start, end, edges, copies.bytes[mine] / (end - start))
    # Sums of large numbers leave a rest of either sign where nothing moves.
    return np.maximum(moved, 0.0) / np.diff(edges) * 1e9


def _draw_matrix(ax: Axes, run: Run) -> None:
    matrix = byte_matrix(run)
    unit, size = style.byte_unit(int(matrix.max(initial=1)))
    shown = np.ma.masked_equal(matrix, 0) / size
    ax.set_facecolor(style.IDLE)
    image = ax.imshow(shown, cmap=COLOURS, norm=_matrix_norm(shown))
    names = [space.name for space in run.spaces]
    ax.set_xticks(range(len(names)), names, rotation=45 if len(names) > 5 else 0)
    ax.set_yticks(range(len(names)), names)
    ax.set_xlabel("to", fontsize=9)
    ax.set_ylabel("from", fontsize=9)
    ax.set_title(f"bytes copied ({unit})", loc="left", fontsize=9, color=style.TEXT)
    style.bare(ax, keep=())
    for (i, j), count in np.ndenumerate(matrix):
        if count:
            shade = image.norm(count / size)
            ax.text(
                j, i, f"{count / size:.3g}", ha="center", va="center", fontsize=8,
                color="black" if shade > 0.5 else "white",
            )  # fmt: skip


def _matrix_norm(shown: np.ma.MaskedArray) -> LogNorm | None:
    """A log scale where links differ by more than a hundred times, so that small ones show."""
    values = shown.compressed()
    if len(values) and values.max() > 100 * values.min():
        return LogNorm(values.min(), values.max())
    return None


def _draw_links(ax: Axes, run: Run, pairs: list[tuple[int, int]]) -> None:
    """A row per link; colour: share of the route's own rate where the summary states it for all,
    else the rate."""
    unit, scale = style.time_unit(max(run.makespan, 1))
    edges = np.linspace(0.0, max(run.makespan, 1), BINS + 1)
    labels = []
    rates = np.zeros((len(pairs), BINS))
    limits = []
    for row, (source, target) in enumerate(pairs):
        names = (run.spaces[source].name, run.spaces[target].name)
        rates[row] = link_rates(run, source, target, edges)
        labels.append(style.pair_label(*names))
        route = run.routes.get(names)
        limits.append(route.bytes_per_s if route and route.bytes_per_s else np.nan)
    if pairs and not np.isnan(limits).any():
        values = 100 * rates / np.array(limits)[:, None]
        meaning, top = "share of the route's rate (%)", 100.0
    else:
        values, meaning, top = rates / 1e9, "rate (GB/s)", None
    image = ax.imshow(
        values, aspect="auto", cmap=COLOURS, vmin=0.0, vmax=top, interpolation="nearest",
        extent=(0.0, max(run.makespan, 1) / scale, len(pairs), 0.0),
    )  # fmt: skip
    ax.set_yticks(np.arange(len(pairs)) + 0.5, labels)
    ax.set_xlabel(f"time ({unit})", fontsize=9)
    ax.set_title("links over time", loc="left", fontsize=9, color=style.TEXT)
    style.bare(ax)
    ax.tick_params(axis="y", length=0)
    box, width = ax.get_position(), ax.figure.get_figwidth()
    bar = ax.figure.add_axes((box.x1 + 0.15 / width, box.y0, 0.12 / width, box.height))
    ax.figure.colorbar(image, cax=bar)
    bar.set_ylabel(meaning, fontsize=8)
    bar.tick_params(labelsize=7)
