"""Who keeps the record: signs how far it has grown, proves single entries, and reads all of it against its signatures.

A checkpoint is kept beside the record and is no entry of it, so that signing never makes the record grow. Before a new
one is signed, the record must still begin with what the last one signed: a key that signs a rewritten history would
be worth nothing.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

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
    extension_file,
    open_checkpoint,
    proof_file,
    sign_checkpoint,
)
from accessctl.services.office import Office
from accessctl.services.record_keys import recorded_keys
from accessctl.services.store import KeptCheckpoint, RecordFound, Work

Keys: TypeAlias = tuple[Signer, Sequence[Verifier]]  # the key that signs, and the public keys of before


class RecordKeeper:
    """Signs with the record's key. `older` are the public keys of before, whose checkpoints still count.

    `renewed` reads the keys again: asked when the record names another key than ours, because it was rotated meanwhile.
    """

    def __init__(
        self,
        office: Office,
        signer: Signer,
        *,
        older: Sequence[Verifier] = (),
        renewed: Callable[[], Keys] | None = None,
    ) -> None:
        self._office = office
        self._renewed = renewed
        self._take((signer, older))

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

    def begin(self) -> bool:
        """The first entry of a new record: its origin and its key. False where it has begun already."""
        with self._office.store.begin() as tx:
            begun = tx.events.size() > 0
            if not begun:
                data = {"origin": self.origin, "verifier_key": self.verifier_key}
                tx.record(Fact.RECORD_BEGUN, at=self._office.clock(), actor=SYSTEM, data=data)
                tx.commit()
        return not begun

    def checkpoint(self) -> str:
        """A signed note over the whole record as it is now; the kept one where nothing was added since.

        Raises `RecordBroken` instead of signing where the record no longer begins with what was signed before.
        """
        with self._office.store.view() as tx:
            self._require_own_key(tx)
            size, kept = tx.ledger.size(), tx.ledger.checkpoint()
            if kept is not None and kept.size == size and self._is_ours(kept):
                require_unbroken(tx, kept)
                return kept.note
        with self._office.store.begin() as tx:
            self._require_own_key(tx)
            note = self._sign(tx, self._signer)
            tx.commit()
        return note

    def _sign(self, tx: Work, *signers: Signer) -> str:
        size, kept = tx.ledger.size(), tx.ledger.checkpoint()
        if kept is not None:
            self.opened(kept.note)  # signed by a key of ours, this one or one before it
            require_unbroken(tx, kept)
        signed = Checkpoint(origin=self.origin, size=size, root=_root(tx, size, size))
        note = sign_checkpoint(signed, *signers)
        if kept is None or kept.size < size:  # else the key is a new one: the note of the old key stays the kept one
            tx.ledger.keep_checkpoint(signed, note, self._office.clock())
        return note

    def rotate(self, new: Signer) -> str:
        """Hand the record over to a new key: recorded as an entry, then signed by both keys; the note.

        Begun again after it was interrupted, it ends what was begun. Raises `RecordBroken` where ours is not the key.
        """
        with self._office.store.view() as tx:
            begun = recorded_keys(tx).present == new.verifier.vkey
        if not begun:
            self.checkpoint()
            self._record_rotation(new, before=self.verifier_key)
        old = self._signer
        with self._office.store.begin() as tx:
            note = self._sign(tx, new, old)
            tx.commit()
        self._take((new, (old.verifier, *self._trusted)))
        return note

    def replace_lost(self) -> str:
        """Ours is a new key in the place of one that is lost: recorded as such, and signed by the new one alone.

        That the record was not rewritten meanwhile only checkpoints that were held elsewhere can show.
        """
        with self._office.store.view() as tx:
            present, before = recorded_keys(tx)
        begun = present == self.verifier_key
        lost = before if begun else present
        if lost:
            self._take((self._signer, (Verifier.parse(lost), *self._trusted)))
        if not begun:
            self._record_rotation(self._signer, before=lost, lost=True)
        return self.checkpoint()

    def _record_rotation(self, new: Signer, *, before: str, lost: bool = False) -> None:
        data: dict[str, str | int | bool | None] = {"verifier_key": new.verifier.vkey, "before": before, "lost": lost}
        with self._office.store.begin() as tx:
            tx.record(Fact.KEY_ROTATED, at=self._office.clock(), actor=SYSTEM, norm="N10.2", data=data)
            tx.commit()

    def extension(self, old_note: str | bytes, new_note: str | None = None) -> bytes:
        """A file that proves that the record of an older note of ours is the beginning of a newer one's, or of now.

        Hashes and signatures only, so that it is no export. Raises `RecordBroken` where the record does not begin so.
        """
        old = self.opened(old_note)
        note = self.checkpoint() if new_note is None else new_note
        size = self.opened(note).size
        text = old_note if isinstance(old_note, str) else old_note.decode()
        with self._office.store.view() as tx:
            require_unbroken(tx, KeptCheckpoint(size=old.size, root=old.root, note=text))
            return extension_file(text, note, tx.ledger.tree(size).consistency(old.size), self.verifier_key)

    def _require_own_key(self, tx: Work) -> None:
        """Refuse to sign with a key that the record does not name. Raises `RecordBroken`."""
        named = recorded_keys(tx).present
        if named in {"", self.verifier_key}:
            return
        if self._renewed is not None:
            keys = self._renewed()
            if keys[0].verifier.vkey == named:
                self._take(keys)
                return
        raise RecordBroken(Why.UNKNOWN_KEY, "the key at hand is not the one that the record names: nothing is signed")

    def _take(self, keys: Keys) -> None:
        self._signer = keys[0]
        self._trusted = tuple(dict.fromkeys((keys[0].verifier, *keys[1])))

    def opened(self, note: str | bytes) -> Checkpoint:
        """Size and root in a note of ours. Raises `RecordBroken` for a note that none of our keys signed."""
        return open_checkpoint(note, self._trusted)

    def prove(self, index: int, *, actor: Actor = SYSTEM, disclose: bool = False) -> bytes:
        """A file of a few kilobytes that proves one entry to a third person; `disclose` adds names and documents in it.

        Recorded like every export, as one about the person of the entry. Raises `AccessError(NOT_FOUND)` for an index
        that the record does not have.
        """
        self._office.require(actor, Permission.EVENTS_EXPORT, norm="N10.2")
        if disclose:
            self._office.require(actor, Permission.PEOPLE_SEE, norm="N10.2")
        note = self.checkpoint()
        size = self.opened(note).size
        with self._office.store.view() as tx:
            if not 0 <= index < size:
                raise AccessError(Reason.NOT_FOUND, field="index")
            data = next(data for _, data, _ in tx.ledger.entries(index, index + 1))
            entry = decode(data)
            about = str(entry.get("person_id") or "")
            marks = list(_commitments(entry)) if disclose else []
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
            person = about if about and tx.people.maybe(about) else ""
            tx.record(Fact.EXPORT_MADE, at=self._office.clock(), actor=actor, norm="N10.2", person=person, data=facts)
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
    if _root(tx, size, kept.size) != kept.root:
        raise RecordBroken(
            Why.NOT_AN_EXTENSION,
            f"the record no longer begins with the {kept.size} entries that were signed",
            index=0,
            until=max(kept.size - 1, 0),
        )


def _root(tx: Work, size: int, upto: int) -> bytes:
    """The root of the first `upto` entries; a record with a hole has none."""
    try:
        return tx.ledger.tree(size).root(upto)
    except LookupError:
        raise RecordBroken(Why.ORDER, "the record has a hole; `record verify` says where") from None


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
