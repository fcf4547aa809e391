"""Gantt chart: what every device and copy engine does over time.

Tasks are coloured by family, copies by kind; a lane's background is its idle time, and the share of
it stands at its end. Several runs stack over one time axis, so that policies can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

import style
from lanes import Boxes, Lane, lane_boxes
from load import LoadError, natural_key
from runs import Copies, Run

WIDTH = 13.0  # inches, of the figure
LEFT, RIGHT = 1.45, 0.95  # margins for the lanes' names and idle shares
DEVICE_HEIGHT, COPY_HEIGHT, GAP = 0.36, 0.24, 0.07
TITLE, FOOT = 0.34, 1.15
TALLEST = 60.0  # inches, of all lanes together; more lanes get thinner
CHAR_PX = 7.5  # width of a character of a task's name


@dataclass(frozen=True)
class _Panel:
    """One run's lanes with their colours."""

    run: Run
    lanes: list[Lane]
    heights: list[float]  # inches
    colours: list[str]  # by category


@dataclass(frozen=True)
class _Frame:
    """Where a lane's boxes go. bottom: y of the lane's floor, inches from the top; height: inches;
    ns_per_px and scale: ns per pixel and per unit of the time axis."""

    bottom: float
    height: float
    ns_per_px: float
    scale: int

    def y(self, level: float | np.ndarray) -> float | np.ndarray:
        """The y of a level of the lane, 0 (floor) to 1."""
        return self.bottom - level * self.height


def draw_gantt(
    runs: Sequence[Run], window: tuple[int, int] | None = None, all_lanes: bool = False
) -> list[Axes]:
    """One axes per run, top to bottom. window: (first, last) ns, default the longest run.

    all_lanes: also the copy engines that no run uses. Fails with LoadError when a run lists no
    tasks and copies.
    """
    families = _families(runs)
    panels = [_panel(run, families) for run in runs]
    if not all_lanes:
        panels = _without_unused(panels)
    first, last = window or (0, max(max(run.makespan for run in runs), 1))
    unit, scale = style.time_unit(last)
    ns_per_px = (last - first) / ((WIDTH - LEFT - RIGHT) * style.DPI)
    figure, axes = _figure(panels)
    has_sums = False
    for panel, ax, title in zip(panels, axes, _titles(runs)):
        has_sums |= _draw_panel(ax, panel, ns_per_px, scale)
        ax.set_title(title, loc="left", fontsize=9, color=style.TEXT, pad=5)
    axes[0].set_xlim(first / scale, last / scale)
    for ax in axes[:-1]:
        ax.tick_params(labelbottom=False)
    axes[-1].set_xlabel(f"time ({unit})", fontsize=9)
    _legend(figure, panels, families)
    _footnotes(figure, has_sums, is_complete=all_lanes)
    return axes


def copy_kinds(run: Run, copies: Copies) -> list[str]:
    """The kind of each copy, one of style.COPY_KINDS."""
    is_host = [space.is_host for space in run.spaces]
    kinds = []
    for source, target, reason in zip(copies.source, copies.target, copies.reasons):
        if reason == "write_back":
            kinds.append("write-back")
        elif source == target:
            kinds.append("local")
        else:
            ends = ["host" if is_host[space] else "device" for space in (source, target)]
            kinds.append("->".join(ends))
    return kinds


def _families(runs: Sequence[Run]) -> dict[str, str]:
    """Colour by task family over all runs, so that panels agree."""
    names: set[str] = set()
    for run in runs:
        if run.tasks is None or run.copies is None:
            raise LoadError(
                f"{run.path}: no tasks and copies are listed; write it without --summary-brief"
            )
        names.update(style.family_of(name) for name in set(run.tasks.names))
    return style.family_colours(names)


def _panel(run: Run, families: dict[str, str]) -> _Panel:
    devices = _device_lanes(run, {family: i for i, family in enumerate(families)})
    copies = _copy_lanes(run, {kind: len(families) + i for i, kind in enumerate(style.COPY_KINDS)})
    return _Panel(
        run=run,
        lanes=devices + copies,
        heights=[DEVICE_HEIGHT] * len(devices) + [COPY_HEIGHT] * len(copies),
        colours=list(families.values()) + list(style.COPY_KINDS.values()),
    )


def _device_lanes(run: Run, family_index: dict[str, int]) -> list[Lane]:
    tasks = run.tasks
    assert tasks is not None
    category = np.array([family_index[style.family_of(n)] for n in tasks.names], dtype=np.int64)
    lanes = []
    for i, device in enumerate(run.devices):
        mine = np.flatnonzero(tasks.device == i)
        lanes.append(
            Lane(
                label=device.name,
                start=tasks.start[mine],
                end=tasks.end[mine],
                category=category[mine],
                names=[tasks.names[k] for k in mine],
                slots=min(device.slots, 16),
            )
        )
    return lanes


def _copy_lanes(run: Run, kind_index: dict[str, int]) -> list[Lane]:
    """A lane per copy engine; per pair of spaces where a route has no engine."""
    copies = run.copies
    assert copies is not None
    members: dict[str, list[int]] = {
        engine: [] for route in run.routes.values() for engine in route.engines
    }
    for i, (source, target) in enumerate(zip(copies.source, copies.target)):
        pair = (run.spaces[source].name, run.spaces[target].name)
        route = run.routes.get(pair)
        for label in (route.engines if route else ()) or (style.pair_label(*pair),):
            members.setdefault(label, []).append(i)
    category = np.array([kind_index[kind] for kind in copy_kinds(run, copies)], dtype=np.int64)
    lanes = []
    for label in sorted(members, key=natural_key):
        mine = np.array(members[label], dtype=np.int64)
        lanes.append(
            Lane(
                label=label,
                start=copies.start[mine],
                end=copies.end[mine],
                category=category[mine],
                names=[copies.regions[k] for k in mine],
            )
        )
    return lanes


def _without_unused(panels: Sequence[_Panel]) -> list[_Panel]:
    """Panels without the copy lanes that no run uses; devices stay."""
    used = {lane.label for panel in panels for lane in panel.lanes if len(lane.start)}
    used.update(device.name for panel in panels for device in panel.run.devices)
    out = []
    for panel in panels:
        kept = [i for i, lane in enumerate(panel.lanes) if lane.label in used]
        lanes, heights = [panel.lanes[i] for i in kept], [panel.heights[i] for i in kept]
        out.append(_Panel(panel.run, lanes, heights, panel.colours))
    return out


def _figure(panels: Sequence[_Panel]) -> tuple[Figure, list[Axes]]:
    """The figure with one axes per panel, sized so that each lane has its height."""
    lane_inches = [sum(panel.heights) + GAP * len(panel.heights) for panel in panels]
    shrink = min(1.0, TALLEST / max(sum(lane_inches), 1e-9))
    lane_inches = [max(0.3, inches * shrink) for inches in lane_inches]
    height = sum(lane_inches) + TITLE * len(panels) + FOOT + 0.1
    figure = style.new_figure(WIDTH, height)
    axes: list[Axes] = []
    top = height - 0.1
    for inches in lane_inches:
        top -= TITLE + inches
        box = (LEFT / WIDTH, top / height, 1 - (LEFT + RIGHT) / WIDTH, inches / height)
        axes.append(figure.add_axes(box, sharex=axes[0] if axes else None))
    return figure, axes


def _draw_panel(ax: Axes, panel: _Panel, ns_per_px: float, scale: int) -> bool:
    """Lanes from the top down; y in inches. Returns whether intervals were summed up."""
    style.bare(ax)
    ends = np.cumsum([height + GAP for height in panel.heights])
    ax.set_ylim(ends[-1] if len(ends) else 1.0, 0.0)
    has_sums = False
    centres = []
    for lane, height, end in zip(panel.lanes, panel.heights, ends):
        frame = _Frame(end - GAP / 2, height, ns_per_px, scale)
        top, width = frame.bottom - height, panel.run.makespan / scale
        ax.add_patch(Rectangle((0.0, top), width, height, color=style.IDLE, lw=0, zorder=0.5))
        boxes = lane_boxes(lane, ns_per_px)
        _draw_boxes(ax, boxes, panel.colours, frame)
        _write_names(ax, lane, boxes, panel.colours, frame)
        has_sums |= not boxes.is_whole.all()
        centres.append(top + height / 2)
        ax.annotate(
            f"idle {style.format_share(_idle_share(panel.run, lane))}",
            xy=(1.0, centres[-1]), xycoords=("axes fraction", "data"), xytext=(6, 0),
            textcoords="offset points", va="center", fontsize=7.5, color=style.QUIET,
        )  # fmt: skip
    ax.set_yticks(centres, [lane.label for lane in panel.lanes])
    ax.tick_params(axis="y", length=0, labelsize=8)
    if panel.run.bound:
        ax.axvline(panel.run.bound / scale, color=style.BOUND, linestyle="--", linewidth=1.0)
    return has_sums


def _idle_share(run: Run, lane: Lane) -> float:
    """From the summary where it says (it weighs tasks by share of the device), else by time."""
    busy = run.busy.get(lane.label)
    return max(0.0, 1.0 - (lane.busy_share(run.makespan) if busy is None else busy))


def _draw_boxes(ax: Axes, boxes: Boxes, colours: Sequence[str], frame: _Frame) -> None:
    """One collection per colour and kind of box: a few artists, however many boxes."""
    left, right = boxes.left / frame.scale, boxes.right / frame.scale
    low, high = frame.y(boxes.bottom), frame.y(boxes.top)
    path = ((left, low), (right, low), (right, high), (left, high))
    corners = np.stack([np.stack([x, y], axis=1) for x, y in path], axis=1)  # (n_boxes, 4, 2)
    width_px = (boxes.right - boxes.left) / frame.ns_per_px
    for category in np.unique(boxes.category):
        for is_whole in (False, True):
            chosen = (boxes.category == category) & (boxes.is_whole == is_whole)
            if not chosen.any():
                continue
            # A white edge tells neighbours of one colour apart, if it leaves some of the box.
            edges = np.where(width_px[chosen] > 5, 0.5, 0.0) if is_whole else 0.0
            ax.add_collection(
                PolyCollection(
                    corners[chosen],
                    facecolors=colours[category],
                    edgecolors="white",
                    linewidths=edges,
                    antialiaseds=False,
                    rasterized=not is_whole,
                    zorder=2 if is_whole else 1,
                ),
                autolim=False,
            )


def _write_names(ax: Axes, lane: Lane, boxes: Boxes, colours: Sequence[str], frame: _Frame) -> None:
    """Names inside the boxes that have room for them."""
    for k in np.flatnonzero(boxes.is_whole):
        name = lane.names[boxes.index[k]]
        room = (boxes.right[k] - boxes.left[k]) / frame.ns_per_px
        tall = (boxes.top[k] - boxes.bottom[k]) * frame.height
        if room < CHAR_PX * (len(name) + 1) or tall < 0.15:
            continue
        ax.text(
            (boxes.left[k] + boxes.right[k]) / 2 / frame.scale,
            frame.y((boxes.bottom[k] + boxes.top[k]) / 2), name,
            ha="center", va="center", fontsize=6.5, clip_on=True, zorder=3,
            color=style.ink_on(colours[boxes.category[k]]),
        )  # fmt: skip


def _titles(runs: Sequence[Run]) -> list[str]:
    titles = []
    is_mixed = len({run.mode for run in runs}) > 1
    for run, label in zip(runs, style.policy_labels([run.policies for run in runs])):
        parts = [f"{run.workload} on {run.machine}", label]
        if is_mixed:
            parts.append("measured" if run.mode == "exec" else "simulated")
        parts.append(f"makespan {style.format_time(run.makespan)}")
        if run.bound and run.makespan:
            parts[-1] += f", {run.makespan / run.bound:.2f} × lower bound"
        titles.append("   ·   ".join(part for part in parts if part))
    return titles


def _legend(figure: Figure, panels: Sequence[_Panel], families: dict[str, str]) -> None:
    """Tasks on one line, copies and the rest on the next; only what occurs."""
    used = {int(c) for panel in panels for lane in panel.lanes for c in np.unique(lane.category)}
    others: list[Patch | Line2D] = [
        Patch(color=colour, label=style.kind_label(kind))
        for i, (kind, colour) in enumerate(style.COPY_KINDS.items(), start=len(families))
        if i in used
    ]
    others.append(Patch(color=style.IDLE, label="idle"))
    if any(panel.run.bound for panel in panels):
        line = Line2D([], [], color=style.BOUND, linestyle="--", lw=1.0, label="lower bound")
        others.append(line)
    for handles, inches in ((_task_entries(families), 0.42), (others, 0.15)):
        style.legend_row(figure, handles, LEFT, inches)


def _task_entries(families: dict[str, str]) -> list[Patch]:
    """One entry per colour; families that share the last one are counted."""
    colours = list(families.values())
    own = [family for family in families if colours.count(families[family]) == 1]
    rest = [family for family in families if family not in own]
    entries = [Patch(color=families[family], label=family) for family in own]
    if rest:
        entries.append(Patch(color=families[rest[0]], label=f"{len(rest)} other families"))
    return entries


def _footnotes(figure: Figure, has_sums: bool, is_complete: bool) -> None:
    """What the reader must know to trust the picture, beside the name of the time axis."""
    y = (FOOT - 0.33) / figure.get_figheight()
    notes = []
    if has_sums:
        notes.append((LEFT / WIDTH, "left", "narrow intervals are summed: height is share of time"))
    if not is_complete:
        notes.append((1 - RIGHT / WIDTH, "right", "copy engines that are never used are left out"))
    for x, side, text in notes:
        figure.text(x, y, text, ha=side, va="center", fontsize=7.5, color=style.QUIET)
