"""The command: whole files come out, and wrong input is told with exit code 2."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import synthetic

PLOT = Path(__file__).resolve().parents[2] / "analysis" / "plot.py"


class CommandTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        document = synthetic.with_states(synthetic.with_residency(synthetic.summary(50)))
        self.run_file = synthetic.write(self.folder / "run.json", document)
        predicted = synthetic.with_prediction(synthetic.summary(50))
        self.predicted = synthetic.write(self.folder / "predicted.json", predicted)
        self.comparison = synthetic.write(self.folder / "comparison.json", synthetic.comparison())

    def plot(self, *words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(PLOT), *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_every_kind_writes_whole_png_and_svg_files(self) -> None:
        sources = {"compare": self.comparison, "sim_vs_real": self.predicted}
        for kind in ("gantt", "states", "memory", "traffic", "compare", "sim_vs_real"):
            source = sources.get(kind, self.run_file)
            for suffix in ("png", "svg"):
                target = self.folder / "new" / f"{kind}.{suffix}"
                done = self.plot(kind, source, "-o", target)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stdout.strip(), str(target))
                self.check_whole(target)

    def test_a_figure_that_cannot_be_written_leaves_nothing_and_what_was_there(self) -> None:
        target = self.folder / "there.png"
        target.mkdir()  # nothing can be renamed to it
        (target / "kept").write_text("kept", encoding="utf-8")
        before = sorted(self.folder.iterdir())
        done = self.plot("gantt", self.run_file, "-o", target)
        self.assertEqual(done.returncode, 4)
        self.assertIn(str(target), done.stderr)
        self.assertEqual(sorted(self.folder.iterdir()), before)

    def check_whole(self, path: Path) -> None:
        if path.suffix == ".svg":
            root = ElementTree.parse(path).getroot()
            self.assertTrue(root.tag.endswith("svg"))
            self.assertGreater(len(list(root.iter("{http://www.w3.org/2000/svg}text"))), 5)
            return
        content = path.read_bytes()
        self.assertTrue(content.startswith(b"\x89PNG\r\n\x1a\n"))
        self.assertTrue(content.endswith(b"IEND\xaeB`\x82"))
        self.assertGreater(len(content), 10_000)

    def test_fifty_thousand_tasks_make_small_whole_files(self) -> None:
        many = synthetic.write(self.folder / "many.json", synthetic.summary(50_000))
        for suffix in ("png", "svg"):
            target = self.folder / f"many.{suffix}"
            self.assertEqual(self.plot("gantt", many, "-o", target).returncode, 0)
            self.check_whole(target)
            self.assertLess(target.stat().st_size, 2_000_000)

    def test_equal_data_gives_equal_files(self) -> None:
        for suffix in ("png", "svg"):
            first, second = self.folder / f"a.{suffix}", self.folder / f"b.{suffix}"
            self.plot("gantt", self.run_file, "-o", first)
            self.plot("gantt", self.run_file, "-o", second)
            self.assertEqual(first.read_bytes(), second.read_bytes())

    def test_wrong_input_is_told_with_exit_code_2(self) -> None:
        figure = self.folder / "x.png"
        cases = [
            (("gantt", self.folder / "none.json", "-o", figure), "No such file"),
            (("gantt", self.comparison, "-o", figure), "expected 'parley-summary'"),
            (("compare", self.run_file, "-o", figure), "expected 'parley-comparison'"),
            (("gantt", self.run_file, "-o", self.folder / "x.txt"), "expected a name ending in"),
            (("states", self.run_file, "--arrays", "Z", "-o", figure), "no array 'Z'"),
            (("gantt", self.run_file, "--from-ns", "9", "--to-ns", "3", "-o", figure), "from < to"),
            (("sim_vs_real", self.run_file, "-o", figure), "parley exec --predict"),
            (("pie", self.run_file, "-o", figure), "invalid choice: 'pie'"),
        ]
        for words, message in cases:
            done = self.plot(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(message, done.stderr)
            self.assertNotIn("Traceback", done.stderr)
            self.assertFalse(figure.exists())

    def test_a_figure_that_cannot_be_written_is_exit_code_4(self) -> None:
        done = self.plot("gantt", self.run_file, "-o", self.run_file / "figure.png")
        self.assertEqual(done.returncode, 4)
        self.assertNotIn("Traceback", done.stderr)


if __name__ == "__main__":
    unittest.main()
