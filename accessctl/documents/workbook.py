"""Exports as an Excel workbook: every cell is text, nothing is a formula, a number or a link; flat memory.

The rows lie in files of a folder of their own until the workbook is whole; then it is written out in one go. A sheet
bears 1,048,576 rows, so that more lines go on to a next one. The first sheet says where the lines come from.
"""

from collections.abc import Sequence
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from accessctl.documents.imprint import moment
from accessctl.documents.told import asked_words
from accessctl.record.columns import COLUMNS
from accessctl.services.export_books import BookHead, BookLine, Write, cells_of

ROWS = 1_048_576  # of a sheet, its head included
LONGEST_CELL = 32_767
CUT = "… (sigue en el asiento)"
BLOCK = 1 << 20
WIDTHS = {"index": 10, "at": 28, "received_at": 28, "event": 24, "person": 28, "person_id": 34, "leaf": 68}
PLAIN = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}


class Workbooks:
    """Makes workbooks (`accessctl.services.export_books.Binder`)."""

    most = 3_000_000  # Excel itself opens no more in the memory of an office machine

    def begin(self, write: Write, head: BookHead) -> "_Workbook":
        return _Workbook(write, head)


class _Workbook:
    """One workbook while it is made."""

    def __init__(self, write: Write, head: BookHead) -> None:
        self._write = write
        self._head = head
        self._folder = Path(mkdtemp(prefix="accessctl-"))  # mode 0700: the rows name people
        self._file = self._folder / "book.xlsx"
        self._book = xlsxwriter.Workbook(str(self._file), PLAIN | {"tmpdir": str(self._folder)})
        self._book.set_properties({"title": head.number, "author": head.origin, "created": head.exported_at})
        self._bold = self._book.add_format({"bold": True, "bottom": 1})
        self._provenance()
        self._sheets = 0
        self._sheet = self._next_sheet()
        self._row = 1

    def add(self, lines: Sequence[BookLine]) -> None:
        """Write these lines as rows of text."""
        for line in lines:
            if self._row == ROWS:
                self._sheet, self._row = self._next_sheet(), 1
            for column, text in enumerate(cells_of(line, public=self._head.public)):
                if text:
                    shown = text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - len(CUT)] + CUT
                    self._sheet.write_string(self._row, column, shown)
            self._row += 1

    def finish(self) -> None:
        """Close the workbook and write it out."""
        self._book.close()
        with self._file.open("rb") as file:
            while block := file.read(BLOCK):
                self._write(block)

    def close(self) -> None:
        """Take away the rows that were laid aside. Raises nothing: the folder may be gone."""
        for sheet in self._book.worksheets():
            if sheet.row_data_fh is not None and not sheet.row_data_fh.closed:
                sheet.row_data_fh.close()
        self._book.fileclosed = True  # or its finaliser warns of a workbook that was given up
        rmtree(self._folder, ignore_errors=True)

    def _next_sheet(self) -> Worksheet:
        self._sheets += 1
        sheet = self._book.add_worksheet("Asientos" if self._sheets == 1 else f"Asientos {self._sheets}")
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(COLUMNS):
            sheet.set_column(column, column, WIDTHS.get(name, 16))
            sheet.write_string(0, column, name, self._bold)
        return sheet

    def _provenance(self) -> None:
        head, sheet = self._head, self._book.add_worksheet("Procedencia")
        sheet.set_column(0, 0, 26)
        sheet.set_column(1, 1, 100)
        check = (
            "Con el manifiesto (.manifest) y las pruebas (.proofs) que acompañan a este archivo: «accessctl verify», o "
            "el programa .verify.py que está a su lado. Si el libro se guarda de nuevo, ya no es el exportado."
        )
        rows = (
            ("Registro", head.origin),
            ("Exportación", head.number),
            ("Exportado por", head.exported_by),
            ("Exportado el", f"{moment(head.exported_at)}, America/Guatemala"),
            ("Consulta", asked_words({**head.asked, "public": False})),
            ("Punto de control", f"{head.size} asientos, raíz {head.root.hex()}"),
            ("Versión", "pública, sin nombres, documentos ni credenciales" if head.public else "completa"),
            ("Cómo se verifica", check),
        )
        for row, (name, value) in enumerate(rows):
            sheet.write_string(row, 0, name, self._bold)
            sheet.write_string(row, 1, value[:LONGEST_CELL])
