"""Drafts on the canvas: two tabs, import and export, every flow of the repository, trials."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from embedded.stack import Stack
from tests.browser.pages import Pages, overlapping
from tests.e2e.business import Business
from tests.e2e.customers import Customers, PhoneNumbers

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples" / "flows").glob("*.json"))
GOLDEN = sorted((ROOT / "tests" / "golden" / "flows").glob("*.json"))
FEEDBACK = json.loads((ROOT / "examples" / "flows" / "feedback.json").read_text())


@pytest.mark.parametrize("file", [*EXAMPLES, *GOLDEN], ids=lambda file: file.stem)
def test_a_flow_is_imported_shown_and_exported_as_it_was(
    pages: Pages, page: Page, file: Path, name: str, tmp_path: Path
):
    """Every card can be read, none lies over another, and nothing is changed by looking at it."""
    flow = json.loads(file.read_text())
    page.get_by_label("Flow to import").set_input_files(file)
    pages.field("Name").fill(name)
    pages.button("Import").last.click()
    expect(page.locator(".react-flow__node")).to_have_count(len(flow["nodes"]))
    expect(page.locator(".react-flow__edge").first).to_be_visible()
    page.wait_for_timeout(300)
    boxes = [card.bounding_box() for card in page.locator(".react-flow__node").all()]
    assert overlapping([box for box in boxes if box]) == []
    pages.await_saved()

    page.get_by_role("link", name="All campaigns").click()
    with page.expect_download() as download:
        pages.button(f"Export {name}").click()
    saved = tmp_path / "exported.json"
    download.value.save_as(saved)
    assert json.loads(saved.read_text()) == flow


def test_two_tabs_do_not_overwrite_each_other(
    pages: Pages, page: Page, stack: Stack, business: Business, name: str
):
    """The later tab is told, and decides whose draft stays."""
    campaign_id = business.draft(name, FEEDBACK)
    pages.open_campaign(campaign_id)
    other = Pages(page.context.new_page(), stack.api_url)
    other.sign_in()
    other.open_campaign(campaign_id)

    def body(text: str, tab: Pages) -> None:
        tab.open_card("thanks")
        tab.field("Text").fill(text)

    body("From the first tab", pages)
    pages.await_saved()
    body("From the second tab", other)
    warning = other.page.get_by_text("Somebody saved this draft in another tab")
    expect(warning).to_be_visible()
    assert _thanks(business, campaign_id) == "From the first tab"

    other.button("Keep mine").click()
    other.await_saved()
    assert _thanks(business, campaign_id) == "From the second tab"
    body("Too late", pages)
    pages.button("Take theirs").click()
    expect(pages.field("Text")).to_have_value("From the second tab")
    pages.await_saved()
    assert _thanks(business, campaign_id) == "From the second tab"


def _thanks(business: Business, campaign_id: str) -> str:
    draft = business.get(f"/campaigns/{campaign_id}")["entity"]["draft"]
    return str(draft["flow"]["nodes"]["thanks"]["message"]["body"])


def test_issues_lead_to_their_cards(pages: Pages, page: Page, business: Business, name: str):
    """What the API finds stands on the card and in the list, and goes when it is mended."""
    pages.open_campaign(business.draft(name, FEEDBACK))
    pages.open_card("offer_call")
    pages.field("Label").first.fill("This label is longer than it may be")
    expect(page.get_by_text("15 too many for WhatsApp")).to_have_count(0)
    expect(pages.card("offer_call").locator(".badge.error")).to_have_text("1 ✕")
    expect(pages.button("Publish")).to_be_disabled()
    pages.button("Checks", exact=False).click()
    page.get_by_role("region", name="Checks").get_by_role("button", name="offer_call").click()
    expect(pages.field("Card name")).to_have_value("offer_call")
    page.keyboard.press("Escape")
    pages.button("Undo").click()
    expect(pages.card("offer_call").locator(".badge.error")).to_have_count(0)
    expect(pages.button("Publish")).to_be_enabled()


def test_cards_are_copied_inserted_moved_and_taken_back(
    pages: Pages, page: Page, business: Business, name: str
):
    """Copy and paste keep links among the copies; a card goes into a link; undo takes all back."""
    campaign_id = business.draft(name, FEEDBACK)
    pages.open_campaign(campaign_id)
    pages.open_card("what")
    pages.button("Close Ask").click()
    page.get_by_role("button", name=re.compile("Insert a card: sorry, Then, to what")).click()
    page.get_by_role("menuitem", name="Time delay").click()
    expect(pages.field("Card name")).to_have_value("wait_2")
    expect(pages.edge("wait_2", "next")).to_have_count(1)
    pages.button("Close Time delay").click()
    pages.show_all()
    # `call` first: the editor of a card that is open covers where `fine` was.
    pages.open_card("call")
    pages.show_all()
    pages.card("fine").locator(".card-head").click(modifiers=["Control"])
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+v")
    expect(pages.card("fine_2")).to_be_visible()
    expect(pages.card("call_2")).to_be_visible()
    page.keyboard.press("Delete")
    expect(pages.card("fine_2")).to_have_count(0)
    for _ in range(3):
        pages.button("Undo").click()
    expect(pages.button("Undo")).to_be_disabled()
    pages.await_saved()
    draft = business.get(f"/campaigns/{campaign_id}")["entity"]["draft"]
    assert draft["flow"] == FEEDBACK


def test_links_are_dropped_bent_and_cut_with_the_mouse(
    pages: Pages, page: Page, business: Business, name: str
):
    """Dropped on nothing, a way on asks for a card; the end of a link goes to another card, or away."""
    campaign_id = business.draft(name, FEEDBACK)
    pages.open_campaign(campaign_id)
    page.wait_for_timeout(300)
    pages.drag(page.get_by_test_id("out-thanks-next"), by=(-60, 90))
    page.get_by_role("menuitem", name="Message").click()
    expect(pages.edge("thanks", "next")).to_have_count(1)
    expect(pages.field("Card name")).to_have_value("message")
    pages.button("Close Template").click()
    page.wait_for_timeout(400)

    edge = pages.edge("rate", "next")
    end = edge.locator(".react-flow__edgeupdater-target")
    # The selected link lies on top of those that run beside it.
    edge.focus()
    edge.press("Enter")
    pages.drag(end, to=page.get_by_test_id("in-thanks"))
    expect(page.get_by_label("Link from rate, Then, to thanks")).to_have_count(1)
    pages.drag(end, by=(-40, -60))
    expect(pages.edge("rate", "next")).to_have_count(0)
    pages.await_saved()
    nodes = business.get(f"/campaigns/{campaign_id}")["entity"]["draft"]["flow"]["nodes"]
    assert "next" not in nodes["rate"]
    assert nodes["thanks"]["next"] == "message"


def test_a_trial_takes_taps_texts_and_time(pages: Pages, page: Page, business: Business, name: str):
    """The simulated phone answers, and the card says what is waited for."""
    pages.open_campaign(business.draft(name, FEEDBACK))
    pages.button("Try it").click()
    phone = page.get_by_role("region", name="The customer's phone")
    phone.get_by_role("button", name="Not so good").click()
    expect(phone.locator(".bubble.own")).to_have_text("Not so good")
    expect(pages.card("what").locator(".card")).to_contain_class("waiting")
    pages.field("The customer writes").fill("It was late")
    pages.button("Send").click()
    expect(phone.locator(".bubble").last).to_contain_text("“It was late”")
    expect(page.get_by_text("The entry is completed.")).to_be_visible()
    pages.button("Step back").click()
    pages.button("Wait 1 h").click()
    expect(phone.locator(".bubble").last).to_contain_text("Would you rather be called?")


def test_a_test_is_sent_and_followed(
    pages: Pages,
    page: Page,
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
):
    """The draft goes to one number, the timeline grows as things happen, and the warning goes."""
    (number,) = numbers.take(1)
    pages.open_campaign(business.draft(name, FEEDBACK))
    pages.button("Send a test").click()
    pages.field("Number").fill(number)
    pages.button("Send the test").click()
    progress = page.get_by_role("region", name="What happens to the test")
    expect(progress).to_contain_text("rate delivered")
    customers.tap(customers.messages(number)[0]["id"], "Good")
    expect(progress).to_contain_text("Tapped Good")
    expect(progress).to_contain_text("Glad to hear it, firstname!")
