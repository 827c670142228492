"""Whole stacks as subprocesses, shared by the tests here; each test has its own campaign and numbers."""

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.e2e.patience")

from embedded.stack import Stack  # noqa: E402
from tests.e2e.business import Business  # noqa: E402
from tests.e2e.customers import Customers, PhoneNumbers  # noqa: E402
from tests.e2e.provider_events import Webhook  # noqa: E402


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
def business(stack: Stack) -> Iterator[Business]:
    with Business(stack.api_url) as business:
        yield business


@pytest.fixture
def customers(stack: Stack) -> Iterator[Customers]:
    with Customers(stack.simulator_url) as customers:
        yield customers


@pytest.fixture
def webhook(stack: Stack) -> Iterator[Webhook]:
    with Webhook(stack.api_url) as webhook:
        yield webhook


@pytest.fixture
def numbers() -> PhoneNumbers:
    """Phone numbers of this test alone."""
    return PhoneNumbers()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A campaign name of this test alone."""
    return str(request.node.name)


@pytest.fixture(scope="package")
def mortal_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Stack]]:
    """A stack for the tests that kill its parts or all of it: the last of the list is the living one."""
    folder = tmp_path_factory.mktemp("mortal")
    stacks = [Stack.start(folder, unknown_grace=6, http_timeout=4.0, sweep_every=3)]
    yield stacks
    stacks[-1].stop()


@pytest.fixture(scope="package")
def impatient_stack() -> Iterator[Stack]:
    """A stack that waits seconds where others wait minutes or a day."""
    with Stack.start(
        late_delivery=5, click_window=4, unknown_grace=4, http_timeout=2.0, sweep_every=2
    ) as stack:
        yield stack
