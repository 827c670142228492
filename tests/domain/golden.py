"""Golden cases: one JSON file per code, read as pytest parameters."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parent.parent / "golden"
_REPEATED = re.compile(r"⟨(\d+)×(.)⟩")


def golden_cases(kind: str) -> list[Any]:
    """Every case under `tests/golden/<kind>/`; `⟨4096×x⟩` in a file stands for that many x."""
    return [
        pytest.param(case, id=f"{file.stem}: {case['description']}")
        for file in sorted((GOLDEN / kind).glob("*.json"))
        for case in json.loads(_REPEATED.sub(_repeat, file.read_text(encoding="utf-8")))
    ]


def golden_codes(kind: str) -> set[str]:
    """The codes that have a golden file."""
    return {file.stem for file in (GOLDEN / kind).glob("*.json")}


def _repeat(match: re.Match[str]) -> str:
    return match[2] * int(match[1])
