"""What is held on one person, on paper, for that person (Decreto 57-2008): purpose, basis, section after section."""

from collections.abc import Mapping
from datetime import datetime

from accessctl.documents.fact_words import EVENTS
from accessctl.documents.imprint import moment
from accessctl.documents.page import Sheet, Strip
from accessctl.documents.parts import Column, fields, gap, heading, lines, table, title
from accessctl.documents.press import imprint_of
from accessctl.documents.style import BODY, MUTED
from accessctl.documents.words import (
    ALARM_KINDS,
    ALARM_STATES,
    CARD_STATES,
    DOCUMENTS,
    GRANT_STATES,
    VISIT_STATES,
    word,
)
from accessctl.services.extracts import Cell, ExtractFacts, Section

TITLE = "Extracto de datos personales"
SERVES = "Acceso de la persona a sus datos, Decreto 57-2008"
PURPOSE = (
    "Finalidad: controlar y registrar el ingreso y la salida de las instalaciones de la Subgerencia de Tecnología y de "
    "su centro de datos, según los procedimientos 4 y 10 de la Resolución 407-ST/2022."
)
BASIS = (
    "Fundamento de este extracto: Ley de Acceso a la Información Pública, Decreto 57-2008. La persona puede pedir que "
    "se corrija lo que no sea exacto. Las huellas se guardan cifradas y las contraseñas como resumen: no se muestran a "
    "nadie."
)
WHOLE = (
    "Donde hay más de lo que cabe se muestra lo más reciente y se dice cuánto hay; los pasos por puertas se suman. El "
    "extracto completo, asiento por asiento, se entrega aparte en formato JSON."
)
NONE = "No consta nada."

_Columns = tuple[tuple[str, float], ...]
SECTIONS: Mapping[str, tuple[str, _Columns]] = {
    "requests": (
        "Solicitudes de acceso",
        (
            ("Folio", 1),
            ("Registrada", 2),
            ("Justificación", 4),
            ("Puertas", 3.5),
            ("Autoridad", 2.6),
            ("Autorizada", 2),
        ),
    ),
    "cards": ("Tarjetas", (("Tarjeta", 4), ("Estado", 3), ("Desde", 2.5))),
    "rights": ("Puertas autorizadas", (("Puerta", 4), ("Desde", 2.5), ("Hasta", 2.5), ("Estado", 2.5))),
    "removals": ("Bajas", (("Registrada", 2), ("Motivo", 5), ("Completa", 2))),
    "accounts": ("Cuentas del panel", (("Usuario", 3), ("Funciones", 4), ("Creada", 2.2), ("Cerrada", 2.2))),
    "passages": (
        "Pasos por puertas, sumados",
        (("Puerta", 3.6), ("Hecho", 2.6), ("Veces", 1.1), ("Primera vez", 2.3), ("Última vez", 2.3)),
    ),
    "visits": (
        "Visitas que hizo",
        (
            ("Visita", 1.1),
            ("Zona", 2.2),
            ("Empresa", 2.2),
            ("Motivo", 3),
            ("Entrada", 2),
            ("Salida", 2),
            ("Estado", 1.7),
        ),
    ),
    "received": (
        "Visitas que recibió",
        (("Visita", 1.2), ("Zona", 3), ("Entrada", 2.4), ("Salida", 2.4), ("Estado", 2)),
    ),
    "whereabouts": ("Dónde consta ahora", (("Zona", 5), ("Desde", 2.5))),
    "signatures": ("Firmas", (("Fecha", 2.2), ("Documento mostrado", 2.6), ("SHA-256", 6))),
    "attachments": ("Documentos escaneados", (("Fecha", 2.2), ("Nombre", 3), ("SHA-256", 6))),
    "alarms": ("Alarmas", (("Fecha", 2.4), ("Clase", 4), ("Estado", 2.4), ("Veces", 1))),
    "looked_at_by": (
        "Quién consultó o se llevó estos datos",
        (("Fecha", 2.4), ("Hecho", 4), ("Cuenta", 3), ("Asiento", 1.4)),
    ),
    "entries": (
        "Asientos del registro sobre la persona, sumados",
        (("Hecho", 4.4), ("Asientos", 1.3), ("Primero", 2.4), ("Último", 2.4)),
    ),
}
_WORDS: Mapping[str, Mapping[int, Mapping[str, str]]] = {
    "cards": {1: {state.value: said for state, said in CARD_STATES.items()}},
    "rights": {3: GRANT_STATES},
    "passages": {1: EVENTS},
    "visits": {6: VISIT_STATES},
    "received": {4: VISIT_STATES},
    "alarms": {1: ALARM_KINDS, 2: ALARM_STATES},
    "looked_at_by": {1: EVENTS},
    "entries": {0: EVENTS},
}


class ExtractPress:
    """Draws extracts (`accessctl.services.extracts.ExtractPrinter`)."""

    def extract(self, facts: ExtractFacts) -> bytes:
        """The extract as PDF."""
        sheet = Sheet(title=TITLE, serves=SERVES, imprint=imprint_of(facts.stamp))
        room = sheet.room
        strips = [
            *title(TITLE, f"No. {facts.stamp.number} · entregado a la persona", room),
            *fields(_person(facts), room, columns=3),
        ]
        for text in (PURPOSE, BASIS, _kept(facts), WHOLE):
            strips += [*lines(text, room), gap(3)]
        for section in facts.sections:
            strips += _section(section, room)
        return sheet.compose(strips)


def _person(facts: ExtractFacts) -> list[tuple[str, str]]:
    return [
        ("Nombre", facts.name),
        ("Documento", f"{DOCUMENTS[facts.document.kind]} {facts.document.number}"),
        ("Número en el sistema", str(facts.number)),
        ("Departamento o empresa", facts.department),
        ("Puesto", facts.position),
        ("Correo", facts.email),
        ("Huellas registradas", str(facts.fingers)),
        ("Asientos del registro", str(facts.entries)),
        ("Acceso", "retirado" if facts.removed else "no retirado"),
    ]


def _kept(facts: ExtractFacts) -> str:
    return (
        f"Conservación: {facts.keep_days} días después del último asiento sobre la persona; vencido el plazo se "
        "suprime quién era, y lo asentado queda sin su nombre."
    )


def _section(section: Section, room: float) -> list[Strip]:
    name, columns = SECTIONS[section.name]
    strips = heading(name, room)
    if not section.rows:
        return [*strips, *lines(NONE, room, colour=MUTED), gap(BODY)]
    if section.name not in {"passages", "entries"} and section.total > len(section.rows):
        note = f"Se muestran los últimos {len(section.rows)} de {section.total}."
        strips += lines(note, room, colour=MUTED, kept=True)
    elif section.name in {"passages", "entries"}:
        strips += lines(f"En total {section.total}.", room, colour=MUTED, kept=True)
    rows = [[_said(section.name, place, value) for place, value in enumerate(row)] for row in section.rows]
    shown = [Column(title=title, share=share) for title, share in columns]
    return [*strips, gap(2, kept=True), *table(shown, rows, room, continued=f"{name} (continuación)"), gap(BODY)]


def _said(section: str, place: int, value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return moment(value)
    words = _WORDS.get(section, {}).get(place)
    return str(value) if words is None else word(words, str(value))
