"""Simulated beside measured: makespans of many runs against the diagonal, or lanes of one run."""

from __future__ import annotations

import textwrap
from typing import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

import style
from gantt import draw_gantt
from runs import PredictedRun

SIZE, PANEL, LEFT, BOTTOM = (9.8, 6.2), 5.2, 0.85, 0.75  # inches
BAND = 0.1  # relative error within which a prediction lies in the band
# Then stars with (points, a star, turned by degrees).
MARKERS = [*"osD^vP*X<>phd8H", (4, 1, 0), (6, 1, 0), (4, 1, 45), (3, 1, 0), (3, 1, 180), (8, 1, 0)]


def draw_sim_vs_real(runs: Sequence[PredictedRun]) -> list[Axes]:
    """One run: its lanes, measured above simulated. Several: one axes with all their makespans.

    Fails with LoadError when the only run was written without its rows.
    """
    if len(runs) == 1 and runs[0].simulated is not None:
        return draw_gantt([runs[0].measured, runs[0].simulated])
    return [_draw_makespans(runs)]


def _draw_makespans(runs: Sequence[PredictedRun]) -> Axes:
    """Logarithmic axes: x measured, y simulated; filled marks as predicted, hollow ones with the
    measured duration of every task."""
    width, height = SIZE
    figure = style.new_figure(width, height)
    ax = figure.add_axes((LEFT / width, BOTTOM / height, PANEL / width, PANEL / height))
    longest = max(max(run.measured.makespan, run.predicted, run.retimed) for run in runs)
    unit, scale = style.time_unit(max(longest, 1))
    measured = np.array([max(run.measured.makespan, 1) for run in runs]) / scale
    predicted = np.array([max(run.predicted, 1) for run in runs]) / scale
    retimed = np.array([max(run.retimed, 1) for run in runs]) / scale
    low = min(measured.min(), predicted.min(), retimed.min()) / 1.5
    high = max(measured.max(), predicted.max(), retimed.max()) * 1.5
    line = np.array([low, high])
    ax.fill_between(line, line * (1 - BAND), line * (1 + BAND), color=style.IDLE, lw=0, zorder=0)
    ax.plot(line, line, color=style.QUIET, linewidth=1.0, zorder=1)
    policies = style.policy_labels([run.measured.policies for run in runs])
    if len(set(policies)) == 1:
        policies = [
            run.measured.policies.get("mapper") or run.measured.policies.get("policies", "default")
            for run in runs
        ]
    colours = style.policy_colours(policies)
    workloads = sorted({run.measured.workload for run in runs})
    for i, run in enumerate(runs):
        marker = MARKERS[workloads.index(run.measured.workload) % len(MARKERS)]
        colour = colours[policies[i]]
        # A thin line joins both predictions of a run.
        ax.plot([measured[i]] * 2, [predicted[i], retimed[i]], color=colour, lw=0.6, zorder=2)
        kind = {"marker": marker, "ms": 5, "lw": 0}
        ax.plot(measured[i], retimed[i], mfc="white", mec=colour, zorder=3, **kind)
        ax.plot(measured[i], predicted[i], color=colour, zorder=4, **kind)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    style.bare(ax, keep=("bottom", "left"))
    ax.set_xlabel(f"measured makespan ({unit})", fontsize=9)
    ax.set_ylabel(f"simulated makespan ({unit})", fontsize=9)
    ax.set_title(_title(runs, measured, predicted, retimed), loc="left", fontsize=9)
    _legend(ax, colours, workloads)
    return ax


def _title(
    runs: Sequence[PredictedRun], measured: np.ndarray, predicted: np.ndarray, retimed: np.ndarray
) -> str:
    """Median errors; measured, predicted, retimed: (n_runs,) in one unit."""
    error = np.median(np.abs(predicted / measured - 1))
    rest = np.median(np.abs(retimed / measured - 1))
    machines = ", ".join(sorted({run.measured.machine for run in runs}))
    return (
        f"{machines}: {len(runs)} runs, median error {style.format_share(float(error))}, "
        f"with measured durations {style.format_share(float(rest))}"
    )


def _legend(ax: Axes, colours: dict[str, str], workloads: Sequence[str]) -> None:
    """Right of the axes: what filled and hollow mean, policies by colour, workloads by mark."""
    handles = [
        Line2D([], [], marker="o", color=style.QUIET, lw=0, ms=5, label="predicted"),
        Line2D([], [], marker="o", mfc="white", mec=style.QUIET, lw=0, ms=5,
               label="with measured durations"),
        Line2D([], [], color=style.QUIET, lw=1.0,
               label=f"equal; band: within {style.format_share(BAND)}"),
    ]  # fmt: skip
    handles += [
        Line2D([], [], marker="o", color=colour, lw=0, ms=5, label=textwrap.fill(label, 44))
        for label, colour in colours.items()
    ]
    handles += [
        Line2D([], [], marker=MARKERS[i % len(MARKERS)], color=style.TEXT, lw=0, ms=5, label=name)
        for i, name in enumerate(workloads)
    ]
    ax.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(1.02, 1.0), fontsize=7.5, frameon=False,
        borderaxespad=0,
    )  # fmt: skip
