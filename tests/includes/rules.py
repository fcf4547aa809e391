"""Which file may include what: the one-way layers of the tree, and where libraries may appear.

cli -> sim, exec, workloads -> core; sim, exec and workloads never include each other. A library
stays in the sources of its layer, so that no header of ours makes others compile it. The core takes
time, input and randomness through its interface only, so it includes nothing that could read them.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

LAYERS = {
    "core": {"core"},
    "sim": {"sim", "core"},
    "exec": {"exec", "core"},
    "workloads": {"workloads", "core"},
    "workloads/examples": {"workloads", "sim", "exec", "core"},  # programs of a user
    "cli": {"cli", "sim", "exec", "workloads", "core"},
}
# Library, by how its includes begin, to the layers whose sources may use it.
LIBRARIES = {
    "nlohmann/": {"workloads", "cli"},
    "CLI/": {"cli"},
    "boost/": {"core"},
    "doctest/": set(),
    "benchmark/": set(),
}
# CUDA's headers, in headers too, are for one folder alone: builds without CUDA leave it out.
CUDA_HEADER = re.compile(r"(cuda|cublas|cusolver|nvrtc|nvtx)")
CUDA_FOLDER = "exec/cuda/"
# Standard headers through which the outside world would reach a layer that must not see it.
WORLD = {
    # A mutex may guard what a machine remembers: runs on several threads share one.
    "core": {"chrono", "ctime", "thread", "future", "condition_variable",
             "fstream", "filesystem", "iostream", "cstdio", "random"},
    "sim": {"chrono", "ctime", "thread", "fstream", "filesystem", "iostream", "cstdio"},
    "exec": {"iostream"},
    "workloads": {"chrono", "ctime", "thread", "iostream"},
    "workloads/examples": set(),
    "cli": set(),
}  # fmt: skip
SUFFIXES = (".h", ".cpp", ".cuh", ".cu")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
ENVIRONMENT = re.compile(r"\b(?:secure_)?getenv\s*\(")


def layer_of(path: PurePosixPath) -> str:
    """The layer of a source file, by its path in the tree."""
    top = path.parts[0]
    return "workloads/examples" if path.parts[:2] == ("workloads", "examples") else top


def faults_of(path: PurePosixPath, text: str, tree: set[str]) -> list[str]:
    """What a file does against the rules, each as "path: fault". tree: paths of all own headers."""
    layer = layer_of(path)
    faults = []
    for delimiter, name in INCLUDE.findall(text):
        first = name.split("/")[0]
        if delimiter == '"':
            if first in LAYERS and first not in LAYERS[layer]:
                faults.append(f"{layer} must not include {first}: {name}")
            elif name not in tree:
                faults.append(f'no such header in the tree: "{name}"')
            continue
        if first in LAYERS:
            faults.append(f"own headers are included with quotes: <{name}>")
        if name in WORLD[layer]:
            faults.append(f"{layer} must not include <{name}>")
        if CUDA_HEADER.match(name) and not str(path).startswith(CUDA_FOLDER):
            faults.append(f"<{name}> does not belong outside {CUDA_FOLDER}")
        for library, users in LIBRARIES.items():
            if name.startswith(library) and layer not in users:
                faults.append(f"<{name}> does not belong in {layer}")
            elif name.startswith(library) and path.suffix == ".h":
                faults.append(f"<{name}> stays in sources")
    if layer != "cli" and ENVIRONMENT.search(text):
        faults.append("environment variables are read in cli only")
    if path.suffix in (".h", ".cuh") and "#pragma once" not in text:
        faults.append("#pragma once is missing")
    return [f"{path}: {fault}" for fault in faults]


def faults_of_tree(root: Path) -> tuple[int, list[str]]:
    """The number of files read, and the faults of all of them."""
    folders = sorted({layer.split("/")[0] for layer in LAYERS})
    files = [
        p for f in folders for p in sorted((root / f).rglob("*")) if p.suffix in SUFFIXES
    ]
    relative = {path: PurePosixPath(path.relative_to(root).as_posix()) for path in files}
    tree = {str(path) for path in relative.values()}
    faults = []
    for path, short in relative.items():
        faults += faults_of(short, path.read_text(encoding="utf-8"), tree)
    return len(files), faults
