"""The look of every picture: colours by meaning, units, figure set-up.

A colour means the same in all figures. All palettes are Paul Tol's (Colour Schemes, SRON technical
note, issue 3.2, 2021), made for colour-blind readers: `light` for areas that carry text (tasks),
`vibrant` for copies, `muted` for devices, spaces and policies, `medium-contrast` for MSI states.
"""

from __future__ import annotations

import zlib
from typing import Iterable, Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

DPI = 150
TEXT = "#222222"
QUIET = "#6B6B6B"  # secondary text
IDLE = "#EFEFEF"
BOUND = "#CC3311"

_LIGHT = ["#77AADD", "#44BB99", "#EEDD88", "#EE8866", "#BBCC33", "#FFAABB", "#99DDFF", "#AAAA00"]
_MUTED = [
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933",
    "#DDCC77", "#CC6677", "#882255", "#AA4499",
]  # fmt: skip
_OTHER = "#AAAAAA"

# Kernel families of the shipped workloads that often meet in one picture; others get what is left.
_FAMILIES = {"gemm": _LIGHT[0], "syrk": _LIGHT[1], "trsm": _LIGHT[2], "potrf": _LIGHT[3]}

# Kind of a copy: where it goes, or that it saves a victim of eviction.
COPY_KINDS = {
    "host->device": "#0077BB",
    "device->device": "#009988",
    "device->host": "#EE7733",
    "host->host": "#AA4499",
    "local": "#888888",
    "write-back": "#CC3311",
}

MSI_STATES = {"INVALID": IDLE, "SHARED": "#6699CC", "MODIFIED": "#EECC66"}

_POLICIES = {
    "earliest_finish": "#332288",
    "parla": "#CC6677",
    "round_robin": "#DDCC77",
}

_TIME_UNITS = (("s", 10**9), ("ms", 10**6), ("µs", 10**3), ("ns", 1))
_BYTE_UNITS = (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("B", 1))


def kind_label(kind: str) -> str:
    """A kind of copy as legends name it."""
    if "->" in kind:
        return f"copy {kind.replace('->', ' → ')}"
    return "local copy" if kind == "local" else kind


def pair_label(source: str, target: str) -> str:
    """A link by the spaces that it joins."""
    return f"{source} local" if source == target else f"{source} → {target}"


def ink_on(colour: str) -> str:
    """Black or white, whichever reads better on a colour (relative luminance of sRGB)."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return TEXT if 0.299 * red + 0.587 * green + 0.114 * blue > 0.55 else "white"


def family_of(task_name: str) -> str:
    """The kernel or task family: the name before its indices ("gemm[3, 1]" -> "gemm")."""
    stem, bracket, _ = task_name.partition("[")
    if bracket:
        return stem
    return stem.rstrip("0123456789").rstrip("_-. ") or stem


def family_colours(families: Iterable[str]) -> dict[str, str]:
    """A colour for each task family; more than the palette holds share the colour of "other"."""
    known = {family.lower(): colour for family, colour in _FAMILIES.items()}
    return _assign(families, known, _LIGHT)


def policy_colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each policy name."""
    return _assign(names, _POLICIES, _MUTED)


def device_colour(name: str) -> str:
    """The colour of a device and of its memory space: "gpu:1" and "gpu1" are the same."""
    digits = "".join(c for c in name.rsplit(".", 1)[-1] if c.isdigit())
    if not name.rsplit(".", 1)[-1].startswith("gpu"):
        return "#555555"
    return _MUTED[int(digits or 0) % len(_MUTED)]


def _assign(names: Iterable[str], fixed: dict[str, str], palette: Sequence[str]) -> dict[str, str]:
    """Fixed names first; the rest start at a slot that depends on the name alone and move on to the
    next free one, in alphabetical order, so that adding a name seldom moves another."""
    out: dict[str, str] = {}
    unknown: list[str] = []
    for name in sorted(set(names)):
        if name.lower() in fixed:
            out[name] = fixed[name.lower()]
        else:
            unknown.append(name)
    free = [colour for colour in palette if colour not in out.values()]
    for name in unknown:
        if not free:
            out[name] = _OTHER
            continue
        out[name] = free.pop(zlib.crc32(name.encode()) % len(free))
    return out


def time_unit(longest_ns: int) -> tuple[str, int]:
    """The unit in which `longest_ns` is at least 2, and its length in ns."""
    for unit, ns in _TIME_UNITS:
        if longest_ns >= 2 * ns:
            return unit, ns
    return _TIME_UNITS[-1]


def format_time(ns: int) -> str:
    """Three significant digits with the unit: "1.23 ms"."""
    unit, scale = time_unit(ns)
    return f"{ns / scale:.3g} {unit}" if ns < 1000 * scale else f"{ns / scale:,.0f} {unit}"


def byte_unit(largest: int) -> tuple[str, int]:
    """The unit in which `largest` is at least 1, and its size in bytes."""
    for unit, size in _BYTE_UNITS:
        if largest >= size:
            return unit, size
    return _BYTE_UNITS[-1]


def format_bytes(count: int) -> str:
    """Three significant digits with the unit: "1.5 GiB"."""
    unit, size = byte_unit(count)
    value = count / size
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def format_share(share: float) -> str:
    """A percentage that does not round a small rest away: "0 %", "<1 %", "37 %", ">99 %"."""
    if 0.0 < share < 0.005:
        return "<1 %"
    if 0.995 < share < 1.0:
        return ">99 %"
    return f"{100 * share:.0f} %"


def policy_labels(choices: Sequence[dict[str, str]]) -> list[str]:
    """What tells the choices apart: the policies in which they differ; the mapper if in none. A
    single choice is told in full."""
    keys = sorted({key for choice in choices for key in choice}, key=_policy_rank)
    shown = [key for key in keys if len({choice.get(key) for choice in choices}) > 1]
    if len(choices) == 1:
        shown = keys
    elif not shown:
        shown = keys[:1]
    labels = []
    for choice in choices:
        parts = [
            choice.get(key, "default") if key == "mapper" else f"{key}={choice.get(key, 'default')}"
            for key in shown
        ]
        labels.append(", ".join(parts))
    return labels


def _policy_rank(key: str) -> tuple[int, str]:
    order = ("mapper", "order", "prefetch", "evict", "source")
    return (order.index(key) if key in order else len(order), key)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, inches; it draws to files only."""
    return Figure(figsize=(width, height), dpi=DPI, facecolor="white")


def legend_row(figure: Figure, handles: Sequence[Artist], left: float, bottom: float) -> None:
    """A legend on one line; left and bottom: inches from the figure's corner."""
    width, height = figure.get_size_inches()
    figure.legend(
        handles=list(handles), loc="lower left", bbox_to_anchor=(left / width, bottom / height),
        ncol=max(len(handles), 1), fontsize=8, frameon=False, borderpad=0, borderaxespad=0,
        handlelength=1.2, columnspacing=1.6,
    )  # fmt: skip


def bare(axes: Axes, *, keep: Sequence[str] = ("bottom",)) -> None:
    """Removes the frame but for the sides in `keep`, and sets text sizes."""
    for side, spine in axes.spines.items():
        spine.set_visible(side in keep)
        spine.set_color(QUIET)
    axes.tick_params(labelsize=8, color=QUIET, labelcolor=TEXT, length=3)
