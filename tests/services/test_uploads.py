"""What people attach is judged by its bytes, bounded, and keeps no folder of its name."""

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.requests import Attachment
from accessctl.services.uploads import LARGEST, Upload, kept

AT = datetime(2026, 3, 2, tzinfo=UTC)
PDF = b"%PDF-1.7 something"


def keep(name: str, content: bytes = PDF) -> Attachment:
    upload = Upload(name=name, content=content)
    return kept(upload, attachment_id="a", case="c", kind="form", added_by="x", at=AT)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PDF, "application/pdf"),
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
    ],
)
def test_three_kinds_are_kept_as_what_their_bytes_are(content: bytes, media_type: str) -> None:
    attachment = keep("anything.exe", content)
    assert (attachment.media_type, attachment.sha256) == (media_type, hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04 a zip named .pdf", b"<svg onload=1>", b"MZ", b" %PDF-", b"%PDF", b"GIF89a", b"<html>%PDF-"],
)
def test_what_only_calls_itself_a_pdf_is_refused(content: bytes) -> None:
    with pytest.raises(AccessError) as refused:
        keep("formulario.pdf", content)
    assert (refused.value.reason, refused.value.norm) == (Reason.UPLOAD_INVALID, "P10.01")


def test_ten_megabytes_and_not_one_more() -> None:
    whole = PDF + b"x" * (LARGEST - len(PDF))
    assert len(keep("a.pdf", whole).content) == LARGEST
    for larger in (whole + b"x", PDF + b"x" * (11 * 2**20)):
        with pytest.raises(AccessError) as refused:
            keep("a.pdf", larger)
        assert refused.value.details == {"largest_mib": 10}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/cron.d/x", "x"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\windows\\win.ini", "win.ini"),
        ("C:\\fakepath\\Formulario firmado.pdf", "Formulario firmado.pdf"),
        ("..", "form"),
        (".", "form"),
        ("a/..", "form"),
        ("", "form"),
        ("a/", "form"),
        (".bashrc", "bashrc"),
        ("x/" * 1000 + "año ñ.pdf", "año ñ.pdf"),
    ],
)
def test_a_name_loses_every_folder(name: str, shown: str) -> None:
    assert keep(name).name == shown


@pytest.mark.parametrize("name", ["a\x00.pdf", "a\r\nSet-Cookie: x.pdf\x07", "\u202efdp.exe", "x" * 201 + ".pdf"])
def test_a_name_that_deceives_or_is_too_long_is_refused_not_cut(name: str) -> None:
    with pytest.raises(AccessError) as refused:
        keep(name)
    assert (refused.value.reason, refused.value.details["field"]) == (Reason.TEXT_INVALID, "file_name")


@given(st.text(alphabet=st.sampled_from("./\\ab .\x00ñ"), max_size=300))
def test_no_name_leads_anywhere(name: str) -> None:
    try:
        kept_name = keep(name).name
    except AccessError:
        return
    assert kept_name
    assert "/" not in kept_name
    assert "\\" not in kept_name
    assert not kept_name.startswith(".")


def test_the_content_is_in_no_repr() -> None:
    assert "something" not in repr(Upload(name="a", content=PDF))
