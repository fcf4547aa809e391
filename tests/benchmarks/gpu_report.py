"""The results of gpu.py as a table in Markdown and as JSON."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gpu_rows import PARTS, Row


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
    lines = [
        "# Speed on GPUs",
        "",
        f"{when}; {len(gpus)} GPUs: {'; '.join(sorted(set(gpus)))}.",
        "",
    ]
    for part in PARTS:
        of_part = [row for row in rows if row.part == part]
        if not of_part:
            continue
        lines += [
            f"## {TITLES[part]}", "",
            "| what | GPUs | ours | plain CUDA | ours / CUDA | floor | goal | others, 2026-11-21, same "
            "kind of machine | remarks |",
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
        lines += [
            f"| {r['name']} | {r['gpus']} | {figure(r['value'])} | {r['unit']} |" for r in raws
        ]
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
