"""Flow documents are named by their content (design: section 3)."""

import hashlib

import pytest
from sqlalchemy import func, select

from storage.businesses import business_name, create_business
from storage.flows import (
    behaviour_hash,
    canonical,
    flow_hash,
    read_flow_document,
    store_flow,
)
from storage.session import Database
from storage.tables import flows
from tests.record import BUSINESS, greeting


def test_the_hash_is_that_of_the_canonical_json_in_utf8():
    document = {"b": 1, "a": {"z": "é", "y": [1.5, True, None]}}

    assert canonical(document) == '{"a":{"y":[1.5,true,null],"z":"é"},"b":1}'
    assert flow_hash(document) == hashlib.sha256(canonical(document).encode()).hexdigest()


def test_the_order_of_names_does_not_matter():
    document = greeting()

    assert flow_hash(dict(reversed(document.items()))) == flow_hash(document)


def test_the_layout_is_no_part_of_the_behaviour():
    moved = greeting() | {"layout": {"hello": {"x": 1, "y": 2}}}

    assert flow_hash(moved) != flow_hash(greeting())
    assert behaviour_hash(moved) == behaviour_hash(greeting())


def test_a_number_that_json_has_no_word_for_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        flow_hash({"weight": float("nan")})


async def test_the_same_content_is_kept_once(database: Database):
    async with database.transaction() as connection:
        names = {await store_flow(connection, greeting()) for _ in range(2)}
        assert names == {flow_hash(greeting())}
        assert await connection.scalar(select(func.count()).select_from(flows)) == 1
        assert await read_flow_document(connection, names.pop()) == canonical(greeting())
        assert await read_flow_document(connection, "0" * 64) is None


async def test_a_business_is_made_once(database: Database):
    async with database.transaction() as connection:
        assert await create_business(connection, BUSINESS, "Shop")
        assert not await create_business(connection, BUSINESS, "Other")
        assert await business_name(connection, BUSINESS) == "Shop"
