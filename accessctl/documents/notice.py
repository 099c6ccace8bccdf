"""P10.06: the letter (oficio) that tells the requester what was configured, and closes the case."""

from dataclasses import dataclass
from datetime import date, datetime

from accessctl.documents.imprint import Imprint, local, long_date, short_date
from accessctl.documents.page import DEPARTMENT, Sheet
from accessctl.documents.parts import Column, fields, gap, heading, lines, signing_line, table
from accessctl.documents.style import BODY, LETTER, SMALL, Face, Size

TITLE = "Oficio de resultados de la configuración de acceso"
SERVES = "Procedimiento 10, paso 06 (P10.06)"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorResult:
    """A door, when it opens, and what became of it at its device («Configurada», «Pendiente: sin conexión»)."""

    door: str
    schedule: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """All that the letter says. `remarks` are paragraphs added to the letter's own; the card's state is in words."""

    imprint: Imprint
    place: str = "Guatemala"
    addressee: str
    addressee_post: str
    addressee_department: str
    request: str
    requested_at: datetime
    person: str
    person_department: str
    card_number: str
    card_state: str
    delivered_at: datetime | None
    valid_from: date
    valid_until: date | None
    doors: tuple[DoorResult, ...]
    remarks: tuple[str, ...] = ()
    signed_by: str
    signed_by_post: str = "Secretaria"


def render_notice(notice: Notice, *, size: Size = LETTER) -> bytes:
    """The letter as PDF."""
    sheet = Sheet(title=TITLE, serves=SERVES, imprint=notice.imprint, size=size)
    room = sheet.room
    strips = [
        *lines(f"{notice.place}, {long_date(local(notice.imprint.made_at).date())}", room, size=BODY),
        *lines(f"Oficio No. {notice.imprint.number}", room, face=Face.BOLD),
        gap(14),
        *lines(notice.addressee, room, face=Face.BOLD),
        *(line for text in (notice.addressee_post, notice.addressee_department) if text for line in lines(text, room)),
        *lines("Presente", room),
        gap(12),
        *lines(f"Asunto: resultado de la solicitud de acceso {notice.request}", room, face=Face.BOLD),
        gap(10),
    ]
    for paragraph in (*_paragraphs(notice), *notice.remarks):
        strips += [*lines(paragraph, room), gap(7)]
    strips += [
        *heading("Resultado", room),
        *fields(_facts(notice), room),
        gap(3),
        *table(_DOORS, [(door.door, door.schedule, door.result) for door in notice.doors], room),
        gap(10),
        *lines(_DUTY, room),
        gap(16),
        *signing_line("Atentamente,", [notice.signed_by, notice.signed_by_post, DEPARTMENT], room, air=60),
        gap(10),
        *lines(f"c. c. expediente de la solicitud {notice.request}", room, size=SMALL),
    ]
    return sheet.compose(strips)


_DUTY = (
    "Cuando la persona deje el cargo, por el motivo que sea, se ruega pedir sin demora la remoción de su acceso y "
    "hacer llegar la tarjeta a este Departamento (N10.4)."
)
_DOORS = (
    Column(title="Puerta", share=3),
    Column(title="Horario", share=4),
    Column(title="Resultado", share=3),
)


def _paragraphs(notice: Notice) -> list[str]:
    asked = long_date(local(notice.requested_at).date())
    who = f"{notice.person} ({notice.person_department})"
    who = f"{notice.person} ({notice.person_department})"
    result = (
        f"En atención a la solicitud {notice.request}, recibida el {asked}, se informa que se configuró el acceso "
        f"de {who}, con el resultado que se detalla a continuación."
    )
    if notice.delivered_at is None:
        state = "La tarjeta todavía no ha sido entregada; no abre puertas hasta que conste su entrega (P10.05)."
    else:
        day = long_date(local(notice.delivered_at).date())
        state = f"La tarjeta fue entregada contra firma el {day} (P10.04 y P10.05)."
    return [result, state]


def _facts(notice: Notice) -> list[tuple[str, str]]:
    until = notice.valid_until
    validity = "sin fecha de vencimiento" if until is None else f"hasta el {short_date(until)}"
    return [
        ("Persona", notice.person),
        ("Dependencia", notice.person_department),
        ("Tarjeta", notice.card_number),
        ("Estado de la tarjeta", notice.card_state),
        ("Vigencia", f"Desde el {short_date(notice.valid_from)}, {validity}"),
    ]
