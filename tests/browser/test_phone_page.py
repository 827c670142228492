"""The simulator's page: customers' phones, on which buttons are tapped and replies typed."""

import json
import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from embedded.stack import Stack
from tests.browser.conftest import LAPTOP, reader
from tests.browser.examine import ROOT, examine
from tests.e2e.business import Business
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.patience import until

DEMO = json.loads((ROOT / "examples" / "flows" / "demo.json").read_text())
# Its nudge would come between what a customer does and the answer.
DEMO["nodes"]["wait"]["duration"] = "PT20H"
PHONE: ViewportSize = {"width": 360, "height": 740}
LOOKS = [("light", LAPTOP), ("dark", PHONE)]
if os.environ.get("PICTURES"):
    LOOKS += [("dark", LAPTOP), ("light", PHONE)]


def open_phone(page: Page, stack: Stack, number: str) -> Locator:
    """The page with a customer's phone open; its chat."""
    page.goto(f"{stack.simulator_url}/#{number}")
    expect(page.get_by_role("heading", name=number)).to_be_visible()
    return page.get_by_role("log", name="Chat")


def test_a_tap_brings_the_reply_and_stop_opts_out(
    page: Page,
    stack: Stack,
    business: Business,
    numbers: PhoneNumbers,
    name: str,
):
    """What a customer does on the page is what the business gets."""
    business.publish(name, DEMO)
    number = next(numbers)
    sendout = business.send(name, [number], variables={"name": "Ada"})
    sendout.await_step(number, "send", state="sent")
    chat = open_phone(page, stack, number)
    invite = chat.get_by_role("listitem").filter(has_text="Hi Ada, will you come to our open day?")
    expect(invite.locator(".status")).to_contain_text("delivered")
    invite.get_by_role("button", name="Yes").click()
    expect(chat.locator(".own")).to_contain_text("Yes")
    expect(chat.locator(".theirs").last).to_contain_text("Great, Ada! See you at our open day.")
    assert sendout.steps(number, "click")

    page.get_by_label("Write as this customer").fill("Stop!")
    page.keyboard.press("Enter")
    expect(chat.locator(".own").last).to_contain_text("Stop!")
    expect(page.get_by_role("link", name=number)).to_contain_text("You: Stop!")
    until(bool, lambda: business.get(f"/customers/{number}")["entity"]["optOut"])


def test_newest_chats_come_first_and_are_searched_by_number(
    page: Page, stack: Stack, customers: Customers, numbers: PhoneNumbers
):
    """The list is followed live; the search keeps to what was asked for."""
    one, other = numbers.take(2)
    page.goto(stack.simulator_url)
    customers.write(one, "first")
    customers.write(other, "<img src=x onerror=alert(1)> *bold* a_b_c")
    links = page.locator("#chats a")
    expect(links.nth(0)).to_contain_text("You: <img src=x onerror=alert(1)> bold a_b_c")
    expect(links.nth(1)).to_contain_text("first")
    customers.write(one, "second")
    expect(links.nth(0)).to_contain_text("You: second")
    page.get_by_role("searchbox").fill(other[-6:])
    expect(links).to_have_count(1)
    customers.write(one, "third")
    links.press("Enter")
    line = page.get_by_role("log").get_by_role("listitem").last
    expect(line.locator("strong")).to_have_text("bold")
    expect(line).to_contain_text("<img src=x onerror=alert(1)> bold a_b_c")
    expect(links).to_have_count(1)
    page.get_by_role("searchbox").fill("99999999999")
    expect(page.get_by_text("No such customer.")).to_be_visible()


SHOWCASE = {
    "format": 1,
    "start": "hello",
    "nodes": {
        "hello": {
            "type": "message",
            "message": {
                "type": "template",
                "name": "phone_page",
                "language": "en_US",
                "category": "marketing",
                "header": {"type": "image", "link": "https://cdn.example.com/spring.jpg"},
                "preview": "*20 % off* today, and _only_ today. A long text follows, so that lines break.",
                "url_buttons": [{"index": 1, "text": "sale"}],
            },
            "buttons": [{"id": "more", "label": "Show me all", "next": "menu"}],
        },
        "menu": {
            "type": "message",
            "message": {
                "type": "list",
                "header": "Our spring sale",
                "body": "What would you like to see?",
                "footer": "Until Sunday",
                "menu": "Departments",
            },
            "buttons": [
                {
                    "id": "shoes",
                    "label": "Shoes",
                    "description": "Boots, sandals and trainers",
                    "section": "To wear",
                    "next": "shoes",
                },
                {"id": "hats", "label": "Hats", "section": "To wear"},
                {"id": "tea", "label": "Tea", "section": "To drink"},
            ],
        },
        "shoes": {
            "type": "message",
            "message": {
                "type": "document",
                "link": "https://cdn.example.com/shoes.pdf",
                "filename": "shoes.pdf",
                "caption": "All our shoes",
            },
        },
    },
}


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]} {look[1]['width']}")
def look(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """The page as that reader sees it."""
    scheme, viewport = request.param
    with reader(browser, viewport=viewport, color_scheme=scheme) as page:
        yield page


def test_every_kind_of_message_is_shown_and_accessible(
    look: Page,
    stack: Stack,
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
):
    """axe finds nothing serious, and every text can be read at every width."""
    number, failing = numbers.take(2)
    customers.behave([failing], failWith={"code": 131026, "via": "status"})
    business.start(name, SHOWCASE, [number, failing])
    chat = open_phone(look, stack, failing)
    expect(chat).to_contain_text("failed (131026), never received")
    chat = open_phone(look, stack, number)
    hello = chat.locator(".theirs").first
    expect(hello).to_contain_text("Photo")
    expect(hello.locator("strong")).to_have_text("20 % off")
    expect(hello.get_by_role("link")).to_have_attribute("href", "https://example.com/sale")
    hello.get_by_role("button", name="Show me all").press("Enter")
    menu = chat.locator(".theirs").nth(1)
    expect(menu).to_contain_text("Our spring sale")
    expect(menu).to_contain_text("Until Sunday")
    menu.get_by_role("button", name="Departments").press("Enter")
    rows = look.get_by_role("dialog", name="Departments")
    expect(rows).to_contain_text("To drink")
    examine(look, "phone rows")
    rows.get_by_role("button", name="Close").click()
    expect(rows).to_be_hidden()
    menu.get_by_role("button", name="Departments").click()
    rows.get_by_role("button", name="Shoes").press("Enter")
    expect(chat.locator(".theirs").last).to_contain_text("shoes.pdf")
    examine(look, "phone")
    look.goto(stack.simulator_url)
    expect(look.get_by_role("link", name=number)).to_be_visible()
    examine(look, "phones")
