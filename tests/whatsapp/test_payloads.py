"""The wire JSON, case by case: `tests/golden/payloads` holds a node, its values and the body."""

import json
from pathlib import Path

import pytest

from domain.flow import MessageNode
from domain.rendering import render
from whatsapp.payloads import request_body

CASES = sorted((Path(__file__).parents[1] / "golden" / "payloads").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_rendered_node_becomes_exactly_this_body(path: Path):
    case = json.loads(path.read_text(encoding="utf-8"))
    node = render(MessageNode.model_validate(case["node"]), case["values"])
    assert request_body(case["to"], node, case["message_id"]) == case["body"], case["behaviour"]


def test_there_is_a_case_for_every_message_type():
    types = {
        json.loads(path.read_text(encoding="utf-8"))["node"]["message"]["type"] for path in CASES
    }
    assert types == {
        "template", "text", "image", "video", "document", "audio", "location", "buttons", "list",
        "cta_url",
    }  # fmt: skip
