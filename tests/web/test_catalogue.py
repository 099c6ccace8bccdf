"""The English catalogue holds every Spanish text of the panel, with the same blanks, and is compiled as it stands."""

import io
import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

import accessctl_web

PACKAGE = Path(accessctl_web.__file__).parent
CATALOGUE = PACKAGE / "translations" / "en" / "LC_MESSAGES"
BLANK = re.compile(r"%\([a-z_]+\)s")


def catalogue() -> Catalog:
    with (CATALOGUE / "messages.po").open("rb") as file:
        return read_po(file, locale="en")


def said() -> set[str]:
    """Every text that the sources mark for translation; of a plural, the singular."""
    found = extract_from_dir(
        str(PACKAGE),
        method_map=[("**.py", "python"), ("templates/**.html", "jinja2")],
        keywords={"_": None, "gettext": None, "ngettext": (1, 2), "N_": None},
    )
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


def test_every_text_has_its_english_and_nothing_is_left_over() -> None:
    texts = said()
    assert len(texts) > 500
    known = {entry.id if isinstance(entry.id, str) else entry.id[0] for entry in catalogue() if entry.id}
    assert texts - known == set(), "no English yet"
    assert known - texts == set(), "nobody says this any more"


def test_no_translation_is_empty_or_fills_other_blanks() -> None:
    for entry in catalogue():
        if not entry.id:
            continue
        ids = (entry.id,) if isinstance(entry.id, str) else entry.id
        texts = (entry.string,) if isinstance(entry.string, str) else entry.string
        assert all(texts), ids
        assert not entry.fuzzy, ids
        for one, other in zip(ids, texts, strict=True):
            assert set(BLANK.findall(one)) == set(BLANK.findall(other)), one


def test_the_compiled_catalogue_is_the_written_one() -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue())
    assert (CATALOGUE / "messages.mo").read_bytes() == compiled.getvalue(), (
        "pybabel compile -d web/accessctl_web/translations"
    )
    with (CATALOGUE / "messages.mo").open("rb") as file:
        assert len(read_mo(file)) == len(catalogue())


def test_templates_hold_no_text_outside_the_catalogue() -> None:
    """Letters between tags that no expression produced would be shown in Spanish to everybody."""
    for template in PACKAGE.glob("templates/**/*.html"):
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)
        text = re.sub(r"<[^>]*>", " ", text)
        left = set(re.findall(r"[A-Za-zÁÉÍÓÚÑáéíóúñ]{2,}", text)) - {"SHA"}
        assert left == set(), template.name
