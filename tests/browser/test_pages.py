"""The lists and reports; every page for people who see little, use a phone, or may only look."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from embedded import credentials
from embedded.environment import part_environment
from embedded.stack import Stack
from tests.browser.conftest import LAPTOP
from tests.browser.pages import Pages
from tests.e2e.business import Business
from tests.e2e.customers import PhoneNumbers

ROOT = Path(__file__).parents[2]
AXE = ROOT / "builder" / "node_modules" / "axe-core" / "axe.min.js"
FEEDBACK = json.loads((ROOT / "examples" / "flows" / "feedback.json").read_text())
PHONE: ViewportSize = {"width": 390, "height": 800}


def test_campaigns_are_renamed_duplicated_archived_and_restored(
    pages: Pages, page: Page, business: Business, name: str
):
    """What the list offers, with names that say so."""
    campaign_id = business.draft(name, FEEDBACK)
    page.reload()
    pages.button(f"Rename {name}").click()
    pages.field("Name").fill(f"{name} 2")
    pages.button("Rename").last.click()
    row = page.get_by_role("row", name=f"{name} 2")
    expect(row).to_contain_text("draft")
    pages.button(f"Archive {name} 2").click()
    expect(row).to_have_count(0)
    pages.field("Show archived").check()
    expect(row).to_contain_text("archived")
    pages.button(f"Restore {name} 2").click()
    expect(row).to_contain_text("draft")
    pages.button(f"Duplicate {name} 2").click()
    pages.button("Duplicate").last.click()
    expect(page.locator(".editor-name")).to_have_text(f"{name} 2 copy")
    copies = [c for c in business.get("/campaigns")["data"] if c["campaignName"].startswith(name)]
    assert [c["draft"]["flow"] for c in copies] == [FEEDBACK, FEEDBACK]
    assert campaign_id in {c["campaignId"] for c in copies}


def test_a_sendout_is_paused_resumed_skipped_and_cancelled(
    pages: Pages, page: Page, business: Business, numbers: PhoneNumbers, name: str
):
    """Each lever does at the server what it says on the page."""
    variables = {"firstname": "Ada", "order": 7}
    business.publish(name, FEEDBACK)
    sendout = business.send(name, numbers.take(2), variables=variables)
    page.goto(f"{pages.address}#/sendouts/{sendout.id}")
    pages.button("Pause").click()
    expect(pages.button("Resume")).to_be_visible()
    assert sendout.read()["state"] == "paused"
    pages.button("Resume").click()
    expect(pages.button("Pause")).to_be_visible()
    pages.card("reminder").locator(".card-head").click()
    pages.button("Skip reminder").click()
    expect(pages.card("reminder")).to_contain_text("Skipped")
    assert sendout.read()["skipNodes"] == ["reminder"]
    pages.button("Send reminder again").click()
    expect(pages.card("reminder").get_by_text("Skipped")).to_have_count(0)

    page.get_by_label("State").select_option("running")
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_label("Number").fill("+16049999999")
    pages.button("Find").click()
    expect(page.get_by_text("No such entries.")).to_be_visible()

    with page.expect_download() as download:
        pages.button("Download report").click()
    saved = download.value.path().read_text()
    assert len(saved.splitlines()) > 2
    assert name in saved

    pages.button("Cancel …").click()
    page.get_by_role("dialog").get_by_role("button", name="Not now").click()
    assert sendout.read()["state"] == "running"
    pages.button("Cancel …").click()
    pages.button("Cancel the sendout").click()
    expect(pages.button("Pause")).to_have_count(0)
    assert sendout.read()["state"] == "cancelled"


def test_the_key_stays_in_the_tab(pages: Pages, page: Page):
    """A reload keeps it, signing out forgets it, and no other tab has it."""
    page.reload()
    expect(page.get_by_role("heading", name="Campaigns")).to_be_visible()
    assert credentials.API_KEY not in json.dumps(page.context.storage_state())
    other = page.context.new_page()
    other.goto(pages.address)
    expect(other.get_by_label("API key")).to_be_visible()
    pages.button("Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_a_wrong_key_is_refused_in_words(page: Page, stack: Stack):
    """Whoever mistyped the key is told so."""
    page.goto(f"{stack.api_url}/app/")
    page.get_by_label("API key").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("does not know this key")


def test_a_key_that_may_only_look_changes_nothing(
    page: Page, stack: Stack, business: Business, name: str
):
    """Everything can be seen, and nothing that would be refused is offered."""
    campaign_id = business.draft(name, FEEDBACK)
    pages = Pages(page, stack.api_url)
    pages.sign_in(_key(stack, "read"))
    expect(pages.button("New campaign")).to_have_count(0)
    pages.open_campaign(campaign_id)
    expect(pages.button("Publish")).to_have_count(0)
    expect(page.get_by_role("toolbar")).to_have_count(0)
    pages.open_card("thanks")
    expect(pages.field("Text")).to_be_disabled()
    page.keyboard.press("Delete")
    expect(pages.card("thanks")).to_be_visible()


def _key(stack: Stack, scopes: str) -> str:
    command = [sys.executable, "-m", "cli", "key", "create", "looks"]
    made = subprocess.run(
        [*command, "--business", credentials.BUSINESS_ID, "--scopes", scopes],
        env=part_environment(stack.settings),
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout.split()[0]


@pytest.fixture(params=[("light", LAPTOP), ("dark", PHONE)], ids=["light", "dark on a phone"])
def look(request: pytest.FixtureRequest, browser: Browser, stack: Stack) -> Any:
    """The pages as that reader sees them."""
    scheme, viewport = request.param
    context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    pages = Pages(page, stack.api_url)
    pages.sign_in()
    yield pages
    context.close()


def test_pages_are_accessible_and_fit_the_screen(
    look: Pages, business: Business, numbers: PhoneNumbers, name: str
):
    """axe finds nothing serious on any page, and none is wider than the screen."""
    name = f"{name} {id(look)}"
    business.publish(name, FEEDBACK)
    variables = {"firstname": "Ada", "order": 7}
    sendout = business.send(name, numbers.take(1), variables=variables)
    campaign_id, (entry,) = sendout.read()["campaignId"], sendout.entries().values()
    page = look.page
    _examine(page, "campaigns")
    page.goto(f"{look.address}#/sendouts")
    expect(page.get_by_role("row", name=name)).to_be_visible()
    _examine(page, "sendouts")
    page.goto(f"{look.address}#/sendouts/{sendout.id}")
    expect(look.card("rate")).to_be_visible()
    _examine(page, "sendout")
    page.goto(f"{look.address}#/sendouts/{sendout.id}/entries/{entry['entryId']}")
    expect(page.get_by_text("Accepted", exact=True)).to_be_visible()
    _examine(page, "entry")
    look.open_campaign(campaign_id)
    look.open_card("offer_call")
    _examine(page, "card")
    for panel in ("Variables", "Sending", "Checks", "Try it", "Send a test"):
        look.button(panel, exact=panel != "Checks").first.click()
        expect(page.get_by_role("region", name=panel, exact=True)).to_be_visible()
        _examine(page, panel)


def _examine(page: Page, where: str) -> None:
    """Fail for whatever axe calls serious or critical, and for what sticks out of the screen."""
    page.wait_for_timeout(300)
    page.evaluate(AXE.read_text() + "\n;0")
    found = page.evaluate("axe.run(document)")
    serious = [
        (v["id"], [node["html"] for node in v["nodes"][:3]])
        for v in found["violations"]
        if v["impact"] in {"serious", "critical"}
    ]
    assert serious == [], where
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert width <= 0, f"{where} is {width} pixels wider than the screen"
