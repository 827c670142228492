"""The lists and reports; keys, and those that may only look."""

import json
import re
import subprocess
import sys

import httpx
from playwright.sync_api import Page, expect

from embedded import credentials
from embedded.environment import part_environment
from embedded.stack import Stack
from tests.browser.pages import FEEDBACK, ROOT, Pages
from tests.e2e.business import Business
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.patience import until


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
    expect(pages.button("Cancel …")).to_be_focused()
    assert sendout.read()["state"] == "running"
    pages.button("Cancel …").click()
    pages.field(f"Unpublish {name} too").check()
    pages.button("Cancel the sendout").click()
    expect(pages.button("Pause")).to_have_count(0)
    cancelled = sendout.read()
    assert cancelled["state"] == "cancelled"
    campaign = business.get(f"/campaigns/{cancelled['campaignId']}")["entity"]
    assert campaign["state"] == "unpublished"


def test_failures_are_explained_and_run_again(
    pages: Pages,
    page: Page,
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
):
    """Each reason with how often and what helps; a retry runs what can be run again."""
    business.publish(name, FEEDBACK)
    gone, broken = numbers.take(2)
    customers.behave([gone], failWith=131026)
    customers.behave([broken], failWith={"code": 131053, "via": "status", "times": 1})
    sendout = business.send(name, [gone, broken], variables={"firstname": "Ada", "order": 7})
    sendout.await_states(failed=[gone, broken])
    page.goto(f"{pages.address}#/sendouts/{sendout.id}")
    reasons = page.get_by_role("region", name="Why messages failed")
    final = reasons.get_by_role("row", name="131026")
    expect(final).to_contain_text("Final for these messages")
    expect(reasons.get_by_role("row", name="131053")).to_contain_text("retryable")
    expect(pages.card("rate").locator(".card-counts")).to_contain_text("2")
    pages.button("Retry failed").click()
    expect(page.get_by_text("1 entry runs again.")).to_be_visible()
    sendout.await_states(failed=[gone], running=[broken])


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
    key, _ = _key(stack, "read")
    pages.sign_in(key)
    expect(pages.button("New campaign")).to_have_count(0)
    pages.open_campaign(campaign_id)
    expect(pages.button("Publish")).to_have_count(0)
    expect(page.get_by_role("toolbar")).to_have_count(0)
    pages.open_card("thanks")
    expect(pages.field("Text")).to_be_disabled()
    page.keyboard.press("Delete")
    expect(pages.card("thanks")).to_be_visible()


def test_a_revoked_key_ends_the_session_in_words(
    page: Page, stack: Stack, business: Business, name: str
):
    """Whoever was signed in with it is told why they are not any more."""
    business.draft(name, FEEDBACK)
    pages = Pages(page, stack.api_url)
    key, key_id = _key(stack, "read")
    pages.sign_in(key)
    expect(page.get_by_role("row", name=name)).to_be_visible()
    _cli(stack, "key", "revoke", key_id)
    # The API may take a key for another second that it had just found good.
    address, headers = f"{stack.api_url}/v1/me", {"X-API-Key": key}
    with httpx.Client(headers=headers, timeout=60, trust_env=False) as client:
        until(lambda status: status == 401, lambda: client.get(address).status_code)
    page.get_by_role("link", name="Opt-outs").click()
    expect(page.get_by_role("alert")).to_contain_text("no longer takes your key")
    assert page.evaluate("sessionStorage.length") == 0


def _key(stack: Stack, scopes: str) -> tuple[str, str]:
    """A new key, and the id that revokes it."""
    business = ["--business", credentials.BUSINESS_ID]
    made = _cli(stack, "key", "create", "looks", *business, "--scopes", scopes)
    found = re.fullmatch(r"(\S+) +\(key id ([^;]+);.*\)\s*", made)
    assert found, "it says no key and its id"
    return found[1], found[2]


def _cli(stack: Stack, *arguments: str) -> str:
    made = subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        env=part_environment(stack.settings),
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout
