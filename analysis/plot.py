"""The command behind `parley plot`: KIND FILE... -o FIGURE.

Exit codes as parley's: 0 done, 2 wrong input, 4 the environment failed (no matplotlib, disk full).
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Sequence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WRONG_INPUT, ENVIRONMENT = 2, 4
FIGURE_TYPES = (".png", ".svg", ".pdf")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = _parser().parse_args(arguments)
    if Path(options.output).suffix not in FIGURE_TYPES:
        return _complain(
            f"-o {options.output}: expected a name ending in {', '.join(FIGURE_TYPES)}", WRONG_INPUT
        )
    try:
        import matplotlib
    except ImportError as error:
        return _complain(f"{error}; install matplotlib (Debian: python3-matplotlib)", ENVIRONMENT)
    # Text stays text in SVG, and the same data gives the same file.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "parley"})
    from load import LoadError

    try:
        figure = _draw(options)
        _save(figure, Path(options.output))
    except LoadError as error:
        return _complain(str(error), WRONG_INPUT)
    except OSError as error:
        return _complain(f"{options.output}: {error.strerror or error}", ENVIRONMENT)
    print(options.output)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="parley plot", description="Draws runs and comparisons.")
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    gantt = kinds.add_parser("gantt", help="devices and copy engines over time")
    gantt.add_argument("--from-ns", type=int, help="left end of the time axis (default: 0)")
    gantt.add_argument("--to-ns", type=int, help="right end (default: the longest makespan)")
    gantt.add_argument("--all-lanes", action="store_true", help="draw copy engines never used, too")
    states = kinds.add_parser("states", help="MSI state of arrays over time, per memory space")
    states.add_argument("--arrays", help="names, separated by commas (default: the first twelve)")
    memory = kinds.add_parser("memory", help="a run: resident bytes over time; a comparison (--memory): makespan and bytes moved "
        "against memory size")
    traffic = kinds.add_parser("traffic", help="bytes between spaces, and links over time")
    compare = kinds.add_parser("compare", help="policies beside each other")
    machine = kinds.add_parser("machine", help="memory spaces, links and their figures")
    versus = kinds.add_parser("sim_vs_real", help="simulated against measured makespans")
    for kind in (gantt, states, memory, traffic, compare, machine, versus):
        several = kind in (gantt, compare, versus)
        kind.add_argument(
            "files", metavar="FILE", nargs="+" if several else 1,
            help="a comparison (parley compare --json)" if kind is compare
            else "a run summary (parley sim --states --summary), or a comparison (parley compare "
            "--memory ... --json)" if kind is memory
            else "a machine file in the long form (parley convert)" if kind is machine
            else "run summaries (parley exec --predict --summary) or tables (parley predict --csv)"
            if kind is versus
            else "a run summary (parley sim --summary)",
        )  # fmt: skip
        kind.add_argument("-o", "--output", required=True, help="figure: .png, .svg or .pdf")
    return parser


def _draw(options: argparse.Namespace) -> Figure:
    """The figure asked for; only the module that draws it is imported."""
    from load import is_comparison, load_comparison, load_predictions, load_run

    if options.kind == "compare":
        from compare import draw_comparison

        rows = [row for path in options.files for row in load_comparison(path)]
        return draw_comparison(rows)[0][0].figure
    if options.kind == "machine":
        from machine import draw_machine, load_machine

        return draw_machine(load_machine(options.files[0])).figure
    if options.kind == "sim_vs_real":
        from sim_vs_real import draw_sim_vs_real

        runs = [run for path in options.files for run in load_predictions(path)]
        return draw_sim_vs_real(runs)[0].figure
    if options.kind == "memory" and is_comparison(options.files[0]):
        from memory_sweep import draw_memory_sweep

        return draw_memory_sweep(load_comparison(options.files[0]))[0][0].figure
    runs = [load_run(path) for path in options.files]
    if options.kind == "gantt":
        from gantt import draw_gantt

        return draw_gantt(runs, _window(options, runs), options.all_lanes)[0].figure
    if options.kind == "states":
        from states import draw_states

        return draw_states(runs[0], options.arrays.split(",") if options.arrays else None).figure
    if options.kind == "memory":
        from memory import draw_memory

        return draw_memory(runs[0])[0].figure
    from traffic import draw_traffic

    return draw_traffic(runs[0])[0].figure


def _window(options: argparse.Namespace, runs: Sequence) -> tuple[int, int] | None:
    """The part of the time axis asked for, ns; None for all of it."""
    if options.from_ns is None and options.to_ns is None:
        return None
    from load import LoadError

    first = options.from_ns or 0
    last = max(run.makespan for run in runs) if options.to_ns is None else options.to_ns
    if not 0 <= first < last:
        raise LoadError(f"--from-ns {first} --to-ns {last}: expected 0 <= from < to")
    return first, last


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Dates in the file would make equal pictures differ.
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix)
    partial = path.with_name(f"{path.stem}.partial-{os.getpid()}{path.suffix}")
    try:
        figure.savefig(partial, metadata=metadata)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _complain(message: str, code: int) -> int:
    print(f"parley plot: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
