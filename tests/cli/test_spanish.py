"""What click says itself is Spanish unless somebody wants English: a real process, and the catalogue behind it."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from accessctl.cli.report import report
from accessctl.cli.spanish import CATALOGUES
from accessctl.services.reports import ReportName

FOLDER = CATALOGUES / "es" / "LC_MESSAGES"
BLANK = re.compile(r"%\(\w+\)s|\{\w+(?:!r)?\}")


def catalogue() -> Catalog:
    with (FOLDER / "messages.po").open("rb") as file:
        return read_po(file, locale="es")


def said(*arguments: str, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name != "LANGUAGE"}
    command = [sys.executable, "-m", "accessctl", *arguments]
    done = subprocess.run(command, env=kept | environment, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("verify",), "Falta el argumento 'FILES...'."),
        (("exporta",), "No hay orden 'exporta'."),
        (("export", "--format", "xml", "--out", "x"), "'xml' no es ninguno de estos: 'csv', 'jsonl', 'xlsx', 'pdf'."),
        (("report", "entries", "--limit", "0"), "0 está fuera del intervalo 1<=x<=1000000."),
        (("record", "--help"), "Muestra esta ayuda y termina."),
        (("--help",), "Órdenes:"),
    ],
)
def test_usage_is_explained_in_spanish(arguments: tuple[str, ...], sentence: str) -> None:
    shown = said(*arguments)
    assert sentence in shown
    assert "Uso: accessctl" in shown


def test_or_in_english_for_whoever_wants_it() -> None:
    assert "Missing argument 'FILES...'." in said("verify", LANGUAGE="en")


def test_the_help_names_every_report() -> None:
    assert [one.value for one in ReportName if one.value not in (report.help or "")] == []


def test_every_sentence_is_one_of_clicks_and_keeps_its_blanks() -> None:
    """A sentence that a newer click words otherwise would be left in English without anybody noticing."""
    source = "".join(path.read_text("utf-8") for path in Path(click.__file__).parent.glob("*.py"))
    whole = re.sub(r'"\s*\n\s*"', "", source)  # literals that go on in the next line
    for entry in catalogue():
        if not entry.id:
            continue
        ids = (entry.id,) if isinstance(entry.id, str) else entry.id
        texts = (entry.string,) if isinstance(entry.string, str) else entry.string
        for one, other in zip(ids, texts, strict=True):
            assert one.replace("\n", r"\n").replace("\t", r"\t") in whole, one
            assert other, one
            assert set(BLANK.findall(one)) == set(BLANK.findall(other)), one


def test_the_compiled_catalogue_is_the_written_one() -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue())
    assert (FOLDER / "messages.mo").read_bytes() == compiled.getvalue(), "pybabel compile -d accessctl/cli/translations"
