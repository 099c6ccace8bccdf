"""The page of one request, wherever an act on it comes back to: its file, and what the viewer may do at this step."""

import json
from collections import defaultdict

from flask import render_template

from accessctl.domain.card_numbers import CardNumber
from accessctl.domain.devices import Capture, CaptureState, Command, CommandState
from accessctl.domain.people import AUTHORITIES, Permission, Role
from accessctl.domain.requests import Signature
from accessctl.services.request_files import RequestFile
from accessctl.services.store import EventFilter, EventRow
from accessctl_web.desks import actor, desks
from accessctl_web.messages import Refusal


def acts_of(file: RequestFile) -> frozenset[str]:
    """What this person may do with the request now; the desks decide again when it is done."""
    me, line = actor(), file.line
    if line.state not in {"open", "expired"}:
        return frozenset()
    acts = set()
    if file.request.delivered_at is None and (me.may(Permission.REQUEST_ASSIGN) or me.roles & AUTHORITIES):
        acts.add("cancel")
    if line.state == "expired":
        return frozenset(acts)
    mine = line.assigned_to in {"", me.account}
    if line.awaits_sign_off:
        if file.request.authority == me.person and me.roles & AUTHORITIES:
            acts.add("sign_off")
        if me.roles & {Role.RECEPCION, Role.SECRETARIA_INFRA}:
            acts.add("attach")
    elif line.step == 2 and me.may(Permission.REQUEST_ASSIGN):
        acts.add("assign")
    if line.step in {3, 4, 5} and Role.TECNICO_INFRA in me.roles and mine:
        acts.add({3: "enrol", 4: "sign", 5: "deliver"}[line.step])
    if line.step == 6 and me.may(Permission.REQUEST_INFORM):
        acts.add("inform")
    return frozenset(acts)


def state_of(command: Command) -> str:
    """Where an enrolment stands; one that nobody carried out in its time has failed."""
    going = command.state in {CommandState.WAITING, CommandState.RUNNING}
    if going and command.expires_at <= desks().clock():
        return CommandState.FAILED.value
    return command.state.value


def polylines(signature: Signature) -> list[str]:
    """The strokes as the points of SVG polylines."""
    strokes: list[list[list[float]]] = json.loads(signature.strokes)
    return [" ".join(f"{x},{y}" for x, y in stroke) for stroke in strokes]


_ACT_OF = {
    "card": "enrol",
    "access": "enrol",
    "finger": "enrol",
    "waive": "enrol",
    "complete": "enrol",
    "paper": "sign",
}


def request_page(case: str, **refusals: Refusal) -> str:
    """The page; `refusals` are shown beside the form of their act, at the head where the page has no such form."""
    me = actor()
    file = desks().files.file(me, case)
    acts = acts_of(file)
    capture = _turn(file) if "enrol" in acts else None
    return render_template(
        "requests/file.html",
        file=file,
        acts=acts,
        refusals=defaultdict(lambda: None, refusals),
        stray=next((one for key, one in refusals.items() if _ACT_OF.get(key, key) not in acts), None),
        technicians=desks().files.technicians(me) if "assign" in acts else [],
        readers=desks().files.readers(me) if "enrol" in acts else [],
        terminals=desks().files.terminals(me) if "enrol" in acts else [],
        schedules=desks().files.choices(me).schedules if "enrol" in acts else [],
        capture=capture,
        captured=CardNumber.from_key(capture.number) if capture and capture.number else None,
        enrolling=state_of(file.enrolment) if file.enrolment else "",
        ink=polylines(file.signature) if file.signature else [],
        history=_history(case),
    )


def _history(case: str) -> list[EventRow]:
    me = actor()
    return desks().watch.rows(me, EventFilter(case=case), limit=100) if me.may(Permission.EVENTS_SEE) else []


def _turn(file: RequestFile) -> Capture | None:
    """The viewer's own turn at a desk reader, while it waits or once it has a number."""
    if file.capture is None:
        return None
    capture = desks().captures.look(actor(), file.capture.id)
    return None if capture.state is CaptureState.ENDED else capture
