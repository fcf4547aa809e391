"""MSI states of arrays over time: for each array a lane per memory space.

A band's height is the share of the array's elements that is valid in the space, so an array held in
pieces shows how much of it is where.
"""

from __future__ import annotations

from typing import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

import style
from load import LoadError
from runs import Run, StateChanges

WIDTH, LEFT, RIGHT = 13.0, 1.6, 0.3  # inches
LANE_HEIGHT, GAP, ARRAY_GAP = 0.26, 0.05, 0.22
MOST_ARRAYS = 12  # drawn unless arrays are named


def draw_states(run: Run, arrays: Sequence[str] | None = None) -> Axes:
    """The axes with all lanes. arrays: names; default the first that change, at most MOST_ARRAYS.

    Fails with LoadError when the summary holds no states, or an array is not among them.
    """
    changes = run.states
    if changes is None:
        raise LoadError(f"{run.path}: states: missing; write the summary with --states")
    chosen = _chosen_arrays(run.path, changes, arrays)
    spaces = _spaces_that_change(run, changes, chosen)
    unit, scale = style.time_unit(max(run.makespan, 1))
    ax = _new_axes(len(chosen), len(spaces))
    ticks: dict[float, str] = {}
    y = 0.0
    for array in chosen:
        ax.text(
            0.0, y + ARRAY_GAP * 0.55, array, transform=ax.get_yaxis_transform(),
            va="center", fontsize=8.5, fontweight="bold", color=style.TEXT,
        )  # fmt: skip
        y += ARRAY_GAP
        for space in spaces:
            _draw_lane(ax, run, changes, array, space, y, scale)
            ticks[y + LANE_HEIGHT / 2] = run.spaces[space].name
            y += LANE_HEIGHT + GAP
    ax.set_ylim(y, 0.0)
    ax.set_xlim(0.0, max(run.makespan, 1) / scale)
    ax.set_yticks(list(ticks), list(ticks.values()))
    style.bare(ax)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(f"time ({unit})", fontsize=9)
    left_out = len(dict.fromkeys(changes.arrays)) - len(chosen)
    more = f"   ·   {left_out} more arrays" if left_out and arrays is None else ""
    ax.set_title(
        f"{run.workload} on {run.machine}: MSI state of each array by memory space{more}",
        loc="left", fontsize=9, color=style.TEXT,
    )  # fmt: skip
    _legend(ax)
    return ax


def _chosen_arrays(path: str, changes: StateChanges, arrays: Sequence[str] | None) -> list[str]:
    known = list(dict.fromkeys(changes.arrays))
    if arrays is None:
        return known[:MOST_ARRAYS]
    for array in arrays:
        if array not in known:
            listed = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
            raise LoadError(f"{path}: states: no array {array!r}; there are {listed}")
    return list(arrays)


def _spaces_that_change(run: Run, changes: StateChanges, chosen: Sequence[str]) -> list[int]:
    """Spaces in which a chosen array is ever valid, in the machine's order; all if none is."""
    used = {
        int(space)
        for array, space, state in zip(changes.arrays, changes.space, changes.states)
        if array in chosen and state != "INVALID"
    }
    return sorted(used) or list(range(len(run.spaces)))


def _new_axes(array_count: int, space_count: int) -> Axes:
    inches = array_count * (ARRAY_GAP + space_count * (LANE_HEIGHT + GAP))
    foot, head = 0.75, 0.4
    height = inches + foot + head
    figure = style.new_figure(WIDTH, height)
    return figure.add_axes(
        (LEFT / WIDTH, foot / height, 1 - (LEFT + RIGHT) / WIDTH, inches / height)
    )


def _draw_lane(
    ax: Axes, run: Run, changes: StateChanges, array: str, space: int, y: float, scale: int
) -> None:
    """One array in one space: a band for each state it was in, INVALID as the background."""
    end = run.makespan / scale
    ax.add_patch(Rectangle((0.0, y), end, LANE_HEIGHT, color=style.IDLE, linewidth=0, zorder=0.5))
    mine = [k for k in np.flatnonzero(changes.space == space) if changes.arrays[k] == array]
    for position, k in enumerate(mine):
        state, share = changes.states[k], float(changes.share[k])
        left = changes.time[k] / scale
        right = changes.time[mine[position + 1]] / scale if position + 1 < len(mine) else end
        if state == "INVALID" or right <= left:
            continue
        height = LANE_HEIGHT * share
        band = Rectangle(
            (left, y + LANE_HEIGHT - height), right - left, height,
            facecolor=style.MSI_STATES[state], edgecolor="white", linewidth=0.4, zorder=1,
        )  # fmt: skip
        ax.add_patch(band)
        text = state if share >= 0.995 else f"{state} {style.format_share(share)}"
        if (right - left) / max(end, 1e-30) > 0.009 * len(text):
            # In the band where it is tall enough, else in the free part above it.
            middle = LANE_HEIGHT - height / 2 if share >= 0.5 else (LANE_HEIGHT - height) / 2
            ax.text(
                (left + right) / 2, y + middle, text, ha="center", va="center",
                fontsize=6.5, color=style.TEXT, clip_on=True, zorder=2,
            )  # fmt: skip


def _legend(ax: Axes) -> None:
    handles = [Patch(color=colour, label=state) for state, colour in style.MSI_STATES.items()]
    style.legend_row(ax.figure, handles, LEFT, 0.1)
    height = ax.figure.get_figheight()
    ax.annotate(
        "height of a band: share of the array's elements valid there",
        xy=(1.0, 0.1 / height), xycoords=("axes fraction", "figure fraction"),
        ha="right", va="bottom", fontsize=7.5, color=style.QUIET,
    )  # fmt: skip
