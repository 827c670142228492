"""Drafts on the canvas: two tabs, import and export, every flow of the repository, trials."""

import json
import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, expect

from embedded.stack import Stack
from tests.browser.pages import FEEDBACK, ROOT, Pages, overlapping
from tests.e2e.business import Business
from tests.e2e.customers import Customers, PhoneNumbers

FLOWS = [
    file
    for folder in ("examples/flows", "tests/golden/flows")
    for file in sorted((ROOT / folder).glob("*.json"))
]


def test_flows_are_imported_shown_and_exported_as_they_were(
    pages: Pages, page: Page, name: str, tmp_path: Path
):
    """Every card can be read, none lies over another, and nothing is changed by looking at it."""
    for file in FLOWS:
        _import(pages, file, f"{name} {file.stem}")
        boxes = [card.bounding_box() for card in page.locator(".react-flow__node").all()]
        assert overlapping([box for box in boxes if box]) == [], file.stem
        pages.await_saved()
        page.get_by_role("link", name="All campaigns").click()
        saved = _export(pages, f"{name} {file.stem}", tmp_path)
        assert json.loads(saved.read_text()) == json.loads(file.read_text())


def _import(pages: Pages, file: Path, name: str) -> None:
    nodes = json.loads(file.read_text())["nodes"]
    pages.page.get_by_label("Flow to import").set_input_files(file)
    pages.field("Name").fill(name)
    pages.button("Import").last.click()
    expect(pages.page.locator(".react-flow__node")).to_have_count(len(nodes))
    expect(pages.page.locator(".react-flow__edge").first).to_be_visible()
    pages.await_still()


def _export(pages: Pages, name: str, folder: Path) -> Path:
    with pages.page.expect_download() as download:
        pages.button(f"Export {name}").click()
    saved = folder / download.value.suggested_filename
    download.value.save_as(saved)
    return saved


def test_two_tabs_do_not_overwrite_each_other(
    pages: Pages, page: Page, stack: Stack, business: Business, name: str
):
    """The later tab is told, and decides whose draft stays; publishing shows what changed."""
    campaign_id = business.draft(name, FEEDBACK)
    business.post(f"/campaigns/{campaign_id}/publish", {"campaignVersion": "first"})
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
    # Leaving asks first; the browser of the tests answers no.
    other.page.get_by_role("link", name="All campaigns").click()
    expect(warning).to_be_visible()

    other.button("Keep mine").click()
    other.await_saved()
    assert _thanks(business, campaign_id) == "From the second tab"
    body("Too late", pages)
    pages.button("Take theirs").click()
    expect(pages.field("Text")).to_have_value("From the second tab")
    pages.await_saved()
    assert _thanks(business, campaign_id) == "From the second tab"
    pages.button("Publish").click()
    changed = page.get_by_role("region", name="What changed")
    expect(changed.get_by_role("listitem")).to_have_text("changed thanks message.body")


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
    pages.drag(page.get_by_test_id("out-thanks-next"), by=(-60, 90))
    page.get_by_role("menuitem", name="Message").click()
    expect(pages.edge("thanks", "next")).to_have_count(1)
    expect(pages.field("Card name")).to_have_value("message")
    pages.button("Close Template").click()

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


def test_a_trial_takes_taps_texts_and_time_and_is_kept_as_a_test(
    pages: Pages, page: Page, business: Business, name: str, tmp_path: Path
):
    """The simulated phone answers; the walk is a flow test that passes, until the flow changes."""
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
    phone.get_by_role("button", name="Please call me").click()
    expect(phone.locator(".bubble").last).to_contain_text("We will call you about order order.")

    with page.expect_download() as download:
        pages.button("Save as flow test").click()
    test = tmp_path / download.value.suggested_filename
    download.value.save_as(test)
    page.get_by_role("link", name="All campaigns").click()
    flow = _export(pages, name, tmp_path)
    assert json.loads(test.read_text())["flow"] == flow.name
    assert _flow_test(test) == 0
    flow.write_text(flow.read_text().replace('"next": "call"', '"next": "fine"'))
    assert _flow_test(test) == 1


def _flow_test(file: Path) -> int:
    command = [sys.executable, "-m", "cli", "flow", "test", str(file)]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode


def test_a_message_takes_over_a_template_of_whatsapp(
    pages: Pages, page: Page, business: Business, name: str
):
    """Its text, parameters and buttons come from the registry; emoji and variables go into texts."""
    campaign_id = business.draft(name, FEEDBACK)
    pages.open_campaign(campaign_id)
    pages.open_card("reminder")
    pages.field("WhatsApp's template").select_option("spring_sale · en_US")
    preview = page.get_by_role("region", name="Preview")
    expect(preview).to_contain_text("is 20% off today.")
    expect(pages.field("Template name")).to_have_value("spring_sale")
    expect(pages.field("{{1}}")).to_have_value("{{order}}")
    pages.button("Variable into {{2}}").click()
    pages.button("firstname").click()
    expect(pages.field("{{2}}")).to_have_value("{{firstname}}")
    pages.button("Emoji into {{2}}").click()
    pages.button("🎉").click()
    expect(pages.field("{{2}}")).to_have_value("{{firstname}}🎉")
    pages.button("Add a link button").click()
    pages.field("What the link ends in").fill("{{order}}")
    pages.await_saved()
    reminder = business.get(f"/campaigns/{campaign_id}")["entity"]["draft"]["flow"]["nodes"][
        "reminder"
    ]
    assert reminder["message"]["body"] == ["{{order}}", "{{firstname}}🎉"]
    assert [(b["id"], b["label"], b["next"]) for b in reminder["buttons"]] == [
        ("good", "Tell me more", "thanks"),
        ("bad", "Not now", "sorry"),
    ]
    assert reminder["message"]["url_buttons"] == [{"index": 2, "text": "{{order}}"}]


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
