"""A stack that stops and starts again: everything goes on where it stood."""

from tests.e2e.business import Business, counts
from tests.e2e.conftest import Impatient
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import invitation


def test_runs_that_wait_go_on_after_a_restart(
    impatient: Impatient, numbers: PhoneNumbers, name: str
):
    """Stopped during a delay: the nudge comes, once; so does the answer to a tap just before."""
    silent, tapping = numbers.take(20), next(numbers)
    everybody = [*silent, tapping]
    stack = impatient.stack
    with Business(stack.api_url) as business, Customers(stack.simulator_url) as customers:
        sendout = business.start(name, invitation(8), everybody)
        wamids = [customers.await_message(number, "Hello!") for number in everybody]
        customers.tap(wamids[-1], "yes")

        impatient.restart()

        assert sendout.await_idle()["entries"] == counts(completed=21)
        assert customers.got_by(silent) == {n: ["Hello!", "Still there?"] for n in silent}
        assert customers.got(tapping) == ["Hello!", "Here is more."]
