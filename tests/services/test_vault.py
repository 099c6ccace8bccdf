"""Templates at rest: opened by their own row under the right key, and by nothing else."""

import os
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.domain.requests import StoredTemplate
from accessctl.ports import TerminalTemplate
from accessctl.services.vault import LARGEST, NONCE_BYTES, TemplateUnreadable, Vault

KEY = bytes(range(32))
ROW = StoredTemplate(
    id="0" * 32,
    person="p",
    finger=2,
    flag=1,
    format="zk-finger-10",
    device="lobby",
    nonce=b"n" * NONCE_BYTES,
    ciphertext=b"",
    digest="",
    at=datetime(2026, 3, 2, tzinfo=UTC),
)


def template(data: bytes = b"template bytes") -> TerminalTemplate:
    return TerminalTemplate(user_id="1001", finger=2, flag=1, data=data)


@given(st.binary(min_size=1, max_size=2000))
def test_what_was_sealed_opens_and_shows_nothing_of_itself(data: bytes) -> None:
    sealed = Vault(KEY).seal(template(data), row=ROW)
    assert Vault(KEY).open(sealed, user_id="77") == TerminalTemplate(user_id="77", finger=2, flag=1, data=data)
    assert len(sealed.ciphertext) == len(data) + 16
    if len(data) > 8:
        assert data not in sealed.ciphertext


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "1" * 32},
        {"person": "q"},
        {"finger": 3},
        {"flag": 3},
        {"format": "other"},
        {"nonce": b"m" * NONCE_BYTES},
        {"ciphertext": b"\x00" * 40},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_row_that_was_swapped_or_changed_does_not_open(changes: dict[str, object]) -> None:
    sealed = Vault(KEY).seal(template(), row=ROW)
    with pytest.raises(TemplateUnreadable):
        Vault(KEY).open(replace(sealed, **changes), user_id="1")  # type: ignore[arg-type]  # one field each


def test_a_copied_row_opens_nothing_elsewhere_and_neither_does_another_key() -> None:
    sealed = Vault(KEY).seal(template(), row=ROW)
    with pytest.raises(TemplateUnreadable) as unreadable:
        Vault(os.urandom(32)).open(sealed, user_id="1")
    assert str(unreadable.value) == ROW.id


def test_the_digest_tells_equal_templates_and_only_with_the_key() -> None:
    vault = Vault(KEY)
    assert vault.digest(b"a") == vault.digest(b"a") != vault.digest(b"b")
    assert vault.digest(b"a") != Vault(bytes(32)).digest(b"a")
    assert vault.seal(template(), row=ROW).digest == vault.digest(b"template bytes")


@pytest.mark.parametrize("data", [b"", b"x" * (LARGEST + 1)])
def test_what_is_no_template_is_not_sealed(data: bytes) -> None:
    with pytest.raises(ValueError, match="between 1 and 8192"):
        Vault(KEY).seal(template(data), row=ROW)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_the_key_has_32_bytes_and_is_never_shown(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(bytes(size))
    assert KEY.hex() not in repr(Vault(KEY))
