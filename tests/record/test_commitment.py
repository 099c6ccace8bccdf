"""A commitment binds, hides, and shows nothing by accident."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.record.canonical import clean
from accessctl.record.commitment import commit, opens, seal

SALTS = st.binary(min_size=32, max_size=32)


def test_is_the_documented_digest() -> None:
    salt = bytes(range(32))
    assert commit(salt, "María") == hashlib.sha256(b"accessctl/commitment/v1\n" + salt + "María".encode()).hexdigest()


@given(SALTS, st.text().map(clean), SALTS, st.text().map(clean))
def test_opens_with_its_own_salt_and_text_only(salt: bytes, value: str, other_salt: bytes, other: str) -> None:
    sealed = seal(salt, value)
    assert opens(sealed.commitment, salt, value)
    assert opens(sealed.commitment, other_salt, other) == ((salt, value) == (other_salt, other))


def test_hostile_openings_are_no() -> None:
    sealed = seal(bytes(32), "x")
    assert not opens(sealed.commitment, b"short", "x")
    assert not opens(sealed.commitment, bytes(32), "\ud800")
    assert not opens("\ud800é", bytes(32), "x")


def test_refuses_ambiguous_input_and_hides_the_rest() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        commit(b"salt", "x")
    with pytest.raises(ValueError, match="normal form"):
        commit(bytes(32), "e\u0301")
    shown = repr(seal(b"S" * 32, "María Pérez"))
    assert "María" not in shown
    assert "SSSS" not in shown
