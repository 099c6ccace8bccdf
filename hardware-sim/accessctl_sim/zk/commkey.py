"""The communication key as CMD_AUTH carries it: scrambled with the session id, not secret (pyzk 0.9, notes on commkey).

Bit-reverse the key over 32 bits, add the session id, XOR with "ZKSO", swap the two halves, then XOR bytes 0, 1 and
3 with the tick byte, which itself travels as byte 2.
"""

from __future__ import annotations


def scramble(key: int, session: int, ticks: int = 50) -> bytes:
    """The four bytes that a client with `key` sends in a session."""
    reversed_key = int(f"{key & 0xFFFFFFFF:032b}"[::-1], 2)
    mixed = ((reversed_key + session) & 0xFFFFFFFF).to_bytes(4, "little")
    _, b, c, d = (byte ^ mask for byte, mask in zip(mixed, b"ZKSO", strict=True))
    tick = ticks & 0xFF
    return bytes((c ^ tick, d ^ tick, tick, b ^ tick))


def opens(offered: bytes, *, key: int, session: int) -> bool:
    """Whether the four bytes of a CMD_AUTH belong to `key`; whatever tick byte the client chose."""
    return len(offered) >= 4 and offered[:4] == scramble(key, session, offered[2])
