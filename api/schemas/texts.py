"""Texts that people give things: names, labels, reasons."""

import unicodedata
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

LONGEST_NAME = 256


def is_one_line(text: str) -> bool:
    """Whether the text has neither control characters nor half surrogate pairs.

    PostgreSQL takes no NUL and UTF-8 no half pairs; the others would only confuse people.
    """
    return not any(unicodedata.category(char) in {"Cc", "Cs"} for char in text)


def _one_line(text: str) -> str:
    if not is_one_line(text):
        raise ValueError("remove the control characters")
    if len(text) > LONGEST_NAME:
        raise ValueError(f"use at most {LONGEST_NAME} characters")
    return text


Line: TypeAlias = Annotated[str, AfterValidator(_one_line)]
"""At most 256 characters without control characters."""
