"""Summaries and comparisons are read in full, and whatever is wrong is said with its place."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import synthetic
from load import LoadError, load_comparison, load_run, natural_key


class LoadTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "run.json"

    def refusal(self, document: object, load=load_run) -> str:
        """The message with which a document is refused."""
        synthetic.write(self.path, document)
        with self.assertRaises(LoadError) as caught:
            load(self.path)
        self.assertTrue(str(caught.exception).startswith(str(self.path)))
        return str(caught.exception)

    def test_a_summary_becomes_arrays_in_row_order(self) -> None:
        document = synthetic.summary(50)
        run = load_run(synthetic.write(self.path, document))
        self.assertEqual(run.makespan, document["makespan_ns"])
        self.assertEqual(run.bound, document["bounds_ns"]["work"])
        self.assertEqual([d.name for d in run.devices], ["cpu", "gpu:0", "gpu:1", "gpu:2", "gpu:3"])
        assert run.tasks is not None and run.copies is not None
        self.assertEqual(len(run.tasks.names), 50)
        for i, (name, device, start, end) in enumerate(document["tasks"]):
            self.assertEqual(run.tasks.names[i], name)
            self.assertEqual(run.devices[run.tasks.device[i]].name, device)
            self.assertEqual((run.tasks.start[i], run.tasks.end[i]), (start, end))
        for i, (_, source, target, count, _, _) in enumerate(document["copy_list"]):
            self.assertEqual(run.spaces[run.copies.source[i]].name, source)
            self.assertEqual(run.spaces[run.copies.target[i]].name, target)
            self.assertEqual(run.copies.bytes[i], count)
        self.assertEqual(run.copies.reasons, document["copy_reasons"])

    def test_a_task_on_a_group_has_a_row_for_each_device(self) -> None:
        document = synthetic.summary(4)
        document["tasks"] = [["both[0]", "gpu:1+gpu:3", 5, 9]]
        run = load_run(synthetic.write(self.path, document))
        assert run.tasks is not None
        self.assertEqual(run.tasks.names, ["both[0]", "both[0]"])
        self.assertEqual([run.devices[d].name for d in run.tasks.device], ["gpu:1", "gpu:3"])

    def test_without_layout_and_reasons_the_names_that_occur_are_enough(self) -> None:
        document = synthetic.summary(50)
        del document["layout"]
        del document["copy_reasons"]
        run = load_run(synthetic.write(self.path, document))
        self.assertEqual([s.name for s in run.spaces], ["host", "gpu0", "gpu1", "gpu2", "gpu3"])
        self.assertEqual([s.is_host for s in run.spaces], [True] + [False] * 4)
        assert run.copies is not None
        self.assertEqual(set(run.copies.reasons), {"fetch"})

    def test_a_brief_summary_has_no_tables(self) -> None:
        document = synthetic.summary(4)
        del document["tasks"], document["copy_list"]
        run = load_run(synthetic.write(self.path, document))
        self.assertIsNone(run.tasks)
        self.assertIsNone(run.copies)

    def test_names_sort_by_their_numbers_and_hosts_first(self) -> None:
        names = ["gpu10", "gpu2", "node1.gpu0", "host", "node0.host", "gpu0"]
        self.assertEqual(
            sorted(names, key=natural_key),
            ["host", "node0.host", "gpu0", "gpu2", "gpu10", "node1.gpu0"],
        )

    def test_faults_of_a_document_name_the_place(self) -> None:
        cases = [
            ("format", "parley-comparison", "format: expected 'parley-summary'"),
            ("version", 2, "version: this reader knows 1, found 2"),
            ("makespan_ns", 1.5, "makespan_ns: expected integer nanoseconds, found 1.5"),
            ("makespan_ns", -1, "makespan_ns: expected integer nanoseconds, found -1"),
            ("busy", [1], "busy: expected an object"),
            ("bounds_ns", {"work": "much"}, "bounds_ns: "),
            ("tasks", {"a": 1}, "tasks: expected a list, found dict"),
            ("tasks", [["a", "gpu:0", 0]], "tasks[0]: expected [name, device, start_ns, end_ns]"),
            ("tasks", [["a", "gpu:7", 0, 1]], "tasks[0][1]: unknown name 'gpu:7'; known: cpu"),
            ("tasks", [["a", "gpu:0", 0, 1.5]], "tasks[0][3]: expected an integer, found 1.5"),
            ("copy_list", [["A", "host", "gpu9", 1, 0, 1]], "copy_list[0][2]: unknown name 'gpu9'"),
            ("copy_list", [["A", "host", "gpu0", 1, 0]], "copy_list[0]: expected [region, from"),
            ("copy_reasons", ["fetch"] * 99, "copy_reasons: expected a list of"),
            ("copy_reasons", ["why"], "copy_reasons[0]: expected one of fetch, prefetch"),
            ("states", [["A", "gpu0", "OWNED", 1, 0]], "states[0]: expected one of INVALID"),
            ("layout", {"spaces": [{"bytes": 1}]}, "layout: key 'name' is missing"),
        ]
        for key, value, message in cases:
            with self.subTest(key=key, value=value):
                self.assertIn(message, self.refusal({**synthetic.summary(4), key: value}))

    def test_files_that_are_no_documents_are_refused(self) -> None:
        with self.assertRaisesRegex(LoadError, "No such file"):
            load_run(self.path)
        cases = [
            (b'{"format": ', "not valid JSON: .* at line 1"),
            (b"\xff\xfe\x00", "not a text file"),
            (b"[]", "expected 'parley-summary', found 'list'"),
            (b"[" * 100_000, "nested too deeply"),
        ]
        for text, message in cases:
            with self.subTest(message=message):
                self.path.write_bytes(text)
                with self.assertRaisesRegex(LoadError, message):
                    load_run(self.path)

    def test_comparisons_keep_their_rows_and_their_failures(self) -> None:
        document = synthetic.comparison(("round_robin", "parla"))
        document["rows"][1] = {
            "workload": "w", "machine": "m", "policies": {"mapper": "parla"}, "error": "no room",
        }  # fmt: skip
        rows = load_comparison(synthetic.write(self.path, document))
        self.assertEqual(rows[0].makespan, 100_000_000)
        self.assertEqual(rows[0].bytes_by_kind["host->device"], 5 << 30)
        self.assertIsNone(rows[0].error)
        self.assertEqual(rows[1].error, "no room")

    def test_repetitions_become_one_row_with_their_spread(self) -> None:
        document = synthetic.repeated_comparison()
        rows = load_comparison(synthetic.write(self.path, document))
        self.assertEqual([row.policies["mapper"] for row in rows], ["round_robin", "parla"])
        self.assertEqual([row.makespan for row in rows], [120_000_000, 110_000_000])
        self.assertEqual(rows[0].bound, 79_000_000)
        spread = rows[0].spread
        assert spread is not None
        self.assertEqual((spread.least, spread.most), (100_000_000, 140_000_000))
        self.assertIsNone(rows[1].spread)
        del document["settings"][0]["makespan_ns"]["median"]
        self.assertIn("settings: ", self.refusal(document, load_comparison))

    def test_faults_of_comparisons_name_the_row(self) -> None:
        document = synthetic.comparison()
        del document["rows"][1]["makespan_ns"]
        message = self.refusal(document, load_comparison)
        self.assertIn("rows[1]: key 'makespan_ns' is missing", message)
        self.assertIn("at least one row", self.refusal({**document, "rows": []}, load_comparison))


if __name__ == "__main__":
    unittest.main()
