"""N10.4: cards of people who left that were not handed in, under the head who owes them, with their age in days."""

from dataclasses import dataclass
from datetime import date

from accessctl.documents.imprint import Imprint, short_date
from accessctl.documents.page import Sheet, Strip
from accessctl.documents.parts import Column, fields, gap, heading, lines, table, title
from accessctl.documents.style import BODY, LETTER, Size

TITLE = "Tarjetas de acceso pendientes de entrega"
SERVES = "Procedimiento 10, norma 4 (N10.4)"
_AGES = ((7, "Hasta 7 días"), (30, "De 8 a 30 días"), (90, "De 31 a 90 días"))
_OLDER = "Más de 90 días"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutstandingCard:
    """A card not handed in: since which day, by which removal request, and its state in words."""

    number: str
    holder: str
    since: date
    removal: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Owing:
    """Who owes cards: the head, the department, and the cards in the order to print."""

    head: str
    department: str
    cards: tuple[OutstandingCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutstandingCards:
    """The list on one day (local date). A card owed since a later day is a bug of the caller (ValueError)."""

    imprint: Imprint
    as_of: date
    owing: tuple[Owing, ...]


def render_outstanding(listed: OutstandingCards, *, size: Size = LETTER) -> bytes:
    """The list as PDF."""
    sheet = Sheet(title=TITLE, serves=SERVES, imprint=listed.imprint, size=size)
    room = sheet.room
    ages = [_age(card, listed.as_of) for owing in listed.owing for card in owing.cards]
    strips = [
        *title(TITLE, f"No. {listed.imprint.number} · situación al {short_date(listed.as_of)}", room),
        *fields(_summary(ages), room, columns=3),
    ]
    if not ages:
        strips += [gap(6), *lines("No hay tarjetas pendientes de entrega.", room)]
    for owing in listed.owing:
        if owing.cards:
            strips += _owing(owing, listed.as_of, room)
    return sheet.compose(strips)


_CARDS = (
    Column(title="No.", share=0.9),
    Column(title="Tarjeta", share=3),
    Column(title="Titular", share=5),
    Column(title="Desde", share=2.2),
    Column(title="Días", share=1.2),
    Column(title="Remoción", share=2.8),
    Column(title="Estado", share=2.4),
)


def _age(card: OutstandingCard, as_of: date) -> int:
    days = (as_of - card.since).days
    if days < 0:
        raise ValueError(f"card of {card.removal} is owed since {card.since}, after {as_of}")
    return days


def _summary(ages: list[int]) -> list[tuple[str, str]]:
    found = [("Pendientes en total", str(len(ages))), ("La más antigua", f"{max(ages)} días" if ages else "—")]
    low = 0
    for high, label in _AGES:
        found.append((label, str(sum(low <= age <= high for age in ages))))
        low = high + 1
    return [*found, (_OLDER, str(sum(age >= low for age in ages)))]


def _owing(owing: Owing, as_of: date, room: float) -> list[Strip]:
    count = len(owing.cards)
    ages = [_age(card, as_of) for card in owing.cards]
    rows = [
        (str(place), card.number, card.holder, short_date(card.since), str(age), card.removal, card.state)
        for place, (card, age) in enumerate(zip(owing.cards, ages, strict=True), start=1)
    ]
    plural = "tarjeta pendiente" if count == 1 else "tarjetas pendientes"
    return [
        *heading(owing.department, room),
        *lines(f"Responde: {owing.head} · {count} {plural}, la más antigua de {max(ages)} días", room, kept=True),
        gap(3, kept=True),
        *table(_CARDS, rows, room, continued=f"{owing.department} (continuación)"),
        gap(BODY),
    ]
