"""The one refusal of the record: `RecordBroken`.

Whoever verifies reads bytes that an adversary may have written, so everything below `accessctl.record` that looks
at such bytes answers with a value or with this exception, never with another one. It carries

* `why`, a closed vocabulary (the Spanish sentences of the panel are keyed by it),
* `index`, the first entry of the record that is not as it was recorded, where one can be named,
* `until`, where the evidence narrows the damage to a range only: the bad entry is in `index … until`, both included,
* `line`, the line of the file, counted from 1, where a file was read,

and its text is one English sentence that can stand on a terminal: it quotes no hostile bytes.
"""

from enum import StrEnum


class Why(StrEnum):
    """What is wrong, one word each; never renamed, because translations and other people's scripts hold on to them."""

    UNREADABLE = "unreadable"  # the file cannot be opened or read
    EMPTY = "empty"  # zero bytes, or no line at all
    TRUNCATED = "truncated"  # fewer entries, or a line without its end
    TOO_LARGE = "too_large"  # a line, a note or a manifest beyond its bound
    MALFORMED = "malformed"  # not the format that it says it is
    UNKNOWN_KEY = "unknown_key"  # signed by nobody whom we were told to trust
    BAD_SIGNATURE = "bad_signature"  # names a trusted key, but that key did not sign this
    ORDER = "order"  # an index missing, repeated or out of place
    ENTRY_CHANGED = "entry_changed"  # the entry's bytes do not hash to its leaf
    COLUMN_CHANGED = "column_changed"  # a visible column disagrees with the entry
    PERSON_CHANGED = "person_changed"  # the name shown is not the one that the entry committed to
    NOT_IN_RECORD = "not_in_record"  # the audit path does not lead to the signed root
    WRONG_ROOT = "wrong_root"  # the leaves do not hash to the signed root
    WRONG_SIZE = "wrong_size"  # more or fewer entries than the checkpoint counts
    FILE_CHANGED = "file_changed"  # the file's digest is not the manifest's
    SEAL_BROKEN = "seal_broken"  # the manifest was changed after it was sealed
    NOT_AN_EXTENSION = "not_an_extension"  # the newer checkpoint does not contain the older one
    NOT_WHOLE = "not_whole"  # a part of the record, where only the whole of it can show what was asked
    TILE_CHANGED = "tile_changed"  # a stored tile disagrees with the entries under it


class RecordBroken(Exception):
    """Not proven: why, and where first."""

    def __init__(
        self, why: Why, text: str, *, index: int | None = None, until: int | None = None, line: int | None = None
    ) -> None:
        super().__init__(text)
        self.why = why
        self.index = index
        self.until = until
        self.line = line
