"""Single messages: through the same delivery as campaigns, under the id that the call answers."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from embedded.stack import Stack
from storage.session import Database
from tests.e2e.business import Business, Sendout
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import button, delay, flow, template
from tests.e2e.patience import eventually, until
from tests.e2e.provider_events import Webhook, body_of

TEMPLATED = "/send/whatsapp_templated_messages"
SESSION = "/send/messages"


def make_template(business: Business, name: str, category: str, body: str, *buttons: str) -> str:
    """A template made by the API's own call; its name."""
    components: list[dict[str, Any]] = [{"body": {"text": {"text": body, "example": ["Ana"]}}}]
    if buttons:
        replies = [{"type": "QUICK_REPLY", "text": label} for label in buttons]
        components.append({"buttons": replies})
    made = business.post(
        "/create/template",
        {
            "name": name,
            "language": {"code": "en_US"},
            "category": f"MESSAGE_TEMPLATE_GROUP_CATEGORY_{category}",
            "templateComponents": components,
        },
    )
    assert made["entity"]["name"] == name
    return name


def templated(number: str, name: str, *values: str, **fields: Any) -> dict[str, Any]:
    """A call with parameters of the body."""
    parameters = [{"name": f"body_{n}", "value": value} for n, value in enumerate(values, 1)]
    return {
        "number": number,
        "templateName": name,
        "language": "en_US",
        "parameters": parameters,
        **fields,
    }


def session(number: str, **message: Any) -> dict[str, Any]:
    return {"recipient": {"id": number, "channelType": "whatsapp"}, "message": message}


class Seen:
    """A customer's single messages, as the API shows them."""

    def __init__(self, business: Business, number: str) -> None:
        self._business = business
        self._number = number

    def _customer(self) -> dict[str, Any]:
        entity: dict[str, Any] = self._business.get(f"/customers/{self._number}")["entity"]
        return entity

    def message(self, message_id: str) -> dict[str, Any]:
        """The message of that id, once it is on record."""

        def of_id() -> list[dict[str, Any]]:
            return [m for m in self._customer()["messages"] if m["messageId"] == message_id]

        return until(bool, of_id)[0]

    def newest(self) -> dict[str, Any]:
        """The customer's newest entry with its timeline."""
        entry = self._customer()["entries"][0]
        entity: dict[str, Any] = self._business.get(
            f"/sendouts/{entry['sendoutId']}/entries/{entry['entryId']}"
        )["entity"]
        return entity

    def sendout(self) -> Sendout:
        """What the newest entry is an entry of."""
        return Sendout(self._business, self._customer()["entries"][0]["sendoutId"])

    def await_state(self, state: str) -> dict[str, Any]:
        """Wait until the newest entry is in that state."""
        return until(lambda seen: seen["state"] == state, self.newest)


@pytest.fixture
def number(numbers: PhoneNumbers) -> str:
    return next(numbers)


@pytest.fixture
def seen(business: Business, number: str) -> Seen:
    return Seen(business, number)


def greeted(business: Business, customers: Customers, number: str, answer: str = "Hi") -> None:
    """The customer got a template and wrote back: the window is open."""
    name = f"greeting_{number.lstrip('+')}"
    make_template(business, name, "UTILITY", "Hello {{1}}")
    business.post(TEMPLATED, templated(number, name, "Ana"))
    customers.await_message(number, "Hello Ana")
    customers.write(number, answer)

    def wrote() -> Any:
        last = business.get(f"/customers/{number}")["entity"]["lastInbound"]
        return last and last["text"]

    eventually(wrote, answer)


def test_a_template_is_sent_under_the_answered_id_and_its_status_arrives(
    business: Business, customers: Customers, number: str, name: str, seen: Seen
):
    """The id goes to WhatsApp and back; a tap of a quick reply finds the message."""
    make_template(business, name, "UTILITY", "Hello {{1}}!", "Thanks")

    message_id = business.post(
        TEMPLATED, templated(number, name, "Ana", callbackData={"order": 4711})
    )["id"]

    wamid = customers.await_message(number, "Hello Ana!")
    assert customers.messages(number)[0]["opaque"] == message_id
    until(lambda m: m["deliveredAt"] is not None, lambda: seen.message(message_id))
    shown = seen.message(message_id)
    assert (shown["text"], shown["wamid"]) == ("Hello Ana!", wamid)
    entry = seen.await_state("completed")
    assert entry["callbackData"] == {"order": 4711}
    inbound = customers.tap(wamid, "Thanks")
    steps = until(bool, lambda: [s for s in seen.newest()["timeline"] if s["type"] == "click"])
    assert [(step["button"], step["inboundId"]) for step in steps] == [("1", inbound)]
    assert customers.got(number) == ["Hello Ana!"]


def test_session_messages_of_every_kind_reach_a_customer_who_wrote(
    business: Business, customers: Customers, number: str, seen: Seen
):
    """A text, an attachment, a place, buttons and a list; a tap of each finds its message."""
    greeted(business, customers, number)
    rows = [{"id": "am", "text": "Morning", "description": "8 to 12"}, {"id": "pm", "text": "Noon"}]
    contents: list[dict[str, Any]] = [
        {"text": "On its way."},
        {
            "attachments": [
                {
                    "type": "document",
                    "url": "https://cdn.example.com/a.pdf",
                    "caption": "Invoice",
                    "filename": "a.pdf",
                }
            ]
        },
        {"location": {"latitude": 49.28, "longitude": -123.12, "name": "Shop"}},
        {"text": "OK?", "replyButtonMessage": {"buttons": [{"id": "yes", "text": "Yes"}]}},
        {
            "text": "When?",
            "listMessage": {
                "button": {"text": "Choose"},
                "sections": [{"title": "Tomorrow", "rows": rows}],
            },
        },
    ]

    for place, content in enumerate(contents, start=2):
        message_id = business.post(SESSION, session(number, **content))["id"]
        eventually(lambda: len(customers.messages(number)), place)
        assert customers.messages(number)[-1]["opaque"] == message_id
        seen.await_state("completed")

    sent = [message["request"] for message in customers.messages(number)[1:]]
    assert [request["type"] for request in sent] == [
        "text",
        "document",
        "location",
        "interactive",
        "interactive",
    ]
    assert sent[1]["document"] == {
        "link": "https://cdn.example.com/a.pdf",
        "caption": "Invoice",
        "filename": "a.pdf",
    }
    assert sent[2]["location"] == {"latitude": "49.28", "longitude": "-123.12", "name": "Shop"}
    [section] = sent[4]["interactive"]["action"]["sections"]
    assert section["title"] == "Tomorrow"
    assert [row["title"] for row in section["rows"]] == ["Morning", "Noon"]
    customers.tap(customers.messages(number)[-1]["id"], "Noon")
    clicked = until(bool, lambda: [s for s in seen.newest()["timeline"] if s["type"] == "click"])
    assert clicked[0]["button"] == "2"
    assert seen.newest()["variables"]["reply_2_id"] == "pm"


def test_an_opted_out_customer_gets_utility_and_answers_but_no_marketing(
    business: Business, customers: Customers, number: str, name: str, seen: Seen
):
    """A session message answers what the customer wrote after the opt-out (flow.md 2.8)."""
    greeted(business, customers, number, "STOP")
    marketing = make_template(business, f"{name}_m", "MARKETING", "Sale, {{1}}!")
    utility = make_template(business, f"{name}_u", "UTILITY", "Invoice, {{1}}")

    business.post(TEMPLATED, templated(number, marketing, "Ana"))
    assert seen.await_state("opted_out")["error"]["code"].endswith("MESSAGE_CUSTOMER_OPTED_OUT")
    business.post(TEMPLATED, templated(number, utility, "Ana"))
    customers.await_message(number, "Invoice, Ana")
    business.post(SESSION, session(number, text="Buy!"))
    seen.await_state("opted_out")
    customers.write(number, "Where is my parcel?")
    until(
        lambda last: last["text"] == "Where is my parcel?",
        lambda: business.get(f"/customers/{number}")["entity"]["lastInbound"],
    )
    business.post(SESSION, session(number, text="On its way."))
    customers.await_message(number, "On its way.")

    assert customers.got(number) == ["Hello Ana", "Invoice, Ana", "On its way."]


def test_the_registrys_category_counts_from_whatsapps_event_on(
    business: Business,
    customers: Customers,
    webhook: Webhook,
    number: str,
    name: str,
    seen: Seen,
):
    """A utility template that WhatsApp calls marketing is marketing, in a flow of before, too."""
    greeted(business, customers, number, "STOP")
    make_template(business, name, "UTILITY", "News, {{1}}!")
    hello = template("News", category="utility")
    hello["message"] |= {"name": name, "language": "en_US", "body": ["Ana"], "preview": None}
    business.publish(name, flow(hello=hello))
    value = {
        "message_template_id": 1,
        "message_template_name": name,
        "message_template_language": "en_US",
        "previous_category": "UTILITY",
        "new_category": "MARKETING",
    }
    assert webhook.call(body_of({"field": "template_category_update", "value": value})) == 200

    sendout = business.send(name, [number])
    sendout.await_states(opted_out=[number])
    # By now the list of WhatsApp's templates, which is read again now and then, says so, too.
    customers.recategorise(name, "MARKETING")
    business.post(TEMPLATED, templated(number, name, "Ana"))
    seen.await_state("opted_out")

    assert customers.got(number) == ["Hello Ana"]


@pytest.fixture
def resumed(seen: Seen) -> Iterator[list[Sendout]]:
    """Sendouts to resume in any case: others use them, too."""
    paused: list[Sendout] = []
    yield paused
    for sendout in paused:
        sendout.order("resume")


async def test_a_closed_window_is_refused_at_the_call_and_at_the_send(
    stack: Stack,
    business: Business,
    customers: Customers,
    number: str,
    seen: Seen,
    resumed: list[Sendout],
):
    """Held until the window has closed, a message is refused as 131047, without a call."""
    refused = business.http.post(SESSION, json=session(number, text="Hi"))
    assert refused.status_code == 400
    assert refused.json()["type"] == "ERROR_TYPE_FAILED_PRECONDITION"
    assert refused.json()["code"] == "ERROR_CODE_MESSAGE_OUTSIDE_OF_ELIGIBILITY_WINDOW"
    greeted(business, customers, number)
    business.post(SESSION, session(number, text="First"))
    customers.await_message(number, "First")
    sendout = seen.sendout()
    sendout.order("pause")
    resumed.append(sendout)

    message_id = business.post(SESSION, session(number, text="Too late"))["id"]
    async with (
        Database(stack.database_url, pool_size=1) as database,
        database.transaction() as connection,
    ):
        await connection.execute(
            text("UPDATE inbound SET received_at = now() - interval '25 hours' WHERE client = :c"),
            {"c": number},
        )
    sendout.order("resume")

    entry = seen.await_state("failed")
    assert entry["error"]["code"] == "ERROR_CODE_MESSAGE_OUTSIDE_OF_ELIGIBILITY_WINDOW"
    assert seen.message(message_id)["state"] == "refused"
    assert customers.got(number) == ["Hello Ana", "First"]


def test_the_start_of_a_campaign_runs_its_whole_flow(
    business: Business, customers: Customers, number: str, name: str, seen: Seen
):
    """The parameter becomes the flow's variable; the entry is one of the current sendout's."""
    make_template(business, name, "MARKETING", "Hello {{1}}!", "Yes")
    hello = template("Hello", button("yes"), then="wait")
    hello["message"] |= {
        "name": name,
        "language": "en_US",
        "body": ["{{who}}"],
        "preview": "Hello {{1}}!",
    }
    nudge = template("Still there, {{1}}?")
    nudge["message"]["body"] = ["{{who}}"]
    nodes = {"hello": hello, "wait": delay(1, "no_click", "nudge"), "nudge": nudge}
    business.publish(name, flow(variables={"who": {}}, **nodes))
    sendout = business.send(name, [number], variables={"who": "Eva"})
    customers.await_message(number, "Still there, Eva?")

    message_id = business.post(TEMPLATED, templated(number, name, "Ana", campaignName=name))["id"]
    customers.await_message(number, "Still there, Ana?")

    assert customers.messages(number)[2]["opaque"] == message_id
    assert seen.sendout().id == sendout.id
    until(lambda seen: seen["entries"]["completed"] == 2, sendout.read)
    assert seen.newest()["variables"] == {"who": "Ana"}
