"""Golden cases: one JSON file per code, read as pytest parameters, and what their flows stand on."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from domain.flow import Flow
from domain.templates import TemplateRegistry, flow_templates

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


def approved(flow: Flow) -> TemplateRegistry:
    """The templates of a flow, all approved as it uses them."""
    return TemplateRegistry.from_graph(
        [{**template, "status": "APPROVED"} for template in flow_templates(flow)]
    )


def _repeat(match: re.Match[str]) -> str:
    return match[2] * int(match[1])
