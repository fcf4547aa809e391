"""Policies beside each other: makespan against the lower bound, bytes moved by kind, busy share."""

from __future__ import annotations

from typing import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

import style
from runs import ComparisonRow, Spread

WIDTH, LEFT, RIGHT = 13.0, 2.1, 0.25  # inches
BAR_HEIGHT, HEAD, FOOT = 0.3, 0.5, 0.5


def draw_comparison(rows: Sequence[ComparisonRow]) -> list[tuple[Axes, Axes, Axes]]:
    """For each workload, machine and memory size: axes of makespans, of bytes and of busy shares."""
    groups: dict[tuple[str, str], list[ComparisonRow]] = {}
    for row in rows:
        memory = f" with {style.format_bytes(row.gpu_bytes)} a GPU" if row.gpu_bytes else ""
        groups.setdefault((row.workload, row.machine + memory), []).append(row)
    kinds = _kind_colours(rows)
    figure, grid = _figure([len(group) for group in groups.values()])
    for (name, group), axes in zip(groups.items(), grid):
        labels = style.policy_labels([row.policies for row in group])
        _draw_makespans(axes[0], group, labels)
        _draw_bytes(axes[1], group, kinds)
        _draw_busy(axes[2], group)
        axes[0].set_title(f"{name[0]} on {name[1]}", loc="left", fontsize=9, color=style.TEXT)
        for ax in axes:
            ax.set_ylim(len(group) - 0.4, -0.6)
    _legend(figure, kinds, any(row.bound for row in rows), any(row.spread for row in rows))
    return grid


def _kind_colours(rows: Sequence[ComparisonRow]) -> dict[str, str]:
    """Colours of the kinds that occur, the known ones in their usual order."""
    found = {kind for row in rows for kind, count in row.bytes_by_kind.items() if count}
    kinds = {kind: colour for kind, colour in style.COPY_KINDS.items() if kind in found}
    kinds.update(style.family_colours(found - set(kinds)))
    return kinds


def _figure(counts: Sequence[int]) -> tuple[Figure, list[tuple[Axes, Axes, Axes]]]:
    """A row of three axes per group, as tall as its bars."""
    legend = 0.35
    inches = [BAR_HEIGHT * max(count, 2) for count in counts]
    height = sum(inches) + (HEAD + FOOT) * len(counts) + legend
    figure = style.new_figure(WIDTH, height)
    columns = []
    left = LEFT
    for width, space in ((4.4, 0.45), (3.4, 0.35), (2.0, 0.0)):
        columns.append((left, width))
        left += width + space
    grid = []
    top = height
    for bar_inches in inches:
        top -= HEAD + bar_inches
        boxes = [(x / WIDTH, top / height, w / WIDTH, bar_inches / height) for x, w in columns]
        axes = [figure.add_axes(box) for box in boxes]
        grid.append((axes[0], axes[1], axes[2]))
        top -= FOOT
    return figure, grid


def _bar_colours(group: Sequence[ComparisonRow], labels: Sequence[str]) -> list[str]:
    """By mapper, or where all rows have one mapper by what else tells them apart."""
    mappers = [row.policies.get("mapper", "default") for row in group]
    keys = mappers if len(set(mappers)) > 1 else labels
    colours = style.policy_colours(keys)
    return [colours[key] for key in keys]


def _draw_makespans(ax: Axes, group: Sequence[ComparisonRow], labels: Sequence[str]) -> None:
    longest = max(
        max(row.makespan, row.bound, row.spread.most if row.spread else 0) for row in group
    )
    unit, scale = style.time_unit(max(longest, 1))
    for y, (row, colour) in enumerate(zip(group, _bar_colours(group, labels))):
        if row.error:
            ax.text(0.0, y, f" failed: {row.error}", va="center", fontsize=7.5, color=style.BOUND)
            continue
        value = row.makespan / scale
        ax.barh(y, value, height=0.7, color=colour)
        text = style.format_time(row.makespan)
        if row.spread:
            _draw_spread(ax, y, row.spread, scale)
        if row.bound:
            ax.plot([row.bound / scale] * 2, [y - 0.45, y + 0.45], color=style.BOUND, linewidth=1.6)
            if not row.spread:  # repetitions differ in their bounds
                text += f"  ({row.makespan / row.bound:.2f}×)"
        right = max(row.makespan, row.bound, row.spread.most if row.spread else 0) / scale
        ax.annotate(
            text, xy=(right, y), xytext=(4, 0), textcoords="offset points", va="center",
            fontsize=7.5, color=style.TEXT,
        )  # fmt: skip
    ax.set_xlim(0.0, max(longest, 1) / scale * 1.3)
    ax.set_yticks(range(len(group)), labels)
    style.bare(ax)
    ax.tick_params(axis="y", length=0)
    is_median = any(row.spread for row in group)
    label = f"median makespan ({unit})" if is_median else f"makespan ({unit}; × lower bound)"
    ax.set_xlabel(label, fontsize=8)


def _draw_spread(ax: Axes, y: float, spread: Spread, scale: float) -> None:
    """A thin line from the least to the most, a thick one over the middle half; ns / scale."""
    for low, high, width in (
        (spread.least, spread.most, 1.0),
        (spread.first_quartile, spread.third_quartile, 3.5),
    ):
        ax.plot([low / scale, high / scale], [y, y], color=style.TEXT, linewidth=width,
                solid_capstyle="butt")  # fmt: skip


def _draw_bytes(ax: Axes, group: Sequence[ComparisonRow], kinds: dict[str, str]) -> None:
    totals = [sum(row.bytes_by_kind.values()) for row in group]
    unit, size = style.byte_unit(max(max(totals), 1))
    for y, (row, total) in enumerate(zip(group, totals)):
        left = 0.0
        for kind, colour in kinds.items():
            count = row.bytes_by_kind.get(kind, 0) / size
            ax.barh(y, count, left=left, height=0.7, color=colour)
            left += count
        if not row.error:
            ax.annotate(
                style.format_bytes(total), xy=(left, y), xytext=(4, 0), textcoords="offset points",
                va="center", fontsize=7.5, color=style.TEXT,
            )  # fmt: skip
    ax.set_xlim(0.0, max(max(totals) / size, 1e-9) * 1.25)
    ax.set_yticks([])
    style.bare(ax)
    ax.set_xlabel(f"bytes moved ({unit})", fontsize=8)


def _draw_busy(ax: Axes, group: Sequence[ComparisonRow]) -> None:
    """Mean busy share of the devices that any row used, and a dot for each device."""
    used = sorted({name for row in group for name, share in row.busy.items() if share > 0})
    for y, row in enumerate(group):
        shares = [100 * row.busy.get(name, 0.0) for name in used]
        if row.error or not shares:
            continue
        ax.barh(y, float(np.mean(shares)), height=0.7, color="#CCCCCC")
        for name, share in zip(used, shares):
            ax.plot(share, y, marker="o", markersize=3.2, color=style.device_colour(name))
    ax.set_xlim(0.0, 103.0)  # room for the dots of busy devices
    ax.set_yticks([])
    style.bare(ax)
    ax.set_xlabel("busy (%; dots: devices)", fontsize=8)


def _legend(figure: Figure, kinds: dict[str, str], has_bound: bool, has_spread: bool) -> None:
    handles: list[Patch | Line2D] = []
    if has_bound:
        handles.append(Line2D([], [], color=style.BOUND, linewidth=1.6, label="lower bound"))
    if has_spread:
        label = "repetitions: middle half, range"
        handles.append(Line2D([], [], color=style.TEXT, linewidth=3.5, label=label))
    handles += [Patch(color=colour, label=style.kind_label(kind)) for kind, colour in kinds.items()]
    style.legend_row(figure, handles, LEFT, 0.08)
