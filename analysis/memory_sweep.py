"""Makespan and bytes moved against the memory of a GPU, a line per set of policies."""

from __future__ import annotations

from typing import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

import style
from load import LoadError
from runs import ComparisonRow

WIDTH, PANEL_HEIGHT, HEAD, FOOT = 11.0, 2.7, 0.45, 0.6  # inches
MARKERS = "osD^vP*X<>"


def draw_memory_sweep(rows: Sequence[ComparisonRow]) -> list[tuple[Axes, Axes]]:
    """For each workload and machine: axes of makespans and of bytes moved.

    Fails with LoadError when no row says how much memory its GPUs had.
    """
    groups: dict[tuple[str, str], list[ComparisonRow]] = {}
    for row in rows:
        if row.gpu_bytes is not None:
            groups.setdefault((row.workload, row.machine), []).append(row)
    if not groups:
        raise LoadError("no row has gpu_bytes; write the comparison with parley compare --memory")
    labels = dict(zip(map(_key, rows), style.policy_labels([row.policies for row in rows])))
    colours = style.policy_colours(sorted(set(labels.values())))
    legend_rows = -(-len(colours) // 5)
    height = len(groups) * (PANEL_HEIGHT + HEAD + FOOT) + 0.25 * legend_rows + 0.1
    figure = style.new_figure(WIDTH, height)
    grid = []
    top = height
    for (workload, machine), group in groups.items():
        top -= HEAD + PANEL_HEIGHT
        axes = tuple(
            figure.add_axes((left, top / height, 0.405, PANEL_HEIGHT / height))
            for left in (0.07, 0.565)
        )
        lines = _lines(group, labels)
        _draw_makespans(axes[0], group, lines, colours)
        _draw_bytes(axes[1], lines, colours)
        title = f"{workload} on {machine}"
        axes[0].set_title(title, loc="left", fontsize=9, color=style.TEXT)
        for ax in axes:
            _memory_axis(ax, group)
        grid.append((axes[0], axes[1]))
        top -= FOOT
    handles = [
        Line2D([], [], color=colours[name], marker=_marker(name, colours), markersize=4, label=name)
        for name in colours
    ]
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.06, 0.005), ncol=5, fontsize=8,
        frameon=False,
    )  # fmt: skip
    return grid


def _key(row: ComparisonRow) -> str:
    return repr(sorted(row.policies.items()))


def _marker(name: str, colours: dict[str, str]) -> str:
    return MARKERS[list(colours).index(name) % len(MARKERS)]


def _lines(
    group: Sequence[ComparisonRow], labels: dict[str, str]
) -> dict[str, list[ComparisonRow]]:
    """The runs that succeeded, by policies, the least memory first."""
    lines: dict[str, list[ComparisonRow]] = {}
    for row in sorted(group, key=lambda row: row.gpu_bytes or 0):
        line = lines.setdefault(labels[_key(row)], [])
        if not row.error:
            line.append(row)
    return lines


def _draw_makespans(
    ax: Axes,
    group: Sequence[ComparisonRow],
    lines: dict[str, list[ComparisonRow]],
    colours: dict[str, str],
) -> None:
    longest = max((row.makespan for row in group if not row.error), default=1)
    unit, scale = style.time_unit(max(longest, 1))
    for name, line in lines.items():
        _draw_line(ax, line, [row.makespan / scale for row in line], colours[name],
                   _marker(name, colours))  # fmt: skip
    ax.set_ylim(0.0, longest / scale * 1.05)
    ax.set_ylabel(f"makespan ({unit})", fontsize=8)


def _draw_bytes(
    ax: Axes, lines: dict[str, list[ComparisonRow]], colours: dict[str, str]
) -> None:
    totals = {name: [sum(row.bytes_by_kind.values()) for row in line]
              for name, line in lines.items()}  # fmt: skip
    most = max((max(line) for line in totals.values() if line), default=1)
    unit, size = style.byte_unit(max(most, 1))
    for name, line in lines.items():
        _draw_line(ax, line, [total / size for total in totals[name]], colours[name],
                   _marker(name, colours))  # fmt: skip
    ax.set_ylim(0.0, max(most, 1) / size * 1.05)
    ax.set_ylabel(f"bytes moved ({unit})", fontsize=8)


def _draw_line(
    ax: Axes, line: Sequence[ComparisonRow], values: Sequence[float], colour: str, marker: str
) -> None:
    ax.plot(
        [row.gpu_bytes for row in line], values, color=colour, marker=marker, markersize=4,
        linewidth=1.2, alpha=0.9,
    )  # fmt: skip


def _memory_axis(ax: Axes, group: Sequence[ComparisonRow]) -> None:
    """Logarithmic, with the sizes that were run as its ticks. Between the first and the last, labels
    that would collide are left out."""
    sizes = sorted({row.gpu_bytes for row in group if row.gpu_bytes})
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(sizes))
    ax.xaxis.set_minor_locator(NullLocator())
    shown = {sizes[0], sizes[-1]}
    ratio = (sizes[-1] / sizes[0]) ** (1 / 7) * 0.999 if len(sizes) > 1 else 1.0
    for size in reversed(sizes[1:-1]):
        if all(max(size / other, other / size) >= ratio for other in shown):
            shown.add(size)
    ax.set_xticklabels([style.format_bytes(s) if s in shown else "" for s in sizes], fontsize=7)
    ax.set_xlabel("memory of a GPU", fontsize=8)
    style.bare(ax, keep=("bottom", "left"))
