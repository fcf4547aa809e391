"""Reads run summaries (`parley sim --summary`) and comparisons (`parley compare --json`).

Everything a picture needs, as plain dataclasses and numpy arrays; names become indices here, once.
Whatever is wrong with a file is a LoadError that says where, what was found and what would help.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Iterable, Sequence

import numpy as np

from runs import (
    MSI_STATES, REASONS, ComparisonRow, Copies, Device, IntArray, PredictedRun, Residency, Route,
    Run, Space, Spread, StateChanges, Tasks,
)  # fmt: skip

SUMMARY_VERSION = 1
COMPARISON_VERSION = 1


class LoadError(Exception):
    """A file that cannot be drawn; the message starts with the file's name."""


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sorts gpu2 before gpu10, and host names first."""
    parts = re.findall(r"\d+|\D+", name)
    key = [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts]
    return [(0, 0, "")] * is_host_name(name) + key


def is_host_name(name: str) -> bool:
    """Whether a name is a host space's or a CPU's by custom; for files without a layout."""
    return name.split(".")[-1].startswith(("host", "cpu"))


def load_run(path: str | Path) -> Run:
    """A run summary. Fails with LoadError."""
    return _SummaryReader(str(path), _read_document(path, "parley-summary", SUMMARY_VERSION)).run()


def load_predicted_run(path: str | Path) -> PredictedRun:
    """A run for real with its prediction. Fails with LoadError."""
    document = _read_document(path, "parley-summary", SUMMARY_VERSION)
    prediction = document.get("prediction")
    if not isinstance(prediction, dict):
        raise LoadError(f"{path}: no prediction; write the summary with parley exec --predict")
    times = {}
    for key in ("makespan_ns", "retimed_makespan_ns"):
        times[key] = prediction.get(key)
        if not isinstance(times[key], int) or times[key] < 0:
            raise LoadError(f"{path}: prediction.{key}: expected integer nanoseconds")
    simulated = prediction.get("simulated")
    if simulated is not None and not isinstance(simulated, dict):
        raise LoadError(f"{path}: prediction.simulated: expected an object")
    return PredictedRun(
        measured=_SummaryReader(str(path), document).run(),
        predicted=times["makespan_ns"],
        retimed=times["retimed_makespan_ns"],
        # The same program, machine and policies: all else is as in the measured run.
        simulated=None
        if simulated is None
        else _SummaryReader(str(path), {**document, **simulated, "mode": "sim"}).run(),
    )


PREDICTION_COLUMNS = (
    "workload", "devices", "policies", "measured_ns", "predicted_ns", "timed_ns", "retimed_ns",
    "fault",
)  # fmt: skip


def load_predictions(path: str | Path) -> list[PredictedRun]:
    """Real runs with their predictions: a summary of `parley exec --predict`, or all rows that ran
    of a table of `parley predict --csv`. Fails with LoadError."""
    if Path(path).suffix != ".csv":
        return [load_predicted_run(path)]
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LoadError(f"{path}: {error}") from error
    missing = [name for name in PREDICTION_COLUMNS if rows and name not in rows[0]]
    if not rows or missing:
        raise LoadError(f"{path}: no table of parley predict --csv")
    runs = []
    for number, row in enumerate(rows, start=2):
        if row["fault"]:
            continue
        try:
            times = {key: int(row[key]) for key in PREDICTION_COLUMNS if key.endswith("_ns")}
        except (TypeError, ValueError) as error:
            raise LoadError(f"{path}: line {number}: expected integer nanoseconds") from error
        gpus = f"{row['devices']} GPU" + ("" if row["devices"] == "1" else "s")
        measured = Run(
            path=str(path), workload=row.get("name") or row["workload"], machine=gpus, mode="exec",
            policies={"policies": row["policies"]}, makespan=times["measured_ns"], bounds={},
            busy={}, bytes_copied={}, spaces=[], devices=[],
        )  # fmt: skip
        # Durations are those of the timed run, which may have taken longer for being timed.
        scale = times["measured_ns"] / max(times["timed_ns"], 1)
        runs.append(
            PredictedRun(measured, times["predicted_ns"], round(times["retimed_ns"] * scale), None)
        )
    if not runs:
        raise LoadError(f"{path}: no row with figures")
    return runs


def is_comparison(path: str | Path) -> bool:
    """Whether the file says that it is a comparison; what cannot be read is none."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and document.get("format") == "parley-comparison"


def load_comparison(path: str | Path) -> list[ComparisonRow]:
    """The rows of a comparison, in file order. Fails with LoadError."""
    document = _read_document(path, "parley-comparison", COMPARISON_VERSION)
    rows = document.get("rows")
    if not isinstance(rows, list) or not rows:
        raise LoadError(f"{path}: rows: expected a list with at least one row")
    spreads = _spreads(str(path), document.get("settings", []))
    found = [_comparison_row(str(path), i, row) for i, row in enumerate(rows)]
    return _without_repetitions(rows, found, spreads)


def _setting(row: dict[str, Any]) -> str:
    """What the repetitions of one setting have in common."""
    return json.dumps([row.get(key) for key in ("workload", "machine", "gpu_bytes", "policies", "window")])


def _spreads(path: str, settings: Any) -> dict[str, Spread]:
    """Of the settings that ran more than once."""
    try:
        return {
            _setting(setting): Spread(**{k: int(v) for k, v in setting["makespan_ns"].items()})
            for setting in settings
            if setting["runs"] > 1
        }
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise LoadError(f"{path}: settings: {wrong!r}") from wrong


def _without_repetitions(
    rows: Sequence[dict[str, Any]], found: Sequence[ComparisonRow], spreads: dict[str, Spread]
) -> list[ComparisonRow]:
    """The first row that succeeded of each repeated setting, with the median and the lowest bound
    of all."""
    kept = []
    drawn: set[str] = set()
    bounds: dict[str, int] = {}
    for row, one in zip(rows, found):
        if not one.error:
            bounds[_setting(row)] = min(one.bound, bounds.get(_setting(row), one.bound))
    for row, one in zip(rows, found):
        setting = _setting(row)
        spread = None if one.error else spreads.get(setting)
        if spread is None:
            kept.append(one)
        elif setting not in drawn:
            drawn.add(setting)
            repeated = replace(one, makespan=spread.median, bound=bounds[setting], spread=spread)
            kept.append(repeated)
    return kept


def _read_document(path: str | Path, expected_format: str, newest: int) -> dict[str, Any]:
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise LoadError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LoadError(f"{path}: not a text file ({error.reason})") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise LoadError(f"{path}: not valid JSON: {error.msg} at {where}") from error
    except RecursionError as error:
        raise LoadError(f"{path}: nested too deeply for a {expected_format} file") from error
    found = document.get("format") if isinstance(document, dict) else type(document).__name__
    if found != expected_format:
        raise LoadError(f"{path}: format: expected {expected_format!r}, found {found!r}")
    version = document.get("version")
    if version != newest:
        raise LoadError(f"{path}: version: this reader knows {newest}, found {version!r}")
    return document


def _comparison_row(path: str, index: int, row: Any) -> ComparisonRow:
    where = f"{path}: rows[{index}]"
    if not isinstance(row, dict):
        raise LoadError(f"{where}: expected an object, found {row!r}")
    error = row.get("error")
    try:
        return ComparisonRow(
            workload=str(row["workload"]),
            machine=str(row["machine"]),
            policies={k: str(v) for k, v in row["policies"].items()},
            makespan=0 if error else int(row["makespan_ns"]),
            bound=0 if error else int(row.get("bound_ns", 0)),
            bytes_by_kind={k: int(v) for k, v in row.get("bytes_by_kind", {}).items()},
            busy={k: float(v) for k, v in row.get("busy", {}).items()},
            error=None if error is None else str(error),
            gpu_bytes=int(row["gpu_bytes"]) if "gpu_bytes" in row else None,
        )
    except KeyError as missing:
        raise LoadError(f"{where}: key {missing} is missing") from missing
    except (TypeError, ValueError, AttributeError) as wrong:
        raise LoadError(f"{where}: {wrong}") from wrong


class _SummaryReader:
    """Turns one summary document into a Run; holds what the error messages need."""

    def __init__(self, path: str, document: dict[str, Any]) -> None:
        self.path = path
        self.document = document
        self.space_index: dict[str, int] = {}
        self.device_index: dict[str, int] = {}

    def run(self) -> Run:
        spaces, devices, routes = self._layout()
        self.space_index = {space.name: i for i, space in enumerate(spaces)}
        self.device_index = {device.name: i for i, device in enumerate(devices)}
        return Run(
            path=self.path,
            workload=str(self.document.get("workload", "")),
            machine=str(self.document.get("machine", "")),
            mode=str(self.document.get("mode", "sim")),
            policies={k: str(v) for k, v in self._mapping("policies", str).items()},
            makespan=self._makespan(),
            bounds=self._mapping("bounds_ns", int),
            busy=self._mapping("busy", float),
            bytes_copied=self._mapping("bytes_copied", int),
            spaces=spaces,
            devices=devices,
            routes=routes,
            tasks=self._tasks(),
            copies=self._copies(),
            residency=self._residency(),
            states=self._states(),
        )

    def _fail(self, where: str, message: str) -> LoadError:
        return LoadError(f"{self.path}: {where}: {message}")

    def _makespan(self) -> int:
        value = self.document.get("makespan_ns")
        if not isinstance(value, int) or value < 0:
            raise self._fail("makespan_ns", f"expected integer nanoseconds, found {value!r}")
        return value

    def _mapping(self, key: str, convert: Callable[[Any], Any]) -> dict[str, Any]:
        value = self.document.get(key, {})
        if not isinstance(value, dict):
            raise self._fail(key, f"expected an object, found {value!r}")
        try:
            return {name: convert(item) for name, item in value.items()}
        except (TypeError, ValueError) as error:
            raise self._fail(key, str(error)) from error

    def _rows(self, key: str, columns: Sequence[str]) -> list[list[Any]] | None:
        """The rows of a table, each checked for its number of columns; None when absent."""
        rows = self.document.get(key)
        if rows is None:
            return None
        if not isinstance(rows, list):
            raise self._fail(key, f"expected a list, found {type(rows).__name__}")
        for i, row in enumerate(rows):
            if not isinstance(row, list) or len(row) != len(columns):
                expected = "[" + ", ".join(columns) + "]"
                raise self._fail(f"{key}[{i}]", f"expected {expected}, found {json.dumps(row)}")
        return rows

    def _numbers(self, key: str, rows: list[list[Any]], column: int) -> IntArray:
        """One column as integers, shape (n_rows,)."""
        for i, row in enumerate(rows):
            if type(row[column]) is not int:
                where = f"{key}[{i}][{column}]"
                raise self._fail(where, f"expected an integer, found {row[column]!r}")
        return np.array([row[column] for row in rows], dtype=np.int64)

    def _indices(
        self, key: str, rows: list[list[Any]], column: int, index: dict[str, int]
    ) -> IntArray:
        """One column of names as indices, shape (n_rows,)."""
        out = np.empty(len(rows), dtype=np.int64)
        for i, row in enumerate(rows):
            if not isinstance(row[column], str) or row[column] not in index:
                known = ", ".join(index)
                raise self._fail(
                    f"{key}[{i}][{column}]", f"unknown name {row[column]!r}; known: {known}"
                )
            out[i] = index[row[column]]
        return out

    def _words(self, key: str, words: list[Any], allowed: Iterable[str]) -> list[str]:
        for i, word in enumerate(words):
            if word not in allowed:
                choices = ", ".join(allowed)
                raise self._fail(f"{key}[{i}]", f"expected one of {choices}, found {word!r}")
        return words

    def _layout(self) -> tuple[list[Space], list[Device], dict[tuple[str, str], Route]]:
        layout = self.document.get("layout")
        if layout is None:
            return self._layout_from_names()
        try:
            spaces = [
                Space(s["name"], int(s["bytes"]) if s.get("bytes") else None, bool(s["host"]))
                for s in layout["spaces"]
            ]
            devices = [Device(d["name"], int(d.get("slots", 1))) for d in layout["devices"]]
            routes = {
                (r["from"], r["to"]): Route(
                    r["from"], r["to"], tuple(r.get("engines", ())), r.get("bytes_per_s") or None
                )
                for r in layout.get("routes", [])
            }
        except KeyError as missing:
            raise self._fail("layout", f"key {missing} is missing") from missing
        except (TypeError, ValueError, AttributeError) as wrong:
            raise self._fail("layout", str(wrong)) from wrong
        return spaces, devices, routes

    def _layout_from_names(self) -> tuple[list[Space], list[Device], dict[tuple[str, str], Route]]:
        """Spaces and devices by the names that occur; no capacities, no routes."""
        space_names = set(self._mapping("peak_bytes", int))
        for pair in self._mapping("bytes_copied", int):
            space_names.update(pair.split("->"))
        for row in self._rows("copy_list", _COPY_COLUMNS) or []:
            space_names.update((str(row[1]), str(row[2])))
        for key, column in (("residency", 0), ("states", 1)):
            space_names.update(str(r[column]) for r in self.document.get(key) or [])
        device_names = set(self._mapping("busy", float))
        for row in self._rows("tasks", _TASK_COLUMNS) or []:
            device_names.update(_device_names(row[1]))
        spaces = [Space(n, None, is_host_name(n)) for n in sorted(space_names, key=natural_key)]
        return spaces, [Device(n, 1) for n in sorted(device_names, key=natural_key)], {}

    def _tasks(self) -> Tasks | None:
        rows = self._rows("tasks", _TASK_COLUMNS)
        if rows is None:
            return None
        single = [[row[0], name, *row[2:]] for row in rows for name in _device_names(row[1])]
        return Tasks(
            names=[str(row[0]) for row in single],
            device=self._indices("tasks", single, 1, self.device_index),
            start=self._numbers("tasks", single, 2),
            end=self._numbers("tasks", single, 3),
        )

    def _copies(self) -> Copies | None:
        key = "copy_list"
        rows = self._rows(key, _COPY_COLUMNS)
        if rows is None:
            return None
        return Copies(
            regions=[str(row[0]) for row in rows],
            source=self._indices(key, rows, 1, self.space_index),
            target=self._indices(key, rows, 2, self.space_index),
            bytes=self._numbers(key, rows, 3),
            start=self._numbers(key, rows, 4),
            end=self._numbers(key, rows, 5),
            reasons=self._reasons(len(rows)),
        )

    def _reasons(self, count: int) -> list[str]:
        """Why each copy was made, parallel to the rows of copy_list."""
        reasons = self.document.get("copy_reasons")
        if reasons is None:
            return ["fetch"] * count
        if not isinstance(reasons, list) or len(reasons) != count:
            raise self._fail("copy_reasons", f"expected a list of {count}, one for each copy")
        return self._words("copy_reasons", reasons, REASONS)

    def _residency(self) -> Residency | None:
        key = "residency"
        rows = self._rows(key, ("space", "time_ns", "bytes"))
        if rows is None:
            return None
        return Residency(
            space=self._indices(key, rows, 0, self.space_index),
            time=self._numbers(key, rows, 1),
            bytes=self._numbers(key, rows, 2),
        )

    def _states(self) -> StateChanges | None:
        key = "states"
        rows = self._rows(key, ("array", "space", "state", "share", "time_ns"))
        if rows is None:
            return None
        return StateChanges(
            arrays=[str(row[0]) for row in rows],
            space=self._indices(key, rows, 1, self.space_index),
            states=self._words(key, [row[2] for row in rows], MSI_STATES),
            share=np.array([float(row[3]) for row in rows]),
            time=self._numbers(key, rows, 4),
        )


_TASK_COLUMNS = ("name", "device", "start_ns", "end_ns")
_COPY_COLUMNS = ("region", "from", "to", "bytes", "start_ns", "end_ns")


def _device_names(cell: Any) -> list[str]:
    """A task on a group of devices names them as "gpu:0+gpu:1"."""
    return str(cell).split("+")
