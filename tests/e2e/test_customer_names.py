"""Customers whom WhatsApp calls otherwise than we did (api.md section 2, Identity), on the whole stack."""

import pytest

from tests.e2e.business import Business
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import ask, button, flow, invitation, template, text
from tests.e2e.patience import eventually, until

SURVEY = flow(
    hello=template("A question?", button("yes", "question")),
    question=text("Which colour?", then="colour"),
    colour=ask("colour", 120, then="thanks", on_timeout="pity"),
    thanks=text("{{colour}} it is."),
    pity=text("Maybe next time."),
)
NEWS = flow(news=template("News!"))


def mexican(number: str) -> tuple[str, str]:
    """A Mexican number made of a test's own, and what WhatsApp makes of it."""
    return f"+5255{number[-8:]}", f"+52155{number[-8:]}"


def brazilian(number: str) -> tuple[str, str]:
    """The same in Minas Gerais, where WhatsApp drops the ninth digit."""
    return f"+553198{number[-7:]}", f"+55318{number[-7:]}"


def opted_out(business: Business, name: str) -> bool:
    return business.get(f"/customers/{name}")["entity"]["optOut"] is not None


@pytest.mark.parametrize("country", [mexican, brazilian])
def test_whom_whatsapp_gives_another_number_is_one_customer(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str, country
):
    """Tap, answer and STOP find their way; the other number is a duplicate, and opted out."""
    given, whatsapps = country(next(numbers))
    customers.behave([given], rewriteWaId=True)
    sendout = business.start(name, SURVEY, [given])

    customers.tap(customers.await_message(given, "A question?"), "yes")
    sendout.await_step(given, "ask", node="colour")
    customers.write(given, "Deep blue")
    customers.await_message(given, "Deep blue it is.")
    customers.write(given, "STOP")

    eventually(lambda: opted_out(business, whatsapps), expected=True)
    told = business.get(f"/customers/{whatsapps}")["entity"]
    assert told["client"] == whatsapps
    assert {given, whatsapps} <= set(told["names"])
    assert [entry["client"] for entry in told["entries"]] == [given]
    again = business.send(name, [whatsapps])
    again.await_states(completed=[given], duplicate=[whatsapps])
    news = business.start(f"{name} 2", NEWS, [whatsapps])
    news.await_states(opted_out=[whatsapps])
    assert customers.got(whatsapps) == ["A question?", "Which colour?", "Deep blue it is."]


def test_who_hides_the_number_is_known_by_the_user_id(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """Events name nothing else: a tap, an answer and STOP."""
    number = next(numbers)
    customers.behave([number], hidePhone=True)
    sendout = business.start(name, SURVEY, [number])
    wamid = customers.await_message(number, "A question?")

    customers.tap(wamid, "yes")
    sendout.await_step(number, "ask", node="colour")
    customers.write(number, "Deep blue")
    customers.await_message(number, "Deep blue it is.")
    customers.write(number, "STOP")

    eventually(lambda: opted_out(business, number), expected=True)
    [_, user_id] = business.get(f"/customers/{number}")["entity"]["names"]
    assert business.get(f"/customers/{user_id}")["entity"]["client"] == number
    business.start(f"{name} 2", NEWS, [number]).await_states(opted_out=[number])
    customers.write(number, "START")
    eventually(lambda: opted_out(business, number), expected=False)


def test_a_text_of_a_hidden_number_counts_as_a_response(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """A status has told whose user id it is; the no-response delay ends, for the silent it does not."""
    writing, silent = numbers.take(2)
    customers.behave([silent], hidePhone=True)
    customers.behave([writing], hidePhone=True, deliver=False)
    sendout = business.start(name, invitation(1, "no_response"), [writing, silent])
    sendout.await_overdue(writing)

    customers.write(writing, "What is this about?")

    sendout.await_idle()
    assert customers.got(writing) == ["Hello!"]
    assert customers.got(silent) == ["Hello!", "Still there?"]
    until(bool, lambda: sendout.steps(writing, "reply"))
