#!/usr/bin/env python3
"""How well does the simulator predict runs for real? Workloads x policies x numbers of devices.

One `parley predict` for each number of devices and limit of memory: every workload runs for real
under every choice of policies, and is simulated on the same machine under the same policies, with
the same decisions, and with the same durations. Writes prediction.csv and prediction.md to a folder.

    parley calibrate --backend cuda -o here.json
    python3 tests/benchmarks/prediction.py --backend cuda --machine here.json --out out/prediction

With --journals the runs' journals are kept, and --again OUT simulates what was measured there once
more, on any computer: how another simulator or machine file would have done.

Needs Python's standard library only. Runs that fail are listed with their message; when the time
is over, those that did not run are counted. Exit code 1 when no run succeeded.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable, Sequence

MIB = 1 << 20

POLICIES = {
    "default": "mapper=earliest_finish",
    "parla": "mapper=parla,order=fifo,source=owner",
    "round_robin": "mapper=round_robin,order=fifo,prefetch=none",
    "next_use": "evict=next_use,window=2",
}

@dataclass(frozen=True)
class Workload:
    """{gpus} in a specification is the number of devices. cuda: about 10 ms or more on GPUs of
    2024; host: the same on processor cores."""

    name: str
    cuda: str
    host: str
    least_devices: int = 1
    limits: tuple[str, str] = ("", "")  # --limit of cuda and host

    def specification(self, backend: str, devices: int) -> str:
        text = self.cuda if backend == "cuda" else self.host
        return text.replace("{gpus}", str(devices))

    def limit(self, backend: str) -> str:
        return self.limits[0 if backend == "cuda" else 1]


# Large and small tasks, arrays that fit and that do not, traffic with the host and between GPUs.
WORKLOADS = [
    Workload("cholesky, large tiles", "cholesky:tiles=8,tile=2048", "cholesky:tiles=6,tile=192"),
    Workload("cholesky, small tiles", "cholesky:tiles=32,tile=512", "cholesky:tiles=12,tile=64"),
    Workload(
        "cholesky, a quarter fits", "cholesky:tiles=12,tile=1024", "cholesky:tiles=8,tile=128",
        limits=(f"gpu={156 * MIB}", f"gpu={2 * MIB}"),
    ),  # fmt: skip
    Workload("matrix product", "gemm:tiles=4,depth=8,tile=1536", "gemm:tiles=4,depth=4,tile=128"),
    Workload("lu", "lu:tiles=10,tile=1024", "lu:tiles=6,tile=128"),
    Workload(
        "stencil", "stencil:blocks=8,points=512,iterations=30",
        "stencil:blocks=4,points=128,iterations=10",
    ),  # fmt: skip
    Workload(
        "jacobi", "jacobi:blocks=8,rows=1024,columns=4096,iterations=200",
        "jacobi:blocks=4,rows=64,columns=1024,iterations=10",
    ),  # fmt: skip
    Workload(
        "many small tasks", "independent:width=10000,overlap=none,task_ns=10000,kernel=spin",
        "independent:width=1000,overlap=none,task_ns=20000,kernel=spin",
    ),  # fmt: skip
    Workload(
        "wavefront", f"wavefront:rows=24,columns=40,block={MIB},task_ns=50000,kernel=spin",
        "wavefront:rows=10,columns=10,block=65536,task_ns=200000,kernel=spin",
    ),  # fmt: skip
    Workload(
        "chains",
        f"serial:chains=8,steps=200,overlap=shared,block={4 * MIB},task_ns=100000,kernel=spin",
        "serial:chains=4,steps=20,overlap=shared,block=65536,task_ns=300000,kernel=spin",
    ),  # fmt: skip
    Workload(
        "from the host", f"independent:width=192,block={8 * MIB},task_ns=0,kernel=none",
        f"independent:width=16,block={4 * MIB},task_ns=0,kernel=none",
    ),  # fmt: skip
    Workload(
        "to and fro, host", f"pingpong:between=host,rounds=60,block={32 * MIB},kernel=none",
        f"pingpong:between=host,rounds=10,block={4 * MIB},kernel=none",
    ),  # fmt: skip
    Workload(
        "to and fro, GPUs", f"pingpong:between=gpus,rounds=200,block={64 * MIB},kernel=none",
        f"pingpong:between=gpus,rounds=10,block={4 * MIB},kernel=none", least_devices=2,
    ),  # fmt: skip
    Workload(
        "all to all",
        f"all_to_all:gpus={{gpus}},rounds=300,block={16 * MIB},task_ns=100000,kernel=spin",
        f"all_to_all:gpus={{gpus}},rounds=4,block={MIB},task_ns=100000,kernel=spin",
        least_devices=2,
    ),  # fmt: skip
    Workload(
        "ring", f"ring:gpus={{gpus}},steps=128,block={64 * MIB}",
        f"ring:gpus={{gpus}},steps=8,block={MIB}", least_devices=2,
    ),  # fmt: skip
    Workload(
        "random", f"random:levels=40,width=16,blocks=48,block={8 * MIB},task_ns=300000",
        "random:levels=8,width=8,blocks=24,block=65536,task_ns=300000",
    ),  # fmt: skip
    Workload(
        "random, a third fits",
        f"random:levels=40,width=16,blocks=48,block={8 * MIB},task_ns=300000",
        "random:levels=8,width=8,blocks=24,block=262144,task_ns=300000",
        limits=(f"gpu={128 * MIB}", f"gpu={2 * MIB}"),
    ),  # fmt: skip
    Workload(
        "map and reduce", f"map_reduce:maps=64,reducers=16,block={MIB // 2},task_ns=500000",
        "map_reduce:maps=8,reducers=4,block=65536,task_ns=300000",
    ),  # fmt: skip
]


# Columns of parley predict that are numbers.
NUMBERS = (
    "devices", "tasks", "measured_ns", "fastest_ns", "slowest_ns", "predicted_ns", "timed_ns",
    "planned_ns", "retimed_ns", "task_time_ns", "predicted_task_time_ns", "bytes",
    "predicted_bytes", "planned_bytes", "same_device",
)  # fmt: skip
# As parley predict simulates: cli/report/varied_simulation.h.
VARIATIONS = [["--noise=normal:sigma=0.005", f"--seed={seed}"] for seed in (1, 2, 3, 4, 5)]
FACTORS = ("host_slowdown", "timed_host_slowdown")  # 1 in tables of before they were measured
LONG_RUN_NS = 50_000_000  # shorter ones count for medians only
CLEARLY_APART = 0.05


@dataclass
class Row:
    """One run; errors are (predicted - measured) / measured."""

    name: str
    specification: str
    policies: str
    figures: dict[str, int]
    factors: dict[str, float]
    fault: str = ""

    def error(self, measured: str, predicted: str) -> float:
        real = self.figures[measured]
        return (self.figures[predicted] - real) / real if real else 0.0

    @property
    def spread(self) -> float:
        return self.figures["slowest_ns"] / max(self.figures["fastest_ns"], 1) - 1

    @property
    def bytes_are_exact(self) -> bool:
        return self.figures["planned_bytes"] == self.figures["bytes"]


@dataclass(frozen=True)
class Group:
    """What one process runs."""

    devices: int
    limit: str
    workloads: tuple[Workload, ...]

    def journals(self, folder: Path) -> Path:
        return folder / "journals" / "-".join([str(self.devices), *self.limit.split("=")[1:]])


def main(words: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(words)
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    known: dict[tuple[int, str], list[dict[str, str]]] = {}
    if options.again:
        if Path(options.again).resolve() == folder.resolve():
            print("--again: is the folder of --out, whose table would be lost", file=sys.stderr)
            return 2
        try:
            known = _measured_earlier(options)
        except (OSError, KeyError, ValueError) as problem:
            print(f"--again: {type(problem).__name__}: {problem}", file=sys.stderr)
            return 2
    end = time.monotonic() + 60 * options.minutes
    rows: list[Row] = []
    messages: list[str] = []
    skipped = 0
    for group in _groups(options):
        if options.again:
            of_group = known.get((group.devices, group.limit), [])
            found, message = _simulate_group(options, of_group, folder, group), ""
        else:
            found, message = _run_group(options, folder, group, end - time.monotonic())
        done = [row for row in found if not row.fault.startswith("not run")]
        rows += done
        skipped += len(group.workloads) * len(POLICIES) - len(done)
        if message:
            messages.append(f"{group.devices} GPUs, limit {group.limit or 'none'}: {message}")
        for row in done:
            print(_line_of(row), flush=True)
        _write_csv(folder / "prediction.csv", rows)  # whole after each group, come what may
    report = _report(options, rows, messages, skipped)
    (folder / "prediction.md").write_text(report, encoding="utf-8")
    print(f"{folder / 'prediction.csv'}, {folder / 'prediction.md'}: {len(rows)} runs, "
          f"{sum(bool(row.fault) for row in rows)} failed, {skipped} not run")
    return 0 if any(not row.fault for row in rows) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--binary", default="build/parley", help="the program parley")
    parser.add_argument("--backend", choices=("host", "cuda"), default="host")
    parser.add_argument("--machine", required=True, help="a machine file of parley calibrate")
    parser.add_argument("--devices", default="1,2", help="numbers of GPUs, as in 1,2,4")
    parser.add_argument("--repeat", type=int, default=5, help="runs of which the median counts")
    parser.add_argument("--minutes", type=float, default=4.0, help="after this time, no more")
    parser.add_argument("--only", default="", help="workloads whose name contains this")
    parser.add_argument("--journals", action="store_true", help="keep the journals of timed runs")
    parser.add_argument("--again", default="", metavar="OUT",
                        help="run nothing: take what was measured, and journals, from there")
    parser.add_argument("--out", required=True, help="folder for tables")
    return parser


def _groups(options: argparse.Namespace) -> Iterable[Group]:
    for devices in sorted((int(word) for word in options.devices.split(",")), reverse=True):
        chosen = [
            w for w in WORKLOADS if devices >= w.least_devices and options.only in w.name
        ]  # fmt: skip
        for limit in sorted({w.limit(options.backend) for w in chosen}):
            of_limit = tuple(w for w in chosen if w.limit(options.backend) == limit)
            yield Group(devices, limit, of_limit)


def _run_group(
    options: argparse.Namespace, folder: Path, group: Group, seconds_left: float
) -> tuple[list[Row], str]:
    """Its rows, and what went wrong with all of them ("": nothing)."""
    if seconds_left < 1:
        return [], ""
    names = {w.specification(options.backend, group.devices): w.name for w in group.workloads}
    path = folder / "group.csv"
    path.unlink(missing_ok=True)
    command = [
        options.binary, "predict", *names, "--backend", options.backend, "--machine",
        options.machine, "--devices", str(group.devices), "--repeat", str(options.repeat),
        "--csv", str(path),
    ]  # fmt: skip
    if group.limit:
        command += ["--limit", group.limit]
    if options.journals:
        command += ["--journals", str(group.journals(folder))]
    for policies in POLICIES.values():
        command += ["--policy", policies]
    message, is_late = _run(command, seconds_left)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [_row_of(fields, names) for fields in csv.DictReader(file)]
    except (OSError, ValueError, KeyError) as problem:
        return [], "" if is_late else message or f"{type(problem).__name__}: {problem}"
    path.unlink()
    if is_late:  # the run that was interrupted failed for want of time alone
        rows = [row for row in rows if not row.fault.endswith("interrupted")]
    return rows, ""


def _run(command: Sequence[str], seconds: float) -> tuple[str, bool]:
    """Interrupts what takes longer: its file then holds what was done. Returns what went wrong, and
    whether it was interrupted."""
    is_late = False
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
        )
    except OSError as problem:
        return f"{type(problem).__name__}: {problem}", False
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        is_late = True
        process.send_signal(signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            _, errors = process.communicate()
    if process.returncode == 0:
        return "", is_late
    return f"exit {process.returncode}: " + " / ".join(errors.strip().splitlines()[:3]), is_late


def _measured_earlier(options: argparse.Namespace) -> dict[tuple[int, str], list[dict[str, str]]]:
    """What was measured, by devices and limit, in the order in which it ran: journals have those
    numbers."""
    limits = {w.name: w.limit(options.backend) for w in WORKLOADS}
    known: dict[tuple[int, str], list[dict[str, str]]] = {}
    with (Path(options.again) / "prediction.csv").open(encoding="utf-8", newline="") as file:
        for fields in csv.DictReader(file):
            key = (int(fields["devices"]), limits[fields["name"]])
            known.setdefault(key, []).append(fields)
    return known


def _simulate_group(
    options: argparse.Namespace, known: Sequence[dict[str, str]], scratch: Path, group: Group
) -> list[Row]:
    """Rows measured earlier, simulated again."""
    names = {w.name for w in group.workloads}
    jobs = [
        (options, scratch / f"{number:03d}.json", group, fields,
         group.journals(Path(options.again)) / f"{number:03d}.jsonl")
        for number, fields in enumerate(known, start=1)
        if fields["name"] in names and not fields["fault"]
    ]  # fmt: skip
    with multiprocessing.Pool() as pool:
        return pool.starmap(_simulate_row, jobs)


def _simulate_row(
    options: argparse.Namespace, summary: Path, group: Group, fields: dict[str, str], journal: Path
) -> Row:
    figures = {name: int(fields[name]) for name in NUMBERS}
    factors = _factors_of(fields)
    row = Row(fields["name"], fields["workload"], fields["policies"], figures, factors)
    if not journal.exists():
        row.fault = f"has no journal {journal}: --journals keeps them"
        return row
    command = [
        options.binary, "sim", fields["workload"], "--machine", options.machine, "--devices",
        str(group.devices), "--as-executed", "--power", "--summary", str(summary),
    ]  # fmt: skip
    if group.limit:
        command += ["--limit", group.limit]
    policies = dict(policy.split("=") for policy in POLICIES[fields["policies"]].split(","))
    command.append(f"--window={policies.pop('window', '8')}")
    ways = {
        "predicted": [f"--{kind}={name}" for kind, name in policies.items()],
        "planned": [f"--plan={journal}"],
        "retimed": [f"--plan={journal}", f"--durations={journal}"],
    }
    devices: dict[str, dict[str, str]] = {}
    for way, flags in ways.items():
        factor = factors["host_slowdown" if way == "predicted" else "timed_host_slowdown"]
        flags.append(f"--host-slowdown={factor}")
        variants = VARIATIONS if way == "predicted" else [[]]
        results: list[dict[str, Any]] = []
        for variant in variants:
            words = [*command, *flags, *variant]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                row.fault = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[0]
                break
            results.append(json.loads(summary.read_text(encoding="utf-8")))
        if row.fault:
            break
        result = sorted(results, key=lambda one: one["makespan_ns"])[len(results) // 2]
        figures[f"{way}_ns"] = result["makespan_ns"]
        if way != "retimed":
            figures[f"{way}_bytes"] = sum(result["bytes_copied"].values())
        if way == "planned":
            figures["predicted_task_time_ns"] = sum(end - start for *_, start, end in result["tasks"])
        devices[way] = {name: device for name, device, *_ in result["tasks"]}
    if not row.fault:  # the decisions imposed are those of the real run
        free, real = devices["predicted"], devices["planned"]
        figures["same_device"] = sum(free[name] == device for name, device in real.items())
    summary.unlink(missing_ok=True)
    return row


def _row_of(fields: dict[str, str], names: dict[str, str]) -> Row:
    policies = {text: name for name, text in POLICIES.items()}
    return Row(
        names[fields["workload"]], fields["workload"], policies[fields["policies"]],
        {name: int(fields[name]) for name in NUMBERS}, _factors_of(fields), fields["fault"],
    )  # fmt: skip


def _factors_of(fields: dict[str, str]) -> dict[str, float]:
    return {name: float(fields.get(name) or 1.0) for name in FACTORS}


def _write_csv(path: Path, rows: Sequence[Row]) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "workload", "policies", *NUMBERS, *FACTORS, "fault"])
        for row in rows:
            figures = (row.figures[name] for name in NUMBERS)
            factors = (row.factors[name] for name in FACTORS)
            writer.writerow(
                [row.name, row.specification, row.policies, *figures, *factors, row.fault]
            )
    os.replace(partial, path)


def _line_of(row: Row) -> str:
    head = f"{row.name}, {row.figures['devices']} GPU, {row.policies}: "
    if row.fault:
        return head + row.fault
    return head + (
        f"{row.figures['measured_ns'] / 1e6:.2f} ms, "
        f"predicted {_percent(row.error('measured_ns', 'predicted_ns'))}, "
        f"same decisions {_percent(row.error('timed_ns', 'planned_ns'))}, "
        f"and durations {_percent(row.error('timed_ns', 'retimed_ns'))}"
    )


def _times(factor: float) -> str:
    return "-" if factor == 1.0 else f"{factor:.2f} x"  # 1: not measured


def _percent(share: float) -> str:
    return f"{100 * share:+.1f} %"


def _report(
    options: argparse.Namespace, rows: Sequence[Row], messages: Sequence[str], skipped: int
) -> str:
    good = [row for row in rows if not row.fault]
    when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    kept, pairs = _order_kept(good)
    lines = [
        "# Predictions beside runs for real", "",
        f"{when}; backend {options.backend}; machine {Path(options.machine).name}; "
        f"{len(good)} runs, {len(rows) - len(good)} failed, {skipped} not run; "
        f"each the median of {options.repeat}, or of up to {3 * options.repeat} while half a box "
        "plot's notch is more than 3 % of it, "
        "without timing of single tasks, after one to warm up.", "",
        "Error: (predicted - measured) / measured. Same decisions: simulated under the decisions "
        "of one more run, in which every task was timed, against that run. And durations: every "
        "task also takes what it took there, so that what is left are copies and the host. Spread: "
        "slowest over fastest of the repetitions, less 1: no prediction can be better. Host: how "
        "many times as long as when the machine was calibrated its threads took beside the runs, "
        "measured by small tasks and simulated so.", "",
        f"Bytes copied under the same decisions are exact in "
        f"{sum(row.bytes_are_exact for row in good)} of {len(good)} runs. Where two choices of "
        f"policies are more than {100 * CLEARLY_APART:.0f} % apart, the simulator puts them in the "
        f"order measured in {kept} of {pairs} pairs.", "",
    ]  # fmt: skip
    lines += _overall_table(good) + [""] + _cell_table(good)
    failed = [_line_of(row) for row in rows if row.fault] + list(messages)
    if failed:
        lines += ["", "## Failed", ""] + [f"- {line}" for line in failed]
    return "\n".join(lines) + "\n"


def _order_kept(rows: Sequence[Row]) -> tuple[int, int]:
    """Pairs of policies in the order measured, and all that are clearly apart."""
    kept = pairs = 0
    for i, row in enumerate(rows):
        for other in rows[:i]:
            a, b = row.figures, other.figures
            low, high = sorted((a["measured_ns"], b["measured_ns"]))
            same = row.specification == other.specification and a["devices"] == b["devices"]
            if not same or row.name != other.name or high <= (1 + CLEARLY_APART) * low:
                continue
            pairs += 1
            kept += (a["measured_ns"] < b["measured_ns"]) == (a["predicted_ns"] < b["predicted_ns"])
    return kept, pairs


def _overall_table(rows: Sequence[Row]) -> list[str]:
    """Medians and extremes of absolute errors, by policies."""
    lines = [
        "| policies | runs | median error | worst | worst of 50 ms or more "
        "| median, same decisions | and durations | median spread |",
        "|---|---|---|---|---|---|---|---|",
    ]
    groups = {name: [row for row in rows if row.policies == name] for name in POLICIES}
    groups["all"] = list(rows)
    for name, group in groups.items():
        if not group:
            continue
        errors = [abs(row.error("measured_ns", "predicted_ns")) for row in group]
        long_runs = [
            error for row, error in zip(group, errors)
            if row.figures["measured_ns"] >= LONG_RUN_NS
        ]  # fmt: skip
        figures = (
            statistics.median(errors), max(errors), max(long_runs, default=0.0),
            statistics.median(abs(row.error("timed_ns", "planned_ns")) for row in group),
            statistics.median(abs(row.error("timed_ns", "retimed_ns")) for row in group),
            statistics.median(row.spread for row in group),
        )  # fmt: skip
        cells = " | ".join(f"{100 * figure:.1f} %" for figure in figures)
        lines.append(f"| {name} | {len(group)} | {cells} |")
    return lines


def _cell_table(rows: Sequence[Row]) -> list[str]:
    lines = [
        "| workload | GPUs | policies | measured ms | spread | host | predicted ms | error "
        "| timed ms | same decisions | and durations | time in tasks | MiB moved | bytes "
        "| same device |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    order = {workload.name: i for i, workload in enumerate(WORKLOADS)}
    for row in sorted(rows, key=lambda r: (order[r.name], r.figures["devices"])):
        f = row.figures
        same = "exact" if row.bytes_are_exact else _percent(row.error("bytes", "planned_bytes"))
        lines.append(
            f"| {row.name} | {f['devices']} | {row.policies} | {f['measured_ns'] / 1e6:.2f} "
            f"| {_percent(row.spread)} | {_times(row.factors['host_slowdown'])} "
            f"| {f['predicted_ns'] / 1e6:.2f} "
            f"| {_percent(row.error('measured_ns', 'predicted_ns'))} "
            f"| {f['timed_ns'] / 1e6:.2f} | {_percent(row.error('timed_ns', 'planned_ns'))} "
            f"| {_percent(row.error('timed_ns', 'retimed_ns'))} "
            f"| {_task_error(row)} "
            f"| {f['bytes'] / MIB:.1f} | {same} "
            f"| {100 * f['same_device'] / max(f['tasks'], 1):.0f} % |"
        )
    return lines


def _task_error(row: Row) -> str:
    """Tasks without a kernel take no time; a GPU says a microsecond or two for each."""
    if not row.figures["predicted_task_time_ns"]:
        return "-"
    return _percent(row.error("task_time_ns", "predicted_task_time_ns"))


if __name__ == "__main__":
    sys.exit(main())
