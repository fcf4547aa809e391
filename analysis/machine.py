"""The picture of a machine: its memory spaces, what joins them, and how fast.

One node is drawn in full, beside at most three others; of more nodes that look alike only the first.
From the top: networks, host memory, whatever several devices share on their way to it (switches, root
complexes), the devices' memories, links between these. Figures are GB/s (1e9 bytes) of one large copy;
what several copies share is in italics.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from load import LoadError
from style import QUIET, TEXT, device_colour, format_bytes, ink_on, new_figure

MOST_NODES, MOST_DEVICES = 4, 8
SPACE_WIDTH, GAP = 1.25, 0.3
DEVICE_Y, SWITCH_Y, ROW, HEIGHT = 1.5, 3.0, 0.75, 0.62
PEER = "#009988"
TO_HOST = "#0077BB"
NETWORK = "#AA4499"


@dataclass
class Route:
    source: str
    target: str
    rate: float  # bytes/s; 0: not limited
    latency: float  # ns
    kind: str
    via: list[tuple[str, float]]  # resource, weight


@dataclass
class Machine:
    name: str
    spaces: list[dict]
    routes: dict[tuple[str, str], Route]
    resources: dict[str, float]
    fabrics: list[dict]
    devices: dict[str, list[dict]] = field(default_factory=dict)  # by space


def load_machine(path: str) -> Machine:
    """A machine file in the long form, as `parley convert` writes it."""
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except (OSError, ValueError) as error:
        raise LoadError(f"{path}: {error}") from error
    is_machine = isinstance(data, dict) and data.get("format") == "parley-machine"
    if not is_machine or "routes" not in data:
        raise LoadError(f"{path}: no machine file in the long form; parley convert writes it")
    resources = {r["name"]: r["bytes_per_s"] for r in data["resources"]}
    routes = {}
    for row in data["routes"]:
        if "relay" in row:
            continue
        via = [(v["resource"], v.get("weight", 1.0)) for v in row["via"]]
        route = Route(row["from"], row["to"], _rate(row, via, resources), _latency(row),
                      row.get("kind", "link"), via)  # fmt: skip
        routes[route.source, route.target] = route
    devices: dict[str, list[dict]] = {}
    for device in data["devices"]:
        devices.setdefault(device["space"], []).append(device)
    return Machine(data["name"], data["spaces"], routes, resources, data.get("fabrics", []), devices)


def _rate(row: dict, via: Sequence[tuple[str, float]], resources: dict[str, float]) -> float:
    limits = [resources[name] / weight for name, weight in via]
    if row.get("curve"):
        (small, early), (large, late) = row["curve"][-2:]
        if late > early:
            limits.append((large - small) * 1e9 / (late - early))
    elif row.get("bytes_per_s"):
        limits.append(row["bytes_per_s"])
    return min(limits, default=0.0)


def _latency(row: dict) -> float:
    return row["curve"][0][1] if row.get("curve") else row.get("latency_ns", 0)


def draw_machine(machine: Machine) -> Axes:
    """The whole picture, on axes of its own."""
    nodes = _nodes(machine)
    shown = _shown(machine, nodes)
    widths = [max(len(node.devices), 2) * (SPACE_WIDTH + GAP) + 0.5 for node in shown]
    peers = [_peer_depth(machine, node) for node in shown]
    width, bottom = sum(widths), DEVICE_Y - 0.15 - max(peers, default=0.0)
    host_y = SWITCH_Y + ROW * max(len(_switch_rows(machine, node)) for node in shown)
    top = host_y + HEIGHT + (1.07 if _joined(machine) else 0.05)
    height = (top - bottom) * 0.95 + 0.65
    figure = new_figure(max(7.0, width * 0.95 + 0.2), height)
    axes = figure.add_axes((0.01, 0.01, 0.98, 1 - 0.65 / height))
    axes.set_xlim(0, width)
    axes.set_ylim(bottom, top)
    axes.axis("off")
    left = 0.0
    for node, node_width in zip(shown, widths):
        _draw_node(axes, machine, node, left, node_width, host_y)
        left += node_width
    _draw_networks(axes, machine, shown, width, host_y)
    figure.suptitle(_title(machine, nodes, shown), x=0.02, y=1 - 0.08 / height, va="top", ha="left",
                    fontsize=10, color=TEXT)  # fmt: skip
    return axes


# ---- what is drawn ----


@dataclass
class Node:
    name: str
    host: str
    devices: list[str]
    places: dict[str, float] = field(default_factory=dict)  # centre of each space


def _nodes(machine: Machine) -> list[Node]:
    nodes: dict[str, Node] = {}
    for space in machine.spaces:
        node = nodes.setdefault(space.get("node", ""), Node(space.get("node", ""), "", []))
        if space.get("host", space["name"] == "host"):
            node.host = space["name"]
        else:
            node.devices.append(space["name"])
    return list(nodes.values())


def _shown(machine: Machine, nodes: list[Node]) -> list[Node]:
    devices = sum(len(node.devices) for node in nodes[:MOST_NODES])
    few = len(nodes) <= MOST_NODES and devices <= MOST_DEVICES
    return nodes if few else nodes[:1]


def _title(machine: Machine, nodes: list[Node], shown: list[Node]) -> str:
    some = f", one of {len(nodes)} nodes" if len(shown) < len(nodes) else ""
    return (f"{machine.name}{some}\nGB/s of one large copy, from the host / to it; "
            "italics: limits that several share")  # fmt: skip


def _gb(rate: float) -> str:
    return "∞" if rate <= 0 else f"{rate / 1e9:.3g}"


def _both_ways(down: float, up: float) -> str:
    return _gb(down) if _gb(down) == _gb(up) else f"{_gb(down)} / {_gb(up)}"


def _draw_node(
    axes: Axes, machine: Machine, node: Node, left: float, width: float, host_y: float
) -> None:
    step = SPACE_WIDTH + GAP
    used = len(node.devices) * step - GAP
    start = left + (width - used) / 2 + SPACE_WIDTH / 2
    node.places = {name: start + i * step for i, name in enumerate(node.devices)}
    node.places[node.host] = left + width / 2
    _draw_host(axes, machine, node, left, width, host_y)
    for name in node.devices:
        _draw_to_host(axes, machine, node, name, host_y)
    _draw_switches(axes, machine, node)
    for name in node.devices:
        space = next(s for s in machine.spaces if s["name"] == name)
        colour = device_colour(name)
        text = f"{name}\n{format_bytes(space['bytes'])}"
        _box(axes, node.places[name], DEVICE_Y, SPACE_WIDTH, text, colour)
    _draw_peers(axes, machine, node)


def _draw_host(
    axes: Axes, machine: Machine, node: Node, left: float, width: float, host_y: float
) -> None:
    space = next(s for s in machine.spaces if s["name"] == node.host)
    text = f"{node.host}  {format_bytes(space['bytes'])}"
    note = ""
    common = _limits(machine, node, lambda users: len(users) == len(node.devices) > 1)
    if common:
        parts = [f"{name.removeprefix(node.host + '.')} {_gb(machine.resources[name])}"
                 for name in sorted(common)]  # fmt: skip
        note = "memory: " + ", ".join(parts)
    _box(axes, left + width / 2, host_y, width - 0.6, text, "#555555", note=note)


def _limits(machine: Machine, node: Node, wanted) -> dict[str, list[str]]:
    """Resources on the ways between host and devices, with the devices that use them."""
    users: dict[str, list[str]] = {}
    for device in node.devices:
        for pair in ((node.host, device), (device, node.host)):
            route = machine.routes.get(pair)
            for name, _ in route.via if route else ():
                if device not in users.setdefault(name, []):
                    users[name].append(device)
    return {name: devices for name, devices in users.items() if wanted(devices)}


def _draw_to_host(
    axes: Axes, machine: Machine, node: Node, device: str, host_y: float
) -> None:
    down = machine.routes.get((node.host, device))
    up = machine.routes.get((device, node.host))
    if down is None or up is None:
        return
    x = node.places[device]
    axes.plot([x, x], [DEVICE_Y + HEIGHT, host_y], color=TO_HOST, lw=2.2, zorder=1)
    axes.text(x + 0.06, DEVICE_Y + HEIGHT + 0.2, f"{down.kind}\n{_both_ways(down.rate, up.rate)}",
              fontsize=7.5, color=TO_HOST, va="bottom", ha="left", linespacing=1.1)  # fmt: skip
    own = _limits(machine, node, lambda users: users == [device])
    joint = [name for name in own if len([p for p in ((node.host, device), (device, node.host))
                                          if name in dict(machine.routes[p].via)]) == 2]  # fmt: skip
    if joint:
        axes.text(x - 0.06, DEVICE_Y + HEIGHT + 0.2, f"both\n{_gb(machine.resources[joint[0]])}",
                  fontsize=7.5, style="italic", color=QUIET, va="bottom", ha="right",
                  linespacing=1.1)  # fmt: skip


def _switches(machine: Machine, node: Node) -> dict[tuple[str, ...], list[str]]:
    """By the devices below them, in the machine's order: resources that some but not all share."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, users in _limits(machine, node, lambda u: 1 < len(u) < len(node.devices)).items():
        groups.setdefault(tuple(users), []).append(name)
    return groups


def _switch_rows(machine: Machine, node: Node) -> list[int]:
    """Sizes of groups: a row each, wider groups nearer to the host."""
    return sorted({len(users) for users in _switches(machine, node)})


def _draw_switches(axes: Axes, machine: Machine, node: Node) -> None:
    rows = _switch_rows(machine, node)
    for users, names in _switches(machine, node).items():
        xs = [node.places[user] for user in users]
        stem = names[0].rsplit(".", 1)[0].removeprefix(node.host + ".")
        parts = [f"{name.rsplit('.', 1)[-1]} {_gb(machine.resources[name])}" for name in names]
        _box(axes, sum(xs) / len(xs), SWITCH_Y + ROW * rows.index(len(users)),
             max(xs) - min(xs) + SPACE_WIDTH, f"{stem}: " + ", ".join(parts), "#DDDDDD",
             height=0.4, style="italic")  # fmt: skip


# ---- between devices ----


def _peers(machine: Machine, node: Node) -> list[tuple[int, int, Route]]:
    return [
        (i, j, machine.routes[a, b])
        for i, a in enumerate(node.devices)
        for j, b in enumerate(node.devices)
        if i < j and (a, b) in machine.routes
    ]


def _is_uniform(machine: Machine, node: Node) -> bool:
    peers = _peers(machine, node)
    count = len(node.devices)
    return len(peers) == count * (count - 1) // 2 > 1 and len({_gb(r.rate) for *_, r in peers}) == 1


def _peer_depth(machine: Machine, node: Node) -> float:
    """How far down links between devices reach, below the devices."""
    peers = _peers(machine, node)
    if not peers:
        return 0.0
    return 1.0 if _is_uniform(machine, node) else 0.45 * max(j - i for i, j, _ in peers) + 0.1


def _draw_peers(axes: Axes, machine: Machine, node: Node) -> None:
    peers = _peers(machine, node)
    if not peers:
        return
    if _is_uniform(machine, node):
        _draw_crossbar(axes, machine, node, peers[0][2])
        return
    fastest = max(route.rate for *_, route in peers)
    for i, j, route in peers:
        a, b = node.places[node.devices[i]], node.places[node.devices[j]]
        depth = 0.45 * (j - i)
        share = route.rate / fastest if fastest > 0 else 1.0
        xs = [a + (b - a) * t / 40 for t in range(41)]
        ys = [DEVICE_Y - 4 * depth * (t / 40) * (1 - t / 40) for t in range(41)]
        axes.plot(xs, ys, color=PEER, lw=0.8 + 2.4 * share, alpha=0.35 + 0.6 * share, zorder=1)
        axes.text((a + b) / 2, DEVICE_Y - depth, _gb(route.rate), fontsize=7, color=PEER,
                  ha="center", va="center",
                  bbox={"fc": "white", "ec": "none", "pad": 0.6})  # fmt: skip
    kinds = sorted({route.kind for *_, route in peers})
    axes.text(node.places[node.devices[0]] - SPACE_WIDTH / 2, DEVICE_Y - 0.28, ", ".join(kinds),
              fontsize=8, color=PEER, va="top")  # fmt: skip


def _draw_crossbar(axes: Axes, machine: Machine, node: Node, route: Route) -> None:
    """Every two devices alike: a bar that all hang on."""
    xs = [node.places[name] for name in node.devices]
    for x in xs:
        axes.plot([x, x], [DEVICE_Y - 0.5, DEVICE_Y], color=PEER, lw=2.2, zorder=1)
    ports = [f"{name.split('.', 1)[-1]} {_gb(machine.resources[name])}"
             for name, weight in route.via if weight == 1.0 and "." in name]  # fmt: skip
    _box(axes, sum(xs) / len(xs), DEVICE_Y - 1.0, xs[-1] - xs[0] + SPACE_WIDTH,
         f"{route.kind}, every two: {_gb(route.rate)}", PEER, note=", ".join(dict.fromkeys(ports)))  # fmt: skip


# ---- between nodes ----


def _joined(machine: Machine) -> bool:
    return bool(machine.fabrics) or len(_nodes(machine)) > 1


def _draw_networks(
    axes: Axes, machine: Machine, shown: Sequence[Node], width: float, host_y: float
) -> None:
    if not _joined(machine):
        return
    text, ports = _network_text(machine), _port_text(machine)
    for node in shown:
        x = node.places[node.host]
        axes.plot([x, x], [host_y + HEIGHT, host_y + HEIGHT + 0.35], color=NETWORK, lw=2.2, zorder=1)
    _box(axes, width / 2, host_y + HEIGHT + 0.35, width - 0.6, text, NETWORK, note=ports,
         height=HEIGHT if ports else 0.4)  # fmt: skip


def _network_text(machine: Machine) -> str:
    parts = []
    for fabric in machine.fabrics:
        rate = _gb(fabric.get("bytes_per_s", 0.0))
        text = f"{fabric.get('kind', 'network')}: {rate} a copy, {fabric['latency_ns'] / 1e3:g} µs"
        hosts = {s["name"] for s in machine.spaces if s.get("host", s["name"] == "host")}
        gpus = [m for m in fabric["members"] if m["space"] not in hosts]
        if gpus:
            text += "; GPUs " + ("through host memory" if gpus[0]["engines_out"] else "directly")
        for level in fabric["levels"]:
            text += f"; {len(level['groups'])} × {_gb(machine.resources[level['groups'][0][0]])} up"
        parts.append(text)
    if not parts:
        hosts = [node.host for node in _nodes(machine)]
        route = machine.routes.get((hosts[0], hosts[1]))
        if route:
            parts.append(f"{route.kind}: {_gb(route.rate)} a copy, {route.latency / 1e3:g} µs")
    return "   ".join(parts)


def _port_text(machine: Machine) -> str:
    """What the first host and the first GPU have as ports to the network, and no other way uses."""
    inner = {name for route in machine.routes.values() for name, _ in route.via}
    hosts = {s["name"] for s in machine.spaces if s.get("host", s["name"] == "host")}
    parts, known = [], set()
    for fabric in machine.fabrics:
        for of_hosts, whose in ((True, "a node's"), (False, "a GPU's")):
            members = [m for m in fabric["members"] if (m["space"] in hosts) == of_hosts]
            names = [via["resource"] for via in members[0]["out"] + members[0]["in"]] if members else []
            ports = [name for name in dict.fromkeys(names) if name not in inner | known]
            known.update(ports)
            if ports:
                parts.append(f"{whose} {_rates_text(machine, ports)}")
    if not machine.fabrics:
        first, second = (node.host for node in _nodes(machine)[:2])
        route = machine.routes.get((first, second))
        if route and route.kind == "network" and route.via:
            parts.append(f"a node's {_rates_text(machine, [name for name, _ in route.via])}")
    return "; ".join(parts)


def _rates_text(machine: Machine, names: Sequence[str]) -> str:
    return ", ".join(f"{name.rsplit('.', 1)[-1]} {_gb(machine.resources[name])}" for name in names)


def _box(axes: Axes, x: float, y: float, width: float, text: str, colour: str, *,
         height: float = HEIGHT, style: str = "normal", note: str = "") -> None:  # fmt: skip
    """A rounded box with its lower edge at y; `note` is a second line, in italics."""
    patch = FancyBboxPatch((x - width / 2, y), width, height,
                           boxstyle="round,pad=0,rounding_size=0.08", fc=colour, ec="none",
                           zorder=2)  # fmt: skip
    axes.add_patch(patch)
    middle = y + height / 2
    for line, where, slant in ((text, middle + (0.13 if note else 0), style),
                               (note, middle - 0.15, "italic")):  # fmt: skip
        axes.text(x, where, line, ha="center", va="center", fontsize=8.5, style=slant,
                  color=ink_on(colour), zorder=3, linespacing=1.3)  # fmt: skip
