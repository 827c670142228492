"""A CSV file is uploaded, checked and started: its customers get exactly their messages."""

from tests.e2e.business import Business, Document, Sendout, counts
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import flow, template


def greeting() -> Document:
    """A flow of one message to a customer by name."""
    hello = template("Hi {{1}}!")
    hello["message"]["body"] = ["{{name}}"]
    return flow(variables={"name": {"required": True}}, hello=hello)


def upload(business: Business, name: str, rows: list[str]) -> Document:
    """The import of a file as a spreadsheet of Western Europe saves it."""
    answer = business.http.post(
        "/imports",
        content="\r\n".join(["Handy;Name;Notiz", *rows, ""]).encode("utf-16"),
        params={"campaignName": name, "mapping": '{"Handy": "client", "Name": "variables.name"}'},
    )
    assert answer.status_code == 201, answer.text
    made: Document = answer.json()["entity"]
    return made


def test_a_file_is_sent_to_its_good_customers_once(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """Some were sent to before, some have opted out, some rows are bad; it is started twice."""
    business.publish(name, greeting())
    new, earlier, out, named_badly = (numbers.take(size) for size in (40, 5, 3, 2))
    business.send(name, earlier, variables={"name": "Ana"}).await_idle()
    for client in out:
        assert business.http.put(f"/opt-outs/{client}").is_success
    rows = [f"{client};Zoë {n};x" for n, client in enumerate(new + earlier + out)]
    rows += [*(f"{client};;" for client in named_badly), "anna;Ana;", f"{new[0]};Again;"]

    made = upload(business, name, rows)
    assert (made["rows"], made["valid"], made["invalid"]) == (52, 48, 4)
    assert made["duplicates"] == {"inFile": 1, "sentBefore": 5}
    assert (made["optedOut"], made["toSend"], made["secondsNeeded"]) == (3, 40, 1)
    assert customers.got_by(new) == {client: [] for client in new}

    start = f"/imports/{made['importId']}/start"
    started = business.post(start)["entity"]
    assert business.post(start)["entity"] == started
    sendout = Sendout(business, started["sendoutId"])
    sendout.await_idle()

    assert sendout.read()["entries"] == counts(completed=40, duplicate=5, optedOut=3)
    assert customers.got_by(new + earlier + out + named_badly) == (
        {client: [f"Hi Zoë {n}!"] for n, client in enumerate(new)}
        | {client: ["Hi Ana!"] for client in earlier}
        | {client: [] for client in out + named_badly}
    )
