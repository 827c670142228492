"""WhatsApp message ids, laid out as the real ones are."""

import base64
import hashlib


def message_id(digits: str, instance: str, number: int) -> str:
    """The id of the `number`th message of a simulator database, to or from `digits`.

    The same arguments give the same id; `instance` keeps the ids of two databases apart, so a
    fresh simulator never repeats an id that a long-lived receiver has seen.
    """
    unique = hashlib.sha256(f"{instance}:{number}".encode()).hexdigest()[:18].upper()
    phone = digits.encode()
    layout = b"\x1c\x18%c%b\x15\x02\x00\x11\x18\x12%b\x00" % (len(phone), phone, unique.encode())
    return "wamid." + base64.b64encode(layout).decode()
