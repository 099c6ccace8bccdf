"""Names that fit a terminal's 7 or 23 bytes without cutting a character in two.

A terminal keeps names in a fixed field of bytes with a NUL at the end. Cutting the bytes (as clients in the field do)
leaves half a letter, which terminals show as rubbish; the full name stays in our own records, so here a shorter one
that can be read is enough. Unicode categories decide what never goes out: control and format characters (right-to-left
overrides among them), surrogates, private use, unassigned, line and paragraph separators.
"""

import unicodedata
from collections.abc import Iterator

_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SHORT_FIELD = 8  # fields so small that an accent's second byte costs a letter
_PLAIN = str.maketrans({"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"})


def clean_name(name: str) -> str:
    """Composed (NFC), without what cannot be seen, blanks folded to one."""
    spaced = "".join(" " if c.isspace() else c for c in unicodedata.normalize("NFC", name))
    kept = "".join(c for c in spaced if unicodedata.category(c) not in _DROPPED)
    return unicodedata.normalize("NFC", " ".join(kept.split()))


def _belongs_to_previous(character: str, cluster: str) -> bool:
    """Whether a character extends the cluster before it: marks, skin tones, the second half of a flag."""
    if unicodedata.category(character) in {"Mn", "Mc", "Me"} or "\U0001f3fb" <= character <= "\U0001f3ff":
        return True
    return len(cluster) == 1 and all("\U0001f1e6" <= c <= "\U0001f1ff" for c in cluster + character)


def graphemes(text: str) -> Iterator[str]:
    """What a reader sees as single characters, as far as the standard library knows them."""
    cluster = ""
    for character in text:
        if cluster and _belongs_to_previous(character, cluster):
            cluster += character
            continue
        if cluster:
            yield cluster
        cluster = character
    if cluster:
        yield cluster


def _plain(text: str) -> str:
    """Letters without their accents, ASCII only."""
    bare = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    return " ".join(bare.encode("ascii", "ignore").decode("ascii").split())


def fit_name(name: str, limit: int) -> str:
    """The longest readable beginning of `name` that takes at most `limit` bytes in UTF-8.

    In fields of up to eight bytes a name that does not fit is first written without accents, where that leaves
    anything: seven letters say more than three with their tildes.
    """
    whole = clean_name(name)
    if len(whole.encode()) <= limit:
        return whole
    if limit <= _SHORT_FIELD:
        whole = _plain(whole) or whole
    fitting: list[str] = []
    used = 0
    for cluster in graphemes(whole):
        used += len(cluster.encode())
        if used > limit:
            break
        fitting.append(cluster)
    return "".join(fitting).rstrip()
