"""Whole stacks as subprocesses, shared by the tests here; each test has its own campaign and numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded.stack import Stack
from tests.e2e.acceptance import Invited
from tests.e2e.business import Business
from tests.e2e.customers import Customers
from tests.e2e.flows import invitation
from tests.e2e.provider_events import Webhook
from tests.whole_stack import business, customers, name, numbers

__all__ = ["business", "customers", "name", "numbers"]


@pytest.fixture(scope="package")
def shared_stack() -> Iterator[Stack]:
    """A stack as `sendout dev` starts it, but for the pauses of its repairs."""
    with Stack.start(sweep_every=3) as stack:
        yield stack


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    """The stack under test; a file that needs another one overrides this fixture."""
    return shared_stack


@pytest.fixture
def webhook(stack: Stack) -> Iterator[Webhook]:
    with Webhook(stack.api_url) as webhook:
        yield webhook


@pytest.fixture
def invited(business: Business, customers: Customers, name: str) -> Invited:
    """A published campaign of this test alone."""
    business.publish(name, invitation(1))
    return Invited(name, business, customers)


class Impatient:
    """A stack that waits seconds where others wait minutes or a day, and can be started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.stack = self._start()

    def _start(self, **ports: Any) -> Stack:
        settings: dict[str, Any] = {
            "late_delivery": 15,
            "click_window": 4,
            "unknown_grace": 5,
            "http_timeout": 2.5,
            "sweep_every": 2,
        }
        return Stack.start(self._folder, **settings, **ports)

    def restart(self) -> None:
        """Stop it, and start it on the same data and under the same addresses."""
        self.stack.stop()
        self.stack = self._start(**self.stack.ports)


@pytest.fixture(scope="package")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Impatient]:
    """The impatient stack, shared by the tests that wait for its ends of patience or kill it."""
    impatient = Impatient(tmp_path_factory.mktemp("impatient"))
    yield impatient
    impatient.stack.stop()
