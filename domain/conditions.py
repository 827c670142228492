"""Branch cases and split paths: pure decisions with the same answer on every replay."""

import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal

from domain.document import Scalar
from domain.flow import BranchNode, Case, SplitNode

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,6})?")
_LONGEST_NUMBER = 100
"""Longer text is compared as text: no amount or count has that many digits."""


def scalar_text(value: Scalar) -> str:
    """A flow document's value as the text it prints as; booleans in JSON's spelling."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(text: str) -> Decimal | None:
    trimmed = text.strip()
    if len(trimmed) > _LONGEST_NUMBER or _NUMBER.fullmatch(trimmed) is None:
        return None
    return Decimal(trimmed)


def _equal(left: str, right: str) -> bool:
    left_number, right_number = _number(left), _number(right)
    if left_number is not None and right_number is not None:
        return left_number == right_number
    return left == right


def _ordered(op: str, left: str, right: str) -> bool:
    left_number, right_number = _number(left), _number(right)
    if left_number is None or right_number is None:
        return False
    match op:
        case "lt":
            return left_number < right_number
        case "le":
            return left_number <= right_number
        case "gt":
            return left_number > right_number
        case _:
            return left_number >= right_number


def holds(case: Case, values: Mapping[str, str]) -> bool:
    """Whether a branch case holds for these variables (flow.md section 1, `branch`).

    A variable that is absent or blank is missing: only `ne` and `exists: false` hold then.
    """
    text = values.get(case.variable, "")
    missing = not text.strip()
    if case.op == "exists":
        return case.value is not missing
    if missing:
        return case.op == "ne"
    if isinstance(case.value, tuple):
        return any(_equal(text, scalar_text(item)) for item in case.value)
    return _compares(case.op, text, scalar_text(case.value))


def _compares(op: str, text: str, value: str) -> bool:
    match op:
        case "eq":
            return _equal(text, value)
        case "ne":
            return not _equal(text, value)
        case "contains":
            return value in text
        case _:
            return _ordered(op, text, value)


def choose_case(branch: BranchNode, values: Mapping[str, str]) -> str | None:
    """The node a branch goes on to, or None where that path ends."""
    for case in branch.cases:
        if holds(case, values):
            return case.next
    return branch.otherwise


def choose_share(split: SplitNode, entry_id: str, node: str, visit: int) -> str | None:
    """The node a split goes on to: by a hash, so that it is even and repeatable."""
    digest = hashlib.sha256(f"{entry_id}:{visit}:{node}".encode()).digest()
    total = sum(share.weight for share in split.paths)
    point = int.from_bytes(digest[:8], "big") / 2**64 * total
    for share in split.paths:
        point -= share.weight
        if point < 0:
            return share.next
    return split.paths[-1].next
