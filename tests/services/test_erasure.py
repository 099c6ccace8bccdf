"""Erasing leaves every proof valid and the name nowhere."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect

from accessctl.domain.cards import CardState
from accessctl.domain.errors import AccessError
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Actor, Person, Role
from accessctl.domain.places import ZoneClass
from accessctl.domain.requests import GrantState, StoredTemplate
from accessctl.domain.visits import Visit, VisitState
from accessctl.record import verify_file
from accessctl.services.erasure import ErasureDesk, Retention
from accessctl.services.exports import ExportDesk
from accessctl.services.store import EventFilter
from accessctl.storage.engine import make_engine
from accessctl.storage.migrations import migrate
from accessctl.storage.unit_of_work import SqlStore
from tests.services.premises import SIGNER, Premises

ADMIN = Actor(account="account-admin", person="", roles=frozenset({Role.ADMIN}), name="Administradora")
NAME, INK = "María José Ñandú", "[[20.0"
KEEP = Retention(people=timedelta(days=1825), visitors=timedelta(days=90))


def desk_of(premises: Premises) -> ErasureDesk:
    return ErasureDesk(premises.office, KEEP, premises.store.scrub, lambda: 0)  # there is no panel here


def ended(premises: Premises) -> Person:
    """Somebody who had a card, a finger and a signed receipt, and left."""
    case, person = premises.delivered()
    premises.door_events(30, person=person.id)
    with premises.store.begin() as tx:
        for card in tx.cards.find(holder=person.id):
            tx.cards.save(replace(card, state=CardState.RETURNED))
        for grant in tx.grants.find(person=person.id):
            tx.grants.save(replace(grant, state=GrantState.ENDED))
        tx.templates.add(
            StoredTemplate(
                id="t1", person=person.id, finger=6, flag=1, format="zk10", device="", nonce=b"n" * 12,
                ciphertext=b"secret finger", digest="d", at=premises.now,
            )
        )  # fmt: skip
        tx.visits.add(_visit(premises, person))
        tx.record(Fact.PERSON_REMOVED, at=premises.now, actor=SYSTEM, person=person.id, case=case)
        tx.commit()
    premises.now += timedelta(days=1826)
    return person


def _visit(premises: Premises, person: Person) -> Visit:
    return Visit(
        id="v1", number=1, zone="cdatos", zone_class=ZoneClass.DATA_CENTRE, state=VisitState.CANCELLED,
        valid_from=premises.now, valid_until=premises.now, name=NAME, organisation="ACME Ñandú", purpose=f"Con {NAME}",
        department="x", authority=person.id, authorised_at=premises.now, authorised_by="x", visitor=person.id,
        document=person.document, vehicle="P-123ABC", fortuitous=f"{NAME} lo pidió", why=f"{NAME} no vino",
    )  # fmt: skip


def everywhere(store: SqlStore) -> Iterator[str]:
    """All that any table holds, as text."""
    with store.engine.connect() as connection:
        for table in inspect(store.engine).get_table_names():
            for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"'):  # noqa: S608 -- names of our own tables
                for value in row:
                    yield value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def test_the_name_is_nowhere_and_every_proof_holds(premises: Premises, tmp_path: Path) -> None:
    person = ended(premises)
    exports = ExportDesk(premises.office, premises.keeper)
    old = exports.make(SYSTEM, fmt="jsonl", target=tmp_path / "old.jsonl")
    proof = premises.keeper.prove(3, disclose=True)
    held = premises.keeper.opened(premises.keeper.checkpoint())
    assert NAME in " ".join(everywhere(premises.store))
    done = desk_of(premises).erase(ADMIN, person.id, why="venció el plazo")
    assert (tmp_path / "accessctl.db-wal").stat().st_size == 0, "no old page waits in the log"
    assert done.openings >= 2
    assert done.templates == 1
    assert done.emptied >= 3
    for text in everywhere(premises.store):
        for secret in (NAME, "Ñandú", "nandu", person.document.number, "secret finger", "P-123ABC", INK):
            assert secret not in text, text[:200]
    found = premises.keeper.verify_store([held])
    assert found.held == 1
    assert verify_file(old.path, trusted=[SIGNER.verifier]).names_checked > 0, "old exports verify, names and all"
    assert proof
    new = exports.make(SYSTEM, fmt="jsonl", target=tmp_path / "new.jsonl")
    assert verify_file(new.path, trusted=[SIGNER.verifier]).whole
    assert NAME.encode() not in new.path.read_bytes()
    with premises.store.view() as tx:
        row = tx.events.rows(EventFilter(events=(Fact.PERSON_ERASED.value,)))[0]
        assert (row.person, row.person_name) == (person.id, f"#{person.number}")
        assert tx.people.search(NAME) == []
    premises.store.close()
    for file in tmp_path.glob("accessctl.db*"):
        content = file.read_bytes()
        assert NAME.encode() not in content, file.name
        assert b"secret finger" not in content
        assert person.document.number.encode() not in content


@pytest.mark.postgresql
def test_postgresql_forgets_too(postgresql_database: str) -> None:
    engine = make_engine(postgresql_database)
    migrate(engine)
    store = SqlStore(engine, os.urandom)
    premises = Premises(store=store)
    person = ended(premises)
    desk_of(premises).erase(ADMIN, person.id, why="venció el plazo")
    assert NAME not in " ".join(everywhere(store))
    premises.keeper.verify_store()
    store.close()


def test_nobody_is_erased_before_time_or_while_something_runs(premises: Premises) -> None:
    desk = desk_of(premises)
    _, person = premises.delivered()
    with pytest.raises(AccessError, match="not_authorised") as early:
        desk.erase(ADMIN, person.id, why="x")
    assert early.value.details["needed"] == "retention"
    premises.now += timedelta(days=2000)
    assert desk.due(ADMIN) == [] or person.id not in {one.person.id for one in desk.due(ADMIN)}
    with pytest.raises(AccessError) as held:
        desk.erase(ADMIN, person.id, why="x")
    assert held.value.details["needed"] in {"card", "access"}
    account = premises.actors["jefe"].person
    with pytest.raises(AccessError) as signed_in:
        desk.erase(ADMIN, account, why="x")
    assert signed_in.value.details["needed"] == "account"
    for actor in (premises.actors["auditor"], premises.actors["recepcion"]):
        with pytest.raises(AccessError, match="wrong_role"):
            desk.erase(actor, person.id, why="x")
    with pytest.raises(AccessError, match="not_found"):
        desk.erase(ADMIN, "nobody", why="x")


def test_visitors_are_due_sooner_and_once(premises: Premises) -> None:
    desk = desk_of(premises)
    visitor = premises.person("Vera Visita")
    premises.now += timedelta(days=91)
    assert visitor.id in {one.person.id for one in desk.due(ADMIN)}
    desk.erase(ADMIN, visitor.id, why="noventa días")
    assert visitor.id not in {one.person.id for one in desk.due(ADMIN)}
    with pytest.raises(AccessError, match="already_done"):
        desk.erase(ADMIN, visitor.id, why="otra vez")
    again = premises.person("Vera Visita")
    assert again.id != visitor.id
