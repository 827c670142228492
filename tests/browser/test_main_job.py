"""The main job on the pages: draw the documented flow, try it, publish it, watch it being sent."""

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from embedded.stack import Stack
from tests.browser.pages import Pages
from tests.browser.test_phone_page import open_phone
from tests.e2e.business import Business, Sendout
from tests.e2e.customers import PhoneNumbers


def draw_documented_flow(pages: Pages) -> None:
    """welcome with two buttons, offer on a tap; wait, then nudge who did not tap."""
    page = pages.page
    pages.add("Message")
    pages.rename("welcome")
    pages.field("Template name").fill("spring_sale")
    pages.field("Text of the template").fill("Hi {{1}}, {{2}} is 20% off today.")
    pages.field("{{1}}").fill("{{customername}}")
    pages.field("{{2}}").fill("{{product}}")
    for position, label in enumerate(("Tell me more", "Not now")):
        pages.button("Add a button").click()
        pages.field("Label").nth(position).fill(label)
    pages.add("Time delay")
    pages.add("Message")
    pages.rename("nudge")
    pages.field("Template name").fill("spring_sale_nudge")
    # On the pane, so that the next card is not hung below this one.
    page.keyboard.press("Escape")
    page.get_by_role("toolbar").get_by_role("button", name="Message").drag_to(
        page.locator(".react-flow__pane"), target_position={"x": 120, "y": 90}
    )
    pages.rename("offer")
    pages.field("Kind of message").select_option("text")
    pages.field("Text").fill("Great {{customername}}! Here is the offer.")


def declare_variables(pages: Pages) -> None:
    pages.button("Variables").click()
    pages.button("Declare customername").click()
    pages.button("Declare product").click()
    pages.page.get_by_role("group", name="product").get_by_label(
        "Every entry must bring it"
    ).uncheck()
    pages.field("Otherwise it is").fill("the new watch")
    pages.page.get_by_role("group", name="customername").get_by_label("Example").fill("Ada")
    pages.button("Close Variables").click()


def test_the_documented_flow_is_drawn_tried_published_and_sent(
    pages: Pages,
    page: Page,
    stack: Stack,
    business: Business,
    numbers: PhoneNumbers,
    name: str,
    tmp_path: Path,
):
    """From an empty canvas to customers with messages, and their taps on the page."""
    pages.new_campaign(name)
    draw_documented_flow(pages)
    declare_variables(pages)
    pages.button("Arrange").click()
    pages.link("welcome", "button:button_1", "offer")
    expect(page.locator(".react-flow__edge")).to_have_count(3)

    # 20 hours is the most that a delay may last.
    pages.open_card("wait")
    pages.field("Hours").fill("21")
    expect(page.get_by_role("alert")).to_have_text("At most 20 hours.")
    expect(pages.card("wait").locator(".badge.error")).to_be_visible()
    expect(pages.button("Publish")).to_be_disabled()
    pages.field("Hours").fill("20")
    pages.await_saved()
    expect(pages.card("wait").locator(".badge.error")).to_have_count(0)

    # As a customer who does not tap for 20 hours, then does.
    pages.button("Try it").click()
    phone = page.get_by_role("region", name="The customer's phone")
    expect(phone.locator(".bubble")).to_contain_text("Hi Ada, the new watch is 20% off today.")
    pages.button("Wait 20 h").click()
    expect(phone.locator(".bubble")).to_have_count(2)
    phone.get_by_role("button", name="Tell me more").click()
    expect(phone.locator(".bubble").last).to_contain_text("Great Ada! Here is the offer.")
    expect(pages.card("offer").locator(".card")).to_contain_class("visited")
    pages.button("Close Try it").click()

    pages.button("Publish").click()
    pages.field("Version label (optional)").fill("first")
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published as version first")).to_be_visible()

    # A list of customers: one column has to be told, two rows are left out.
    one, other = numbers.take(2)
    file = tmp_path / "customers.csv"
    file.write_text(f"Phone;First name\n{one};Ada\n{other};Bo\n{one};Ada\nanna;Cy\n")
    page.get_by_role("link", name="Send from a CSV").click()
    expect(pages.field("Campaign")).to_have_value(name)
    pages.field("Label of the sendout (optional)").fill(f"{name} in May")
    pages.field("CSV file").set_input_files(file)
    pages.button("Check the file").click()
    found = page.get_by_role("region", name="What was found")
    expect(_count(found, "Not valid")).to_have_text("4")
    expect(pages.field("Phone")).to_have_value("client")
    pages.field("First name").select_option("customername")
    expect(_count(found, "Get a first message")).to_have_text("2")
    expect(_count(found, "Twice in the file")).to_have_text("1")
    expect(found.get_by_role("row", name="5")).to_contain_text("must be a phone number")
    pages.button("Send to 2 customers").click()

    # The sendout's page counts what customers get and do.
    expect(page.get_by_role("heading", name=f"{name} in May")).to_be_visible()
    sendout = Sendout(business, page.url.rpartition("/")[2])
    counts = page.get_by_role("region", name="Progress")
    expect(_count(counts, "Delivered")).to_have_text("2")
    chat = open_phone(page.context.new_page(), stack, one)
    expect(chat).to_contain_text("Hi Ada, the new watch is 20% off today.")
    chat.get_by_role("button", name="Tell me more").click()
    expect(chat).to_contain_text("Great Ada! Here is the offer.")
    expect(_count(counts, "Tapped")).to_have_text("1")
    row = pages.card("welcome").locator("li", has_text="Tell me more")
    expect(row.locator(".exit-count")).to_have_text("1")
    expect(pages.card("offer").locator(".card-counts")).to_contain_text("1")

    # One customer's way, with the link to the run.
    page.get_by_role("link", name=one).click()
    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("Tapped Tell me more")
    expect(timeline).to_contain_text("Great Ada! Here is the offer.")
    run = page.get_by_role("link", name="Its run in the Temporal Web UI").get_attribute("href")
    entry = sendout.entry(one)
    assert run is not None
    assert run.endswith(f"/namespaces/default/workflows/{entry['workflowId']}")


def _count(part: Locator, label: str) -> Locator:
    """The number that stands under a label."""
    return part.locator("dt").get_by_text(label, exact=True).locator("xpath=../dd")


def test_a_flow_is_made_with_the_keyboard_alone(
    pages: Pages, page: Page, business: Business, name: str
):
    """Cards, texts and links without a mouse: the saved draft has them."""
    pages.new_campaign(name)
    palette = page.get_by_role("toolbar", name="Add a card")
    palette.get_by_role("button", name="Message").press("Enter")
    panel = page.get_by_role("region", name="Template")
    expect(panel).to_be_focused()
    page.keyboard.press("Escape")
    expect(palette.get_by_role("button", name="Message")).to_be_focused()
    pages.card("message").press("Enter")
    expect(panel).to_be_visible()
    pages.card("message").press("Enter")
    expect(panel).to_be_focused()
    pages.field("Then").select_option("new:delay")
    expect(pages.field("Card name")).to_have_value("wait")
    pages.field("Then go on if").select_option("all")
    pages.field("Then").select_option("new:message")
    expect(pages.field("Card name")).to_have_value("message_2")
    expect(page.locator(".react-flow__edge")).to_have_count(2)

    edge = pages.edge("wait", "next")
    edge.focus()
    edge.press("Enter")
    edge.press("Delete")
    expect(edge).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(edge).to_have_count(1)
    page.keyboard.press("Control+y")
    expect(edge).to_have_count(0)
    page.keyboard.press("Control+Shift+Z")
    page.keyboard.press("Control+z")
    expect(edge).to_have_count(1)
    pages.await_saved()

    (campaign,) = [c for c in business.get("/campaigns")["data"] if c["campaignName"] == name]
    nodes = campaign["draft"]["flow"]["nodes"]
    assert {key: node.get("next") for key, node in nodes.items()} == {
        "message": "wait",
        "wait": "message_2",
        "message_2": None,
    }
    assert nodes["wait"]["condition"] == "all"
