"""The fixtures of every test of a whole stack: its business, its customers, names of its own.

A `conftest.py` that imports them says with a fixture `stack` which stack they belong to.
"""

from collections.abc import Iterator

import pytest

from embedded.stack import Stack
from tests.e2e.business import Business
from tests.e2e.customers import Customers, PhoneNumbers


@pytest.fixture
def business(stack: Stack) -> Iterator[Business]:
    with Business(stack.api_url) as business:
        yield business


@pytest.fixture
def customers(stack: Stack) -> Iterator[Customers]:
    with Customers(stack.simulator_url) as customers:
        yield customers


@pytest.fixture
def numbers() -> PhoneNumbers:
    """Phone numbers of this test alone."""
    return PhoneNumbers()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A campaign name of this test alone."""
    return str(request.node.name)
