"""The memory of a terminal: users, templates, the attendance log, the operation log, options.

Bulk reads are served from packed bytes that are rebuilt only after a change, so that 10,000 users and 100,000 records
leave at the speed of the socket.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from accessctl_sim.zk.records import BadRecord, Operation, Punch, Template, User, unpack_punch
from accessctl_sim.zk.upload import LONGEST_TEMPLATE
from accessctl_sim.zk.zones import Zones

HIGHEST_UID = 65_534


class MemoryFull(BadRecord):
    """No room for another user or template."""


class Store:
    """Everything that survives a power cut."""

    def __init__(self, *, user_format: int, punch_format: int, user_cap: int, finger_cap: int, punch_cap: int) -> None:
        self.user_format = user_format
        self.punch_format = punch_format
        self.user_cap = user_cap
        self.finger_cap = finger_cap
        self.punch_cap = punch_cap
        self.users: dict[int, User] = {}
        self.templates: dict[tuple[int, int], Template] = {}
        self.verify_styles: dict[int, int] = {}
        self.operations: deque[Operation] = deque(maxlen=10_000)
        self.options: dict[str, str] = {}
        self.zones = Zones()
        self._uid_by_id: dict[str, int] = {}
        self._uid_by_card: dict[int, int] | None = None
        self._punches = bytearray()
        self._packed_users: bytes | None = None

    # -- users ---------------------------------------------------------------------------------------------------------

    def put_user(self, user: User) -> User:
        """Write a slot. Slot 0 means the next free one; a known number moves to the new slot, as on the terminal."""
        if user.uid == 0:
            user = replace(user, uid=self._uid_by_id.get(user.user_id, 0) or self.free_uid())
        if not 1 <= user.uid <= HIGHEST_UID:
            raise BadRecord(f"uid {user.uid}")
        if not 0 <= user.card <= 0xFFFFFFFF or not 0 <= user.privilege <= 0xFF or not 0 < len(user.user_id) <= 24:
            raise BadRecord(
                f"user {user.user_id[:24]!r}: card of 32 bits, privilege of 8, number of 1 to 24 characters"
            )
        if user.uid not in self.users and len(self.users) >= self.user_cap:
            raise MemoryFull(f"{self.user_cap} users")
        before = self.users.get(user.uid)
        if before is not None and before.user_id != user.user_id:
            del self._uid_by_id[before.user_id]
        elsewhere = self._uid_by_id.get(user.user_id, user.uid)
        if elsewhere != user.uid:
            self.delete_user(elsewhere)
        self.users[user.uid] = user
        self._uid_by_id[user.user_id] = user.uid
        self._changed()
        return user

    def delete_user(self, uid: int) -> bool:
        """Forget a user with its fingers; False if the slot was empty."""
        user = self.users.pop(uid, None)
        if user is None:
            return False
        del self._uid_by_id[user.user_id]
        self.verify_styles.pop(uid, None)
        for key in [key for key in self.templates if key[0] == uid]:
            del self.templates[key]
        self._changed()
        return True

    def clear_users(self) -> None:
        self.users.clear()
        self._uid_by_id.clear()
        self.verify_styles.clear()
        self.templates.clear()
        self._changed()

    def clear_admins(self) -> None:
        for user in list(self.users.values()):
            if user.is_admin:
                self.put_user(replace(user, privilege=user.privilege & 1))

    def free_uid(self) -> int:
        """The slot that a new user gets."""
        return max(self.users, default=0) + 1

    def by_id(self, user_id: str) -> User | None:
        uid = self._uid_by_id.get(user_id)
        return None if uid is None else self.users[uid]

    def by_card(self, card: int) -> User | None:
        """Who holds a card; 0 is no card. Of two users with one number the lower slot answers, as a scan would."""
        if not card:
            return None
        if self._uid_by_card is None:
            self._uid_by_card = {u.card: u.uid for u in sorted(self.users.values(), key=lambda u: -u.uid)}
        uid = self._uid_by_card.get(card)
        return None if uid is None else self.users[uid]

    def packed_users(self) -> bytes:
        """The read-all answer: u32 total and the records, by slot."""
        if self._packed_users is None:
            body = b"".join(self.users[uid].pack(self.user_format) for uid in sorted(self.users))
            self._packed_users = struct.pack("<I", len(body)) + body
        return self._packed_users

    def _changed(self) -> None:
        self._packed_users = None
        self._uid_by_card = None

    # -- fingers -------------------------------------------------------------------------------------------------------

    def put_template(self, template: Template) -> None:
        """Store a finger of a known user."""
        key = (template.uid, template.finger)
        if template.uid not in self.users:
            raise BadRecord(f"template of unknown uid {template.uid}")
        if not 0 < len(template.block) <= LONGEST_TEMPLATE:
            raise BadRecord(f"template of {len(template.block)} bytes")
        if key not in self.templates and len(self.templates) >= self.finger_cap:
            raise MemoryFull(f"{self.finger_cap} fingers")
        self.templates[key] = template

    def owner_of(self, block: bytes) -> Template | None:
        """Whose finger this is, if any valid template is the same."""
        return next((t for t in self.templates.values() if t.flag and t.block == block), None)

    def packed_templates(self) -> bytes:
        body = b"".join(self.templates[key].pack() for key in sorted(self.templates))
        return struct.pack("<I", len(body)) + body

    # -- the logs ------------------------------------------------------------------------------------------------------

    @property
    def punch_count(self) -> int:
        return len(self._punches) // self.punch_format

    def add_punches(self, punches: Iterable[Punch]) -> None:
        for punch in punches:
            self._punches += punch.pack(self.punch_format)

    def drop_oldest_punches(self, count: int) -> None:
        del self._punches[: count * self.punch_format]

    def clear_punches(self) -> None:
        self._punches.clear()

    def punches(self) -> list[Punch]:
        size = self.punch_format
        return [unpack_punch(bytes(self._punches[i : i + size])) for i in range(0, len(self._punches), size)]

    def packed_punches(self) -> bytes:
        return struct.pack("<I", len(self._punches)) + self._punches

    def packed_operations(self) -> bytes:
        body = b"".join(operation.pack() for operation in self.operations)
        return struct.pack("<I", len(body)) + body

    def last_record(self) -> bytes | None:
        """The newest attendance record as packed, if there is one."""
        return bytes(self._punches[-self.punch_format :]) or None
