"""What `--once` leaves behind, and the checks on it: files that verify offline, and a summary of the day."""

import json
import sqlite3
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from demo_day import Day
from demo_processes import DemoFailed, command_line
from demo_site import Installation

from accessctl.bootstrap import Service as Core
from accessctl.domain.alarms import AlarmKind
from accessctl.domain.facts import Fact
from accessctl.domain.visits import Visit
from accessctl.record import decode
from accessctl.services.store import EventFilter, Work

CARD_STATES = {
    Fact.CARD_STOCKED: "in_stock",
    Fact.CARD_ENROLLED: "enrolled",
    Fact.CARD_RELEASED: "in_stock",
    Fact.CARD_DELIVERED: "active",
    Fact.CARD_SUSPENDED: "suspended",
    Fact.CARD_RESUMED: "active",
    Fact.CARD_REVOKED: "revoked",
    Fact.CARD_LOST: "lost",
    Fact.CARD_STOLEN: "stolen",
    Fact.CARD_DAMAGED: "damaged",
    Fact.CARD_RETURNED: "returned",
    Fact.CARD_DESTROYED: "destroyed",
}
VISIT_STATES = {
    Fact.VISIT_AUTHORISED: "authorised",
    Fact.VISIT_DECLARED_FORTUITOUS: "authorised",
    Fact.VISIT_REGISTERED: "registered",
    Fact.VISIT_SIGNED: "signed",
    Fact.VISIT_ENTERED: "inside",
    Fact.VISIT_LEFT: "outside",
    Fact.VISIT_EXIT_VERIFIED: "verified",
    Fact.VISIT_EXIT_RECORDED: "closed",
}
WANTED_ALARMS = (
    AlarmKind.ESCORT_LEFT_FIRST,
    AlarmKind.VISIT_OVERSTAY,
    AlarmKind.HOST_LEFT,
    AlarmKind.OCCUPANCY,
    AlarmKind.DOOR_HELD_OPEN,
    AlarmKind.DEVICE_OFFLINE,
    AlarmKind.REVOCATION_PENDING,
    AlarmKind.ROGUE_CREDENTIAL,
    AlarmKind.POLICY_MISMATCH,
    AlarmKind.TAMPER,
    AlarmKind.DOOR_FORCED,
    AlarmKind.CLOCK_DOUBTFUL,
    AlarmKind.GAP,
)


def leave(day: Day, place: Installation, core: Core, out: Path) -> dict[str, Any]:
    """Write the files of the interface into `out` and check them. Called when the service has ended."""
    out.mkdir(parents=True, exist_ok=True)
    for name, content in day.papers.items():
        if not content.startswith(b"%PDF-"):
            raise DemoFailed(f"{name}: no es un PDF")
        (out / name).write_bytes(content)
    today = core.office.clock()
    since, until = (today - timedelta(days=2)).isoformat(), (today + timedelta(days=1)).isoformat()
    for kind in ("csv", "jsonl"):
        file = str(out / f"events.{kind}")
        command_line(place.config, "export", "--from", since, "--to", until, "--format", kind, "--out", file)
    command_line(place.config, "record", "checkpoint", "--out", str(out / "record.checkpoint"))
    command_line(place.config, "record", "export", "--out", str(out / "record.jsonl"))
    checks = [("record", "verify", "--checkpoint", str(out / "record.checkpoint"))]
    checks += [("verify", str(out / name)) for name in ("events.csv", "events.jsonl", "record.jsonl")]
    with ThreadPoolExecutor(max_workers=len(checks)) as pool:
        list(pool.map(lambda words: command_line(place.config, *words), checks))
    _copy_database(place, out)
    summary = _summary(core, out)
    _check(summary, out)
    (out / "summary.json").write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return summary


def _copy_database(place: Installation, out: Path) -> None:
    target = out / "accessctl.db"
    target.unlink(missing_ok=True)
    with sqlite3.connect(place.folder / "accessctl.db") as source, sqlite3.connect(target) as copy:
        source.backup(copy)
    source.close()
    copy.close()
    target.chmod(0o600)


def _summary(core: Core, out: Path) -> dict[str, Any]:
    cards: dict[str, dict[str, Any]] = {}
    refusals = []
    states: dict[str, list[str]] = defaultdict(list)
    holders: dict[str, str] = {}
    with core.store.view() as tx:
        for row, raw in tx.events.stream(EventFilter()):
            fact = Fact(row.event)
            if fact in CARD_STATES:
                states[row.credential].append(CARD_STATES[fact])
                holders[row.credential] = row.person_name or holders.get(row.credential, "")
            if fact in {Fact.DOOR_REFUSED, Fact.CASE_STEP_REFUSED}:
                data = decode(raw).get("data")
                missing = data.get("missing_step", "") if isinstance(data, dict) else ""
                refusals.append(
                    {
                        "at": row.at.isoformat(),
                        "door": row.door,
                        "reason": row.reason,
                        "norm": row.norm,
                        "missing_step": missing,
                    }
                )
        for key, seen in states.items():
            cards[key] = {"number": key, "person": holders.get(key, ""), "states": seen}
        alarms = [{"kind": one.kind.value, "state": one.state.value} for one in tx.alarms.find(limit=1000)]
        devices = []
        for device in tx.devices.find(retired=False, limit=100):
            health = tx.health.maybe(device.id)
            devices.append(
                {
                    "id": device.id,
                    "transport": device.transport.value,
                    "users_desired": health.users_desired if health else 0,
                    "users_observed": health.users_observed if health else 0,
                    "drift": health.drift if health else 0,
                }
            )
        visits = [_visit(tx, visit) for visit in tx.visits.find(limit=1000)]
    manifest = json.loads((out / "record.jsonl.manifest").read_text(encoding="utf-8"))
    note = manifest["checkpoint"].split("\n")
    return {
        "cards": list(cards.values()),
        "visits": visits,
        "refusals": refusals,
        "alarms": alarms,
        "devices": devices,
        "record": {"size": int(note[1]), "root": note[2], "verified": True},
    }


def _visit(tx: Work, visit: Visit) -> dict[str, Any]:
    rows = tx.events.rows(EventFilter(visit=visit.id), limit=1000)
    states = [VISIT_STATES[Fact(row.event)] for row in rows if Fact(row.event) in VISIT_STATES]
    own = (
        tx.events.rows(EventFilter(case=visit.case, events=(Fact.CASE_STEP_DONE.value,)), limit=100)
        if visit.case
        else []
    )
    done = {row.norm for row in own} | {row.norm for row in rows if Fact(row.event) in VISIT_STATES and row.norm}
    return {
        "id": visit.id,
        "zone": visit.zone,
        "states": [state for at, state in enumerate(states) if at == 0 or states[at - 1] != state],
        "steps": sorted(step for step in done if step.startswith("P")),
        "escorts": [tx.people.get(duty.person).full_name for duty in visit.escorts],
    }


def _check(summary: dict[str, Any], out: Path) -> None:
    kinds = {alarm["kind"] for alarm in summary["alarms"]}
    missing = [kind.value for kind in WANTED_ALARMS if kind.value not in kinds]
    if missing:
        raise DemoFailed(f"faltan alarmas del día: {', '.join(missing)}")
    by_states = {tuple(card["states"]) for card in summary["cards"]}
    for wanted in (
        ("in_stock", "enrolled", "active", "lost"),
        ("in_stock", "enrolled", "active", "revoked", "returned"),
    ):
        if wanted not in by_states:
            raise DemoFailed(f"ninguna tarjeta vivió {' → '.join(wanted)}")
    whole = ("authorised", "registered", "signed", "inside", "outside", "verified", "closed")
    for visit in summary["visits"]:
        if tuple(visit["states"]) != whole:
            raise DemoFailed(f"una visita no vivió {' → '.join(whole)}: {visit}")
    steps = [f"P4.{number:02d}" for number in range(1, 9)]
    if steps not in [visit["steps"] for visit in summary["visits"]]:
        raise DemoFailed("ninguna visita recorrió los ocho pasos del procedimiento 4")
    lines = sum(1 for _ in (out / "record.jsonl").open("rb"))
    if lines != summary["record"]["size"]:
        raise DemoFailed(f"record.jsonl tiene {lines} líneas y el registro {summary['record']['size']} entradas")
