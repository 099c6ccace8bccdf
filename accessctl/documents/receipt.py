"""P10.04: the receipt of an access card, signed by who receives it, on the screen or on paper.

The obligations are what N10.1, N10.3 and N10.4 mean for the holder, in words of ours. The signature of the screen is
drawn from its strokes; its digest is that of the strokes as they were recorded, so that paper and record compare.
"""

from dataclasses import dataclass
from datetime import date, datetime

from accessctl.documents.imprint import Imprint, moment, short_date
from accessctl.documents.page import Sheet, Strip
from accessctl.documents.parts import Column, fields, gap, heading, lines, numbered, table, title
from accessctl.documents.pdf import Pen
from accessctl.documents.strokes import Strokes
from accessctl.documents.style import BODY, FINE, LEADING, LETTER, MUTED, SMALL, Face, Size
from accessctl.documents.text import wrap

TITLE = "Constancia de recepción de tarjeta de acceso"
SERVES = "Procedimiento 10, paso 04 (P10.04)"
OBLIGATIONS = (
    (
        "Guardar la tarjeta en buen estado y usarla únicamente para su propio ingreso, en las puertas y el horario "
        "aquí autorizados (N10.1)."
    ),
    "No prestarla, cederla ni copiarla, y no permitir que otra persona ingrese con ella.",
    (
        "Reportar de inmediato su pérdida, robo o daño al Departamento de Infraestructura Tecnológica, para que se "
        "inhabilite."
    ),
    (
        "Entregarla al dejar el cargo o cuando cese la autorización, por cualquier motivo; mientras no se entregue, "
        "figura como pendiente a cargo de la jefatura que debe devolverla (N10.4)."
    ),
)
_BOX = 74.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorGranted:
    """A door that the card opens, the zone behind it, and when (in words)."""

    door: str
    zone: str
    schedule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """Somebody who acted in the case: name, role or post, and when."""

    name: str
    post: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenSignature:
    """What the user drew, when, and the SHA-256 of the recorded strokes (32 bytes)."""

    strokes: Strokes
    at: datetime
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """All that the receipt says. `printed_numbers` are the card's numbers as printed, by name of the form
    (`CardNumber.printed()`). Without a screen signature the receipt has room for one by hand."""

    imprint: Imprint
    request: str
    person: str
    identity_document: str
    department: str
    post: str = ""
    card_kind: str
    printed_numbers: tuple[tuple[str, str], ...]
    doors: tuple[DoorGranted, ...]
    valid_from: date
    valid_until: date | None
    authorised_by: Officer
    configured_by: Officer
    signature: ScreenSignature | None = None


def render_receipt(receipt: Receipt, *, size: Size = LETTER) -> bytes:
    """The receipt as PDF; usually one page."""
    sheet = Sheet(title=TITLE, serves=SERVES, imprint=receipt.imprint, size=size)
    room = sheet.room
    return sheet.compose(
        [
            *title(TITLE, f"No. {receipt.imprint.number} · Solicitud {receipt.request}", room),
            *heading("Quien recibe", room),
            *fields(_person(receipt), room),
            *heading("Tarjeta", room),
            *fields([("Tecnología", receipt.card_kind), *receipt.printed_numbers], room, columns=5),
            *heading("Acceso autorizado", room),
            *fields(_validity(receipt), room),
            gap(3),
            *table(_DOORS, [(door.door, door.zone, door.schedule) for door in receipt.doors], room),
            *heading("Obligaciones de quien recibe", room),
            *numbered(OBLIGATIONS, room),
            *heading("Intervinieron", room),
            *fields(
                [
                    _officer("Autorizó (N10.3)", receipt.authorised_by),
                    _officer("Configuró (P10.03)", receipt.configured_by),
                ],
                room,
            ),
            *_signature(receipt, room),
        ]
    )


_DOORS = (
    Column(title="Puerta", share=3),
    Column(title="Conduce a", share=3),
    Column(title="Horario", share=4),
)


def _person(receipt: Receipt) -> list[tuple[str, str]]:
    return [
        ("Nombre", receipt.person),
        ("Documento de identificación", receipt.identity_document),
        ("Dependencia", receipt.department),
        ("Puesto", receipt.post),
    ]


def _validity(receipt: Receipt) -> list[tuple[str, str]]:
    until = "Sin fecha de vencimiento" if receipt.valid_until is None else short_date(receipt.valid_until)
    return [("Válida desde", short_date(receipt.valid_from)), ("Válida hasta (inclusive)", until)]


def _officer(label: str, officer: Officer) -> tuple[str, str]:
    return (label, f"{officer.name}, {officer.post} — {moment(officer.at)}")


def _signature(receipt: Receipt, room: float) -> list[Strip]:
    """The declaration, and the box with what was drawn or with room for a signature by hand: all on one page."""
    declared = lines(
        "Recibo la tarjeta descrita y acepto las obligaciones anteriores.", room, face=Face.BOLD, kept=True
    )
    beside = _beside(receipt)
    wide = room * 0.52
    facts = [line for text in beside for line in wrap(text, room - wide - 14, SMALL)]
    high = max(_BOX + 5, len(facts) * SMALL * LEADING + 4)
    signature = receipt.signature

    def draw(pen: Pen, x: float, top: float) -> None:
        bottom = top - 3 - _BOX
        pen.frame(x, bottom, wide, _BOX, weight=0.6, colour=MUTED)
        if signature is not None:
            curves = signature.strokes.curves(x=x + 6, y=bottom + 6, width=wide - 12, height=_BOX - 12)
            pen.curves(curves, clip=(x, bottom, wide, _BOX), weight=1.1)
        else:
            pen.lines([(x + 14, bottom + 16, x + wide - 14, bottom + 16)], weight=0.6)
            pen.text(x + 14, bottom + 6, "Firma de puño y letra", size=FINE, colour=MUTED)
        placed = [(x + wide + 14, top - 3 - SMALL - row * SMALL * LEADING, line) for row, line in enumerate(facts)]
        pen.texts(placed, size=SMALL)

    named = lines(receipt.person, wide, size=BODY, face=Face.BOLD)
    return [gap(6), *declared, Strip(height=high, draw=draw, kept=True), *named]


def _beside(receipt: Receipt) -> list[str]:
    """What stands beside the box."""
    signature = receipt.signature
    if signature is None:
        return [
            "Firma en papel.",
            "Fecha y hora: ______________________",
            "Quien entrega: _____________________",
            "El documento firmado se digitaliza y se adjunta a la solicitud.",
        ]
    return [
        "Firma trazada en pantalla.",
        f"Fecha y hora: {moment(signature.at)} (America/Guatemala)",
        f"SHA-256 de los trazos: {signature.digest.hex()}",
    ]
