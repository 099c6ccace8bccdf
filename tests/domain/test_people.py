"""Names, documents, roles: what is taken from people as they type it, and what is refused rather than cut."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.people import (
    AUTHORITIES,
    GRANTABLE,
    ROLE_PERMISSIONS,
    SYSTEM,
    Actor,
    DocumentKind,
    IdentityDocument,
    Permission,
    Role,
    clean_text,
    dpi_is_valid,
    permissions_of,
)

BAD = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
HOSTILE = ["\u202eevil", "a\x00b", "a\x1bb", "soft\u00adhyphen", "zero\u200bwidth", "\ud800", "\ufeffbom", "\ue000"]


@given(st.text(max_size=60))
def test_clean_text_says_no_or_gives_what_it_would_give_again(text: str) -> None:
    refusal = None
    try:
        cleaned = clean_text(text, field="name", longest=40)
    except AccessError as error:
        refusal = error
    if refusal is not None:
        assert refusal.reason is Reason.TEXT_INVALID
        assert refusal.details == {"field": "name", "longest": 40}
        return
    assert clean_text(cleaned, field="name", longest=40) == cleaned
    assert 0 < len(cleaned) <= 40
    assert cleaned == cleaned.strip()
    assert "  " not in cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not any(unicodedata.category(char) in BAD for char in cleaned)
    visible = unicodedata.normalize("NFC", text).split()
    assert cleaned.split() == visible  # nothing was cut, nothing was added


@pytest.mark.parametrize("text", HOSTILE)
def test_characters_that_deceive_are_refused(text: str) -> None:
    with pytest.raises(AccessError) as refused:
        clean_text(text, field="full_name", longest=120)
    assert refused.value.reason is Reason.TEXT_INVALID


@pytest.mark.parametrize("name", ["1' OR '1'='1", "x';DROP TABLE people", "<svg onload=…>", "=cmd|calc", "Ñandú 🙂"])
def test_text_is_data_and_stays_as_it_was_typed(name: str) -> None:
    assert clean_text(name, field="full_name", longest=120) == name


def test_a_name_of_200_characters_with_emoji_is_refused_not_cut() -> None:
    with pytest.raises(AccessError) as refused:
        clean_text("María José 🙂" + "x" * 188, field="full_name", longest=120)
    assert refused.value.details == {"field": "full_name", "longest": 120}
    assert clean_text("🙂" * 120, field="full_name", longest=120) == "🙂" * 120


def test_what_is_far_too_long_is_refused_before_any_work() -> None:
    with pytest.raises(AccessError):
        clean_text("\u0390" * 10_000_000, field="name", longest=120)


def test_empty_text_only_where_it_may_be_empty() -> None:
    assert clean_text(" \t ", field="label", longest=10, empty=True) == ""
    with pytest.raises(AccessError):
        clean_text(" \t ", field="label", longest=10)


def dpi_of(number: int, department: int = 1, municipality: int = 1) -> str:
    digits = f"{number:08d}"
    check = sum(int(digit) * weight for digit, weight in zip(digits, (2, 3, 4, 5, 6, 7, 8, 9), strict=True)) % 11
    return f"{digits}{check:d}{department:02d}{municipality:02d}"


@given(st.integers(1, 99_999_999), st.integers(1, 22), st.integers(1, 99), st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_of_the_nine_is_found(number: int, department: int, town: int, at: int, by: int) -> None:
    dpi = dpi_of(number, department, town)
    if len(dpi) != 13:  # the sum leaves 10: no such DPI is issued
        assert not dpi_is_valid(dpi)
        return
    assert dpi_is_valid(dpi)
    wrong = dpi[:at] + str((int(dpi[at]) + by) % 10) + dpi[at + 1 :]
    assert not dpi_is_valid(wrong)


@pytest.mark.parametrize("department", [0, 23, 99])
def test_a_department_that_is_none_is_refused(department: int) -> None:
    assert not dpi_is_valid(dpi_of(12_345_678, department))
    assert not dpi_is_valid(dpi_of(12_345_678, 1, 0))


@given(st.text(max_size=16))
def test_only_thirteen_ascii_digits_are_a_dpi(text: str) -> None:
    if dpi_is_valid(text):
        assert len(text) == 13
        assert set(text) <= set("0123456789")


def test_digits_of_other_scripts_are_none() -> None:
    arabic = dpi_of(20_000_000).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert not dpi_is_valid(arabic)


def test_a_dpi_is_read_as_people_write_it() -> None:
    dpi = dpi_of(20_000_000)
    written = f" {dpi[:4]} {dpi[4:9]}-{dpi[9:]} "
    assert IdentityDocument.parse("dpi", written) == IdentityDocument(kind=DocumentKind.DPI, number=dpi)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("dpi", "1234567800123"),
        ("dpi", ""),
        ("dpi", dpi_of(20_000_000) + " " * 27 + "9"),  # forty characters that fit, and one that does not
        ("cedula", "A1"),
        ("", "A1"),
        ("pasaporte", "--"),
        ("pasaporte", "A1/B"),
        ("pasaporte", "straße1"),  # `upper` would make ASCII of it
        ("pasaporte", "Aı234"),
        ("pasaporte", "1' OR '1'='1"),
        ("pasaporte", "../../etc"),
    ],
)
def test_what_is_no_document_is_refused(kind: str, number: str) -> None:
    with pytest.raises(AccessError) as refused:
        IdentityDocument.parse(kind, number)
    assert refused.value.reason is Reason.DOCUMENT_INVALID


@pytest.mark.parametrize("number", ["", "A" * 21, "A\x00B", "A\u202eB"])
def test_a_passport_is_bounded_text(number: str) -> None:
    with pytest.raises(AccessError) as refused:
        IdentityDocument.parse("pasaporte", number)
    assert refused.value.reason is Reason.TEXT_INVALID


def test_a_passport_is_one_however_it_is_typed() -> None:
    assert IdentityDocument.parse("pasaporte", " ab-1234 ").number == "AB-1234"


def test_nobody_enrols_and_authorises_by_the_same_role() -> None:
    """The matrix of the manual's separation: no single role may do two parts that must be apart."""
    enrols = {Permission.REQUEST_ENROL, Permission.REQUEST_DELIVER, Permission.CARDS_MANAGE}
    authorises = {Permission.REQUEST_SIGN_OFF, Permission.VISIT_AUTHORISE}
    for role, allowed in ROLE_PERMISSIONS.items():
        assert not (allowed & enrols and allowed & authorises), role
    assert ROLE_PERMISSIONS[Role.USUARIO] == frozenset()
    assert Role.USUARIO not in GRANTABLE
    assert set(ROLE_PERMISSIONS) == set(Role)


def test_the_administrator_neither_authorises_nor_enrols_and_the_auditor_changes_nothing() -> None:
    changing = {one for one in Permission if one.value.partition(":")[2] not in {"see", "export"}}
    assert ROLE_PERMISSIONS[Role.AUDITOR].isdisjoint(changing)
    assert not any(
        one.value.startswith(("request:", "cards:", "visit:authorise")) for one in ROLE_PERMISSIONS[Role.ADMIN]
    )


def test_only_heads_authorise() -> None:
    signing = {role for role, allowed in ROLE_PERMISSIONS.items() if Permission.REQUEST_SIGN_OFF in allowed}
    assert signing == AUTHORITIES


@given(st.frozensets(st.sampled_from(sorted(Role))))
def test_an_actor_may_what_the_roles_may_and_no_more(roles: frozenset[Role]) -> None:
    actor = Actor(account="a", person="p", roles=roles)
    assert {one for one in Permission if actor.may(one)} == permissions_of(roles)
    for role in Role:
        if role in roles:
            actor.require(role, norm="P10.02")
        else:
            with pytest.raises(AccessError) as refused:
                actor.require(role, norm="P10.02")
            assert refused.value.details == {"needed": role.value}


def test_the_service_itself_holds_no_role() -> None:
    assert SYSTEM.roles == frozenset()
    assert not any(SYSTEM.may(one) for one in Permission)
