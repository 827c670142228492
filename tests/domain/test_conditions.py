"""Branch cases and split paths (flow.md section 1)."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.conditions import choose_case, choose_share, holds
from domain.flow import BranchNode, Case, SplitNode


def case(op: str, value: Any, next_node: str | None = None) -> Case:
    return Case.model_validate({"variable": "v", "op": op, "value": value, "next": next_node})


COMPARED = [
    # the variable's text, op, the flow's value, whether the case holds
    ("gold", "eq", "gold", True),
    ("gold", "eq", "Gold", False),
    ("gold ", "eq", "gold", False),
    ("gold", "ne", "silver", True),
    ("gold", "ne", "gold", False),
    # as decimal numbers if both sides read as numbers
    ("10", "eq", "10.0", True),
    ("10", "eq", 10, True),
    ("10", "ne", 10.0, False),
    (" 10 ", "eq", 10, True),
    ("+10", "eq", "10", True),
    ("1e1", "eq", 10, True),
    (".5", "eq", 0.5, True),
    ("5.", "eq", 5, True),
    ("-0", "eq", 0, True),
    ("0.1", "eq", 0.1, True),
    ("9", "lt", 10, True),
    ("9", "lt", "10", True),
    ("10", "lt", 10, False),
    ("10", "le", 10, True),
    ("10.01", "gt", 10, True),
    ("10", "gt", 10, False),
    ("10", "ge", "1e1", True),
    ("-3", "lt", -2.5, True),
    ("0.30000000000000001", "gt", 0.3, True),
    ("99999999999999999999", "gt", "99999999999999999998", True),
    ("1e999999", "gt", "1e999998", True),
    ("-1e999999", "lt", 0, True),
    ("٤٢", "eq", 42, True),
    # otherwise as text: nothing is smaller or larger
    ("gold", "lt", "silver", False),
    ("gold", "ge", "gold", False),
    ("gold", "gt", 5, False),
    ("5", "le", "gold", False),
    ("1,000", "gt", 5, False),
    ("1 000", "eq", 1000, False),
    ("0x10", "eq", 16, False),
    ("1_000", "eq", 1000, False),
    ("inf", "gt", 5, False),
    ("NaN", "eq", "NaN", True),
    ("1e9999999", "gt", 5, False),
    ("9" * 100, "gt", 5, True),
    ("9" * 101, "gt", 5, False),
    # booleans are texts in JSON's spelling
    ("true", "eq", True, True),
    ("True", "eq", True, False),
    ("false", "eq", False, True),
    ("1", "eq", True, False),
    # contains is substring, of texts
    ("golden", "contains", "old", True),
    ("golden", "contains", "Old", False),
    ("1500", "contains", 50, True),
    ("old", "contains", "golden", False),
    # `in` takes a list, and compares like `eq`
    ("gold", "in", ["silver", "gold"], True),
    ("gold", "in", ["silver"], False),
    ("gold", "in", [], False),
    ("7.0", "in", ["x", 7], True),
    ("true", "in", [True], True),
    ("old", "in", ["golden"], False),
    # `exists` is about text that is not blank
    ("gold", "exists", True, True),
    ("gold", "exists", False, False),
    ("0", "exists", True, True),
    ("false", "exists", True, True),
]


@pytest.mark.parametrize(("text", "op", "value", "expected"), COMPARED)
def test_holds(text, op, value, expected):
    assert holds(case(op, value), {"v": text}) is expected


@pytest.mark.parametrize("values", [{}, {"v": ""}, {"v": " \t\n"}, {"other": "gold"}])
@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        ("eq", "", False),
        ("eq", "gold", False),
        ("ne", "gold", True),
        ("ne", "", True),
        ("lt", 5, False),
        ("le", 0, False),
        ("gt", -5, False),
        ("ge", 0, False),
        ("contains", "", False),
        ("in", ["", "gold"], False),
        ("exists", True, False),
        ("exists", False, True),
    ],
)
def test_with_a_missing_variable_only_ne_and_exists_false_hold(values, op, value, expected):
    assert holds(case(op, value), values) is expected


@given(st.text(), st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge", "contains"]), st.text())
def test_any_text_compares_with_any_text(text, op, value):
    """No text makes a comparison fail, and `ne` is what `eq` is not."""
    held = holds(case(op, value), {"v": text})
    if op in ("eq", "ne") and text.strip():
        assert held is not holds(case("ne" if op == "eq" else "eq", value), {"v": text})


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4), st.integers())
def test_exactly_one_of_lt_eq_gt_holds_for_numbers(left, right):
    texts = {"v": f"{left:f}"}
    assert [holds(case(op, right), texts) for op in ("lt", "eq", "gt")].count(True) == 1


def branch(*cases: Case) -> BranchNode:
    return BranchNode(type="branch", cases=cases, otherwise="none")


def test_the_first_case_that_holds_is_taken():
    node = branch(case("gt", 100, "large"), case("gt", 10, "medium"), case("gt", 1, "small"))
    ways = [choose_case(node, {"v": text}) for text in ("500", "50", "5", "0", "")]
    assert ways == ["large", "medium", "small", "none", "none"]


def test_a_case_that_holds_and_leads_nowhere_ends_the_path():
    assert choose_case(branch(case("exists", True), case("eq", "a", "x")), {"v": "a"}) is None


# --- splits ------------------------------------------------------------------------------------


def split(*weights: float) -> SplitNode:
    paths = [{"weight": weight, "next": f"p{i}"} for i, weight in enumerate(weights)]
    return SplitNode.model_validate({"type": "split", "paths": paths})


THROWS = 5000


def thrown(node: SplitNode) -> Counter[str | None]:
    return Counter(choose_share(node, f"entry {i}", "ab", 1) for i in range(THROWS))


def test_the_same_entry_node_and_visit_give_the_same_path():
    node = split(1, 1, 1)
    ways = [choose_share(node, f"entry {i}", "ab", i % 3) for i in range(100)]
    assert ways == [choose_share(split(1, 1, 1), f"entry {i}", "ab", i % 3) for i in range(100)]


def test_the_paths_of_known_entries_stay_what_they_are():
    """Runs in flight count on it: a change of the hash would send them elsewhere on replay."""
    ways = [choose_share(split(1, 2, 1), f"entry {i}", "ab", 1) for i in range(12)]
    assert "".join(way or "" for way in ways) == "p2p1p1p2p1p2p0p1p1p0p1p2"


def test_entry_node_and_visit_each_make_another_throw():
    node, many = split(1, 1), range(200)
    for ways in (
        [choose_share(node, f"entry {i}", "ab", 1) for i in many],
        [choose_share(node, "entry", f"ab{i}", 1) for i in many],
        [choose_share(node, "entry", "ab", i) for i in many],
    ):
        assert 60 < Counter(ways)["p0"] < 140


@pytest.mark.parametrize("weights", [(1, 1), (50, 50), (1, 2, 7), (0.1, 0.9), (1,), (1, 999)])
def test_paths_are_taken_by_their_weight(weights):
    counts, total = thrown(split(*weights)), sum(weights)
    for i, weight in enumerate(weights):
        expected = THROWS * weight / total
        assert abs(counts[f"p{i}"] - expected) < 5 * expected**0.5


@given(
    st.lists(st.floats(1e-9, 1_000_000), min_size=1, max_size=8), st.text(), st.integers(1, 1000)
)
def test_any_weights_lead_to_one_of_the_paths(weights, entry, visit):
    assert choose_share(split(*weights), entry, "ab", visit) in {
        f"p{i}" for i in range(len(weights))
    }
