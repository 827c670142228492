"""Phone numbers as Sendout reads, compares and shows them (api.md section 2).

Reading is lenient about spelling and checks nothing about the number itself, so it is a matter of
one regular expression: a request holds up to 10,000 of them.
"""

import re

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SPELLED = re.compile(r"(?:\+|00)?([1-9][0-9]{6,14})")
_LONGEST = 64
# A number that a spreadsheet turned into a decimal; its zero must not become a digit to dial.
_DECIMAL = re.compile(r"[0-9]{7,}\.0+")

_SEPARATORS = dict.fromkeys(
    map(
        ord,
        " \t\r\n\u00a0\u2007\u2009\u202f"  # white space, and what word processors put for it
        "-\u00ad\u2010\u2011\u2012\u2013\u2014.()"  # hyphens, dashes, dots, brackets
        "\u200b\u200e\u200f\u202a\u202c\u2060\ufeff",  # invisible marks of copied contacts
    )
)


def parse_phone(text: object) -> str | None:
    """The number in E.164 (`+` and 7 to 15 digits), or None when the text is not one.

    With `+`, `00` or bare; spaces, hyphens, dots and brackets do not count; the first digit is not
    0. Letters, other signs and anything but a text are refused. Whether such a number exists is
    not asked (api.md section 2), and it is never rewritten into a national variant.
    """
    if not isinstance(text, str):
        return None
    if _E164.fullmatch(text):
        return text
    if len(text) > _LONGEST or _DECIMAL.fullmatch(text.strip().removeprefix("+")):
        return None
    match = _SPELLED.fullmatch(text.translate(_SEPARATORS))
    return None if match is None else f"+{match.group(1)}"


_VARIANTS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Mexico: older accounts carry a 1 between country code and number.
    (re.compile(r"\+52([2-9][0-9]{9})"), r"+521\1"),
    (re.compile(r"\+521([2-9][0-9]{9})"), r"+52\1"),
    # Brazil: mobile numbers were eight digits that began with 6 to 9 before a 9 was put in front.
    (re.compile(r"\+55([1-9][1-9])9([6-9][0-9]{7})"), r"+55\1\2"),
    (re.compile(r"\+55([1-9][1-9])([6-9][0-9]{7})"), r"+55\g<1>9\2"),
    # Argentina: a 9 marks mobile numbers when they are dialled from abroad.
    (re.compile(r"\+54([1-8][0-9]{9})"), r"+549\1"),
    (re.compile(r"\+549([1-8][0-9]{9})"), r"+54\1"),
)


def variants(e164: str) -> tuple[str, ...]:
    """Other spellings under which WhatsApp may know the same number, without the number itself.

    Mexico, Brazil and Argentina (reference/whatsapp.md section 5.7); empty elsewhere. The relation
    is symmetric: a number is among the variants of each of its variants. It is so in every
    Brazilian area, although WhatsApp drops the 9 only outside of some: there the eight-digit
    spelling is no other customer's, just an old one.
    """
    return tuple(
        pattern.sub(spelling, e164) for pattern, spelling in _VARIANTS if pattern.fullmatch(e164)
    )


def mask(e164: str) -> str:
    """The number for logs: its first two and last two digits, `+16•••31`."""
    digits = e164.removeprefix("+")
    return f"+{digits[:2]}•••{digits[-2:]}" if len(digits) >= 7 else "•••"
