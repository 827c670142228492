"""Sends that WhatsApp took without saying so: settled by a status, and never repeated."""

from collections.abc import Iterator

import pytest

from embedded.stack import Stack
from tests.e2e.business import Business, counts
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import invitation

LATE_DELIVERY = 5
CLICK_WINDOW = 4


@pytest.fixture(scope="package")
def impatient_stack() -> Iterator[Stack]:
    """A stack that waits seconds where others wait minutes or a day."""
    with Stack.start(
        late_delivery=LATE_DELIVERY,
        click_window=CLICK_WINDOW,
        unknown_grace=4,
        http_timeout=2.0,
        sweep_every=2,
    ) as stack:
        yield stack
