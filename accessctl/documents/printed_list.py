"""Exports and reports as printed lists: the register's sheets without its signatures, one line for each entry."""

from collections.abc import Sequence
from datetime import datetime

import orjson

from accessctl.documents.fact_words import EVENTS
from accessctl.documents.imprint import CheckpointReference, Evidence, Imprint, local, moment
from accessctl.documents.parts import Column
from accessctl.documents.register import ListOf, Register, RegisterLine, render_register
from accessctl.documents.told import asked_words
from accessctl.documents.words import DIRECTIONS, REASONS, word
from accessctl.domain.people import SYSTEM
from accessctl.services.export_books import BookHead, BookLine, Write
from accessctl.services.export_lines import REDACTED
from accessctl.services.paper_facts import ListFacts, Sealing, Stamp, unsealed

SERVES = "Exportación del registro; acceso a la información pública, Decreto 57-2008"
_COLUMNS = (
    Column(title="Asiento", share=1.3),
    Column(title="Fecha y hora", share=2.1),
    Column(title="Hecho", share=2.8),
    Column(title="Puerta o equipo", share=2),
    Column(title="Sentido", share=1.1),
    Column(title="Persona", share=3.4),
    Column(title="Credencial", share=2.2),
    Column(title="Motivo y norma", share=2.8),
    Column(title="Quién lo hizo", share=2),
)


class PrintedLists:
    """Makes printed lists of an export (`accessctl.services.export_books.Binder`)."""

    most = 50_000  # some 1,300 sheets; what is longer is for a machine to read

    def __init__(self, seal: Sealing = unsealed) -> None:
        self._seal = seal

    def begin(self, write: Write, head: BookHead) -> "_PrintedList":
        return _PrintedList(write, head, self._seal)


class _PrintedList:
    """One list while its lines come in."""

    def __init__(self, write: Write, head: BookHead, seal: Sealing) -> None:
        self._write = write
        self._head = head
        self._seal = seal
        self._lines: list[RegisterLine] = []

    def add(self, lines: Sequence[BookLine]) -> None:
        """Take these lines."""
        self._lines += [_line(line, self._head) for line in lines]

    def finish(self) -> None:
        """Draw the list, seal it and write it out."""
        head = self._head
        version = "versión pública, sin nombres, documentos ni credenciales" if head.public else "versión completa"
        asked = asked_words({**head.asked, "public": False})
        about = (
            f"Consulta: {asked} · {version} · exportado por {head.exported_by} · las pruebas de cada asiento "
            "acompañan a este archivo (.manifest, .proofs); se verifica con «accessctl verify» o con el .verify.py"
        )
        stamp = Stamp(
            number=head.number, made_at=head.exported_at, origin=head.origin, checkpoint=(head.size, head.root)
        )
        listed = ListOf(title="Exportación del registro de asientos", serves=SERVES, about=about)
        self._write(self._seal(_render(stamp, listed, _COLUMNS, self._lines)))

    def close(self) -> None:
        """Forget the lines."""
        self._lines = []


def render_list(facts: ListFacts) -> bytes:
    """A report on paper: a title, what it serves, columns and rows of text."""
    columns = tuple(Column(title=title, share=share) for title, share in facts.columns)
    listed = ListOf(title=facts.title, serves=facts.serves, about=facts.about)
    remarks = facts.remarks or ("",) * len(facts.rows)
    lines = [RegisterLine(cells=row, remark=remark) for row, remark in zip(facts.rows, remarks, strict=True)]
    return _render(facts.stamp, listed, columns, lines)


def _render(stamp: Stamp, listed: ListOf, columns: tuple[Column, ...], lines: Sequence[RegisterLine]) -> bytes:
    signed = stamp.checkpoint
    checkpoint = None if signed is None else CheckpointReference(size=signed[0], root=signed[1])
    evidence = None if checkpoint is None else Evidence(origin=stamp.origin, checkpoint=checkpoint)
    return render_register(
        Register(
            imprint=Imprint(number=stamp.number, made_at=stamp.made_at, evidence=evidence),
            place="",
            day=local(stamp.made_at).date(),
            columns=columns,
            lines=tuple(lines),
            list_of=listed,
        )
    )


def _line(line: BookLine, head: BookHead) -> RegisterLine:
    index, data, _, name = line
    entry = orjson.loads(data)
    hidden = REDACTED | {"actor"} if head.public else frozenset()
    said = {key: "" if key in hidden or entry.get(key) is None else str(entry[key]) for key in _SHOWN}
    why = word(REASONS, said["reason"])
    return RegisterLine(
        cells=(
            str(index),
            moment(datetime.fromisoformat(said["at"])) if said["at"] else "",
            word(EVENTS, said["event"]),
            word(head.doors, said["door"]) or said["device"],
            word(DIRECTIONS, said["direction"]),
            "" if head.public else name or said["person_id"],
            said["credential"],
            f"{why} ({said['norm']})" if why and said["norm"] else why or said["norm"],
            "el sistema" if said["actor"] == SYSTEM.account else word(head.accounts, said["actor"]),
        )
    )


_SHOWN = ("at", "event", "door", "device", "direction", "person_id", "credential", "reason", "norm", "actor")
