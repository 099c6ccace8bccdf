"""Workbooks and printed lists: they show what the record says as text, carry their proofs, and appear whole or not."""

import errno
import io
import json
import os
import zipfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pdfplumber
import pytest

from accessctl.documents.printed_list import PrintedLists
from accessctl.documents.workbook import Workbooks
from accessctl.domain.people import SYSTEM
from accessctl.record import RecordBroken, Why, single_file, verify_file
from accessctl.record.columns import COLUMNS
from accessctl.services.export_books import BookFormat
from accessctl.services.exports import ExportDesk
from accessctl.services.store import EventFilter
from tests.services.premises import SIGNER, START, Premises

KEY = [SIGNER.verifier]
BOOKS: tuple[BookFormat, ...] = ("xlsx", "pdf")
HOUR = EventFilter(since=START, until=START + timedelta(hours=1), doors=("sub-1",))
SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture
def desk(premises: Premises) -> ExportDesk:
    return ExportDesk(premises.office, premises.keeper, {"xlsx": Workbooks(), "pdf": PrintedLists()})


@pytest.fixture
def busy(premises: Premises) -> Premises:
    _, person = premises.delivered()
    premises.door_events(120, person=person.id)
    return premises


def sheet(path: Path, number: int = 2) -> list[list[str]]:
    """The texts of a sheet's rows; every cell must be an inline string."""
    with zipfile.ZipFile(path) as book:
        assert not [name for name in book.namelist() if "vba" in name or "external" in name.lower()]
        tree = ET.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))  # noqa: S314 -- made by us just now
    rows = []
    for row in tree.iter(f"{SPACE}row"):
        cells = {}
        for cell in row.iter(f"{SPACE}c"):
            assert cell.get("t") == "inlineStr", "a number, a formula or a shared text"
            assert cell.find(f"{SPACE}f") is None
            place = "".join(char for char in cell.get("r", "") if char.isalpha())
            cells[place] = "".join(text.text or "" for text in cell.iter(f"{SPACE}t"))
        rows.append([cells.get(chr(ord("A") + at), "") for at in range(len(COLUMNS))])
    return rows


@pytest.mark.parametrize("fmt", BOOKS)
@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize("which", [HOUR, EventFilter(), EventFilter(events=("no:such:fact",))])
def test_whatever_comes_out_verifies(
    busy: Premises, desk: ExportDesk, tmp_path: Path, fmt: BookFormat, public: bool, which: EventFilter
) -> None:
    told: list[tuple[int, float]] = []
    made = desk.make(
        busy.actors["auditor"],
        which=which,
        fmt=fmt,
        target=tmp_path / f"e.{fmt}",
        public=public,
        progress=lambda lines, share: told.append((lines, share)),
    )
    found = verify_file(made.path, trusted=KEY)
    assert (found.entries, found.whole, found.sealed, found.pinned) == (made.lines, False, True, True)
    assert single_file.verify(made.path, [single_file.key_of(KEY[0].vkey)], [])
    assert made.verifier.read_bytes() == Path(single_file.__file__).read_bytes()
    assert json.loads(made.manifest.read_text("utf-8"))["format"] == fmt
    assert told == sorted(told)
    assert not told or (told[-1][0] == made.lines and 0 < told[-1][1] <= 1)
    content = made.path.read_bytes()
    spoilt = bytearray(content)
    spoilt[len(content) // 2] ^= 1
    made.path.write_bytes(spoilt)
    with pytest.raises(RecordBroken) as broken:
        verify_file(made.path, trusted=KEY)
    assert broken.value.why is Why.FILE_CHANGED


def test_a_workbook_shows_texts_and_nothing_runs(premises: Premises, desk: ExportDesk, tmp_path: Path) -> None:
    hostile = ("=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "http://x.example", "0012", '<b>&"', "a\u202eb", "🃏")
    for number, name in enumerate(hostile):
        person = premises.person(name)
        premises.door_events(1, person=person.id, start=START + timedelta(hours=number + 1))
    made = desk.make(SYSTEM, which=EventFilter(device="lobby"), fmt="xlsx", target=tmp_path / "e.xlsx")
    head, *rows = sheet(made.path)
    assert head == list(COLUMNS)
    assert len(rows) == made.lines == len(hostile)
    people = [row[COLUMNS.index("person")] for row in rows]
    assert people == ["'" + name if name[0] in "=+-@" else name for name in hostile]
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert "Punto de control" in [row[0] for row in sheet(made.path, 1)]


def test_a_printed_list_names_people_and_its_checkpoint(busy: Premises, desk: ExportDesk, tmp_path: Path) -> None:
    made = desk.make(SYSTEM, which=HOUR, fmt="pdf", target=tmp_path / "e.pdf")
    public = desk.make(SYSTEM, which=HOUR, fmt="pdf", target=tmp_path / "p.pdf", public=True)
    texts = []
    for path in (made.path, public.path):
        with pdfplumber.open(path) as pdf:
            texts.append(" ".join((page.extract_text() or "") for page in pdf.pages))
    assert "Exportación del registro de asientos" in texts[0]
    assert "Ñandú" in texts[0]
    assert "Ingreso permitido" in texts[0]
    assert f"{made.checkpoint.size} asientos" in texts[0]
    assert "Fin de la lista: 31 líneas." in texts[0]
    assert "Ñandú" not in texts[1]
    assert "pin:100" not in texts[1]


def test_a_printed_list_names_doors_and_accounts(busy: Premises, desk: ExportDesk, tmp_path: Path) -> None:
    head, texts = busy.actors["jefe"], []
    with busy.store.view() as tx:
        door = tx.doors.get("sub-1").name
    for name, which, public in (
        ("door", HOUR, False),
        ("whole", EventFilter(), False),
        ("public", EventFilter(), True),
    ):
        made = desk.make(head, which=which, fmt="pdf", target=tmp_path / f"{name}.pdf", public=public)
        with pdfplumber.open(made.path) as pdf:
            texts.append(" ".join(" ".join((page.extract_text() or "").split()) for page in pdf.pages))
    of_door, of_all, of_public = texts
    assert f"puerta {door} · versión completa" in of_door
    assert "sub-1" not in of_door
    assert "Consulta: todo el registro · versión completa" in of_all
    assert head.name.split()[0] in of_all
    others = [one.account for one in busy.actors.values() if one.account and one != head]
    assert [one for one in others if one in of_all + of_public] == []
    assert "Consulta: todo el registro · versión pública" in of_public
    assert not any(actor.name in of_public for actor in busy.actors.values() if actor.name)


@pytest.mark.parametrize("fmt", BOOKS)
def test_a_disk_that_fills_leaves_nothing(
    busy: Premises, desk: ExportDesk, tmp_path: Path, fmt: BookFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        desk.make(SYSTEM, which=HOUR, fmt=fmt, target=folder / f"e.{fmt}")
    assert list(folder.iterdir()) == []


class _Short(PrintedLists):
    most = 10


def test_what_is_too_long_for_paper_is_refused(busy: Premises, tmp_path: Path) -> None:
    desk = ExportDesk(busy.office, busy.keeper, {"pdf": _Short()})
    with pytest.raises(OSError, match="more than 10") as refused:
        desk.make(SYSTEM, which=HOUR, fmt="pdf", target=tmp_path / "e.pdf")
    assert refused.value.errno == errno.EFBIG
    assert not list(tmp_path.glob("e.pdf*"))


@pytest.mark.parametrize("fmt", ["csv", "jsonl", "xlsx", "pdf"])
def test_whoever_watches_can_stop_it(busy: Premises, desk: ExportDesk, tmp_path: Path, fmt: BookFormat) -> None:
    class Enough(Exception):
        pass

    def stop(lines: int, share: float) -> None:
        raise Enough

    with pytest.raises(Enough):
        desk.make(SYSTEM, fmt=fmt, target=tmp_path / f"e.{fmt}", progress=stop)
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith("accessctl.db")]


def test_leaves_of_a_book_cannot_be_swapped(busy: Premises, desk: ExportDesk, tmp_path: Path) -> None:
    made = desk.make(SYSTEM, which=HOUR, fmt="xlsx", target=tmp_path / "e.xlsx")
    assert made.proofs is not None
    lines = made.proofs.read_bytes().splitlines(keepends=True)

    def refused(changed: Sequence[bytes]) -> Why:
        assert made.proofs is not None
        made.proofs.write_bytes(b"".join(changed))
        with pytest.raises(RecordBroken) as broken:
            verify_file(made.path, trusted=KEY)
        with pytest.raises(single_file.Broken):
            single_file.verify(made.path, [], [])
        return broken.value.why

    assert refused(lines[:-1]) is Why.TRUNCATED
    assert refused([*lines, lines[-1]]) is Why.WRONG_SIZE
    assert refused([lines[1], lines[0], *lines[2:]]) is Why.ORDER
    value = json.loads(lines[4])
    assert refused([*lines[:4], json.dumps(value | {"leaf": "0" * 64}).encode() + b"\n", *lines[5:]]) is (
        Why.NOT_IN_RECORD
    )
    made.proofs.unlink()
    with pytest.raises(RecordBroken):
        verify_file(made.path, trusted=KEY)
    assert io.BytesIO(made.path.read_bytes()).read(2) == b"PK"
