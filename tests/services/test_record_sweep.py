"""Checkpoints by themselves, left for a witness who signs only what extends the last."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest

from accessctl.domain.alarms import AlarmKind, AlarmState
from accessctl.record import (
    Checkpoint,
    RecordBroken,
    Signer,
    Verifier,
    Why,
    open_checkpoint,
    open_note,
    sign_checkpoint,
    verify_extension,
)
from accessctl.services.record_sweep import RecordSweep, Rhythm
from accessctl.services.witness import KEY, STATE, Witness, WitnessWrong
from tests.services.premises import SIGNER, Premises

KEYS = [SIGNER.verifier]


def sweep_of(premises: Premises, folder: Path | None = None, **rhythm: object) -> RecordSweep:
    wanted = {"entries": 10, "every": timedelta(minutes=5), "look_every_s": 0.01} | rhythm
    return RecordSweep(premises.office, premises.keeper, rhythm=Rhythm(**wanted), witness=folder)  # type: ignore[arg-type]  # a test's shorthand


def more(premises: Premises, count: int) -> None:
    premises.door_events(count, start=premises.tick())


def witness_in(folder: Path) -> Witness:
    return Witness.begin(
        folder, name="auditoria/testigo", trusted=SIGNER.verifier.vkey, entropy=lambda count: b"w" * count
    )


def forget(premises: Premises, *statements: str) -> None:
    with premises.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        for verb in ("update", "delete"):
            for table in ("entry", "event"):
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("COMMIT")


def test_it_signs_after_so_many_entries_or_so_long(premises: Premises) -> None:
    sweep = sweep_of(premises)
    assert sweep.look() is not None, "what was there before it began"
    assert sweep.look() is None, "nothing was added"
    more(premises, 9)
    assert sweep.look() is None
    more(premises, 1)
    assert sweep.look() is not None
    more(premises, 1)
    assert sweep.look() is None
    premises.now += timedelta(minutes=5)
    assert sweep.look() is not None
    more(premises, 1)
    premises.now -= timedelta(hours=2)
    assert sweep.look() is not None, "a clock that went back is no reason to wait"


def test_run_ends_with_a_signature(premises: Premises, tmp_path: Path) -> None:
    stop = Event()
    sweep = sweep_of(premises, tmp_path, entries=10_000)
    thread = Thread(target=sweep.run, args=[stop])
    thread.start()
    more(premises, 5)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    with premises.store.view() as tx:
        kept = tx.ledger.checkpoint()
        assert kept is not None
        assert kept.size == tx.ledger.size()
    assert (tmp_path / f"{kept.size:012}.checkpoint").read_text("utf-8") == kept.note


def test_each_note_comes_with_the_proof_that_a_witness_asks_for(premises: Premises, tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    (share / "999999999999.checkpoint").write_text("a stranger's\n\n— x AAAAAAAA\n")
    sweep, witness = sweep_of(premises, share), witness_in(tmp_path / "witness")
    for _ in range(3):
        sweep.look()
        more(premises, 10)
    sizes = sorted(path.stem for path in share.glob("*.checkpoint") if path.stem != "9" * 12)
    assert len(sizes) == 3
    assert [path.stem for path in sorted(share.glob("*.extension"))] == sizes[1:]
    assert (share / f"{sizes[0]}.checkpoint").stat().st_mode & 0o777 == 0o644, "others fetch it"
    first = witness.sign((share / f"{sizes[0]}.checkpoint").read_bytes())
    assert first.first
    for size in sizes[1:]:
        signed = witness.sign((share / f"{size}.extension").read_bytes())
        assert signed.checkpoint.size == int(size)
    both = [SIGNER.verifier, Verifier.parse(witness.verifier_key)]
    assert len(open_note(signed.note, both).signed_by) == 2
    assert open_checkpoint(signed.note, both[1:]) == signed.checkpoint
    again = witness.sign(signed.note.encode())
    assert again.checkpoint == signed.checkpoint, "the same one again is no other one"


def test_a_witness_refuses_what_does_not_extend_the_last(premises: Premises, tmp_path: Path) -> None:
    witness = witness_in(tmp_path / "witness")
    first = premises.keeper.checkpoint()
    witness.sign(first.encode())
    more(premises, 20)
    second = premises.keeper.checkpoint()
    good = premises.keeper.extension(first)
    forked = Checkpoint(origin=SIGNER.name, size=400, root=b"r" * 32)
    wrong: list[tuple[bytes, Why]] = [
        (second.encode(), Why.NOT_AN_EXTENSION),  # true, but without its proof
        (sign_checkpoint(forked, SIGNER).encode(), Why.NOT_AN_EXTENSION),
        (good.replace(b'"proof": [\n    "', b'"proof": [\n    "0', 1), Why.MALFORMED),
        (premises.keeper.extension(second), Why.NOT_AN_EXTENSION),  # begins elsewhere
        (sign_checkpoint(forked, Signer(SIGNER.name, b"s" * 32)).encode(), Why.UNKNOWN_KEY),
        (b"{}", Why.MALFORMED),
        (b"", Why.EMPTY),
        (b"\xff\n\n\x00", Why.MALFORMED),
    ]
    for content, why in wrong:
        with pytest.raises(RecordBroken) as refused:
            witness.sign(content)
        assert refused.value.why is why, content
    assert witness.sign(good).checkpoint.size == premises.keeper.opened(second).size, "none of these was remembered"


def test_a_record_rewritten_by_its_owner_is_seen_by_the_witness(premises: Premises, tmp_path: Path) -> None:
    """The owner has the key: copies the record, drops what happened, goes on, and signs anew."""
    witness = witness_in(tmp_path / "witness")
    more(premises, 30)
    held = premises.keeper.checkpoint()
    witness.sign(held.encode())
    other = Checkpoint(origin=SIGNER.name, size=premises.keeper.opened(held).size + 5, root=b"f" * 32)
    forged = sign_checkpoint(other, SIGNER)
    made = premises.keeper.extension(held)
    rewritten = made.replace(premises.keeper.checkpoint().encode().replace(b"\n", b"\\n"), forged.encode())
    with pytest.raises(RecordBroken):
        witness.sign(rewritten)


@pytest.mark.parametrize("spoil", [KEY, STATE])
def test_a_witness_whose_folder_is_damaged_signs_nothing(premises: Premises, tmp_path: Path, spoil: str) -> None:
    witness = witness_in(tmp_path / "w")
    note = premises.keeper.checkpoint().encode()
    (tmp_path / "w" / spoil).write_text("not this")
    with pytest.raises(WitnessWrong):
        witness.sign(note)
    (tmp_path / "w" / spoil).unlink()
    with pytest.raises(WitnessWrong):
        witness.sign(note)
    with pytest.raises(WitnessWrong):
        Witness(tmp_path / "nowhere").sign(note)


def test_an_open_key_is_refused_and_no_witness_is_made_twice(premises: Premises, tmp_path: Path) -> None:
    witness = witness_in(tmp_path / "w")
    with pytest.raises(FileExistsError):
        witness_in(tmp_path / "w")
    (tmp_path / "w" / KEY).chmod(0o644)
    with pytest.raises(WitnessWrong, match="chmod"):
        witness.sign(premises.keeper.checkpoint().encode())


TAMPERING: dict[str, Callable[[Premises], None]] = {
    "rewritten": lambda premises: forget(premises, "UPDATE entry SET leaf = zeroblob(32) WHERE idx = 3"),
    "cut": lambda premises: forget(premises, "DELETE FROM entry WHERE idx > 5", "DELETE FROM event WHERE idx > 5"),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_a_record_that_was_tampered_with_is_one_alarm(premises: Premises, how: str) -> None:
    sweep = sweep_of(premises, entries=1)
    sweep.look()
    TAMPERING[how](premises)
    more(premises, 1)
    for _ in range(4):
        premises.now += timedelta(hours=1)
        assert sweep.look() is None
    with premises.store.view() as tx:
        alarms = tx.alarms.find(kind=AlarmKind.TAMPER)
    assert [(alarm.key, alarm.state, alarm.count) for alarm in alarms] == [("record", AlarmState.RAISED, 1)]
    why, _, index = alarms[0].detail.partition(" ")
    assert why in set(Why)
    assert index == "" or index.isdecimal()


def test_a_folder_that_is_away_is_tried_again(premises: Premises, tmp_path: Path) -> None:
    share = tmp_path / "share"
    sweep = sweep_of(premises, share)
    note = sweep.look()
    assert note is not None
    assert not share.exists()
    share.mkdir()
    assert sweep.look() is None
    assert [path.read_text("utf-8") for path in share.iterdir()] == [note]


def test_an_extension_is_refused_for_a_record_that_does_not_begin_so(premises: Premises) -> None:
    note = premises.keeper.checkpoint()
    more(premises, 3)
    assert verify_extension(premises.keeper.extension(note), trusted=KEYS).held == 1
    forget(premises, "UPDATE entry SET leaf = zeroblob(32) WHERE idx = 3")
    with pytest.raises(RecordBroken):
        premises.keeper.extension(note)
    stranger = sign_checkpoint(premises.keeper.opened(note), Signer(SIGNER.name, b"s" * 32))
    with pytest.raises(RecordBroken) as unknown:
        premises.keeper.extension(stranger)
    assert unknown.value.why is Why.UNKNOWN_KEY
