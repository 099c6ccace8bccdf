"""The keeper of the record: checkpoints that cost no entry, proofs for a third person, tampering named."""

import base64
import json
from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.record import Checkpoint, RecordBroken, Signer, Why, open_checkpoint, verify_proof
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.store import EventFilter
from tests.services.premises import SIGNER, Premises


def size(premises: Premises) -> int:
    with premises.store.view() as tx:
        return tx.ledger.size()


def test_a_checkpoint_adds_nothing_to_the_record(premises: Premises) -> None:
    before = size(premises)
    first = premises.keeper.checkpoint()
    assert premises.keeper.checkpoint() == first
    assert size(premises) == before
    opened = open_checkpoint(first, [SIGNER.verifier])
    assert (opened.origin, opened.size) == (SIGNER.name, before)
    premises.door_events(10)
    second = open_checkpoint(premises.keeper.checkpoint(), [SIGNER.verifier])
    assert second.size == before + 10
    found = premises.keeper.verify_store([opened, second])
    assert (found.size, found.root, found.checkpoints, found.held) == (second.size, second.root, 2, 2)


def test_a_new_key_signs_and_the_old_checkpoints_hold(premises: Premises) -> None:
    old = premises.keeper.opened(premises.keeper.checkpoint())
    rotated = Signer(SIGNER.name, b"n" * 32)
    keeper = RecordKeeper(premises.office, rotated, older=[SIGNER.verifier])
    assert open_checkpoint(keeper.checkpoint(), [rotated.verifier]).size == old.size
    premises.door_events(3)
    assert open_checkpoint(keeper.checkpoint(), [rotated.verifier]).size == old.size + 3
    assert keeper.verify_store([old]).checkpoints == 2
    stranger = RecordKeeper(premises.office, rotated)
    with pytest.raises(RecordBroken) as broken:
        stranger.verify_store()
    assert broken.value.why is Why.UNKNOWN_KEY


def test_one_entry_is_proven_to_a_third_person(premises: Premises) -> None:
    premises.person("María José Ñandú")
    premises.door_events(300)
    with premises.store.view() as tx:
        row = tx.events.rows(EventFilter(events=(Fact.PERSON_REGISTERED.value,)), limit=1, newest=True)[0]
    proof = premises.keeper.prove(row.index, actor=premises.actors["auditor"])
    assert len(proof) < 4096
    found, entry = verify_proof(proof, trusted=[SIGNER.verifier])
    assert (found.entries, entry["event"]) == (1, Fact.PERSON_REGISTERED.value)
    assert b"Mar" not in proof, "nobody is named unless it is asked for"
    disclosed = premises.keeper.prove(row.index, disclose=True)
    assert verify_proof(disclosed, trusted=[SIGNER.verifier])[0].names_checked == 2, "the name and the document"
    values = {one["value"] for one in json.loads(disclosed)["openings"]}
    assert "María José Ñandú" in values
    with premises.store.view() as tx:
        made = tx.events.rows(EventFilter(events=(Fact.EXPORT_MADE.value,)))
    assert [row.actor for row in made] == [premises.actors["auditor"].account, "system"]


def test_a_proof_of_what_is_not_there_is_refused(premises: Premises) -> None:
    for index in (-1, size(premises), 2**62):
        with pytest.raises(AccessError) as refused:
            premises.keeper.prove(index)
        assert refused.value.reason is Reason.NOT_FOUND
    with pytest.raises(AccessError, match="wrong_role"):
        premises.keeper.prove(0, actor=premises.actors["guardia"])


def _run(*statements: str) -> Callable[[Connection], None]:
    def act(connection: Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    return act


TAMPERING = {
    "edit": (_run("UPDATE entry SET bytes = CAST(bytes || ' ' AS BLOB) WHERE idx = 40"), 40),
    "delete": (_run("DELETE FROM entry WHERE idx = 41"), 41),
    "reorder": (
        _run(
            "CREATE TEMP TABLE held AS SELECT bytes, leaf FROM entry WHERE idx = 42",
            "UPDATE entry SET (bytes, leaf) = (SELECT bytes, leaf FROM entry WHERE idx = 43) WHERE idx = 42",
            "UPDATE entry SET (bytes, leaf) = (SELECT bytes, leaf FROM held) WHERE idx = 43",
        ),
        42,
    ),
    "truncate": (_run("DELETE FROM entry WHERE idx >= 44"), 44),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_is_named_at_the_first_bad_index(premises: Premises, how: str) -> None:
    premises.door_events(50)
    held = premises.keeper.opened(premises.keeper.checkpoint())
    assert held.size > 50
    act, first = TAMPERING[how]
    with premises.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        for verb in ("update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER entry_no_{verb}")
        act(connection)
        connection.exec_driver_sql("COMMIT")
    with pytest.raises(RecordBroken) as broken:
        premises.keeper.verify_store([held])
    assert broken.value.index == first


def test_a_rewritten_history_is_not_signed(premises: Premises) -> None:
    """Somebody rewrites the whole record, tiles and checkpoints left alone: the next checkpoint is refused."""
    premises.keeper.checkpoint()
    with premises.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        for name in ("entry_no_update", "entry_no_delete"):
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("UPDATE entry SET leaf = zeroblob(32) WHERE idx = 3")
        connection.exec_driver_sql("COMMIT")
    with pytest.raises(RecordBroken) as broken:
        premises.keeper.checkpoint()
    assert broken.value.why is Why.NOT_AN_EXTENSION
    premises.door_events(1)
    with pytest.raises(RecordBroken):
        premises.keeper.checkpoint()


def test_a_record_with_a_hole_is_not_signed(premises: Premises) -> None:
    premises.keeper.checkpoint()
    with premises.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        connection.exec_driver_sql("DROP TRIGGER entry_no_delete")
        connection.exec_driver_sql("DELETE FROM entry WHERE idx = 3")
        connection.exec_driver_sql("COMMIT")
    with pytest.raises(RecordBroken) as broken:
        premises.keeper.checkpoint()
    assert broken.value.why is Why.ORDER


def test_a_checkpoint_of_another_record_is_not_held(premises: Premises) -> None:
    premises.keeper.checkpoint()
    other = Checkpoint(origin=SIGNER.name, size=3, root=base64.b64decode("A" * 43 + "="))
    with pytest.raises(RecordBroken) as broken:
        premises.keeper.verify_store([other])
    assert (broken.value.why, broken.value.until) == (Why.NOT_AN_EXTENSION, 2)
