"""Accounts: made by who may, signed in to by who knows, throttled, ended with their sessions."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from accessctl.domain.accounts import Account
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Actor, Person, Role
from accessctl.services.account_desk import FREE_TRIES_NAME, FREE_TRIES_SOURCE, LONGEST, WINDOW, AccountDesk
from accessctl.services.people_desk import PersonForm
from accessctl.services.store import EventFilter
from tests.services.premises import Premises
from tests.services.refusing import contents, entries_since, facts_since, recorded, refused, refused_quietly
from tests.services.test_request_desk import hire

PASSWORD = "una frase larga y propia"
HERE = "192.0.2.7"


@pytest.fixture
def desk(premises: Premises) -> AccountDesk:
    return AccountDesk(premises.office, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def admin(premises: Premises) -> Actor:
    return hire(premises, "Admin", Role.ADMIN)


@pytest.fixture
def ana(premises: Premises, desk: AccountDesk) -> Account:
    return added(desk, premises.person("Ana López"))


def added(
    desk: AccountDesk, person: Person | PersonForm, username: str = "ana.lopez", actor: Actor = SYSTEM
) -> Account:
    return desk.add(
        actor,
        username=username,
        password=PASSWORD,
        person=person.id if isinstance(person, Person) else person,
        roles=frozenset({Role.GUARDIA}),
        reference="P1-2026-4",
    )


def somebody(**changes: str) -> PersonForm:
    fields = {
        "full_name": "Nora Noj",
        "document_kind": "pasaporte",
        "document_number": "GT-7788",
        "email": "",
        "department": "Seguridad",
        "position": "Guardia",
    }
    return PersonForm(**(fields | changes))


def test_an_account_signs_in_and_its_session_speaks_for_its_person(desk: AccountDesk, ana: Account) -> None:
    signed = desk.sign_in(" ANA.Lopez ", PASSWORD, source=HERE)
    assert signed.id == ana.id
    actor = desk.who(ana.id, ana.epoch)
    assert actor is not None
    assert (actor.person, actor.roles, actor.name) == (ana.person, frozenset({Role.GUARDIA}), "Ana López")
    assert PASSWORD not in ana.password_hash


def test_no_password_reaches_the_database_or_the_record(premises: Premises, desk: AccountDesk, ana: Account) -> None:
    with pytest.raises(AccessError):
        desk.sign_in("ana.lopez", "another secret phrase", source=HERE)
    with premises.store.view() as tx:
        entries = b"".join(data for _, data in tx.events.stream(EventFilter()))
    everything = repr(contents(premises.store)).encode() + entries
    assert PASSWORD.encode() not in everything
    assert b"another secret phrase" not in everything


@pytest.mark.parametrize("who", ["recepcion", "secretaria", "tecnico", "jefe", "auditor", "guardia"])
def test_only_the_administrator_manages_accounts(premises: Premises, desk: AccountDesk, who: str) -> None:
    person, actor = premises.person("Nora"), premises.actors[who]
    with refused(premises, actor, Reason.WRONG_ROLE, "P1.01"):
        added(desk, person, actor=actor)
    with refused(premises, actor, Reason.WRONG_ROLE, "NG.7"):
        desk.disable(actor, "recepcion", reason="x")


def test_the_administrator_adds_accounts_but_registers_nobody(
    premises: Premises, desk: AccountDesk, admin: Actor
) -> None:
    added(desk, premises.person("Nora"), actor=admin)
    with refused(premises, admin, Reason.WRONG_ROLE, "N10.2"):
        added(desk, somebody(), "nora", actor=admin)


def test_a_username_is_one_however_it_is_written(premises: Premises, desk: AccountDesk, ana: Account) -> None:
    person = premises.person("Otra")
    with refused(premises, SYSTEM, Reason.ALREADY_EXISTS, "P1.01"):
        added(desk, person, "Ana.LOPEZ")


@pytest.mark.parametrize(
    "username", ["", "ab", "x" * 65, "a b c", "ana\x00", "..\\..", "../..", "año", "<svg>", "x';DROP", "x" * 10_000]
)
def test_a_username_is_short_and_plain(premises: Premises, desk: AccountDesk, username: str) -> None:
    person = premises.person("Nora")
    with refused_quietly(premises, Reason.TEXT_INVALID, "P1.01"):
        added(desk, person, username)


@pytest.mark.parametrize("password", ["", "short", "a" * 40, "abababababab", "x" * 201])
def test_a_password_is_long_varied_and_bounded(premises: Premises, desk: AccountDesk, password: str) -> None:
    person = premises.person("Nora").id
    with refused_quietly(premises, Reason.PASSWORD_WEAK, ""):
        desk.add(
            SYSTEM, username="nora", password=password, person=person, roles=frozenset({Role.GUARDIA}), reference=""
        )


@pytest.mark.parametrize("roles", [frozenset[Role](), frozenset({Role.USUARIO}), frozenset({Role.JEFE, Role.USUARIO})])
def test_an_account_holds_roles_and_only_those_that_can_be_granted(
    premises: Premises, desk: AccountDesk, roles: frozenset[Role]
) -> None:
    person = premises.person("Nora").id
    with refused_quietly(premises, Reason.FORM_INCOMPLETE, "P1.01"):
        desk.add(SYSTEM, username="nora", password=PASSWORD, person=person, roles=roles, reference="")


def test_a_new_person_comes_with_the_account_both_or_neither(
    premises: Premises, desk: AccountDesk, ana: Account
) -> None:
    with refused(premises, SYSTEM, Reason.ALREADY_EXISTS, "P1.01"):
        added(desk, somebody(), "ana.lopez")  # the name is taken: nobody is registered either
    with refused(premises, SYSTEM, Reason.DOCUMENT_INVALID, ""):
        added(desk, somebody(document_number="1/2"), "nora")
    with refused(premises, SYSTEM, Reason.TEXT_INVALID, ""):
        added(desk, somebody(full_name="x" * 121), "nora")
    size = recorded(premises.store)
    made = added(desk, somebody(), "nora")
    assert facts_since(premises.store, size) == [Fact.PERSON_REGISTERED.value, Fact.ACCOUNT_ADDED.value]
    with premises.store.view() as tx:
        assert tx.people.get(made.person).full_name == "Nora Noj"


def test_somebody_who_is_on_file_gets_the_account_and_no_second_file(premises: Premises, desk: AccountDesk) -> None:
    person = premises.person("Nora Noj")
    size = recorded(premises.store)
    made = added(desk, somebody(full_name="N. Noj", document_number=person.document.number.lower()), "nora")
    assert made.person == person.id
    assert facts_since(premises.store, size) == [Fact.ACCOUNT_ADDED.value]


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ana.lopez", "wrong password here"),
        ("ana.lopez", ""),
        ("ana.lopez", PASSWORD + " "),
        ("ana.lopez", "x" * 1_000_000),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("ana\x00lopez", PASSWORD),
        ("ana\ud800", PASSWORD),
        ("1' OR '1'='1", PASSWORD),
        ("x" * 100_000, PASSWORD),
        ("\u202e", PASSWORD),
    ],
    ids=range(11),
)
def test_every_wrong_sign_in_gets_the_same_answer_and_is_on_the_record(
    premises: Premises, desk: AccountDesk, ana: Account, username: str, password: str
) -> None:
    size = recorded(premises.store)
    with pytest.raises(AccessError) as caught:
        desk.sign_in(username, password, source=HERE)
    assert (caught.value.reason, caught.value.norm, dict(caught.value.details)) == (Reason.CREDENTIALS_WRONG, "", {})
    [row] = entries_since(premises.store, size)
    assert (row.event, row.reason) == (Fact.ACCOUNT_SIGN_IN_REFUSED.value, "credentials_wrong")
    with premises.store.view() as tx:
        assert tx.sign_in_tries.count(source=HERE) == 1  # and counted, whatever the name was


def test_a_password_of_the_greatest_length_is_compared_whole(premises: Premises, desk: AccountDesk) -> None:
    longest = "0123456789" * (LONGEST // 10)
    person = premises.person("Nora").id
    desk.add(SYSTEM, username="nora", password=longest, person=person, roles=frozenset({Role.GUARDIA}), reference="")
    desk.sign_in("nora", longest, source=HERE)
    with pytest.raises(AccessError, match="credentials_wrong"):
        desk.sign_in("nora", longest + "x", source=HERE)


def guess(desk: AccountDesk, name: str, source: str) -> Reason:
    with pytest.raises(AccessError) as caught:
        desk.sign_in(name, "a wrong password", source=source)
    return caught.value.reason


def test_guessing_a_password_is_throttled_with_growing_pauses(
    premises: Premises, desk: AccountDesk, ana: Account
) -> None:
    for number in range(FREE_TRIES_NAME):
        assert guess(desk, "ana.lopez", f"192.0.2.{number}") is Reason.CREDENTIALS_WRONG
    size = recorded(premises.store)
    with pytest.raises(AccessError) as caught:
        desk.sign_in("ana.lopez", PASSWORD, source=HERE)  # the right one too: otherwise the throttle tells which it is
    assert caught.value.reason is Reason.THROTTLED
    first = caught.value.details["seconds"]
    assert isinstance(first, int)
    assert 0 < first <= 16
    assert recorded(premises.store) == size  # throttled tries fill no record
    premises.now += timedelta(seconds=16)
    assert guess(desk, "ana.lopez", HERE) is Reason.CREDENTIALS_WRONG
    with pytest.raises(AccessError) as caught:
        desk.sign_in("ana.lopez", PASSWORD, source=HERE)
    assert int(caught.value.details["seconds"]) > 16
    premises.now += timedelta(seconds=31)
    desk.sign_in("ana.lopez", PASSWORD, source=HERE)
    assert guess(desk, "ana.lopez", HERE) is Reason.CREDENTIALS_WRONG  # a success begins anew


def test_one_address_that_tries_many_names_is_throttled_and_others_are_not(
    premises: Premises, desk: AccountDesk, ana: Account
) -> None:
    for number in range(FREE_TRIES_SOURCE):
        assert guess(desk, f"name{number}", "198.51.100.9") is Reason.CREDENTIALS_WRONG
    assert guess(desk, "yet.another", "198.51.100.9") is Reason.THROTTLED
    desk.sign_in("ana.lopez", PASSWORD, source=HERE)


def test_old_failures_are_forgotten_and_do_not_pile_up(premises: Premises, desk: AccountDesk, ana: Account) -> None:
    for number in range(20):
        guess(desk, f"name{number}", HERE)
    premises.now += WINDOW + timedelta(seconds=1)
    guess(desk, "name0", HERE)
    with premises.store.view() as tx:
        assert tx.sign_in_tries.count() == 1


def test_the_longest_pause_is_a_quarter_of_an_hour(premises: Premises, desk: AccountDesk, ana: Account) -> None:
    waited: list[int] = []
    while len(waited) < 12:
        reason = guess(desk, "ana.lopez", f"192.0.2.{len(waited)}")
        if reason is Reason.THROTTLED:
            with pytest.raises(AccessError) as caught:
                desk.sign_in("ana.lopez", PASSWORD, source=HERE)
            waited.append(int(caught.value.details["seconds"]))
            premises.now += timedelta(seconds=waited[-1])
    assert max(waited) <= WINDOW.total_seconds() + 1


def test_disabling_an_account_ends_its_sessions_at_once(
    premises: Premises, desk: AccountDesk, ana: Account, admin: Actor
) -> None:
    assert desk.who(ana.id, ana.epoch) is not None
    size = recorded(premises.store)
    desk.disable(admin, "Ana.Lopez", reason="Renuncia")
    assert desk.who(ana.id, ana.epoch) is None
    assert desk.who(ana.id, ana.epoch + 1) is None
    assert facts_since(premises.store, size) == [Fact.ACCOUNT_DISABLED.value]
    with pytest.raises(AccessError, match="credentials_wrong"):
        desk.sign_in("ana.lopez", PASSWORD, source=HERE)


def test_disabling_twice_is_no_second_fact_and_no_failure(
    premises: Premises, desk: AccountDesk, ana: Account, admin: Actor
) -> None:
    desk.disable(admin, "ana.lopez", reason="Renuncia")
    size = recorded(premises.store)
    desk.disable(admin, "ana.lopez", reason="Renuncia")
    assert recorded(premises.store) == size


def test_no_such_account(premises: Premises, desk: AccountDesk, admin: Actor) -> None:
    with refused(premises, admin, Reason.NOT_FOUND, "NG.7"):
        desk.disable(admin, "nobody", reason="x")
    with refused(premises, admin, Reason.TEXT_INVALID, "P1.01"):
        desk.disable(admin, "\x00", reason="x")
    for forged in ("", "none", "\x00", "x" * 1000):
        assert desk.who(forged, 1) is None


def test_signing_out_is_on_the_record(premises: Premises, desk: AccountDesk) -> None:
    size = recorded(premises.store)
    desk.sign_out(premises.actors["guardia"])
    assert facts_since(premises.store, size) == [Fact.ACCOUNT_SIGNED_OUT.value]
