"""Resident bytes of each memory space over time, with the space's capacity."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

import style
from load import LoadError
from runs import Run

WIDTH, PANEL_HEIGHT = 11.0, 1.35  # inches


def draw_memory(run: Run) -> list[Axes]:
    """One axes per space that ever holds bytes, in the machine's order.

    Fails with LoadError when the summary holds no residency.
    """
    samples = run.residency
    if samples is None:
        raise LoadError(f"{run.path}: residency: missing; write the summary with --states")
    shown = [i for i in range(len(run.spaces)) if samples.bytes[samples.space == i].any()]
    if not shown:
        raise LoadError(f"{run.path}: residency: no space ever holds a byte")
    height = PANEL_HEIGHT * len(shown) + 0.9
    figure = style.new_figure(WIDTH, height)
    grid = figure.add_gridspec(
        len(shown), 1, left=0.09, right=0.985, top=1 - 0.4 / height, bottom=0.5 / height, hspace=0.3
    )
    unit, scale = style.time_unit(max(run.makespan, 1))
    axes: list[Axes] = []
    for row, space in enumerate(shown):
        ax = figure.add_subplot(grid[row, 0], sharex=axes[0] if axes else None)
        _draw_space(ax, run, space, scale)
        ax.tick_params(labelbottom=row + 1 == len(shown))
        axes.append(ax)
    axes[0].set_title(
        f"{run.workload} on {run.machine}: resident bytes", loc="left", fontsize=9, color=style.TEXT
    )
    axes[0].set_xlim(0.0, max(run.makespan, 1) / scale)
    axes[-1].set_xlabel(f"time ({unit})", fontsize=9)
    return axes


def _draw_space(ax: Axes, run: Run, index: int, scale: int) -> None:
    """A step line, constant from each sample to the next and to the end of the run."""
    samples, space = run.residency, run.spaces[index]
    assert samples is not None
    mine = samples.space == index
    time = np.concatenate([[0], samples.time[mine], [run.makespan]]) / scale
    held = np.concatenate([[0], samples.bytes[mine], samples.bytes[mine][-1:]])
    peak = int(held.max())
    unit, size = style.byte_unit(peak)
    colour = style.device_colour(space.name)
    ax.fill_between(time, held / size, step="post", color=colour, alpha=0.35, linewidth=0)
    ax.step(time, held / size, where="post", color=colour, linewidth=1.2)
    top = peak * 1.2 / size
    note = f"peak {style.format_bytes(peak)}"
    if space.capacity:
        share = style.format_share(peak / space.capacity)
        note += f" of {style.format_bytes(space.capacity)} ({share})"
        if space.capacity <= 2 * peak:  # else it would flatten the curve
            ax.axhline(space.capacity / size, color=style.BOUND, linestyle="--", linewidth=1.0)
            ax.annotate(
                "capacity", xy=(1.0, space.capacity / size), xycoords=("axes fraction", "data"),
                xytext=(-3, 2), textcoords="offset points", ha="right", fontsize=7,
                color=style.BOUND,
            )  # fmt: skip
            top = max(top, space.capacity * 1.2 / size)
    ax.set_ylim(0.0, top)
    style.bare(ax, keep=("bottom", "left"))
    ax.set_ylabel(f"{space.name}\n({unit})", fontsize=8)
    ax.annotate(
        note, xy=(0.0, 1.0), xycoords="axes fraction", xytext=(4, -3), textcoords="offset points",
        va="top", fontsize=7.5, color=style.QUIET,
    )  # fmt: skip
