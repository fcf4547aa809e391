"""Runs and comparisons as plain data: what load.py returns and the pictures draw."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

REASONS = ("fetch", "prefetch", "write_back", "home_hop", "at_end")
MSI_STATES = ("INVALID", "SHARED", "MODIFIED")

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Space:
    """A memory space. capacity: bytes, None when the summary does not say."""

    name: str
    capacity: int | None
    is_host: bool


@dataclass(frozen=True)
class Device:
    """A device; slots: tasks of one vcu that it runs at a time."""

    name: str
    slots: int


@dataclass(frozen=True)
class Route:
    """How bytes go between two spaces. bytes_per_s: uncontended rate, None when not stated."""

    source: str
    target: str
    engines: tuple[str, ...]
    bytes_per_s: float | None


@dataclass(frozen=True)
class Tasks:
    """One row for each task and device it ran on. Arrays: (n_rows,); times in ns."""

    names: list[str]
    device: IntArray  # index into Run.devices
    start: IntArray
    end: IntArray


@dataclass(frozen=True)
class Copies:
    """Arrays: (n_copies,); times in ns, sizes in bytes."""

    regions: list[str]
    source: IntArray  # index into Run.spaces
    target: IntArray
    bytes: IntArray
    start: IntArray
    end: IntArray
    reasons: list[str]  # each one of REASONS


@dataclass(frozen=True)
class Residency:
    """Bytes of allocated replicas in a space from a time on. Arrays: (n_samples,), by time."""

    space: IntArray  # index into Run.spaces
    time: IntArray
    bytes: IntArray


@dataclass(frozen=True)
class StateChanges:
    """MSI state of an array in a space from a time on. Arrays: (n_changes,), by time."""

    arrays: list[str]
    space: IntArray  # index into Run.spaces
    states: list[str]  # each one of MSI_STATES
    share: FloatArray  # of the array's elements valid there, 0 to 1
    time: IntArray


@dataclass(frozen=True)
class Run:
    """One run summary. What a summary left out is None."""

    path: str
    workload: str
    machine: str
    mode: str
    policies: dict[str, str]
    makespan: int  # ns
    bounds: dict[str, int]  # ns, by name
    busy: dict[str, float]  # share of the makespan, by device name
    bytes_copied: dict[str, int]  # by "from->to"
    spaces: list[Space]
    devices: list[Device]
    routes: dict[tuple[str, str], Route] = field(default_factory=dict)
    tasks: Tasks | None = None
    copies: Copies | None = None
    residency: Residency | None = None
    states: StateChanges | None = None

    @property
    def bound(self) -> int:
        """The largest lower bound of the makespan in ns; 0 when there is none."""
        return max(self.bounds.values(), default=0)


@dataclass(frozen=True)
class PredictedRun:
    """A run for real and what the simulator said of it. Makespans in ns."""

    measured: Run
    predicted: int
    retimed: int  # predicted with the measured duration of every task
    simulated: Run | None  # row by row; None when the summary is a brief one


@dataclass(frozen=True)
class Spread:
    """Makespans of repetitions, ns."""

    least: int
    first_quartile: int
    median: int
    third_quartile: int
    most: int


@dataclass(frozen=True)
class ComparisonRow:
    """One policy choice on one workload and machine; `error` in place of figures when it failed."""

    workload: str
    machine: str
    policies: dict[str, str]
    makespan: int  # ns
    bound: int  # ns
    bytes_by_kind: dict[str, int]
    busy: dict[str, float]
    error: str | None = None
    spread: Spread | None = None  # of repetitions; makespan is then their median
    gpu_bytes: int | None = None  # memory of a GPU, where it is varied
