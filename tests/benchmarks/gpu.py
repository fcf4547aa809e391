#!/usr/bin/env python3
"""Speed on GPUs: what parley reaches beside plain CUDA on the same machine, as a table.

    gpu.py --binary build/parley --raw build/bench_raw_cuda --out results

Runs `parley exec` for the cost of a task, copies to and fro, matrix factorisation and product, a
stencil, an all-to-all and a matrix larger than memory; bench_raw_cuda for the limits. Writes
gpu.json and gpu.md. A run that fails or takes too long leaves its row without a figure and the
others as they are. Floors and goals are those that the project has set itself for two H200; figures
of CUDASTF and cuSOLVER were measured on the same kind of machine on 2026-11-21, with the same
definitions.
"""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MIB = 1 << 20
EMPTY = "kernel=spin,task_ns=0"  # the launch of an empty kernel
COST_FLAGS = ["--untimed", "--window", "64", "--repeat", "5"]
CHOLESKY_FLAGS = ["--mapper", "block_cyclic", "--untimed", "--window", "16", "--repeat", "3"]

Summary = dict[str, Any]


@dataclass
class Row:
    """One line of the table. Costs are better when less, rates when more."""

    part: str
    name: str
    gpus: int
    unit: str
    specification: str
    flags: list[str]
    value_of: Callable[[Summary], float] = field(repr=False)
    raw_name: str = ""  # of bench_raw_cuda, for as many GPUs
    floor: float | None = None
    goal: float | None = None
    rivals: str = ""
    note_of: Callable[[Summary], str] = field(default=lambda summary: "", repr=False)
    value: float | None = None
    raw: float | None = None
    note: str = ""
    wall_s: float = 0.0

    @property
    def is_cost(self) -> bool:
        return self.unit == "us"

    @property
    def ratio(self) -> float | None:
        """Ours over plain CUDA's."""
        return self.value / self.raw if self.value and self.raw else None

    def verdict(self, limit: float | None) -> str:
        if limit is None or self.value is None:
            return ""
        return "yes" if (self.value <= limit if self.is_cost else self.value >= limit) else "NO"


# ---- figures of a summary ----


def later_runs(summary: Summary) -> list[float]:
    """Seconds of the repetitions after the first, which also loads code and pins memory."""
    runs = summary["runs_ns"]
    return [ns * 1e-9 for ns in (runs[1:] or runs)]


def cost_of(tasks: int) -> Callable[[Summary], float]:
    """Median microseconds a task."""
    return lambda summary: 1e6 * statistics.median(later_runs(summary)) / tasks


def rate_of(amount: float) -> Callable[[Summary], float]:
    """Median of `amount` a second, in units of 1e9."""
    return lambda summary: 1e-9 * amount / statistics.median(later_runs(summary))


def best_rate_of(amount: float) -> Callable[[Summary], float]:
    return lambda summary: 1e-9 * amount / min(later_runs(summary))


def spread_of(summary: Summary) -> str:
    runs = later_runs(summary)
    return f"{len(runs)} runs, spread {100 * (max(runs) / min(runs) - 1):.1f} %"


def verified_text(summary: Summary) -> str:
    verification = summary["verification"]
    text = "verified" if verification["holds"] else "WRONG"
    return f"{text}: {verification['method']}"


# ---- the rows ----


def task_rows(gpus: int) -> Iterable[Row]:
    """Floors: one GPU, then two."""
    place = f"place=fixed,gpus={gpus}"
    patterns = [
        ("no dependences", f"independent:width=30000,overlap=none,{EMPTY},{place}", 30000,
         "task_chain", {}, "CUDASTF 4.9, on two 6.2"),
        ("one datum a task", f"independent:width=30000,overlap=own,block=8,first=out,{EMPTY},{place}",
         30000, "task_own_datum", {}, "CUDASTF 6.4, on two 6.5"),
        ("one chain", f"serial:steps=30000,overlap=shared,block=8,first=out,{EMPTY},{place}", 30000,
         "task_chain", {1: 4.5}, "CUDASTF 5.2, on two 6.3"),
        ("64 chains", f"serial:steps=469,chains=64,overlap=shared,block=8,first=out,{EMPTY},{place}",
         469 * 64, "", {}, "CUDASTF 5.2, on two 5.2"),
        ("wavefront", f"wavefront:rows=173,columns=173,block=8,first=out,{EMPTY},{place}", 173 * 173,
         "task_wavefront", {1: 6.0, 2: 8.0}, "CUDASTF 6.8, on two 10.2"),
        ("stencil of 3", f"nearest:steps=469,width=64,block=8,{EMPTY},{place}", 469 * 64, "", {},
         "CUDASTF 7.0, on two 9.9"),
    ]  # fmt: skip
    for name, specification, tasks, raw, floors, rivals in patterns:
        yield Row(
            "tasks", name, gpus, "us", specification, COST_FLAGS, cost_of(tasks), raw,
            floors.get(gpus), None, rivals, spread_of,
        )  # fmt: skip
    if gpus == 1:
        chain = f"serial:steps=30000,overlap=shared,block=8,first=out,{EMPTY},{place}"
        flags = ["--untimed", "--graph", "--window", "unlimited", "--repeat", "5"]
        yield Row(
            "tasks", "one chain, replayed from a graph", 1, "us", chain, flags, cost_of(30000),
            "graph_chain", 1.0, None, "", spread_of,
        )  # fmt: skip


def copy_rows(gpus: int) -> Iterable[Row]:
    floors = {"gpus": {1: 80.0, 256: 385.0}, "host": {1: 35.0, 256: 52.0}}
    rivals = {
        "gpus": {1: "CUDASTF 63", 16: "CUDASTF 273", 256: "CUDASTF 386"},
        "host": {1: "CUDASTF 21", 16: "CUDASTF 41", 256: "CUDASTF 52"},
    }
    between = "host" if gpus == 1 else "gpus"
    name, raw = (
        ("host and GPU to and fro", "host_to_and_fro") if gpus == 1
        else ("two GPUs to and fro", "peer_to_and_fro")
    )  # fmt: skip
    if gpus > 2:
        return
    for mib, rounds in ((1, 2000), (16, 500), (256, 60 if gpus == 1 else 150)):
        yield Row(
            "copies", f"{name}, {mib} MiB", gpus, "GB/s",
            f"pingpong:between={between},rounds={rounds},block={mib * MIB},{EMPTY}",
            ["--untimed", "--repeat", "4"], rate_of((2.0 * rounds - 1) * mib * MIB),
            f"{raw}_{mib}MiB", floors[between].get(mib), None, rivals[between].get(mib, ""), spread_of,
        )  # fmt: skip


def cholesky_specification(tiles: int, tile: int, gpus: int, solve: str, home: str) -> str:
    return f"cholesky:tiles={tiles},tile={tile},solve={solve},home={home},gpus={gpus}"


# Floors, goals and others' figures by matrix size and number of GPUs.
CHOLESKY_GOALS = {
    (65536, 1): (46500.0, 48000.0, "CUDASTF 44,389, cuSOLVER 45,598"),
    (65536, 2): (85000.0, 92000.0, "CUDASTF 80,850, cuSOLVERMg 78,838"),
    (65536, 4): (None, None, "CUDASTF 146,296, cuSOLVERMg 118,817"),
    (32768, 1): (None, None, "CUDASTF 31,132, cuSOLVER 44,726"),
    (32768, 2): (66000.0, 72000.0, "CUDASTF 41,481, cuSOLVERMg 62,892"),
    (32768, 4): (None, None, "CUDASTF 63,647, cuSOLVERMg 76,259"),
}


def cholesky_rows(gpus: int) -> Iterable[Row]:
    for tiles, tile in ((32, 2048), (16, 2048), (32, 1024)):
        size = tiles * tile
        floor, goal, rivals = CHOLESKY_GOALS.get((size, gpus), (None, None, ""))
        for solve in ("inverse", "substitution"):
            yield Row(
                "cholesky", f"Cholesky fp64, N = {size}, tiles of {tile}, {solve}", gpus, "GFLOP/s",
                cholesky_specification(tiles, tile, gpus, solve, "block_cyclic"), CHOLESKY_FLAGS,
                best_rate_of(size**3 / 3), "dgemm_sustained", floor, goal, rivals, spread_of,
            )  # fmt: skip


def verified_rows(gpus: int) -> Iterable[Row]:
    for tiles, tile in ((16, 2048), (32, 1024), (32, 2048)):
        for solve in ("inverse", "substitution"):
            yield Row(
                "verified", f"Cholesky verified, N = {tiles * tile}, tiles of {tile}, {solve}", gpus,
                "GFLOP/s", cholesky_specification(tiles, tile, gpus, solve, "block_cyclic"),
                ["--mapper", "block_cyclic", "--window", "16", "--verify"],
                best_rate_of((tiles * tile) ** 3 / 3), "dgemm_sustained", note_of=verified_text,
            )  # fmt: skip


def share_rows(gpus: int) -> Iterable[Row]:
    """What is bound by one thing, beside that thing's limit."""
    flags = ["--mapper", "block_cyclic", "--untimed", "--window", "16", "--repeat", "4"]
    blocks, rows, columns, iterations = 8, 4096, 16384, 100
    yield Row(
        "shares", "Jacobi's iteration, memory bandwidth", gpus, "GB/s",
        f"jacobi:blocks={blocks},rows={rows},columns={columns},iterations={iterations},"
        f"home=block_cyclic,place=fixed,gpus={gpus}",
        flags, rate_of(16.0 * blocks * rows * columns * iterations), "memory_stencil",
        note_of=spread_of,
    )  # fmt: skip
    tiles, depth, tile = 12, 12, 2048
    yield Row(
        "shares", "matrix product fp64, sustained", gpus, "GFLOP/s",
        f"gemm:tiles={tiles},depth={depth},tile={tile},home=block_cyclic,gpus={gpus}", flags,
        rate_of(2.0 * tiles * tiles * depth * tile**3), "dgemm_sustained", note_of=spread_of,
    )  # fmt: skip
    if gpus > 1:
        rounds, block = 50, 64 * MIB
        yield Row(
            "shares", "all-to-all, links", gpus, "GB/s",
            f"all_to_all:gpus={gpus},rounds={rounds},block={block},{EMPTY}",
            ["--untimed", "--repeat", "4"], rate_of(rounds * gpus * (gpus - 1) * block),
            "all_to_all_64MiB", note_of=spread_of,
        )  # fmt: skip


def large_rows(gpus: int, machine: list[str], rates: dict[str, float]) -> Iterable[Row]:
    """The arena of each GPU holds a quarter of the matrix, which starts in host memory."""
    tiles, tile = 32, 1024
    matrix = tiles * (tiles + 1) // 2 * tile * tile * 8
    for evict in ("next_use", "lru"):
        yield Row(
            "large", f"Cholesky, N = {tiles * tile}, a quarter fits, {evict}", gpus, "GFLOP/s",
            cholesky_specification(tiles, tile, gpus, "inverse", "host"),
            ["--limit", f"gpu={matrix // 4}", "--evict", evict, "--mapper", "block_cyclic",
             "--verify", "--predict", "--repeat", "2", *machine],
            best_rate_of((tiles * tile) ** 3 / 3), "dgemm_sustained",
            note_of=lambda summary: transfer_note(summary, rates),
        )  # fmt: skip


def link_rate(route: str, rates: dict[str, float]) -> float | None:
    """GB/s of plain copies over a route of the summary, "host->gpu0"."""
    source, target = route.split("->")
    if source == "host":
        return rates.get("host_to_gpu_256MiB")
    if target == "host":
        return rates.get("gpu_to_host_256MiB")
    return rates.get("peer_one_way_256MiB") if source != target else None


def transfer_note(summary: Summary, rates: dict[str, float]) -> str:
    """The longest time that any route needs for the bytes that it moved, beside the makespan of the
    same run and what the simulator says."""
    makespan = summary["makespan_ns"] * 1e-9
    times = {
        route: moved * 1e-9 / rate
        for route, moved in summary["bytes_copied"].items()
        if (rate := link_rate(route, rates))
    }
    notes = [verified_text(summary)]
    if times:
        route = max(times, key=lambda name: times[name])
        notes.append(
            f"{makespan:.3f} s, {makespan / times[route]:.2f} x the {times[route]:.3f} s that "
            f"{route} needs for its {summary['bytes_copied'][route] / 1e9:.1f} GB"
        )
    notes.append(f"{sum(summary['bytes_copied'].values()) / 1e9:.1f} GB moved in all")
    prediction = summary.get("prediction")
    if prediction:
        notes.append(f"predicted {prediction['makespan_ns'] * 1e-9:.3f} s")
    return "; ".join(notes)


PARTS = ("tasks", "cholesky", "copies", "shares", "large", "verified")


def rows_of(part: str, gpus: int, machine: list[str], rates: dict[str, float]) -> Iterable[Row]:
    if part == "large":
        return large_rows(gpus, machine, rates)
    makers = {
        "tasks": task_rows, "copies": copy_rows, "cholesky": cholesky_rows,
        "verified": verified_rows, "shares": share_rows,
    }  # fmt: skip
    return makers[part](gpus)


# ---- running ----


def run_row(row: Row, binary: str, folder: Path, seconds: float) -> None:
    summary_file = folder / "summary.json"
    summary_file.unlink(missing_ok=True)
    command = [
        binary, "exec", row.specification, "--backend", "cuda", "--devices", str(row.gpus),
        "--summary", str(summary_file), "--summary-brief", *row.flags,
    ]  # fmt: skip
    start = time.monotonic()
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, timeout=seconds
        )
        row.wall_s = time.monotonic() - start
        if done.returncode != 0:
            said = " / ".join(done.stderr.strip().splitlines()[:3])
            row.note = f"FAILED, exit code {done.returncode}: {said}"
            return
        summary = json.loads(summary_file.read_text(encoding="utf-8"))
        row.value = row.value_of(summary)
        row.note = row.note_of(summary)
    except subprocess.TimeoutExpired:
        row.wall_s, row.note = time.monotonic() - start, f"FAILED: more than {seconds:.0f} s"
    except (OSError, ValueError, KeyError, ZeroDivisionError) as problem:
        row.note = f"FAILED: {type(problem).__name__}: {problem}"


def raw_rates(raw: str, seconds: float, given: str) -> list[dict[str, Any]]:
    """Lines of bench_raw_cuda: of this run, or of the file `given`."""
    if given:
        lines = Path(given).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]
    if not raw:
        return []
    try:
        done = subprocess.run([raw], capture_output=True, text=True, check=False, timeout=seconds)
        output = done.stdout
        if done.returncode != 0:
            print(f"{raw}: exit code {done.returncode}: {done.stderr.strip()}", file=sys.stderr)
    except subprocess.TimeoutExpired as timeout:
        output = timeout.stdout.decode() if isinstance(timeout.stdout, bytes) else timeout.stdout or ""
    except OSError as problem:
        print(f"{raw}: {problem}", file=sys.stderr)
        output = ""
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def gpu_names() -> list[str]:
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


# ---- the report ----


def figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def with_verdict(row: Row, limit: float | None) -> str:
    return f"{figure(limit)} {row.verdict(limit)}".strip()


TITLES = {
    "tasks": "Cost of a task, microseconds", "cholesky": "Cholesky factorisation",
    "copies": "One datum to and fro", "shares": "Shares of the hardware's limits",
    "large": "Larger than memory", "verified": "Verified runs",
}  # fmt: skip


def report(rows: Sequence[Row], raws: Sequence[dict[str, Any]], gpus: Sequence[str]) -> str:
    when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    lines = ["# Speed on GPUs", "", f"{when}; {len(gpus)} GPUs: {'; '.join(sorted(set(gpus)))}.", ""]
    for part in PARTS:
        of_part = [row for row in rows if row.part == part]
        if not of_part:
            continue
        lines += [
            f"## {TITLES[part]}", "",
            "| what | GPUs | ours | plain CUDA | ours / CUDA | floor | goal | others, same kind of "
            "machine | remarks |",
            "|---|---|---|---|---|---|---|---|---|",
        ]  # fmt: skip
        for row in of_part:
            cells = (
                row.name, str(row.gpus), f"{figure(row.value)} {row.unit}" if row.value else "-",
                figure(row.raw), f"{row.ratio:.2f}" if row.ratio else "",
                with_verdict(row, row.floor), with_verdict(row, row.goal), row.rivals, row.note,
            )  # fmt: skip
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    if raws:
        lines += ["## Plain CUDA", "", "| what | GPUs | value | unit |", "|---|---|---|---|"]
        lines += [f"| {r['name']} | {r['gpus']} | {figure(r['value'])} | {r['unit']} |" for r in raws]
        lines.append("")
    return "\n".join(lines)


def write_results(
    folder: Path, rows: Sequence[Row], raws: Sequence[dict[str, Any]], gpus: Sequence[str]
) -> None:
    """Both files whole, whatever comes next."""
    plain = []
    for row in rows:
        entry = asdict(
            row,
            dict_factory=lambda items: {k: v for k, v in items if not callable(v)},
        )
        plain.append({**entry, "ratio": row.ratio})
    for name, text in (
        ("gpu.json", json.dumps({"gpus": list(gpus), "rows": plain, "raw": list(raws)}, indent=1)),
        ("gpu.md", report(rows, raws, gpus)),
    ):
        partial = folder / (name + ".partial")
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(folder / name)


def counts_of(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def parser() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    words.add_argument("--binary", default="build/parley", help="the program parley")
    words.add_argument("--raw", default="build/bench_raw_cuda", help="plain CUDA; empty: not run")
    words.add_argument("--raw-file", default="", help="lines that bench_raw_cuda printed before")
    words.add_argument("--gpus", default="", help="numbers of GPUs, as in 1,2; by default 1 and all")
    words.add_argument("--only", default="", help=f"some of {','.join(PARTS)}, with commas")
    words.add_argument("--match", default="", help="rows whose name contains this")
    words.add_argument("--machine", default="", help="machine file, for predictions")
    words.add_argument("--flags", default="", help="more flags for every run, separated by spaces")
    words.add_argument("--budget-seconds", type=float, default=400.0, help="no run starts later")
    words.add_argument("--row-seconds", type=float, default=90.0, help="longest time of one run")
    words.add_argument("--out", required=True, help="folder for gpu.json and gpu.md")
    return words


def main(words: Sequence[str] | None = None) -> int:
    options = parser().parse_args(words)
    parts = options.only.split(",") if options.only else list(PARTS)
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        print(f"--only: unknown {unknown[0]!r}; allowed: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    names = gpu_names()
    counts = counts_of(options.gpus) if options.gpus else sorted({1, min(2, len(names)), len(names)})
    counts = [count for count in counts if count > 0]
    end = time.monotonic() + options.budget_seconds
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    raws = raw_rates(options.raw, options.budget_seconds / 2, options.raw_file)
    limits = {(raw["name"], raw["gpus"]): raw["value"] for raw in raws}
    rates = {raw["name"]: raw["value"] for raw in raws}
    machine = ["--machine", options.machine] if options.machine else []
    rows = [
        row
        for part in PARTS
        if part in parts
        for gpus in sorted(counts, reverse=True)
        for row in rows_of(part, gpus, machine, rates)
        if options.match in row.name
    ]
    done: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        for i, row in enumerate(rows):
            row.flags = [*row.flags, *options.flags.split()]
            row.raw = limits.get((row.raw_name, row.gpus), limits.get((row.raw_name, 1)))
            left = end - time.monotonic()
            if left < 3:
                row.note = "not run for want of time"
            else:
                run_row(row, options.binary, Path(scratch), min(left, options.row_seconds))
            done.append(row)
            print(
                f"[{i + 1}/{len(rows)}] {row.name}, {row.gpus} GPU: {figure(row.value) or '-'} {row.unit}"
                f" (CUDA {figure(row.raw) or '-'}) {row.note} [{row.wall_s:.1f} s]",
                flush=True,
            )
            write_results(folder, done, raws, names)
    write_results(folder, done, raws, names)
    failed = sum("FAILED" in row.note or "WRONG" in row.note for row in done)
    print(f"{folder / 'gpu.md'}: {len(done)} rows, {failed} failed")
    return 1 if failed or not any(row.value for row in done) else 0


if __name__ == "__main__":
    sys.exit(main())
