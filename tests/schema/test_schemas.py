"""The JSON Schemas are valid, accept every shipped file, and refuse what they are there to refuse."""

import copy
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

try:
    import jsonschema
    from jsonschema import Draft202012Validator
except ImportError:
    jsonschema = None
try:
    from referencing import Registry, Resource
except ImportError:  # before jsonschema 4.18, as in Debian 12 and Ubuntu 24.04
    Registry = None

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "workloads" / "schema"


def read(path: pathlib.Path):
    return json.loads(path.read_text(encoding="utf-8"))


def validator_of(schema, schemas):
    """A validator of one schema that finds the others by name."""
    if Registry is None:
        resolver = jsonschema.RefResolver.from_schema(schema, store=schemas)
        return Draft202012Validator(schema, resolver=resolver)
    named = [(name, Resource.from_contents(other)) for name, other in schemas.items()]
    return Draft202012Validator(schema, registry=Registry().with_resources(named))


@unittest.skipIf(jsonschema is None, "the Python package jsonschema is not installed")
class Schemas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        schemas = {path.name: read(path) for path in sorted(SCHEMAS.glob("*.schema.json"))}
        cls.schemas = schemas
        cls.validators = {
            name.removesuffix(".schema.json"): validator_of(schema, schemas)
            for name, schema in schemas.items()
        }

    def faults(self, kind, data):
        return [f"{list(e.path)}: {e.message[:200]}" for e in self.validators[kind].iter_errors(data)]

    def test_the_schemas_themselves_are_valid(self):
        self.assertLessEqual({"workload", "machine", "summary", "journal"}, set(self.validators))
        for name, schema in self.schemas.items():
            with self.subTest(name):
                Draft202012Validator.check_schema(schema)

    def test_every_shipped_file_is_accepted(self):
        count = 0
        for path in sorted((ROOT / "workloads").rglob("*.json")):
            if path.parent == SCHEMAS:
                continue
            data = read(path)
            with self.subTest(str(path.relative_to(ROOT))):
                self.assertEqual(self.faults(data["format"].removeprefix("parley-"), data), [])
            count += 1
        self.assertGreater(count, 10)

    def test_the_fault_tables_entries_of_the_wrong_form_are_refused(self):
        workload = {"format": "parley-workload", "version": 1, "tasks": []}
        wrong = [
            {"tasks": {}},
            {"version": 2},
            {"dependencies": "explict"},
            {"task": []},
            {"arrays": [{"name": "A"}]},
            {"arrays": [{"name": "A", "shape": [-1]}]},
            {"arrays": [{"name": "A", "bytes": 5, "shape": [5]}]},
            {"arrays": [{"name": "A", "shape": [2], "init": {"fill": 1, "random": 3}}]},
            {"tasks": [{"in": "A"}]},
            {"tasks": [{"in": [{"region": "A", "commutative": True}]}]},
            {"tasks": [{"vcus": -1}]},
            {"tasks": [{"placement": []}]},
            {"tasks": [{"placement": {"on": "gpu", "group": ["gpu:0"]}}]},
            {"tasks": [{"cost": {"ns": 1, "flops": 2}}]},
            {"tasks": [{"cost": {"gpu": {}}}]},
            {"tasks": [{"kernel": {"value": 1}}]},
            {"tasks": [{"evict": "A"}]},
            {"tasks": [{"repeat": 2}]},
            {"tasks": [{"accesses": [], "in": []}]},
        ]
        self.assertEqual(self.faults("workload", workload), [])
        for change in wrong:
            with self.subTest(change):
                self.assertNotEqual(self.faults("workload", workload | change), [])

    def test_what_a_run_writes_is_accepted(self):
        binary = os.environ.get("PARLEY_BINARY")
        if not binary:
            self.skipTest("PARLEY_BINARY does not say where parley is")
        with tempfile.TemporaryDirectory() as folder:
            summary, journal = (pathlib.Path(folder) / name for name in ("s.json", "j.jsonl"))
            subprocess.run(
                [binary, "sim", str(ROOT / "workloads/examples/groups.json"), "--machine", "h200x4",
                 "--summary", str(summary), "--journal", str(journal), "--timing",
                 "--noise", "normal:sigma=0.1", "--copy-noise", "normal:sigma=0.1", "--as-executed",
                 "--host-slowdown", "1.5"],
                check=True, capture_output=True,
            )
            self.assertEqual(self.faults("summary", read(summary)), [])
            rows = pathlib.Path(folder) / "rows.json"
            subprocess.run(
                [binary, "compare", str(ROOT / "workloads/examples/groups.json"), "--machine",
                 "h200x4", "--json", str(rows), "--noise", "normal:sigma=0.1", "--as-executed",
                 "--host-slowdown", "1.5"],
                check=True, capture_output=True,
            )
            self.assertEqual(self.faults("comparison", read(rows)), [])
            damaged = copy.deepcopy(read(summary))
            del damaged["makespan_ns"]
            self.assertNotEqual(self.faults("summary", damaged), [])
            lines = journal.read_text(encoding="utf-8").splitlines()
            self.assertGreater(len(lines), 4)
            for number, line in enumerate(lines, start=1):
                with self.subTest(line=number):
                    self.assertEqual(self.faults("journal", json.loads(line)), [])


if __name__ == "__main__":
    unittest.main()
