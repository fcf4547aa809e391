"""What is measured on GPUs: the rows of gpu.py's table, each a workload, its flags, and how its figure
follows from the run's summary. Floors and goals are those that the project has set itself for two
H200; figures of CUDASTF and cuSOLVER were measured on the same kind of machine on 2026-11-21, with
the same definitions.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

MIB = 1 << 20
EMPTY = "kernel=spin,task_ns=0"  # the launch of an empty kernel
COST_FLAGS = ["--untimed", "--window", "64", "--repeat", "5"]
CHOLESKY_FLAGS = ["--mapper", "block_cyclic", "--untimed", "--window", "32", "--repeat", "3"]

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


# Name, workload, tasks, plain CUDA; floors and CUDASTF's figures by number of GPUs.
Pattern = tuple[str, str, int, str, dict[int, float], dict[int, float]]


def task_rows(gpus: int) -> Iterable[Row]:
    place = f"{EMPTY},place=fixed,gpus={gpus}"
    patterns: list[Pattern] = [
        ("no dependences", f"independent:width=30000,overlap=none,{place}", 30000, "task_chain", {},
         {1: 4.9, 2: 6.2}),
        ("one datum a task", f"independent:width=30000,overlap=own,block=8,first=out,{place}", 30000,
         "task_own_datum", {}, {1: 6.4, 2: 6.5}),
        ("one chain", f"serial:steps=30000,overlap=shared,block=8,first=out,{place}", 30000,
         "task_chain", {1: 4.5}, {1: 5.2, 2: 6.3, 4: 6.8}),
        ("64 chains", f"serial:steps=469,chains=64,overlap=shared,block=8,first=out,{place}",
         469 * 64, "", {}, {1: 5.2, 2: 5.2}),
        ("wavefront", f"wavefront:rows=173,columns=173,block=8,first=out,{place}", 173 * 173,
         "task_wavefront", {1: 6.0, 2: 8.0}, {1: 6.8, 2: 10.2, 4: 11.0}),
        ("stencil of 3", f"nearest:steps=469,width=64,block=8,{place}", 469 * 64, "", {},
         {1: 7.0, 2: 9.9, 4: 11.7}),
    ]  # fmt: skip
    for name, specification, tasks, raw, floors, rivals in patterns:
        yield Row(
            "tasks", name, gpus, "us", specification, COST_FLAGS, cost_of(tasks), raw,
            floors.get(gpus), None, f"CUDASTF {rivals[gpus]}" if gpus in rivals else "", spread_of,
        )  # fmt: skip
    if gpus == 1:
        chain = f"serial:steps=30000,overlap=shared,block=8,first=out,{place}"
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
            f"pingpong:between={between},rounds={rounds},block={mib * MIB},first=out,{EMPTY}",
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
    # The first three follow the critical path, the others run what has its data there first.
    early = ["--write-back", "early"]
    for name, tiles, tile, flags in (
        ("lru", 32, 1024, ["--evict", "lru", *early]),
        ("next_use", 32, 1024, ["--evict", "next_use", *early]),
        ("next_use, tiles of 2048", 16, 2048, ["--evict", "next_use", *early]),
        ("fewest missing", 16, 2048,
         ["--evict", "next_use", "--order", "fewest_missing:look=1024", *early]),
        ("fewest missing, cheapest", 16, 2048,
         ["--evict", "cheapest", "--order", "fewest_missing:look=1024"]),
    ):  # fmt: skip
        matrix = tiles * (tiles + 1) // 2 * tile * tile * 8
        yield Row(
            "large", f"Cholesky, N = {tiles * tile}, a quarter fits, {name}", gpus, "GFLOP/s",
            cholesky_specification(tiles, tile, gpus, "inverse", "host"),
            ["--limit", f"gpu={matrix // 4}", "--mapper", "block_cyclic", *flags,
             "--verify", "--predict", "--repeat", "2", *machine],
            best_rate_of((tiles * tile) ** 3 / 3), "dgemm_sustained",
            note_of=lambda summary: transfer_note(summary, rates),
        )  # fmt: skip


def transfer_times(moved: dict[str, float], rates: dict[str, float]) -> dict[str, float]:
    """Seconds that plain copies would need for what went over each route, and for what went over each
    GPU's link with the host in both directions, which share some of it."""
    times: dict[str, float] = {}
    both_ways: dict[str, float] = {}
    for route, count in moved.items():
        source, target = route.split("->")
        name = (
            "host_to_gpu" if source == "host" else "gpu_to_host" if target == "host"
            else "peer_one_way"
        )  # fmt: skip
        rate = rates.get(f"{name}_256MiB")
        if source == target or not rate:
            continue
        times[route] = 1e-9 * count / rate
        if name != "peer_one_way":
            link = f"host and {target if source == 'host' else source}, both ways,"
            both_ways[link] = both_ways.get(link, 0.0) + count
    if rate := rates.get("host_both_ways_256MiB"):
        times |= {link: 1e-9 * count / rate for link, count in both_ways.items()}
    return times


def transfer_note(summary: Summary, rates: dict[str, float]) -> str:
    """The longest of those times beside the makespan of the same run and what the simulator says."""
    makespan = summary["makespan_ns"] * 1e-9
    times = transfer_times(summary["bytes_copied"], rates)
    notes = [verified_text(summary)]
    if times:
        route = max(times, key=lambda name: times[name])
        notes.append(
            f"{makespan:.3f} s, {makespan / times[route]:.2f} x the {times[route]:.3f} s that "
            f"{route} would need for the bytes that it moved"
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
