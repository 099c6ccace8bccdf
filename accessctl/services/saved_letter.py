"""What a witness or an auditor saved of a letter: the whole mail, its text, or a file of it; the checkpoint in it.

Hostile bytes: the caller bounds them, nothing is believed of headers, and whatever is found is verified by whoever
asked, exactly as if it had come as a file of its own.
"""

import re
from email import message_from_bytes
from itertools import islice

from accessctl.record.proofs import EXTENSION_FORMAT

MOST_PARTS = 50
_HEADER = re.compile(rb"(?:From |[A-Za-z][A-Za-z0-9-]{0,60}:[ \t\r\n])")
_NOTE = re.compile(
    r"^\S{1,255}\n(?:0|[1-9][0-9]{0,18})\n[A-Za-z0-9+/]{43}=\n\n(?:— \S{1,255} [A-Za-z0-9+/=]{1,400}\n)+", re.MULTILINE
)


def saved_document(content: bytes) -> bytes:
    """The proof of extension in a saved mail, or else its note; the content itself where neither is in it."""
    if content.lstrip().startswith(b"{"):
        return content
    texts = _parts(content) if _HEADER.match(content.lstrip()) else [content]
    for part in texts:
        if part.lstrip().startswith(b"{") and EXTENSION_FORMAT.encode() in part:
            return part
    for part in texts:
        text = _text(part)
        if found := _NOTE.search(text if text.endswith("\n") else f"{text}\n"):
            return found.group().encode()
    return content


def saved_note(content: bytes) -> bytes:
    """The note alone, where a checkpoint is wanted and no proof."""
    texts = _parts(content) if _HEADER.match(content.lstrip()) else [content]
    notes = (_NOTE.search(_text(part)) for part in texts)
    return next((found.group().encode() for found in notes if found), content)


def as_signed(text: str) -> str:
    """A note without what editors and mail put into it: a byte order mark, line ends of Windows."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def _text(part: bytes) -> str:
    return as_signed(part.decode("utf-8", "replace"))


def _parts(content: bytes) -> list[bytes]:
    """The parts of a mail, decoded; nothing where it is none."""
    try:
        found = [part.get_payload(decode=True) for part in islice(message_from_bytes(content).walk(), MOST_PARTS)]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):  # the parser's, for what is no mail
        return []
    return [part for part in found if isinstance(part, bytes)]
