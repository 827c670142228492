"""A stack that stops and starts again: everything goes on where it stood."""

from tests.e2e.business import Business
from tests.e2e.conftest import Impatient
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import invitation
from tests.e2e.patience import eventually


def test_runs_that_wait_go_on_after_a_restart(
    impatient: Impatient, numbers: PhoneNumbers, name: str
):
    """Stopped during a delay: the nudge comes, once; so does the answer to a tap just before."""
    silent, tapping = numbers.take(20), next(numbers)
    stack = impatient.stack
    with Business(stack.api_url) as business, Customers(stack.simulator_url) as customers:
        left_alone = business.start(name, invitation(8), silent)
        # Nobody waits for this delay: the tap ends it, heard of before the restart or after.
        tapped = business.start(f"{name} 2", invitation(600), [tapping])
        wamid = customers.await_message(tapping, "Hello!")
        eventually(lambda: left_alone.read()["nodes"]["hello"]["delivered"], len(silent))
        customers.tap(wamid, "yes")

        impatient.restart()

        left_alone.await_states(completed=silent)
        tapped.await_states(completed=[tapping])
        assert customers.got_by(silent) == {n: ["Hello!", "Still there?"] for n in silent}
        assert customers.got(tapping) == ["Hello!", "Here is more."]
