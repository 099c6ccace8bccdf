"""Fingers of people who are not there: the same finger gives the same opaque block on every simulated terminal.

The block only looks like a ZKFinger 10 template (`SS21` and a length after two bytes); it holds no minutiae. Because it
depends on person and finger alone, a template that was moved from one terminal to another recognises its owner there.
"""

from __future__ import annotations

import hashlib


def block_of(person: str, finger: int) -> bytes:
    """The template that a terminal computes from this finger: 600 to 1100 bytes, not ending in NUL."""
    seed = hashlib.sha256(f"finger {finger} of {person}".encode()).digest()
    length = 600 + int.from_bytes(seed[:2], "little") % 500
    body = hashlib.shake_256(seed).digest(length - 11)
    return seed[2:4] + b"SS21\0\0" + length.to_bytes(2, "big") + body + b"\x55"
