#!/usr/bin/env python3
"""Speed on GPUs: what parley reaches beside plain CUDA on the same machine, as a table.

    gpu.py --binary build/parley --raw build/bench_raw_cuda --out results

Runs `parley exec` for the cost of a task, copies to and fro, matrix factorisation and product, a
stencil, an all-to-all and a matrix larger than memory (gpu_rows.py), and bench_raw_cuda for the
limits. Writes gpu.json and gpu.md after every run. A run that fails or takes too long leaves its row
without a figure and the others as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gpu_report import figure, write_results
from gpu_rows import PARTS, Row, rows_of


LATE = "not run for want of time"


def run_row(row: Row, binary: str, folder: Path, seconds: float, left: float) -> None:
    """For at most `seconds`, or what is left of the time for all."""
    summary_file = folder / "summary.json"
    summary_file.unlink(missing_ok=True)
    command = [
        binary, "exec", row.specification, "--backend", "cuda", "--devices", str(row.gpus),
        "--summary", str(summary_file), "--summary-brief", *row.flags,
    ]  # fmt: skip
    start = time.monotonic()
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False,
            timeout=min(seconds, left),
        )  # fmt: skip
        row.wall_s = time.monotonic() - start
        if done.returncode != 0:
            said = " / ".join(done.stderr.strip().splitlines()[:3])
            row.note = f"FAILED, exit code {done.returncode}: {said}"
            return
        summary = json.loads(summary_file.read_text(encoding="utf-8"))
        row.value = row.value_of(summary)
        row.note = row.note_of(summary)
    except subprocess.TimeoutExpired:
        row.wall_s = time.monotonic() - start
        row.note = f"FAILED: more than {seconds:.0f} s" if seconds <= left else LATE
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
        output = (
            timeout.stdout.decode() if isinstance(timeout.stdout, bytes) else timeout.stdout or ""
        )
    except OSError as problem:
        print(f"{raw}: {problem}", file=sys.stderr)
        output = ""
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def gpu_names() -> list[str]:
    """Those that CUDA shows to programs."""
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = all_gpu_names()
    if shown is None:
        return names
    words = [word for word in shown.split(",") if word]
    return names[: words.index("-1") if "-1" in words else len(words)]


def all_gpu_names() -> list[str]:
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def counts_of(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def parser() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    words.add_argument("--binary", default="build/parley", help="the program parley")
    words.add_argument("--raw", default="build/bench_raw_cuda", help="plain CUDA; empty: not run")
    words.add_argument("--raw-file", default="", help="lines that bench_raw_cuda printed before")
    words.add_argument(
        "--gpus", default="", help="numbers of GPUs, as in 1,2; by default 1 and all"
    )
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
    counts = (
        counts_of(options.gpus) if options.gpus else sorted({1, min(2, len(names)), len(names)})
    )
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
            row.raw = limits.get((row.raw_name, row.gpus))
            left = end - time.monotonic()
            if left < 3:
                row.note = LATE
            else:
                run_row(row, options.binary, Path(scratch), options.row_seconds, left)
            done.append(row)
            print(
                f"[{i + 1}/{len(rows)}] {row.name}, {row.gpus} GPU: {figure(row.value) or '-'} {row.unit}"
                f" (CUDA {figure(row.raw) or '-'}) {row.note} [{row.wall_s:.1f} s]",
                flush=True,
            )
            write_results(folder, done, raws, names)
    write_results(folder, done, raws, names)
    failed = sum("FAILED" in row.note or "WRONG" in row.note for row in done)
    late = sum(row.note == LATE for row in done)
    print(f"{folder / 'gpu.md'}: {len(done)} rows, {failed} failed, {late} {LATE}")
    return 1 if failed or not any(row.value for row in done) else 0


if __name__ == "__main__":
    sys.exit(main())
