"""Finger templates as a terminal hands them out. The bytes inside are opaque, and never shown or logged.

A dataset of templates is a u32 total and entries `u16 size of the entry | u16 uid | u8 finger | u8 flag | bytes`; the
flag is 0 invalid, 1 valid, 3 duress. Source: zk-protocol data-user.md.
"""

from collections.abc import Mapping
from struct import Struct

from accessctl.ports import DeviceMisbehaved, TerminalTemplate
from accessctl_drivers.zkteco.datasets import strip_total

MAX_TEMPLATE = 0x4000  # the longest known kind has about 2 KiB
_ENTRY = Struct("<HHBB")
_WRITE = Struct("<HBBH")
_TRAILER = 1
_PADDING = bytes(6)


def decode_templates(dataset: bytes, user_ids: Mapping[int, str]) -> tuple[TerminalTemplate, ...]:
    """All valid templates of a dataset (with its leading total); `user_ids` says who holds which slot.

    Entries marked invalid are left out. DeviceMisbehaved at wrong lengths, a finger above 9, a finger twice, or a slot
    that nobody holds: a finger without its person would be given to whoever gets the slot next.
    """
    entries = strip_total(dataset)
    templates: list[TerminalTemplate] = []
    seen: set[tuple[int, int]] = set()
    at = 0
    while at < len(entries):
        if len(entries) - at < _ENTRY.size:
            raise DeviceMisbehaved(f"{len(entries) - at} bytes left over behind the last template")
        size, uid, finger, flag = _ENTRY.unpack_from(entries, at)
        if not _ENTRY.size < size <= min(MAX_TEMPLATE + _ENTRY.size, len(entries) - at):
            raise DeviceMisbehaved(f"template entry of {size} bytes where {len(entries) - at} are left")
        if finger > 9 or (uid, finger) in seen:
            raise DeviceMisbehaved(f"slot {uid} has finger {finger} twice, or no such finger exists")
        if uid not in user_ids:
            raise DeviceMisbehaved(f"slot {uid} has a finger and no user")
        seen.add((uid, finger))
        if flag & 1:
            body = bytes(entries[at + _ENTRY.size : at + size])
            templates.append(TerminalTemplate(user_id=user_ids[uid], finger=finger, flag=flag & 3, data=body))
        at += size
    return tuple(templates)


def check_template(template: TerminalTemplate) -> None:
    """ValueError where a terminal cannot take it."""
    if not (0 <= template.finger <= 9 and template.flag in {1, 3} and 0 < len(template.data) <= MAX_TEMPLATE):
        raise ValueError(f"finger {template.finger}, flag {template.flag}, {len(template.data)} bytes is no template")


def template_write(uid: int, template: TerminalTemplate) -> bytes:
    """The data of TMP_WRITE, which makes an uploaded template the finger of a slot, and keeps its flag."""
    check_template(template)
    return _WRITE.pack(uid, template.finger, template.flag, len(template.data))


def template_from_single_read(body: bytes, announced: int | None) -> bytes:
    """The template from the answer to command 88, which puts a byte and up to six NULs behind it.

    `announced` is the size that the terminal gave when it enrolled the finger, where it gave one. DeviceMisbehaved
    where nothing is left.
    """
    told = announced is not None and 0 < announced <= len(body)
    template = body[:announced] if told else body[:-_TRAILER].removesuffix(_PADDING)
    if not 0 < len(template) <= MAX_TEMPLATE:
        raise DeviceMisbehaved(f"template of {len(template)} bytes")
    return template
