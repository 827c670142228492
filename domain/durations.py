"""Lengths of time as people write them: `1 h 30 min`."""

import re
from datetime import timedelta

from domain.document import parse_duration

_SECONDS = re.compile(r"\d+(\.\d+)?")
_IN_WORDS = re.compile(
    r"(?:(\d+)\s*d(?:ays?)?)?\s*(?:(\d+)\s*h(?:ours?)?)?"
    r"\s*(?:(\d+)\s*min(?:utes?)?)?\s*(?:(\d+(?:\.\d+)?)\s*s(?:ec(?:onds?)?)?)?"
)


def read_duration(text: str) -> timedelta:
    """`2 h`, `1 h 30 min`, `PT2H`, or a number of seconds. Raises `ValueError`, also for zero."""
    text = text.strip()
    words = _IN_WORDS.fullmatch(text)
    if words and any(words.groups()):
        days, hours, minutes, seconds = (part or 0 for part in words.groups())
        text = f"P{days}DT{hours}H{minutes}M{seconds}S"
    elif _SECONDS.fullmatch(text):
        text = f"PT{text}S"
    try:
        return parse_duration(text)
    except ValueError:
        raise ValueError("write a time above zero such as `2 h`, `1 h 30 min` or PT2H") from None


def in_words(duration: timedelta) -> str:
    """Such as `1 h 30 min`, which `read_duration` reads again; `0 s` for none."""
    minutes, seconds = divmod(duration.total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{n:g} {unit}" for n, unit in parts if n) or "0 s"
