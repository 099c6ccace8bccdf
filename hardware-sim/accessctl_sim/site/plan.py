"""The file of a site, read into values. Everything that it could have wrong is said before any device starts.

The README describes the format. Paths in the file are relative to the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from accessctl_sim.deskreader.rdm6300 import NotACard, frame
from accessctl_sim.faults import UnknownFault, parse_fault
from accessctl_sim.push.config import PushConfig
from accessctl_sim.zk.config import TerminalConfig

T = TypeVar("T")
C = TypeVar("C", TerminalConfig, PushConfig)
KINDS = ("zk-terminal", "desk-reader", "push-controller")
SITE_VERBS = frozenset({"walk", "out", "leave", "card", "finger", "people", "devices", "step", "script"})


class BadSite(ValueError):
    """The file does not describe a building; the sentence says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePlan:
    """One device: a terminal or a controller with its set-up, or a desk reader with its link."""

    id: str
    kind: str
    door: str = ""
    terminal: TerminalConfig | None = None
    controller: PushConfig | None = None
    link: Path | None = None
    state: Path | None = None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who walks through the building. `card` is what the desk reader reads, ten hexadecimal digits."""

    id: str
    name: str
    card: str = ""
    number: str = ""
    on: tuple[str, ...] = ()

    @property
    def card_number(self) -> int:
        """What a terminal reads off the same card: the four number bytes."""
        return int.from_bytes(bytes.fromhex(self.card)[1:], "big") if self.card else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the script, and how many seconds after the start it is due at speed 1."""

    due_s: float
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePlan:
    """The whole file."""

    name: str
    devices: tuple[DevicePlan, ...]
    people: Mapping[str, Person]
    steps: tuple[Step, ...]
    script_at_start: bool


def read_plan(path: Path) -> SitePlan:
    """Read and check a site file."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadSite(f"{path}: {error}") from error
    _known(table, {"site", "device", "person", "step"}, "the file")
    site = _table(table.get("site", {}), "site")
    _known(site, {"name", "script", "utc_offset_hours"}, "[site]")
    offset = _typed(site.get("utc_offset_hours", -6.0), float, "utc_offset_hours")
    devices = tuple(_device(row, path.parent, offset) for row in _rows(table, "device"))
    people = [_person(row) for row in _rows(table, "person")]
    _unique([device.id for device in devices] + list(SITE_VERBS), "device")
    _unique([person.id for person in people], "person")
    terminals = {device.id for device in devices if device.kind == "zk-terminal"}
    for person in people:
        if not set(person.on) <= terminals:
            raise BadSite(f"person {person.id}: on {', '.join(sorted(set(person.on) - terminals))}: no such terminal")
    script = site.get("script", "at-start")
    if script not in {"at-start", "on-demand"}:
        raise BadSite(f"[site] script = {script!r}: at-start or on-demand")
    return SitePlan(
        name=str(site.get("name", path.stem)),
        devices=devices,
        people={person.id: person for person in people},
        steps=_steps(_rows(table, "step")),
        script_at_start=script == "at-start",
    )


def _device(row: Mapping[str, object], folder: Path, offset: float) -> DevicePlan:
    name = _typed(row.get("id", ""), str, "device id")
    kind = _typed(row.get("kind", ""), str, f"device {name}: kind")
    if not name or " " in name:
        raise BadSite(f"a device needs an id without spaces, not {name!r}")
    if kind not in KINDS:
        raise BadSite(f"device {name}: kind {kind!r}; there are {', '.join(KINDS)}")
    faults = tuple(_typed(text, str, f"device {name}: faults") for text in _list(row.get("faults", [])))
    try:
        for fault in faults:
            parse_fault(fault)
    except UnknownFault as error:
        raise BadSite(f"device {name}: {error}") from error
    door = _typed(row.get("door", ""), str, f"device {name}: door")
    if kind == "desk-reader":
        _known(row, {"id", "kind", "door", "faults", "link"}, f"device {name}")
        link = folder / _typed(row.get("link", ""), str, f"device {name}: link")
        return DevicePlan(id=name, kind=kind, door=door, link=link, faults=faults)
    if kind == "push-controller":
        own = {"id", "kind", "door", "faults"}
        controller = _config(PushConfig, row, own, name, {"utc_offset_hours": offset})
        return DevicePlan(id=name, kind=kind, door=door, controller=controller, faults=faults)
    state = row.get("state")
    own = {"id", "kind", "door", "faults", "state"}
    usual = {"serial": name, "frame_gap_ms": 10.0, "utc_offset_hours": offset}
    return DevicePlan(
        id=name,
        kind=kind,
        door=door,
        terminal=_config(TerminalConfig, row, own, name, usual),
        state=folder / _typed(state, str, f"device {name}: state") if state else None,
        faults=faults,
    )


def _config(config: type[C], row: Mapping[str, object], own: set[str], name: str, usual: Mapping[str, object]) -> C:
    """The set-up of a device from its row: every option of its command, checked against the field that holds it."""
    kinds = {field.name: field.type for field in fields(config)}
    _known(row, own | set(kinds), f"device {name}")
    given = dict(usual)
    wanted = {"str": str, "int": int, "float": float, "bool": bool}
    for key, value in row.items():
        if key not in own:
            given[key] = _typed(value, wanted[str(kinds[key])], f"device {name}: {key}")
    try:
        return config(**given)  # type: ignore[arg-type]  # each value was checked against its field above
    except (TypeError, ValueError) as error:
        raise BadSite(f"device {name}: {error}") from error


def _person(row: Mapping[str, object]) -> Person:
    name = _typed(row.get("id", ""), str, "person id")
    if not name or " " in name:
        raise BadSite(f"a person needs an id without spaces, not {name!r}")
    _known(row, {"id", "name", "card", "number", "on"}, f"person {name}")
    card = _typed(row.get("card", ""), str, f"person {name}: card")
    try:
        if card:
            frame(card)
    except NotACard as error:
        raise BadSite(f"person {name}: card {error}") from error
    return Person(
        id=name,
        name=_typed(row.get("name", name), str, f"person {name}: name"),
        card=card.upper(),
        number=_typed(row.get("number", ""), str, f"person {name}: number"),
        on=tuple(_typed(item, str, f"person {name}: on") for item in _list(row.get("on", []))),
    )


def _steps(rows: list[Mapping[str, object]]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for number, row in enumerate(rows, 1):
        _known(row, {"at", "after", "line"}, f"step {number}")
        before = steps[-1].due_s if steps else 0.0
        if "at" in row and "after" in row:
            raise BadSite(f"step {number}: at or after, not both")
        due = _moment(row["at"], number) if "at" in row else before + _moment(row.get("after", 0.0), number)
        if due < before:
            raise BadSite(f"step {number}: due before step {number - 1}")
        steps.append(Step(due_s=due, line=_typed(row.get("line", ""), str, f"step {number}: line")))
    return tuple(steps)


def _moment(value: object, number: int) -> float:
    """Seconds, or `MM:SS`, or `HH:MM:SS` after the start of the script."""
    if isinstance(value, str):
        parts = value.split(":")
        if len(parts) in {2, 3} and all(part.isdecimal() for part in parts):
            return float(sum(int(part) * 60**place for place, part in enumerate(reversed(parts))))
        raise BadSite(f"step {number}: {value!r} is no MM:SS or HH:MM:SS")
    return _typed(value, float, f"step {number}: when")


def _typed(value: object, kind: type[T], what: str) -> T:
    """The value if it is of the kind (a whole number passes for a float); a boolean is no number."""
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return kind(value)  # type: ignore[call-arg]  # kind is float here
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BadSite(f"{what}: {value!r} is no {kind.__name__}")
    return value


def _rows(table: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    return [_table(row, key) for row in _list(table.get(key, []))]


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise BadSite(f"{value!r} is no list")
    return value


def _table(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise BadSite(f"[{what}] is no table")
    return value


def _known(row: Mapping[str, object], keys: set[str], what: str) -> None:
    if unknown := set(row) - keys:
        raise BadSite(f"{what}: unknown key {', '.join(sorted(unknown))}")


def _unique(names: list[str], what: str) -> None:
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise BadSite(f"{what} {', '.join(sorted(twice))}: the name is taken")
