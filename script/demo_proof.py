"""What `--once` leaves behind, and the checks on it: files that verify offline, and a summary of the day."""

import json
import sqlite3
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from demo_day import Day
from demo_processes import DemoFailed, command_line
from demo_site import Installation

from accessctl.bootstrap import Service as Core
from accessctl.domain.alarms import Alarm, AlarmKind
from accessctl.domain.facts import Fact
from accessctl.domain.schedules import local
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
ALARM_STATES = {
    Fact.ALARM_RAISED: "raised",
    Fact.ALARM_ASSIGNED: "assigned",
    Fact.ALARM_ACKNOWLEDGED: "acknowledged",
    Fact.ALARM_RESOLVED: "resolved",
    Fact.ALARM_REOPENED: "raised",
    Fact.ALARM_VERIFIED: "verified",
}
OWN_STAFF = {"registered": "cleared", "inside": "working", "outside": "gone"}  # what P4.03 "no" calls the same
WANTED_ALARMS = {
    AlarmKind.ESCORT_LEFT_FIRST: 2,  # one ends by a hand-over, the other by the visitor's leaving
    AlarmKind.VISIT_OVERSTAY: 1,
    AlarmKind.HOST_LEFT: 1,
    AlarmKind.OCCUPANCY: 1,
    AlarmKind.DOOR_HELD_OPEN: 1,
    AlarmKind.DOOR_FORCED: 2,  # at a terminal, and at the controller
    AlarmKind.FIRE: 1,
    AlarmKind.DURESS: 1,
    AlarmKind.DEVICE_OFFLINE: 1,
    AlarmKind.REVOCATION_PENDING: 1,
    AlarmKind.ROGUE_CREDENTIAL: 1,
    AlarmKind.POLICY_MISMATCH: 1,
    AlarmKind.TAMPER: 1,
    AlarmKind.CLOCK_DOUBTFUL: 1,
    AlarmKind.GAP: 1,
}
_HANDLED = ("raised", "assigned", "acknowledged", "resolved")
WANTED_ALARM_LIFE = (*_HANDLED, *_HANDLED, "verified")  # procedure 3, with one "no" at P3.07
WANTED_REFUSALS = {  # what it is called where it is missing: reason, norm, missing step, door
    "P4.04 sin firma": ("visit_step_missing", "P4.04", "P4.04", "cd-1"),
    "N4.3 la visita sola": ("escort_missing", "N4.3", "P4.05", "cd-1"),
    "N4.3 acompaña alguien de otro departamento": ("escort_not_entitled", "N4.3", "", "cd-1"),
    "N4.3 se registra a quien no puede acompañar": ("escort_not_entitled", "N4.3", "", ""),
    "N4.3 una visita de más": ("escort_ratio", "N4.3", "P4.05", "cd-1"),
    "N4.3 relevo de quien no está dentro": ("escort_missing", "N4.3", "", ""),
    "P4.08 antes de P4.07": ("step_out_of_order", "P4.08", "P4.07", ""),
    "P4.08 sin la tarjeta de visita": ("form_incomplete", "P4.08", "", ""),
    "P4.01 tarjeta de una visita que terminó": ("visit_step_missing", "P4.01", "P4.01", "cd-1"),
    "N10.6 la persona responsable no está": ("host_absent", "N10.6", "", "tel-1"),
    "N10.1 doble paso duro": ("anti_passback", "N10.1", "", "cd-1"),
    "N10.2 aforo": ("occupancy_limit", "N10.2", "", "cd-1"),
    "N10.2 bloqueo": ("lockdown", "N10.2", "", "cd-1"),
    "N10.2 incendio": ("lockdown", "N10.2", "", "tel-1"),
    "N4.1 ingreso tardío sin folio": ("form_incomplete", "N4.1", "", ""),
    "P10.05 tarjeta sin entregar": ("not_delivered", "P10.05", "P10.04", "cd-1"),
    "N10.2 sin derecho a la puerta": ("no_right", "N10.2", "", "tel-1"),
    "N10.3 tarjeta desconocida": ("unknown_credential", "N10.3", "", "sub-1"),
    "N10.3 sin autorización": ("not_authorised", "N10.3", "", ""),
    "N10.3 quien autoriza es quien recibe": ("duties_not_separated", "N10.3", "", ""),
    "N10.4 acceso retirado": ("revoked", "N10.4", "", "cd-1"),
    "P3.05 la toma otra persona": ("not_assigned_to_you", "P3.05", "", ""),
    "P3.07 comprueba quien resolvió": ("duties_not_separated", "P3.07", "", ""),
    "N10.3 tarjeta extraviada": ("lost_or_stolen", "N10.3", "", "cd-1"),
}
WANTED_EXCEPTIONS = {"N10.1 doble paso blando": ("anti_passback", "N10.1", "cd-1")}  # opened, and noted
WANTED_DIFFERENCES = (
    "card_not_back",
    "entry_without_reader",
    "exit_line_without_reader",
    "equipment",
    "reader_without_visit",
)
_WHOLE = ("authorised", "registered", "signed", "inside", "outside", "verified", "closed")
WANTED_VISITS = {
    "por la puerta": _WHOLE,
    "P4.03 no": ("authorised", "cleared", "working", "gone", "closed"),
    "anotada después, con folio": tuple(state for state in _WHOLE if state != "outside"),
}


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
    summary = _summary(day, core, out)
    (out / "summary.json").write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    _check(summary, out)
    return summary


def _copy_database(place: Installation, out: Path) -> None:
    target = out / "accessctl.db"
    target.unlink(missing_ok=True)
    with sqlite3.connect(place.folder / "accessctl.db") as source, sqlite3.connect(target) as copy:
        source.backup(copy)
    source.close()
    copy.close()
    target.chmod(0o600)


def _summary(day: Day, core: Core, out: Path) -> dict[str, Any]:
    cards: dict[str, dict[str, Any]] = {}
    refusals, exceptions = [], []
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
            elif row.reason and fact in {Fact.DOOR_GRANTED, Fact.DOOR_EXITED}:
                exceptions.append({"at": row.at.isoformat(), "door": row.door, "reason": row.reason, "norm": row.norm})
        for key, seen in states.items():
            cards[key] = {"number": key, "person": holders.get(key, ""), "states": seen}
        alarms = [
            {"kind": one.kind.value, "state": one.state.value, "states": _life(tx, one)}
            for one in tx.alarms.find(limit=1000)
        ]
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
    found = core.visit_differences.differences(day.actor("aura.coc"), local(core.office.clock()).date())
    manifest = json.loads((out / "record.jsonl.manifest").read_text(encoding="utf-8"))
    note = manifest["checkpoint"].split("\n")
    return {
        "cards": list(cards.values()),
        "visits": visits,
        "refusals": refusals,
        "exceptions": exceptions,
        "differences": [{"kind": one.kind, "visit": one.visit.id if one.visit else ""} for one in found],
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
        "states": [_called(visit, state) for at, state in enumerate(states) if at == 0 or states[at - 1] != state],
        "steps": sorted(step for step in done if step.startswith("P")),
        "escorts": [tx.people.get(duty.person).full_name for duty in visit.escorts],
    }


def _life(tx: Work, alarm: Alarm) -> list[str]:
    """The states that an alarm went through, from its entries in the record; what only repeats is counted once."""
    which = EventFilter(case=alarm.id, events=tuple(fact.value for fact in ALARM_STATES))
    states = [ALARM_STATES[Fact(row.event)] for row in tx.events.rows(which, limit=1000)]
    return [state for at, state in enumerate(states) if at == 0 or states[at - 1] != state]


def _called(visit: Visit, state: str) -> str:
    return state if visit.third_party else OWN_STAFF.get(state, state)


def _check(summary: dict[str, Any], out: Path) -> None:
    kinds = Counter(alarm["kind"] for alarm in summary["alarms"])
    _all_there("alarmas", [kind.value for kind, count in WANTED_ALARMS.items() if kinds[kind.value] < count])
    lived = {tuple(alarm["states"]) for alarm in summary["alarms"]}
    _all_there("alarmas", [" → ".join(WANTED_ALARM_LIFE)] if WANTED_ALARM_LIFE not in lived else [])
    refused = {tuple(one[key] for key in ("reason", "norm", "missing_step", "door")) for one in summary["refusals"]}
    _all_there("rechazos", [name for name, wanted in WANTED_REFUSALS.items() if wanted not in refused])
    noted = {tuple(one[key] for key in ("reason", "norm", "door")) for one in summary["exceptions"]}
    _all_there("anotaciones", [name for name, wanted in WANTED_EXCEPTIONS.items() if wanted not in noted])
    different = {one["kind"] for one in summary["differences"]}
    _all_there("diferencias", [kind for kind in WANTED_DIFFERENCES if kind not in different])
    by_states = {tuple(card["states"]) for card in summary["cards"]}
    for wanted in (
        ("in_stock", "enrolled", "active", "lost"),
        ("in_stock", "enrolled", "active", "revoked", "returned"),
    ):
        if wanted not in by_states:
            raise DemoFailed(f"ninguna tarjeta vivió {' → '.join(wanted)}")
    lives = {tuple(visit["states"]) for visit in summary["visits"]}
    _all_there("visitas", [name for name, life in WANTED_VISITS.items() if life not in lives])
    for visit in summary["visits"]:
        if tuple(visit["states"]) not in WANTED_VISITS.values():
            raise DemoFailed(f"una visita no terminó como debía: {visit}")
    steps = [f"P4.{number:02d}" for number in range(1, 9)]
    if steps not in [visit["steps"] for visit in summary["visits"]]:
        raise DemoFailed("ninguna visita recorrió los ocho pasos del procedimiento 4")
    lines = sum(1 for _ in (out / "record.jsonl").open("rb"))
    if lines != summary["record"]["size"]:
        raise DemoFailed(f"record.jsonl tiene {lines} líneas y el registro {summary['record']['size']} entradas")


def _all_there(what: str, missing: list[str]) -> None:
    if missing:
        raise DemoFailed(f"faltan {what} del día: {'; '.join(missing)}")
