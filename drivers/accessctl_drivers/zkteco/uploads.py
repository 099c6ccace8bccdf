"""What goes to a terminal when users are written: few large buffers, each with whole users and all their fingers."""

from collections.abc import Sequence

from accessctl.ports import TerminalTemplate, TerminalUser
from accessctl_drivers.zkteco.templates import template_write
from accessctl_drivers.zkteco.users import bulk_upload

UPLOAD_BYTES = 256 * 1024  # a terminal takes nobody while it takes a buffer: about half a second at 2 ms a round trip
_VALID = 1


def uploads(
    people: Sequence[TerminalUser], templates: Sequence[TerminalTemplate], record: int, encoding: str
) -> tuple[list[bytes], list[tuple[bytes, bytes]]]:
    """Buffers for command 110, of about UPLOAD_BYTES each, and the fingers that need a write of their own.

    The second list has, for each duress finger, the data of TMP_WRITE and the template. ValueError, before anything
    goes out, where a user or a finger does not fit, a slot or an id appears twice, or a finger comes without its user.
    """
    slots = {user.user_id: user.uid for user in people}
    if len(slots) != len(people) or len(set(slots.values())) != len(people):
        raise ValueError("two users share a slot or a user id")
    fingers: dict[str, list[TerminalTemplate]] = {}
    special: list[tuple[bytes, bytes]] = []
    for template in templates:
        if template.user_id not in slots:
            raise ValueError(f"a template of user {template.user_id} comes without its user")
        if template.flag == _VALID:
            fingers.setdefault(template.user_id, []).append(template)
        else:
            special.append((template_write(slots[template.user_id], template), template.data))
    batches: list[list[TerminalUser]] = [[]]
    size = 0
    for user in people:
        own = 1 + record + sum(10 + len(template.data) for template in fingers.get(user.user_id, ()))
        if batches[-1] and size + own > UPLOAD_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(user)
        size += own
    buffers = [
        bulk_upload(batch, [t for user in batch for t in fingers.get(user.user_id, ())], record, encoding)
        for batch in batches
        if batch
    ]
    return buffers, special
