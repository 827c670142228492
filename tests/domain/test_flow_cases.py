"""Golden conversations: `tests/golden/nodes` by type of node, `tests/golden/scenarios` whole ones.

How the files read is told in `tests.domain.conversations`.
"""

import json
from typing import Any, get_args

import pytest

from domain.checks import check
from domain.flow import DelayNode, Node
from domain.message_types import Message
from domain.run import SendOutcome, Verdict
from tests.domain.conversations import EFFECTS, GOLDEN, KINDS, STIMULI, flow_of, played
from tests.domain.golden import golden_cases, golden_codes

CASES = [case for kind in KINDS for case in golden_cases(kind)]


@pytest.mark.parametrize("case", CASES)
def test_golden(case):
    for written, found in played(case):
        assert found == written


@pytest.mark.parametrize("case", CASES)
def test_every_flow_of_a_case_may_be_published(case):
    assert [issue for issue in check(flow_of(case)) if issue.severity == "error"] == []


# --- nothing is left out -----------------------------------------------------------------------


def steps() -> list[dict[str, Any]]:
    return [step for case in CASES for step in case.values[0]["steps"] if "stimulus" in step]


def types(union: Any) -> set[str]:
    """The `type`s of a discriminated union."""
    models = get_args(get_args(union)[0])
    return {name for model in models for name in get_args(model.model_fields["type"].annotation)}


def test_every_type_of_node_has_a_golden_file_about_it():
    assert golden_codes("nodes") == types(Node)
    for case in golden_cases("nodes"):
        about = case.id.partition(":")[0]
        nodes = flow_of(case.values[0]).nodes.values()
        assert about in {node.type for node in nodes}, case.id


def test_every_type_of_message_has_a_golden_payload():
    payloads = [json.loads(file.read_text()) for file in (GOLDEN / "payloads").glob("*.json")]
    assert {payload["node"]["message"]["type"] for payload in payloads} == types(Message)


def test_every_condition_of_a_delay_has_a_golden_case():
    nodes = [
        node for case in golden_cases("nodes") for node in flow_of(case.values[0]).nodes.values()
    ]
    found = {node.condition for node in nodes if isinstance(node, DelayNode)}
    assert found == set(get_args(DelayNode.model_fields["condition"].annotation))


def test_every_stimulus_has_a_golden_case():
    assert {step["stimulus"]["type"] for step in steps()} == set(STIMULI)


def test_every_effect_has_a_golden_case():
    assert {effect["type"] for step in steps() for effect in step["effects"]} == set(EFFECTS)


def test_every_outcome_of_a_send_has_a_golden_case():
    outcomes = {step["stimulus"].get("outcome") for step in steps()}
    assert outcomes - {None} == set(SendOutcome)


def test_every_verdict_at_a_delay_has_a_golden_case():
    verdicts = {step["stimulus"].get("verdict") for step in steps()}
    assert verdicts - {None} == set(get_args(Verdict))
