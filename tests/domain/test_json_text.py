"""JSON that keeps its numbers as they were written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import json_text
from domain.json_text import NestedTooDeeply, NumberLiteral

texts = st.text()
numbers = st.from_regex(
    r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,4})?", fullmatch=True
)
values = st.recursive(
    st.none() | st.booleans() | texts | numbers.map(NumberLiteral),
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=20,
)


@given(values)
def test_what_is_written_reads_back_the_same_with_every_number_as_it_was(value: object):
    again = json_text.read(json_text.write(value))
    assert again == value
    assert json_text.write(again) == json_text.write(value)


@given(st.recursive(st.none() | texts | st.integers(), st.lists, max_leaves=9))
def test_it_writes_what_other_readers_read(value: object):
    assert json.loads(json_text.write(value)) == value


@pytest.mark.parametrize("number", ["1.50", "1E400", "-0", "0.0", "9" * 5000, "1e-9999"])
def test_numbers_of_any_size_keep_their_spelling(number: str):
    assert json_text.write(json_text.read(f'{{"n": {number}}}')) == f'{{"n":{number}}}'


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "01", "1.", "'a'", "{}{}", ""])
def test_what_is_not_json_is_refused(text: str):
    with pytest.raises(ValueError):
        json_text.read(text)


def test_values_nested_too_deeply_are_not_written():
    deep = json.loads("[" * json_text.DEEPEST + "]" * json_text.DEEPEST)
    assert json_text.write(deep) == "[" * json_text.DEEPEST + "]" * json_text.DEEPEST
    with pytest.raises(NestedTooDeeply):
        json_text.write([deep])


@pytest.mark.parametrize(
    ("value", "storable"),
    [
        ("😀 ü", True),
        ("a\0", False),
        ("\ud83d", False),
        ([{"a": ["x\udc00"]}], False),
        ({"\0": 1}, False),
        ({"a": [None, True, "b"]}, True),
    ],
)
def test_nul_and_half_surrogates_cannot_be_stored(value: object, storable: bool):
    assert json_text.is_storable(value) is storable


def test_half_a_surrogate_pair_is_written_as_its_escape():
    assert json_text.write("ü\ud83d") == '"ü\\ud83d"'
