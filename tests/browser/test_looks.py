"""Every page for people who see little, use a phone, or read in the dark."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from embedded.stack import Stack
from tests.browser.conftest import LAPTOP, reader
from tests.browser.examine import examine
from tests.browser.pages import FEEDBACK, Pages
from tests.e2e.business import Business
from tests.e2e.customers import Customers, PhoneNumbers

PHONE: ViewportSize = {"width": 390, "height": 844}
LOOKS = [("light", LAPTOP), ("dark", PHONE)]
if os.environ.get("PICTURES"):
    LOOKS += [("dark", LAPTOP), ("light", PHONE)]


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]} {look[1]['width']}")
def look(request: pytest.FixtureRequest, browser: Browser, stack: Stack) -> Iterator[Pages]:
    """The pages as that reader sees them."""
    scheme, viewport = request.param
    looks = {"viewport": viewport, "color_scheme": scheme, "reduced_motion": "reduce"}
    with reader(browser, **looks) as page:
        yield Pages(page, stack.api_url)


def test_pages_are_accessible_and_legible(
    look: Pages,
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
    tmp_path: Path,
):
    """axe finds nothing serious on any page, and every text can be read at every width."""
    page = look.page
    page.goto(look.address)
    expect(look.button("Sign in")).to_be_visible()
    examine(page, "sign in")
    look.sign_in()

    business.publish(name, FEEDBACK)
    one, failing = numbers.take(2)
    customers.behave([failing], failWith=131026)
    sendout = business.send(name, [one, failing], variables={"firstname": "Ada", "order": 7})
    sendout.await_states(failed=[failing], running=[one])
    rate = customers.await_message(one, "Hi Ada, how was your order 7?")
    customers.tap(rate, "Not so good")
    campaign_id = sendout.read()["campaignId"]
    business.http.put(f"/opt-outs/{failing}", json={"source": "shop"}).raise_for_status()

    page.reload()
    expect(page.get_by_role("row", name=name)).to_be_visible()
    examine(page, "campaigns")
    look.button(f"Duplicate {name}").click()
    examine(page, "dialog")
    look.button("Not now").click()
    page.goto(f"{look.address}#/sendouts")
    expect(page.get_by_role("row", name=name)).to_be_visible()
    examine(page, "sendouts")
    look.open_import(name)
    file = tmp_path / "list.csv"
    file.write_text(f"Phone,firstname,order\n{numbers.take(1)[0]},Bo,8\nanna,Cy,9\n")
    look.field("CSV file").set_input_files(file)
    look.button("Check the file").click()
    expect(page.get_by_role("region", name="What was found")).to_be_visible()
    examine(page, "import")
    page.goto(f"{look.address}#/sendouts/{sendout.id}")
    expect(look.card("rate")).to_be_visible()
    expect(page.get_by_role("region", name="Why messages failed")).to_contain_text("131026")
    examine(page, "sendout")
    page.goto(f"{look.address}#/sendouts/{sendout.id}/entries/{sendout.entry(one)['entryId']}")
    expect(page.get_by_text("Tapped Not so good")).to_be_visible()
    examine(page, "entry")
    page.goto(f"{look.address}#/customers/{failing.replace('+', '%2B')}")
    look.button("Why", exact=False).click()
    expect(page.get_by_text("Accepted", exact=True)).to_be_visible()
    examine(page, "customer")
    page.goto(f"{look.address}#/opt-outs")
    expect(page.get_by_role("row", name=failing)).to_be_visible()
    examine(page, "opt-outs")

    look.open_campaign(campaign_id)
    examine(page, "canvas")
    look.open_card("rate")
    look.button("Emoji into {{first_name}}").click()
    examine(page, "card")
    for panel in ("Variables", "Sending", "Checks", "Try it", "Send a test"):
        look.button(panel, exact=panel != "Checks").first.click()
        expect(page.get_by_role("region", name=panel, exact=True)).to_be_visible()
        examine(page, panel)
    look.button("Publish").click()
    expect(page.get_by_text("Nothing has changed since version")).to_be_visible()
    examine(page, "publish")
