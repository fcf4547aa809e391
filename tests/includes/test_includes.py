"""Includes run one way, and every rule is seen to catch a file that breaks it."""

from __future__ import annotations

import unittest
from pathlib import Path, PurePosixPath

import rules

ROOT = Path(__file__).resolve().parents[2]
TREE = {"core/base/ids.h", "sim/simulator.h", "exec/kernel_registry.h", "workloads/workload.h"}


def faults(path: str, text: str) -> list[str]:
    return rules.faults_of(PurePosixPath(path), text, TREE)


class IncludesTest(unittest.TestCase):
    def test_the_tree_obeys(self) -> None:
        count, found = rules.faults_of_tree(ROOT)
        self.assertGreater(count, 50)
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_what_the_layers_allow_passes(self) -> None:
        for path, text in (
            (
                "cli/main.cpp",
                '#include "sim/simulator.h"\n#include <CLI/CLI.hpp>\n#include <chrono>',
            ),
            ("sim/a.h", '#pragma once\n#include "core/base/ids.h"\n#include <vector>'),
            ("core/graph/g.cpp", "#include <boost/graph/adjacency_list.hpp>"),
            ("workloads/f.cpp", "#include <nlohmann/json.hpp>"),
            ("workloads/examples/e.cpp", '#include "sim/simulator.h"\n#include <iostream>'),
            ("exec/cuda/c.cpp", "#include <cuda_runtime.h>"),
            ("exec/cuda/c.h", "#pragma once\n#include <cublas_v2.h>"),
        ):
            self.assertEqual(faults(path, text), [])

    def test_what_they_forbid_is_found(self) -> None:
        for path, text, message in (
            ("core/a.cpp", '#include "sim/simulator.h"', "core must not include sim"),
            ("sim/a.cpp", '#include "workloads/workload.h"', "sim must not include workloads"),
            ("sim/a.cpp", '#  include "exec/kernel_registry.h"', "sim must not include exec"),
            ("workloads/a.cpp", '#include "sim/simulator.h"', "workloads must not include sim"),
            ("exec/a.cpp", '#include "sim/simulator.h"', "exec must not include sim"),
            ("core/a.cpp", '#include "core/gone.h"', "no such header"),
            ("core/a.cpp", '#include "ids.h"', "no such header"),
            ("cli/a.cpp", "#include <core/base/ids.h>", "with quotes"),
            ("core/a.cpp", "#include <chrono>", "core must not include <chrono>"),
            ("core/a.cpp", "#include <random>", "core must not include <random>"),
            ("sim/a.cpp", "#include <iostream>", "sim must not include <iostream>"),
            ("core/a.cpp", "#include <nlohmann/json.hpp>", "does not belong in core"),
            ("workloads/a.cpp", "#include <CLI/CLI.hpp>", "does not belong in workloads"),
            ("sim/a.cpp", "#include <boost/graph/a.hpp>", "does not belong in sim"),
            ("core/a.cpp", "#include <cuda_runtime.h>", "does not belong outside exec/cuda"),
            ("exec/a.cpp", "#include <cublas_v2.h>", "does not belong outside exec/cuda"),
            ("exec/cuda/a.cuh", "", "#pragma once is missing"),
            ("exec/a.cpp", "#include <doctest/doctest.h>", "does not belong in exec"),
            ("cli/a.h", "#pragma once\n#include <CLI/CLI.hpp>", "stays in sources"),
            ("core/a.h", "#pragma once\n#include <boost/a.hpp>", "stays in sources"),
            ("sim/a.cpp", 'auto x = std::getenv("X");', "read in cli only"),
            ("sim/a.h", "", "#pragma once is missing"),
        ):
            found = faults(path, text)
            self.assertEqual(len(found), 1, (path, text, found))
            self.assertIn(message, found[0])


if __name__ == "__main__":
    unittest.main()
