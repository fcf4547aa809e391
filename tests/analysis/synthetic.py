"""Run summaries and comparisons made up for the tests: every figure in them is known."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "analysis"))

FAMILIES = ("potrf", "trsm", "syrk", "gemm", "gemm", "gemm", "gemm", "gemm")
DURATION_NS = {"potrf": 400_000, "trsm": 300_000, "syrk": 250_000, "gemm": 340_000}
TILE_BYTES = 2048 * 2048 * 8


def summary(task_count: int, mapper: str = "earliest_finish", gpus: int = 4) -> dict[str, Any]:
    """A run in which every GPU alternates tasks and short gaps, with a copy for every second task
    or so. No lane overlaps itself, and the busy shares are exact."""
    rng = random.Random(task_count)  # a fixed seed: the same run every time
    spaces = [{"name": "host", "bytes": 512 << 30, "host": True}]
    devices = [{"name": "cpu", "class": "cpu", "space": "host", "slots": 8}]
    routes = []
    for g in range(gpus):
        spaces.append({"name": f"gpu{g}", "bytes": 8 << 30, "host": False})
        devices.append({"name": f"gpu:{g}", "class": "gpu", "space": f"gpu{g}", "slots": 1})
        routes.append(_route("host", f"gpu{g}", f"gpu{g}.from_host", 54e9))
        routes.append(_route(f"gpu{g}", "host", f"gpu{g}.to_host", 54e9))
        for other in range(gpus):
            if other != g:
                routes.append(_route(f"gpu{g}", f"gpu{other}", f"gpu{g}.peer_out", 390e9))
    tasks, copies, clock = [], [], [0] * gpus
    engine_free: dict[str, int] = {}
    for i in range(task_count):
        g = i % gpus
        family = rng.choice(FAMILIES)
        start = clock[g] + rng.choice((0, 0, 20_000, 150_000))
        end = start + DURATION_NS[family] + rng.randrange(10_000)
        clock[g] = end
        tasks.append([f"{family}[{i // 64}, {i % 64}]", f"gpu:{g}", start, end])
        if rng.randrange(2):
            copies.append(_copy(rng, engine_free, g, gpus, i, start))
    makespan = max(*clock, *engine_free.values())
    busy = {f"gpu:{g}": _busy(tasks, f"gpu:{g}") / makespan for g in range(gpus)}
    return {
        "format": "parley-summary", "version": 1, "workload": f"synthetic:{task_count}",
        "machine": "h200x4", "mode": "sim", "seed": 1, "makespan_ns": makespan,
        "policies": {"mapper": mapper, "order": "bottom_level", "evict": "lru"},
        "bounds_ns": {"critical_path": makespan // 3, "work": makespan * 9 // 10, "transfer": 10},
        "bytes_copied": {}, "copies": len(copies), "busy": {"cpu": 0.0, **busy},
        "layout": {"spaces": spaces, "devices": devices, "routes": routes},
        "tasks": tasks, "copy_list": [row[:6] for row in copies],
        "copy_reasons": [row[6] for row in copies],
    }  # fmt: skip


def with_residency(document: dict[str, Any]) -> dict[str, Any]:
    """The same run with sawtooth residency on every GPU, up to 7 GiB of 8."""
    end = document["makespan_ns"]
    names = [s["name"] for s in document["layout"]["spaces"][1:]]
    document["residency"] = [
        [name, end * step // 40, (step * 7 % 29) * (1 << 28)]
        for step in range(40)
        for name in names
    ]
    return document


def with_states(document: dict[str, Any]) -> dict[str, Any]:
    """The same run with two arrays: A shared, then modified on gpu1; B valid by halves on gpu0."""
    end = document["makespan_ns"]
    document["states"] = [
        ["A", "host", "MODIFIED", 1.0, 0],
        ["B", "host", "MODIFIED", 1.0, 0],
        ["A", "host", "SHARED", 1.0, end // 5],
        ["A", "gpu1", "SHARED", 1.0, end // 5],
        ["B", "gpu0", "SHARED", 0.5, end // 4],
        ["A", "host", "INVALID", 0.0, end // 2],
        ["A", "gpu1", "MODIFIED", 1.0, end // 2],
    ]
    return document


def with_prediction(document: dict[str, Any], with_rows: bool = True) -> dict[str, Any]:
    """The same run as if for real, predicted 25 % too short and, retimed, exactly; the simulated
    run's tasks take half their time."""
    makespan = document["makespan_ns"]
    document["mode"] = "exec"
    document["prediction"] = {
        "makespan_ns": makespan * 3 // 4, "error": -0.25, "retimed_makespan_ns": makespan,
        "retimed_error": 0.0, "classes": {}, "bytes": {},
    }  # fmt: skip
    if with_rows:
        document["prediction"]["simulated"] = {
            "makespan_ns": makespan * 3 // 4, "busy": document["busy"],
            "tasks": [[n, d, s // 2, e // 2] for n, d, s, e in document["tasks"]],
            "copy_list": [], "copy_reasons": [],
        }  # fmt: skip
    return document


def comparison(
    mappers: tuple[str, ...] = ("round_robin", "parla", "earliest_finish")
) -> dict[str, Any]:
    """One workload under some mappers; the i-th takes 100 + 10 i ms against a bound of 80 ms."""
    rows = []
    for i, mapper in enumerate(mappers):
        rows.append(
            {
                "workload": "cholesky:tiles=32,tile=2048", "machine": "h200x4",
                "policies": {"mapper": mapper, "order": "bottom_level"},
                "makespan_ns": 100_000_000 + 10_000_000 * i, "bound_ns": 80_000_000,
                "bytes_by_kind": {
                    "host->device": 5 << 30, "device->device": (10 + i) << 30,
                    "device->host": 1 << 30, "local": 0, "write-back": 0,
                },
                "copies": 100, "evictions": 0,
                "busy": {f"gpu:{g}": 0.8 - 0.1 * g for g in range(4)},
            }
        )  # fmt: skip
    return {"format": "parley-comparison", "version": 1, "rows": rows}


def repeated_comparison() -> dict[str, Any]:
    """round_robin five times, 100 to 140 ms, with bounds of 80 ms and once 79; parla once."""
    document = comparison(("round_robin", "parla"))
    first, other = document["rows"]
    repeated = [{**first, "seed": i + 1, "makespan_ns": first["makespan_ns"] + 10_000_000 * i}
                for i in range(5)]  # fmt: skip
    repeated[3]["bound_ns"] = 79_000_000
    document["rows"] = [*repeated, other]
    keys = ("least", "first_quartile", "median", "third_quartile", "most")
    times = {key: 100_000_000 + 10_000_000 * i for i, key in enumerate(keys)}
    setting = {key: first[key] for key in ("workload", "machine", "policies")}
    alone = {**{key: other[key] for key in setting}, "runs": 1,
             "makespan_ns": dict.fromkeys(keys, other["makespan_ns"])}  # fmt: skip
    document["settings"] = [{**setting, "runs": 5, "makespan_ns": times}, alone]
    return document


def write(path: Path, document: dict[str, Any]) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _route(source: str, target: str, engine: str, rate: float) -> dict[str, Any]:
    return {"from": source, "to": target, "engines": [engine], "bytes_per_s": rate}


def _copy(
    rng: random.Random, engine_free: dict[str, int], g: int, gpus: int, i: int, before: int
) -> list[Any]:
    """A tile on its way to gpu g, or back to the host, at the route's rate."""
    way = rng.choice(("from_host", "peer", "peer", "peer", "to_host", "write_back"))
    source, target, engine, rate, reason = {
        "from_host": ("host", f"gpu{g}", f"gpu{g}.from_host", 54e9, "fetch"),
        "peer": (f"gpu{g}", f"gpu{(g + 1) % gpus}", f"gpu{g}.peer_out", 390e9, "prefetch"),
        "to_host": (f"gpu{g}", "host", f"gpu{g}.to_host", 54e9, "at_end"),
        "write_back": (f"gpu{g}", "host", f"gpu{g}.to_host", 54e9, "write_back"),
    }[way]
    duration = round(TILE_BYTES / rate * 1e9)
    start = max(engine_free.get(engine, 0), before - 2 * duration, 0)
    engine_free[engine] = start + duration
    return [f"A[{i}]", source, target, TILE_BYTES, start, start + duration, reason]


def _busy(tasks: list[list[Any]], device: str) -> int:
    return sum(task[3] - task[2] for task in tasks if task[1] == device)
