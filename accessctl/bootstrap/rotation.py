"""Handing the record over to a new key: `record rotate-key`.

In this order, so that a crash at any point is ended by running it again: the next key is written beside the present
one; the record says which key comes next (from then on nothing is signed with the old one alone); both keys sign the
record as it is then; the next key takes the place of the old one, whose public half stays in `record.older` for ever.
"""

from dataclasses import dataclass

from accessctl import clock
from accessctl.bootstrap.keys import RECORD, adopt_next, next_key, older_keys, read_key
from accessctl.record import Signer
from accessctl.services.office import Office
from accessctl.services.record_keeper import Keys, RecordKeeper
from accessctl.services.record_keys import recorded_keys
from accessctl.settings import Settings
from accessctl.storage.engine import make_engine
from accessctl.storage.unit_of_work import SqlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """The new public key, the one before it ("" where the record named none), and the note that hands over."""

    verifier_key: str
    before: str
    note: str


def record_keys(settings: Settings) -> Keys:
    """The record's key and the public keys of before, read from their files. Raises `KeysWrong`."""
    return Signer(settings.origin, read_key(settings.keys_dir, RECORD)), older_keys(settings.keys_dir)


def rotate_record_key(settings: Settings, *, lost: bool) -> Rotated:
    """Rotate; `lost` where the present key cannot sign any more. Raises `KeysWrong`, `RecordBroken`."""
    folder = settings.keys_dir
    store = SqlStore(make_engine(settings.database), clock.entropy)
    office = Office(store=store, clock=clock.now, new_id=clock.new_id)
    try:
        present = None if lost else record_keys(settings)
        new = Signer(settings.origin, next_key(folder, clock.entropy))
        if present is None:
            note = RecordKeeper(office, new, older=older_keys(folder)).replace_lost()
            with store.view() as tx:
                before = recorded_keys(tx).before
        else:
            before = present[0].verifier.vkey
            note = RecordKeeper(office, present[0], older=present[1]).rotate(new)
        adopt_next(folder, before)
    finally:
        store.close()
    return Rotated(verifier_key=new.verifier.vkey, before=before, note=note)
