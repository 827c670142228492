"""Phone numbers as WhatsApp reads, rewrites and hides them."""

import hashlib
import re
from functools import lru_cache

import phonenumbers

_WRITTEN = re.compile(r"[+\d\s().-]+")
_DIALLED = re.compile(r"[1-9]\d{6,14}")

# Brazilian area codes whose mobile numbers kept the ninth digit in their WhatsApp id.
_NINE_DIGIT_AREAS = frozenset({*range(11, 20), 21, 22, 24, 27, 28})


def only_digits(text: str) -> str:
    """The ASCII digits of a number written in any way."""
    return re.sub(r"[^0-9]", "", text)


def dialled(to: str, business_digits: str) -> str | None:
    """The digits WhatsApp dials for `to`, or None when it is no phone number.

    Without a leading `+` the country code of the business number is put in front (WhatsApp Cloud
    API, sending messages), unless the number starts with that code already.
    """
    written = to.strip()
    if not written.isascii() or not _WRITTEN.fullmatch(written):
        return None
    digits = only_digits(written)
    if not written.startswith("+"):
        code = str(country_code(business_digits) or "")
        if not digits.startswith(code):
            digits = code + digits
    return digits if _DIALLED.fullmatch(digits) else None


@lru_cache(maxsize=10_000)
def country_code(digits: str) -> int | None:
    """The country calling code an international number starts with."""
    try:
        return phonenumbers.parse(f"+{digits}").country_code
    except phonenumbers.NumberParseException:
        return None


def whatsapp_id(digits: str) -> str:
    """The `wa_id` of a number where WhatsApp's differs from the dialled one.

    Mexican mobiles get a 1 and Argentine ones a 9 after the country code, Brazilian ones outside
    some areas lose their ninth digit; every other number is its own id.
    """
    if re.fullmatch(r"52[2-9]\d{9}", digits):
        return "521" + digits[2:]
    if re.fullmatch(r"54[1-8]\d{9}", digits):
        return "549" + digits[2:]
    if re.fullmatch(r"55\d{2}9\d{8}", digits) and int(digits[2:4]) not in _NINE_DIGIT_AREAS:
        return digits[:4] + digits[5:]
    return digits


def user_id(digits: str) -> str:
    """The business-scoped user id of a customer: a country, a dot and what stands for the user."""
    region = phonenumbers.region_code_for_country_code(country_code(digits) or 0)
    number = int.from_bytes(hashlib.sha256(digits.encode()).digest()[:7])
    return f"{region}.{number:017d}"
