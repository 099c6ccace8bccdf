"""Who keeps the record: signs how far it has grown, proves single entries, and reads all of it against its signatures.

A checkpoint is kept beside the record and is no entry of it, so that signing never makes the record grow. Before a new
one is signed, the record must still begin with what the last one signed: a key that signs a rewritten history would
be worth nothing.
"""

import hashlib
from collections.abc import Iterator, Sequence

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Actor, Permission
from accessctl.record import (
    Checkpoint,
    Json,
    RecordBroken,
    Signer,
    Verifier,
    Why,
    decode,
    open_checkpoint,
    proof_file,
    sign_checkpoint,
)
from accessctl.services.office import Office
from accessctl.services.store import KeptCheckpoint, RecordFound, Work


class RecordKeeper:
    """Signs with the record's key. `older` are the public keys of before, whose checkpoints still count."""

    def __init__(self, office: Office, signer: Signer, *, older: Sequence[Verifier] = ()) -> None:
        self._office = office
        self._signer = signer
        self._trusted = (signer.verifier, *older)

    @property
    def signer(self) -> Signer:
        """The record's key, for seals of exports."""
        return self._signer

    @property
    def origin(self) -> str:
        """Whose record it is: the first line of its checkpoints."""
        return self._signer.name

    @property
    def verifier_key(self) -> str:
        """The public key to give to whoever verifies (C2SP vkey)."""
        return self._signer.verifier.vkey

    def checkpoint(self) -> str:
        """A signed note over the whole record as it is now; the kept one where nothing was added since.

        Raises `RecordBroken` instead of signing where the record no longer begins with what was signed before.
        """
        with self._office.store.view() as tx:
            size, kept = tx.ledger.size(), tx.ledger.checkpoint()
            if kept is not None and kept.size == size and self._is_ours(kept):
                require_unbroken(tx, kept)
                return kept.note
        with self._office.store.begin() as tx:
            size, kept = tx.ledger.size(), tx.ledger.checkpoint()
            if kept is not None:
                require_unbroken(tx, kept)
            signed = Checkpoint(origin=self.origin, size=size, root=tx.ledger.tree(size).root())
            note = sign_checkpoint(signed, self._signer)
            if (
                kept is None or kept.size < size
            ):  # else the key is a new one: the note of the old key stays the kept one
                tx.ledger.keep_checkpoint(signed, note, self._office.clock())
            tx.commit()
        return note

    def opened(self, note: str | bytes) -> Checkpoint:
        """Size and root in a note of ours. Raises `RecordBroken` for a note that none of our keys signed."""
        return open_checkpoint(note, self._trusted)

    def prove(self, index: int, *, actor: Actor = SYSTEM, disclose: bool = False) -> bytes:
        """A file of a few kilobytes that proves one entry to a third person; `disclose` adds names and documents in it.

        Recorded like every export. Raises `AccessError(NOT_FOUND)` for an index that the record does not have.
        """
        self._office.require(actor, Permission.EVENTS_EXPORT, norm="N10.2")
        note = self.checkpoint()
        size = self.opened(note).size
        with self._office.store.view() as tx:
            if not 0 <= index < size:
                raise AccessError(Reason.NOT_FOUND, field="index")
            data = next(data for _, data, _ in tx.ledger.entries(index, index + 1))
            marks = list(_commitments(decode(data))) if disclose else []
            content = proof_file(
                index,
                data,
                tx.ledger.tree(size).inclusion(index),
                note,
                self.verifier_key,
                disclosed=tx.ledger.openings(marks).values(),
            )
        with self._office.begin(actor) as tx:
            facts: dict[str, str | int | bool | None] = {
                "format": "proof",
                "filter": f'{{"index":{index}}}',
                "lines": 1,
                "disclosed": disclose,
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            tx.record(Fact.EXPORT_MADE, at=self._office.clock(), actor=actor, norm="N10.2", data=facts)
            tx.commit()
        return content

    def verify_store(self, held: Sequence[Checkpoint] = ()) -> RecordFound:
        """Read the whole stored record against itself, its kept checkpoints and those that somebody `held` outside.

        Raises `RecordBroken` with the first bad index.
        """
        with self._office.store.view() as tx:
            return tx.ledger.check(trusted=self._trusted, held=held)

    def _is_ours(self, kept: KeptCheckpoint) -> bool:
        try:
            return open_checkpoint(kept.note, [self._signer.verifier]).origin == self.origin
        except RecordBroken as other:
            if other.why is Why.UNKNOWN_KEY:  # an older key of ours signed it
                return False
            raise


def require_unbroken(tx: Work, kept: KeptCheckpoint) -> None:
    """Refuse to go on where the record does not begin with what a checkpoint signed. Raises `RecordBroken`."""
    size = tx.ledger.size()
    if kept.size > size:
        raise RecordBroken(
            Why.TRUNCATED,
            f"a checkpoint counts {kept.size} entries, but there are only {size}: the tail was cut",
            index=size,
            until=kept.size - 1,
        )
    if tx.ledger.tree(size).root(kept.size) != kept.root:
        raise RecordBroken(
            Why.NOT_AN_EXTENSION,
            f"the record no longer begins with the {kept.size} entries that were signed",
            index=0,
            until=max(kept.size - 1, 0),
        )


def _commitments(value: Json) -> Iterator[str]:
    """All commitments in an entry (`{"c": hex}`), to the name and to personal details."""
    if isinstance(value, dict):
        mark = value.get("c")
        if len(value) == 1 and isinstance(mark, str):
            yield mark
        for inner in value.values():
            yield from _commitments(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _commitments(inner)
