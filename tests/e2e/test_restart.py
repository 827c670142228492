"""A stack that stops and starts again: everything goes on where it stood."""

from typing import Any

from embedded.stack import Stack
from tests.e2e.business import Business, Sendout, counts
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import invitation


def test_runs_that_wait_go_on_after_a_restart(
    mortal_stack: list[Stack], numbers: PhoneNumbers, name: str
):
    """Stopped during a delay, on the same folder and ports: the nudge comes, once; so does the answer."""
    stack = mortal_stack[-1]
    silent, tapping = numbers.take(20), next(numbers)
    with Business(stack.api_url) as business, Customers(stack.simulator_url) as customers:
        sendout = business.start(name, invitation(8), [*silent, tapping])
        for number in [*silent, tapping]:
            hello = customers.await_message(number, "Hello!")
        customers.tap(hello, "yes")

    stack.stop()
    mortal_stack.append(Stack.start(stack.data_dir, **overrides(stack)))

    with Business(stack.api_url) as business, Customers(stack.simulator_url) as customers:
        sendout = Sendout(business, sendout.id)
        assert sendout.await_idle()["entries"] == counts(completed=21)
        assert customers.got_by(silent) == {n: ["Hello!", "Still there?"] for n in silent}
        assert customers.got(tapping) == ["Hello!", "Here is more."]


def overrides(stack: Stack) -> dict[str, Any]:
    """What a stack was started with."""
    names = ("unknown_grace", "http_timeout", "sweep_every")
    return {name: getattr(stack.settings, name) for name in names} | stack.ports
