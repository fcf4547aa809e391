"""Machines: what is drawn is what the file says, and big ones are drawn by one of their nodes."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path

import synthetic  # noqa: F401  (puts analysis/ on the path)
from load import LoadError
from machine import Machine, draw_machine, load_machine


def document(nodes: int, devices: int, *, switch: bool = False, peers: bool = False) -> dict:
    """`nodes` hosts with `devices` GPUs each, 50 GB/s to them and 25 back."""
    spaces, routes = [], []
    resources = [{"name": "up", "bytes_per_s": 4e10}] if switch else []
    for node in range(nodes):
        host = f"host{node}"
        spaces.append({"name": host, "bytes": 2**30, "node": f"n{node}", "host": True})
        gpus = [f"gpu{node * devices + i}" for i in range(devices)]
        spaces += [{"name": gpu, "bytes": 2**30, "node": f"n{node}"} for gpu in gpus]
        for i, gpu in enumerate(gpus):
            via = [{"resource": "up", "weight": 1.0}] if switch and i < 2 else []
            routes.append({"from": host, "to": gpu, "via": via, "kind": "pcie",
                           "curve": [[0, 100], [50000, 1100]]})  # fmt: skip
            routes.append({"from": gpu, "to": host, "via": via, "kind": "pcie",
                           "latency_ns": 5, "bytes_per_s": 2.5e10})  # fmt: skip
        if peers:
            routes.append({"from": gpus[0], "to": gpus[2], "via": [], "kind": "nvlink",
                           "latency_ns": 5, "bytes_per_s": 9e10})  # fmt: skip
    return {"format": "parley-machine", "version": 1, "name": "m", "spaces": spaces,
            "devices": [], "resources": resources, "engines": [], "routes": routes}  # fmt: skip


def load(content: object) -> Machine:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return load_machine(str(path))


def words(content: dict) -> list[str]:
    return [text.get_text() for text in draw_machine(load(content)).texts if text.get_text()]


class MachineTest(unittest.TestCase):
    def test_every_space_and_the_rates_of_its_link_are_shown(self) -> None:
        shown = words(document(1, 3))
        for name in ("host0  1 GiB", "gpu0\n1 GiB", "gpu1\n1 GiB", "gpu2\n1 GiB"):
            self.assertIn(name, shown)
        self.assertEqual(shown.count("pcie\n50 / 25"), 3)  # the curve's last slope; the stated rate

    def test_what_some_devices_share_is_a_box_and_lowers_their_rates(self) -> None:
        shown = words(document(1, 3, switch=True))
        self.assertIn("up: up 40", shown)
        self.assertEqual(shown.count("pcie\n40 / 25"), 2)
        self.assertEqual(shown.count("pcie\n50 / 25"), 1)

    def test_links_between_two_devices_carry_their_rate(self) -> None:
        shown = words(document(1, 3, peers=True))
        self.assertIn("90", shown)
        self.assertIn("nvlink", shown)

    def test_few_small_nodes_are_all_drawn_and_many_by_the_first(self) -> None:
        self.assertIn("gpu3\n1 GiB", words(document(2, 2)))
        content = document(20, 2)
        content["fabrics"] = [{"name": "f", "kind": "network", "latency_ns": 2000,
                               "bytes_per_s": 1e10, "levels": [], "members": []}]  # fmt: skip
        axes = draw_machine(load(content))
        shown = [text.get_text() for text in axes.texts]
        self.assertNotIn("gpu3\n1 GiB", shown)
        self.assertIn("network: 10 a copy, 2 µs", shown)
        titles = [text.get_text() for text in axes.figure.texts]
        self.assertTrue(any("one of 20 nodes" in title for title in titles), titles)

    def test_ports_to_a_network_are_shown_but_not_what_leads_to_host_memory_too(self) -> None:
        content = document(2, 2, switch=True)
        ports = {"h.nic_out": 3e10, "h.nic_in": 2e10, "g.nic_out": 1e10}
        content["resources"] += [{"name": n, "bytes_per_s": r} for n, r in ports.items()]

        def member(space: str, out: list[str], into: list[str]) -> dict:
            return {"space": space, "engines_out": [], "out": [{"resource": n} for n in out],
                    "in": [{"resource": n} for n in into]}  # fmt: skip

        content["fabrics"] = [{"name": "f", "latency_ns": 2000, "levels": [], "members": [
            member("host0", ["h.nic_out"], ["h.nic_in"]), member("gpu0", ["up", "g.nic_out"], []),
            member("host1", ["h.nic_out"], ["h.nic_in"])]}]  # fmt: skip
        self.assertIn("a node's nic_out 30, nic_in 20; a GPU's nic_out 10", words(content))
        del content["fabrics"]
        content["routes"].append({"from": "host0", "to": "host1", "kind": "network",
                                  "via": [{"resource": "h.nic_out"}], "latency_ns": 0})  # fmt: skip
        self.assertIn("a node's nic_out 30", words(content))
        content["routes"][-1]["kind"] = "socket"  # joins two, and is nobody's port
        self.assertNotIn("a node's nic_out 30", words(content))

    def test_what_is_no_machine_in_the_long_form_is_refused(self) -> None:
        for content in ([], {"format": "parley-summary"}, {"format": "parley-machine"}):
            with self.assertRaises(LoadError):
                load(content)


if __name__ == "__main__":
    unittest.main()
