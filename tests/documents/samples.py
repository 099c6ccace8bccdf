"""Documents to print in tests, and how a printed one is read back."""

import hashlib
import io
import math
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import pdfplumber

from accessctl.documents.imprint import CheckpointReference, EntryReference, Evidence, Imprint
from accessctl.documents.notice import DoorResult, Notice
from accessctl.documents.outstanding import OutstandingCard, OutstandingCards, Owing
from accessctl.documents.parts import Column
from accessctl.documents.receipt import DoorGranted, Officer, Receipt, ScreenSignature
from accessctl.documents.register import Register, RegisterLine
from accessctl.documents.strokes import Strokes

AT = datetime(2026, 11, 24, 14, 43, 7, tzinfo=UTC)  # 08:43:07 in Guatemala
DAY = date(2026, 11, 24)
LEAF = hashlib.sha256(b"\x00an entry").digest()
ROOT = hashlib.sha256(b"\x01a tree").digest()
ENTRY = EntryReference(index=1234, leaf=LEAF)
CHECKPOINT = CheckpointReference(size=1240, root=ROOT)
EVIDENCE = Evidence(origin="accesos.example.gt", entry=ENTRY, checkpoint=CHECKPOINT)
IMPRINT = Imprint(number="CT-2026-000123", made_at=AT, evidence=EVIDENCE)

# What people and devices put into names: markup, SQL, a formula, direction override, NUL, a lone surrogate, signs that
# the font lacks.
HOSTILE = (
    "<b>Ana</b> & <svg onload=alert(1)>",
    "1' OR '1'='1",
    "=cmd|' /C calc'!A0",
    "Ana \u202egpj.exe\u2069 \u200bPérez",
    "a\x00b\x1b[31mc\r\n\tAutorizado por: nadie",
    "\ud83d suelto \U0001f916 \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "é" * 200,
    "W" * 200,
    "e" + "\u0301" * 199,
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 ไทย 漢字 עברית",
    ") Tj ET (\\",
    " " * 200,
    "",
)


def signature() -> ScreenSignature:
    """A wave, a loop and a dot."""
    wave = tuple((60.0 + 4 * step, 100 - 50 * math.sin(step / 6)) for step in range(0, 110, 3))
    strokes = Strokes(width=600, height=200, strokes=(wave, ((10.0, 10.0), (590.0, 190.0)), ((300.0, 160.0),)))
    return ScreenSignature(strokes=strokes, at=AT, digest=hashlib.sha256(b"strokes").digest())


def receipt(*, person: str = "Ana Lucía Pérez Sicajá", doors: int = 3, signed: bool = True) -> Receipt:
    """A receipt; `person` stands also wherever else a free text may."""
    officer = Officer(name="Carlos Humberto Ajú", post="Jefe del Departamento de Soporte Técnico", at=AT)
    return Receipt(
        imprint=IMPRINT,
        request="ACC-2026-0042",
        person=person,
        identity_document="DPI 2517 40192 0101",
        department="Departamento de Soporte Técnico",
        post="Técnico Informático",
        card_kind="EM4100",
        printed_numbers=(("10D", "0018226646"), ("3,5D", "022,07638")),
        doors=tuple(
            DoorGranted(door=f"Puerta {n}", zone="Subgerencia", schedule="Hábiles 07–18") for n in range(doors)
        ),
        valid_from=DAY,
        valid_until=date(2027, 11, 24),
        authorised_by=officer,
        configured_by=replace(officer, name="Marta Chávez", post="Técnico en Infraestructura"),
        signature=signature() if signed else None,
    )


def notice() -> Notice:
    """A letter about two doors, one of which is waiting."""
    return Notice(
        imprint=replace(IMPRINT, number="DIT-0456-2026"),
        addressee="Carlos Humberto Ajú",
        addressee_post="Jefe de Departamento",
        addressee_department="Departamento de Soporte Técnico",
        request="ACC-2026-0042",
        requested_at=AT,
        person="Ana Lucía Pérez Sicajá",
        person_department="Departamento de Soporte Técnico",
        card_number="0018226646",
        card_state="Activa",
        delivered_at=AT,
        valid_from=DAY,
        valid_until=None,
        doors=(
            DoorResult(door="Puerta norte", schedule="Hábiles 07–18", result="Configurada"),
            DoorResult(door="Puerta sur", schedule="Hábiles 07–18", result="Pendiente: sin conexión"),
        ),
        remarks=("La puerta sur recibirá la tarjeta cuando vuelva la conexión.",),
        signed_by="Silvia Beatriz Ramos",
    )


def outstanding(count: int) -> OutstandingCards:
    """Cards of two heads, three of the first, the rest of the second; each owed for as many days as its place."""
    cards = tuple(
        OutstandingCard(
            number=f"{18226646 + place:010d}",
            holder=f"Persona {place}",
            since=date.fromordinal(DAY.toordinal() - place),
            removal=f"REM-{place:04d}",
            state="Revocada",
        )
        for place in range(count)
    )
    return OutstandingCards(
        imprint=replace(IMPRINT, number="TP-2026-011"),
        as_of=DAY,
        owing=(
            Owing(head="Carlos Ajú", department="Soporte Técnico", cards=cards[:3]),
            Owing(head="Rosa Tot", department="Telecomunicaciones", cards=cards[3:]),
        ),
    )


def register(lines: tuple[RegisterLine, ...]) -> Register:
    """A day of four columns."""
    titles = (("Hora", 1.0), ("Nombre", 3.0), ("Puerta", 2.0), ("Evento", 2.0))
    return Register(
        imprint=Imprint(
            number="RD-2026-11-24",
            made_at=AT,
            evidence=Evidence(origin="accesos.example.gt", checkpoint=CHECKPOINT),
        ),
        place="Centro de Datos",
        day=DAY,
        columns=tuple(Column(title=title, share=share) for title, share in titles),
        lines=lines,
        book="CD-03",
        first_folio=147,
        keeper="Marta Chávez",
    )


def register_line(number: int, *, remark: str = "") -> RegisterLine:
    """One entry with a name that tells its number."""
    return RegisterLine(cells=("07:31:05", f"Persona {number}", "Puerta 1", "concedido"), remark=remark)


@lru_cache(maxsize=4)
def read(document: bytes) -> list[Any]:
    """Pages of a PDF as pdfplumber sees them, kept after the file is closed."""
    with pdfplumber.open(io.BytesIO(document)) as opened:
        pages = list(opened.pages)
        for page in pages:
            page.chars  # noqa: B018  # reads the page while the file is open
        return pages


def text(document: bytes) -> str:
    """The text of all pages, spaces and line ends as one space."""
    return " ".join(" ".join((page.extract_text() or "").split()) for page in read(document))


def assert_nothing_overflows(document: bytes) -> None:
    """Every sign lies inside the page's margins."""
    for page in read(document):
        for sign in page.chars:
            place = (
                f"{sign['text']!r} at {sign['x0']:.0f}–{sign['x1']:.0f}, {sign['top']:.0f} on page {page.page_number}"
            )
            assert sign["x0"] >= 35, place
            assert sign["x1"] <= page.width - 35, place
            assert 20 <= sign["top"] < sign["bottom"] <= page.height - 20, place
