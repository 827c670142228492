"""Ids: where each comes from and how it is read back."""

import hashlib
import os
import re
import time
import uuid
from datetime import datetime

from ulid import ULID

_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}
"""The digit of a UUID that says by which rules it is made, with two random bits."""

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


def session_id(entry_id: uuid.UUID, created_at: datetime) -> str:
    """The `cnt_session_id` of an entry in reports: a ULID in UUID layout (connectly.md 0.2).

    Its time is the entry's creation, its 80 bits a hash of the entry's id: always the same.
    """
    digest = hashlib.sha256(f"session {entry_id}".encode()).digest()
    milliseconds = int(created_at.timestamp() * 1000)
    return str(uuid.UUID(bytes=milliseconds.to_bytes(6, "big") + digest[:10]))


def split_reply_id(reply_id: str) -> tuple[str, str] | None:
    """Read `<our message id>:<button id>`, as sent with every button; None if it is not ours."""
    message, colon, button = reply_id.partition(":")
    if not colon or not button or MESSAGE_ID.fullmatch(message) is None:
        return None
    return message, button


def ulid_as_uuid(value: ULID) -> str:
    """A ULID in UUID layout, the form of a version made without a label (connectly.md 0.2)."""
    return str(uuid.UUID(bytes=value.bytes))


def time_ordered_ids(count: int) -> list[str]:
    """So many new UUIDs of version 7 (RFC 9562): random, and later ones sort after earlier ones.

    Entries have them because rows that are made together are then kept and found together. As texts
    because a request makes 10,000, and objects take three times as long to make and to store.
    """
    stamp = f"{time.time_ns() // 1_000_000:012x}"
    head = f"{stamp[:8]}-{stamp[8:]}-7"
    noise = os.urandom(10 * count).hex()
    return [
        f"{head}{noise[i : i + 3]}-{_VARIANT[noise[i + 3]]}{noise[i + 4 : i + 7]}"
        f"-{noise[i + 7 : i + 19]}"
        for i in range(0, 20 * count, 20)
    ]
