"""Ids: where each comes from and how it is read back."""

import hashlib
import os
import re
import time
import uuid
from datetime import datetime

from ulid import ULID

_RANDOM_BITS = (0xFFF << 64) | ((1 << 62) - 1)
"""Of the last 80 bits of a UUID of version 7, those that are neither version nor variant."""

MESSAGE_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


def message_id(
    entry_id: uuid.UUID, created_at: datetime, attempt: int, node: str, visit: int
) -> str:
    """The id of one sent copy: a ULID (26 characters) that every retry computes again.

    Its time is the entry's creation, its 80 bits a hash of entry, attempt, node and visit
    (design: never twice), so that a crash between any two steps finds the same row.
    """
    digest = hashlib.sha256(f"{entry_id}:{attempt}:{visit}:{node}".encode()).digest()
    milliseconds = int(created_at.timestamp() * 1000)
    return str(ULID.from_bytes(milliseconds.to_bytes(6, "big") + digest[:10]))


def split_reply_id(reply_id: str) -> tuple[str, str] | None:
    """Read `<our message id>:<button id>`, as sent with every button; None if it is not ours."""
    message, colon, button = reply_id.partition(":")
    if not colon or not button or MESSAGE_ID.fullmatch(message) is None:
        return None
    return message, button


def ulid_as_uuid(value: ULID) -> str:
    """A ULID in UUID layout, the form of a version made without a label (connectly.md 0.2)."""
    return str(uuid.UUID(bytes=value.bytes))


def time_ordered_ids(count: int) -> list[uuid.UUID]:
    """So many new UUIDs of version 7 (RFC 9562): random, and later ones sort after earlier ones.

    Entries have them because rows that are made together are then kept and found together.
    """
    milliseconds = time.time_ns() // 1_000_000
    head = (milliseconds << 80) | (7 << 76) | (2 << 62)
    noise = os.urandom(10 * count)
    return [
        uuid.UUID(int=head | (bits & _RANDOM_BITS))
        for bits in (int.from_bytes(noise[i : i + 10]) for i in range(0, 10 * count, 10))
    ]
