"""How far the host must run ahead: makespan against the window, for small and large tasks.

Simulated, so the figures are the same everywhere. Each line of the picture is one duration of tasks on
one way of issuing: by the thread that decides, or by a thread for each GPU. Makespans are given as
multiples of the time that the GPUs would need for the tasks alone.

    python3 tests/benchmarks/window.py --parley build/parley --out docs/window.png
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Sequence

WINDOWS = ("1", "2", "4", "8", "16", "32", "unlimited")
TASKS_US = (5, 20, 100, 1000)
GPUS = 4
# As measured on one host with four H200 (workloads/machines/README.md).
HOST = {"issue_copy_ns": 2325, "issue_launch_ns": 3780, "round_trip_ns": 9123}
SUBMITTERS = {"one": "one thread issues", "per_gpu": "a thread for each GPU"}
SHAPES = {
    "independent tasks": "independent:width=2000,overlap=none,kernel=none,task_ns={ns}",
    "wavefront, 40 x 40 blocks of 64 KiB":
        "wavefront:rows=40,columns=40,block=65536,kernel=none,task_ns={ns}",
}  # fmt: skip


def machine(submitters: str) -> str:
    """A machine file with the host's costs, issued by one thread or several."""
    host = {**HOST, "submitters": submitters}
    return json.dumps({"format": "parley-machine", "version": 1, "name": submitters,
                       "template": "dgx-h200", "gpus": GPUS, "host": host})  # fmt: skip


def excess(parley: str, workload: str, machine_file: Path) -> list[float]:
    """(n_windows,): makespan over the largest lower bound."""
    words = [parley, "compare", workload, "--machine", str(machine_file), "--csv", "-"]
    for window in WINDOWS:
        words += ["--policy", f"window={window}"]
    run = subprocess.run(words, check=True, capture_output=True, text=True)
    found = {row["window"]: row for row in csv.DictReader(io.StringIO(run.stdout))}
    bounds = ("critical_path_ns", "work_ns", "transfer_ns")
    return [int(found[window]["makespan_ns"]) / max(int(found[window][b]) for b in bounds)
            for window in WINDOWS]  # fmt: skip


def measure(parley: str) -> dict[tuple[str, str, int], list[float]]:
    """By shape, kind of submitters and task duration in microseconds."""
    lines = {}
    with tempfile.TemporaryDirectory() as folder:
        for submitters in SUBMITTERS:
            path = Path(folder) / f"{submitters}.json"
            path.write_text(machine(submitters), encoding="utf-8")
            for shape, spec in SHAPES.items():
                for us in TASKS_US:
                    workload = spec.format(ns=1000 * us)
                    lines[shape, submitters, us] = excess(parley, workload, path)
    return lines


def table(lines: dict[tuple[str, str, int], list[float]]) -> str:
    head = ["workload", "issued by", "task", *WINDOWS]
    rows = [head, ["---"] * 3 + ["--:"] * len(WINDOWS)]
    for (shape, submitters, us), values in lines.items():
        duration = f"{us} us" if us < 1000 else f"{us // 1000} ms"
        rows.append([shape, SUBMITTERS[submitters], duration, *(f"{v:.2f}" for v in values)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def draw(lines: dict[tuple[str, str, int], list[float]], path: str) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(SHAPES), figsize=(10, 3.6), sharey=True)
    colours = ("#D1495B", "#EDAE49", "#00798C", "#30638E")
    for ax, shape in zip(axes, SHAPES):
        for us, colour in zip(TASKS_US, colours):
            for submitters, style in zip(SUBMITTERS, ("-", "--")):
                ax.plot(range(len(WINDOWS)), lines[shape, submitters, us], style, color=colour,
                        marker="o", markersize=3,
                        label=f"{us} us, {SUBMITTERS[submitters]}")  # fmt: skip
        ax.set_yscale("log")
        ax.set_yticks([1, 1.5, 2, 3, 5, 10], ["1", "1.5", "2", "3", "5", "10"])
        ax.minorticks_off()
        ax.set_xticks(range(len(WINDOWS)), [w.replace("unlimited", "all") for w in WINDOWS])
        ax.set_xlabel("window (tasks issued and not finished, a device)")
        ax.set_title(shape, fontsize=9, loc="left")
        ax.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    axes[0].set_ylabel("makespan (× lower bound)")
    axes[-1].legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parley", default="build/parley")
    parser.add_argument("--out", help="a picture (needs matplotlib)")
    arguments = parser.parse_args(words)
    lines = measure(arguments.parley)
    print(table(lines))
    if arguments.out:
        draw(lines, arguments.out)


if __name__ == "__main__":
    main()
