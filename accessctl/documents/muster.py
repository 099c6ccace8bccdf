"""The muster list: who is inside, zone by zone, with a box to tick for each person found."""

from dataclasses import dataclass
from datetime import datetime

from accessctl.documents.imprint import Imprint, moment
from accessctl.documents.page import OFFICE, Sheet, Strip
from accessctl.documents.parts import Column, fields, gap, heading, lines, signing_line, table, title
from accessctl.documents.style import BODY, LETTER, Size

TITLE = "Lista de evacuación"
SERVES = "Quién está adentro, según los lectores"
BOX = "\u2610"
UNSURE = "dudosa"
ASK = (
    "También se busca a quienes figuran con presencia dudosa: una puerta se abrió sin lectura y no se sabe si salieron."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Somebody to be found. `of` is the department or the visitor's company."""

    name: str
    of: str
    escort: str
    since: datetime
    certain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MusterZone:
    """One zone with whoever is in it; `doubt` says since when and at which door presence is doubtful, or is empty."""

    name: str
    people: tuple[Sought, ...]
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MusterList:
    """The list at one moment; `fire_since` where a fire alarm is on."""

    imprint: Imprint
    at: datetime
    place: str
    fire_since: datetime | None
    zones: tuple[MusterZone, ...]


_COLUMNS = (
    Column(title="Hallada", share=1.8),
    Column(title="Persona", share=5),
    Column(title="De dónde", share=4),
    Column(title="Acompaña", share=4),
    Column(title="Desde", share=2.4),
    Column(title="Presencia", share=1.8),
)


def render_muster(listed: MusterList, *, size: Size = LETTER) -> bytes:
    """The list as PDF; zones without anybody and without doubt are left out."""
    sheet = Sheet(title=TITLE, serves=SERVES, imprint=listed.imprint, size=size)
    room = sheet.room
    people = sum(len(zone.people) for zone in listed.zones)
    unsure = sum(not one.certain for zone in listed.zones for one in zone.people)
    strips = [
        *title(TITLE, f"{listed.place or OFFICE} · {moment(listed.at)}", room),
        *fields(
            [
                ("Por encontrar", str(people)),
                ("De ellas, dudosas", str(unsure)),
                ("Alarma de incendio", moment(listed.fire_since) if listed.fire_since else "no"),
            ],
            room,
            columns=3,
        ),
    ]
    if not people:
        strips += [gap(6), *lines("Según los lectores no hay nadie adentro.", room)]
    if unsure:
        strips += [gap(4), *lines(ASK, room)]
    for zone in listed.zones:
        if zone.people or zone.doubt:
            strips += _zone(zone, room)
    strips += signing_line("Pasó lista:", ("Nombre, firma y hora",), room)
    return sheet.compose(strips)


def _zone(zone: MusterZone, room: float) -> list[Strip]:
    rows = [
        (BOX, one.name, one.of or "—", one.escort or "—", moment(one.since), "" if one.certain else UNSURE)
        for one in zone.people
    ]
    count = f"{len(rows)} persona" + ("" if len(rows) == 1 else "s")
    said = f"{count} · {zone.doubt}" if zone.doubt else count
    return [
        *heading(zone.name, room),
        *lines(said, room, kept=bool(rows)),
        *([gap(3, kept=True), *table(_COLUMNS, rows, room, continued=f"{zone.name} (continuación)")] if rows else []),
        gap(BODY),
    ]
