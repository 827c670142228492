"""Customers by number, and those who want no marketing."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.pages import FEEDBACK, Pages
from tests.e2e.business import Business
from tests.e2e.customers import Customers, PhoneNumbers


def test_a_customer_is_found_with_what_they_got_and_why(
    pages: Pages,
    page: Page,
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
):
    """By number: entries of all sendouts with their reasons, messages, and the opt-out."""
    (number,) = numbers.take(1)
    business.publish(name, FEEDBACK)
    sendout = business.send(name, [number], variables={"firstname": "Ada", "order": 7})
    text = "Hi Ada, how was your order 7?"
    customers.tap(customers.await_message(number, text), "Good")
    customers.await_message(number, "Glad to hear it, Ada!")
    first = sendout.entry(number)["entryId"]
    business.send(name, [number], variables={"firstname": "Ada", "order": 8})

    page.get_by_role("link", name="Customers").click()
    pages.field("Number, or WhatsApp's user id").fill(number)
    pages.button("Find").click()
    entries = page.get_by_role("region", name="Entries")
    expect(entries.get_by_role("article")).to_have_count(2)
    pages.button(f"Why: {name}, duplicate").click()
    expect(entries).to_contain_text(f"Duplicate of entry {first}")
    pages.button(f"Why: {name}, completed").click()
    expect(entries).to_contain_text("Tapped Good")
    messages = page.get_by_role("region", name="Messages")
    expect(messages.get_by_role("row", name=text)).to_contain_text("delivered")

    pages.button("Opt out").click()
    expect(page.get_by_text("entered by hand")).to_be_visible()
    pages.button("Lift the opt-out").click()
    expect(page.get_by_text("may get marketing")).to_be_visible()
    entries.get_by_role("link", name="The entry").last.click()
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("Glad to hear it, Ada!")


def test_opt_outs_are_listed_entered_lifted_and_exchanged(
    pages: Pages, page: Page, business: Business, numbers: PhoneNumbers, tmp_path: Path
):
    """By hand or from a file, all of it or nothing; the list can be taken away as CSV."""
    one, two, three = numbers.take(3)
    page.get_by_role("link", name="Opt-outs").click()
    pages.field("Number").fill(one)
    pages.field("Source").fill("shop")
    pages.button("Opt out").click()
    expect(page.get_by_role("row", name=one)).to_contain_text("shop, by hand")

    bad = tmp_path / "bad.csv"
    bad.write_text(f"client,source\n{two},letter\nanna,letter\n")
    page.get_by_label("Opt-outs to import").set_input_files(bad)
    expect(page.get_by_role("alert")).to_contain_text("Row 3")
    expect(page.get_by_role("row", name=two)).to_have_count(0)
    good = tmp_path / "good.json"
    good.write_text(f'["{two}", {{"client": "{three}", "source": "letter"}}]')
    page.get_by_label("Opt-outs to import").set_input_files(good)
    expect(page.get_by_text("2 customers are on the list")).to_be_visible()
    expect(page.get_by_role("row", name=three)).to_contain_text("letter")

    with page.expect_download() as download:
        pages.button("Download").click()
    saved = download.value.path().read_text()
    assert f"{one},shop,true," in saved
    assert f"{three},letter,true," in saved

    pages.button(f"Lift the opt-out of {two}").click()
    expect(page.get_by_role("row", name=two)).to_have_count(0)
    pages.field("Number").fill(two)
    pages.button("Find").click()
    expect(page.get_by_text(f"Nothing is known of {two}")).to_be_visible()
