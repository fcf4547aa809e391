#!/usr/bin/env python3
"""How well does the simulator predict runs for real? Workloads x policies x numbers of devices.

Each cell is one `parley exec ... --predict`: the workload runs for real a few times, and the last
run is compared with the simulation of the same program on the same machine under the same policies.
Writes prediction.csv, prediction.md and run summaries (for `parley plot sim_vs_real`) to a folder.

    python3 tests/benchmarks/prediction.py --binary build/parley --backend host --out out/prediction

Needs Python's standard library only. Cells that fail are listed with their message; when the time
is over, those that did not run are counted. Exit code 1 when no cell succeeded.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterable, Sequence

MIB = 1 << 20

POLICIES: dict[str, list[str]] = {
    "default": [],
    "parla": ["--mapper", "parla", "--order", "fifo", "--source", "owner"],
    "round_robin": ["--mapper", "round_robin", "--order", "fifo", "--prefetch", "none"],
    "next_use": ["--evict", "next_use", "--window", "2"],
}


@dataclass(frozen=True)
class Workload:
    """{gpus} in a specification is the number of devices. cuda: about 10 ms or more on GPUs of
    2024; host: the same on processor cores."""

    name: str
    cuda: str
    host: str
    least_devices: int = 1
    limit: dict[str, str] = field(default_factory=dict)  # --limit by backend

    def specification(self, backend: str, devices: int) -> str:
        text = self.cuda if backend == "cuda" else self.host
        return text.replace("{gpus}", str(devices))


# Large and small tasks, arrays that fit and that do not, traffic with the host and between GPUs.
WORKLOADS = [
    Workload("cholesky, large tiles", "cholesky:tiles=8,tile=2048", "cholesky:tiles=6,tile=192"),
    Workload("cholesky, small tiles", "cholesky:tiles=20,tile=512", "cholesky:tiles=12,tile=64"),
    Workload(
        "cholesky, a quarter fits", "cholesky:tiles=12,tile=1024", "cholesky:tiles=8,tile=128",
        limit={"cuda": f"gpu={156 * MIB}", "host": f"gpu={2 * MIB}"},
    ),  # fmt: skip
    Workload("matrix product", "gemm:tiles=4,depth=4,tile=1536", "gemm:tiles=4,depth=4,tile=128"),
    Workload("lu", "lu:tiles=8,tile=1024", "lu:tiles=6,tile=128"),
    Workload(
        "stencil", "stencil:blocks=8,points=512,iterations=40",
        "stencil:blocks=4,points=128,iterations=10",
    ),  # fmt: skip
    Workload(
        "jacobi", "jacobi:blocks=8,rows=1024,columns=4096,iterations=80",
        "jacobi:blocks=4,rows=64,columns=1024,iterations=10",
    ),  # fmt: skip
    Workload(
        "many small tasks", "independent:width=4000,overlap=none,task_ns=10000,kernel=spin",
        "independent:width=1000,overlap=none,task_ns=20000,kernel=spin",
    ),  # fmt: skip
    Workload(
        "wavefront", f"wavefront:rows=24,columns=24,block={MIB},task_ns=50000,kernel=spin",
        "wavefront:rows=10,columns=10,block=65536,task_ns=200000,kernel=spin",
    ),  # fmt: skip
    Workload(
        "chains",
        f"serial:chains=8,steps=40,overlap=shared,block={4 * MIB},task_ns=100000,kernel=spin",
        "serial:chains=4,steps=20,overlap=shared,block=65536,task_ns=300000,kernel=spin",
    ),  # fmt: skip
    Workload(
        "from the host", f"independent:width=64,block={16 * MIB},task_ns=0,kernel=none",
        f"independent:width=16,block={4 * MIB},task_ns=0,kernel=none",
    ),  # fmt: skip
    Workload(
        "to and fro, host", f"pingpong:between=host,rounds=20,block={32 * MIB},kernel=none",
        f"pingpong:between=host,rounds=10,block={4 * MIB},kernel=none",
    ),  # fmt: skip
    Workload(
        "to and fro, GPUs", f"pingpong:between=gpus,rounds=50,block={64 * MIB},kernel=none",
        f"pingpong:between=gpus,rounds=10,block={4 * MIB},kernel=none", least_devices=2,
    ),  # fmt: skip
    Workload(
        "all to all",
        f"all_to_all:gpus={{gpus}},rounds=64,block={16 * MIB},task_ns=100000,kernel=spin",
        f"all_to_all:gpus={{gpus}},rounds=4,block={MIB},task_ns=100000,kernel=spin",
        least_devices=2,
    ),  # fmt: skip
    Workload(
        "ring", f"ring:gpus={{gpus}},steps=64,block={64 * MIB}",
        f"ring:gpus={{gpus}},steps=8,block={MIB}", least_devices=2,
    ),  # fmt: skip
    Workload(
        "random", f"random:levels=20,width=16,blocks=48,block={8 * MIB},task_ns=300000",
        "random:levels=8,width=8,blocks=24,block=65536,task_ns=300000",
    ),  # fmt: skip
    Workload(
        "random, a third fits",
        f"random:levels=20,width=16,blocks=48,block={8 * MIB},task_ns=300000",
        "random:levels=8,width=8,blocks=24,block=262144,task_ns=300000",
        limit={"cuda": f"gpu={128 * MIB}", "host": f"gpu={2 * MIB}"},
    ),  # fmt: skip
    Workload(
        "map and reduce", f"map_reduce:maps=32,reducers=16,block={MIB // 2},task_ns=500000",
        "map_reduce:maps=8,reducers=4,block=65536,task_ns=300000",
    ),  # fmt: skip
]


@dataclass
class Row:
    """One cell; figures are None when it failed. Errors are (predicted - measured) / measured."""

    workload: str
    specification: str
    devices: int
    policies: str
    status: str = "ok"
    tasks: int | None = None
    measured_ms: float | None = None  # of the last run
    spread: float | None = None  # slowest over fastest of the repetitions, less 1
    predicted_ms: float | None = None
    error: float | None = None
    retimed_ms: float | None = None  # simulated with the measured duration of every task
    retimed_error: float | None = None
    worst_class: str = ""
    worst_class_error: float | None = None
    task_time_error: float | None = None  # of the sum over all tasks
    measured_mib: float | None = None
    predicted_mib: float | None = None
    bytes_error: float | None = None
    same_device: float | None = None  # share of tasks that both runs put on the same devices
    wall_s: float = 0.0
    message: str = ""


def main(words: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(words)
    folder = Path(options.out)
    (folder / "summaries").mkdir(parents=True, exist_ok=True)
    cells = list(_cells(options))
    end = time.monotonic() + 60 * options.minutes
    rows: list[Row] = []
    for i, (workload, devices, policy) in enumerate(cells):
        left = end - time.monotonic()
        if left < 1:
            break
        rows.append(_run_cell(options, folder, workload, devices, policy, left))
        print(f"[{i + 1}/{len(cells)}] {_line_of(rows[-1])}", flush=True)
        _write_csv(folder / "prediction.csv", rows)  # whole after each cell, come what may
    skipped = len(cells) - len(rows)
    report = _report(options, rows, skipped)
    (folder / "prediction.md").write_text(report, encoding="utf-8")
    print(f"{folder / 'prediction.csv'}, {folder / 'prediction.md'}: {len(rows)} cells, "
          f"{sum(row.status != 'ok' for row in rows)} failed, {skipped} for want of time not run")
    return 0 if any(row.status == "ok" for row in rows) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--binary", default="build/parley", help="the program parley")
    parser.add_argument("--backend", choices=("host", "cuda"), default="host")
    parser.add_argument("--machine", default="", help="a machine file that describes this computer")
    parser.add_argument("--devices", default="1,2", help="numbers of GPUs, as in 1,2,4")
    parser.add_argument("--repeat", type=int, default=2, help="runs of a cell; the last counts")
    parser.add_argument("--minutes", type=float, default=4.0, help="no cell starts after this time")
    parser.add_argument("--cell-seconds", type=float, default=60.0, help="longest time of one cell")
    parser.add_argument("--only", default="", help="workloads whose name contains this")
    parser.add_argument("--out", required=True, help="folder for tables and summaries")
    return parser


def _cells(options: argparse.Namespace) -> Iterable[tuple[Workload, int, str]]:
    """Every workload once before any is run under a second choice of policies."""
    counts = [int(word) for word in options.devices.split(",")]
    for policy in POLICIES:
        for devices in sorted(counts, reverse=True):
            for workload in WORKLOADS:
                if devices >= workload.least_devices and options.only in workload.name:
                    yield workload, devices, policy


def _run_cell(
    options: argparse.Namespace, folder: Path, workload: Workload, devices: int, policy: str,
    seconds_left: float,
) -> Row:  # fmt: skip
    specification = workload.specification(options.backend, devices)
    row = Row(workload.name, specification, devices, policy)
    name = f"{workload.name} {devices} {policy}".replace(",", "").replace(" ", "_")
    summary = folder / "summaries" / f"{name}.json"
    command = [
        options.binary, "exec", specification, "--backend", options.backend,
        "--devices", str(devices), "--repeat", str(options.repeat), "--predict",
        "--summary", str(summary), "--summary-brief", *POLICIES[policy],
    ]  # fmt: skip
    if options.machine:
        command += ["--machine", options.machine]
    if options.backend in workload.limit:
        command += ["--limit", workload.limit[options.backend]]
    start = time.monotonic()
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, errors="replace",
            timeout=max(1.0, min(options.cell_seconds, seconds_left)),
        )  # fmt: skip
        if done.returncode == 0:
            _fill(row, json.loads(summary.read_text(encoding="utf-8")))
        else:
            row.status = f"exit {done.returncode}"
            row.message = " / ".join(done.stderr.strip().splitlines()[:3])
    except subprocess.TimeoutExpired:
        row.status, row.message = "timeout", "took too long"
    except (OSError, ValueError, KeyError) as problem:
        row.status, row.message = "error", f"{type(problem).__name__}: {problem}"
    row.wall_s = time.monotonic() - start
    return row


def _fill(row: Row, summary: dict[str, Any]) -> None:
    """Takes the figures of a run summary with a prediction."""
    prediction = summary["prediction"]
    runs = summary["runs_ns"]
    row.tasks = prediction["tasks"]
    row.measured_ms = summary["makespan_ns"] / 1e6
    row.spread = max(runs) / max(min(runs), 1) - 1
    row.predicted_ms = prediction["makespan_ns"] / 1e6
    row.error = prediction["error"]
    row.retimed_ms = prediction["retimed_makespan_ns"] / 1e6
    row.retimed_error = prediction["retimed_error"]
    classes = prediction["classes"]
    if classes:
        # The class that is furthest off in time, not in per cent: that is what moves a makespan.
        row.worst_class, worst = max(
            classes.items(), key=lambda item: abs(item[1]["predicted_ns"] - item[1]["measured_ns"])
        )
        row.worst_class_error = worst["error"]
        row.task_time_error = _error(
            sum(c["measured_ns"] for c in classes.values()),
            sum(c["predicted_ns"] for c in classes.values()),
        )
    measured = sum(route["measured"] for route in prediction["bytes"].values())
    predicted = sum(route["predicted"] for route in prediction["bytes"].values())
    row.measured_mib, row.predicted_mib = measured / MIB, predicted / MIB
    row.bytes_error = _error(measured, predicted)
    row.same_device = prediction["tasks_on_same_device"] / max(prediction["tasks"], 1)


def _error(measured: float, predicted: float) -> float | None:
    """Relative error; 0 when both are 0, None when only measured is."""
    if measured == predicted:
        return 0.0
    return (predicted - measured) / measured if measured else None


def _write_csv(path: Path, rows: Sequence[Row]) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(Row.__dataclass_fields__)
        for row in rows:
            values = (getattr(row, name) for name in Row.__dataclass_fields__)
            writer.writerow(
                "" if v is None else f"{v:.6g}" if isinstance(v, float) else v for v in values
            )
    partial.replace(path)


def _line_of(row: Row) -> str:
    head = f"{row.workload}, {row.devices} GPU, {row.policies}: "
    if row.status != "ok":
        return head + f"{row.status}: {row.message}"
    return head + (
        f"{row.measured_ms:.2f} ms, predicted {_percent(row.error)}, "
        f"with measured durations {_percent(row.retimed_error)}"
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:+.1f} %"


def _report(options: argparse.Namespace, rows: Sequence[Row], skipped: int) -> str:
    good = [row for row in rows if row.status == "ok"]
    when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    lines = [
        "# Predictions beside runs for real", "",
        f"{when}; backend {options.backend}; machine {options.machine or '(default rates)'}; "
        f"{len(good)} cells, {len(rows) - len(good)} failed, {skipped} not run for want of time; "
        f"each the last of {options.repeat} runs.", "",
        "Error: (predicted - measured) / measured. Retimed: simulated with the measured duration "
        "of every task, so that what is left are copies, the host and decisions. Spread: slowest "
        "over fastest of the repetitions, less 1: no prediction can be better.", "",
    ]  # fmt: skip
    lines += _overall_table(good) + [""] + _cell_table(good)
    failed = [row for row in rows if row.status != "ok"]
    if failed:
        lines += ["", "## Failed", ""]
        lines += [f"- {row.specification}, {_line_of(row)}" for row in failed]
    return "\n".join(lines) + "\n"


def _overall_table(rows: Sequence[Row]) -> list[str]:
    """Medians and extremes of absolute errors, by policies."""
    lines = [
        "| policies | cells | median error | worst | median retimed | worst retimed "
        "| median spread |",
        "|---|---|---|---|---|---|---|",
    ]
    groups = {name: [row for row in rows if row.policies == name] for name in POLICIES}
    groups["all"] = list(rows)
    for name, group in groups.items():
        errors = [abs(row.error) for row in group if row.error is not None]
        retimed = [abs(row.retimed_error) for row in group if row.retimed_error is not None]
        spreads = [row.spread for row in group if row.spread is not None]
        if errors and retimed and spreads:
            figures = (
                statistics.median(errors), max(errors), statistics.median(retimed), max(retimed),
                statistics.median(spreads),
            )  # fmt: skip
            cells = " | ".join(f"{100 * figure:.1f} %" for figure in figures)
            lines.append(f"| {name} | {len(group)} | {cells} |")
    return lines


def _cell_table(rows: Sequence[Row]) -> list[str]:
    lines = [
        "| workload | GPUs | policies | measured ms | spread | predicted ms | error "
        "| retimed error | time in tasks | worst class | MiB moved | error | same device |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    order = {workload.name: i for i, workload in enumerate(WORKLOADS)}
    for row in sorted(rows, key=lambda r: (order[r.workload], r.devices)):
        worst = f"{row.worst_class} {_percent(row.worst_class_error)}" if row.worst_class else ""
        lines.append(
            f"| {row.workload} | {row.devices} | {row.policies} | {row.measured_ms:.2f} "
            f"| {_percent(row.spread)} | {row.predicted_ms:.2f} | {_percent(row.error)} "
            f"| {_percent(row.retimed_error)} | {_percent(row.task_time_error)} | {worst} "
            f"| {row.measured_mib:.1f} | {_percent(row.bytes_error)} "
            f"| {100 * (row.same_device or 0):.0f} % |"
        )
    return lines


if __name__ == "__main__":
    sys.exit(main())
