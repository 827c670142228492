"""What a person does on the pages."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import FloatRect, Locator, Page, expect

from embedded import credentials

Flow = dict[str, Any]

ROOT = Path(__file__).parents[2]
FEEDBACK: Flow = json.loads((ROOT / "examples" / "flows" / "feedback.json").read_text())
"""An example with templates, an ask, a delay and buttons: a draft for tests to work on."""

# In frames, which take longer where everything does: what moves begins within a few of them.
_STILL = """() => new Promise(resolve => {
    let before = '', frames = 0
    const look = () => {
        const boxes = [...document.querySelectorAll('.react-flow__node')]
            .map(card => JSON.stringify(card.getBoundingClientRect())).join()
        frames = boxes === before ? frames + 1 : 0
        before = boxes
        frames < 20 ? requestAnimationFrame(look) : resolve(true)
    }
    look()
})"""


class Pages:
    """The Flow Builder's pages in one browser tab."""

    def __init__(self, page: Page, api_url: str) -> None:
        self.page = page
        self.address = f"{api_url}/app/"

    def sign_in(self, key: str = credentials.API_KEY) -> None:
        """Sign in with a key that is good."""
        self.page.goto(self.address)
        self.page.get_by_label("API key").fill(key)
        self.button("Sign in").click()
        expect(self.page.get_by_role("heading", name="Campaigns")).to_be_visible()

    def resume(self, session: str) -> None:
        """Go on as somebody who signed in before."""
        # A page that is there without the script, so that it does not begin unsigned.
        self.page.goto(f"{self.address}icon.svg")
        self.page.evaluate("kept => sessionStorage.setItem('sendout.session', kept)", session)
        self.page.goto(self.address)
        expect(self.page.get_by_role("heading", name="Campaigns")).to_be_visible()

    def button(self, name: str, *, exact: bool = True) -> Locator:
        """A button by what it says."""
        return self.page.get_by_role("button", name=name, exact=exact)

    def field(self, label: str) -> Locator:
        """A control by its label."""
        controls = self.page.locator("input, select, textarea")
        return self.page.get_by_label(label, exact=True).and_(controls)

    def new_campaign(self, name: str) -> None:
        """Make a campaign, which opens its canvas."""
        self.button("New campaign").click()
        self.field("Name").fill(name)
        self.button("Create").click()
        expect(self.page.get_by_role("toolbar", name="Add a card")).to_be_visible()

    def open_campaign(self, campaign_id: str) -> None:
        """Open the canvas of a campaign that has links."""
        self.page.goto(f"{self.address}#/campaigns/{campaign_id}")
        expect(self.page.locator(".react-flow__edge").first).to_be_visible()

    def open_import(self, name: str) -> None:
        """Open the page that sends a published campaign to a list."""
        self.page.goto(f"{self.address}#/imports?campaign={quote(name)}")
        expect(self.field("Campaign")).to_have_value(name)

    def add(self, kind: str) -> None:
        """Add a card from the sidebar by a click."""
        self.page.get_by_role("toolbar").get_by_role("button", name=kind).click()

    def card(self, name: str) -> Locator:
        """A card on the canvas."""
        return self.page.locator(f'.react-flow__node[data-id="{name}"]')

    def open_card(self, name: str) -> None:
        """Select a card, which opens its editor."""
        self.card(name).locator(".card-head").click()
        expect(self.field("Card name")).to_have_value(name)

    def rename(self, name: str) -> None:
        """Give the open card another name."""
        self.field("Card name").fill(name)
        self.field("Card name").press("Enter")
        expect(self.card(name)).to_be_visible()

    def link(self, source: str, handle: str, target: str) -> None:
        """Draw a link with the mouse."""
        start = self.page.get_by_test_id(f"out-{source}-{handle}")
        self.drag(start, to=self.page.get_by_test_id(f"in-{target}"))
        expect(self.edge(source, handle)).to_have_count(1)

    def drag(
        self, start: Locator, *, to: Locator | None = None, by: tuple[float, float] = (0, 0)
    ) -> None:
        """Drag with the mouse to the middle of another element, or so many pixels away."""
        self.await_still()
        x, y = _middle(start)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + 12, y + 12)
        end = (x + by[0], y + by[1]) if to is None else _middle(to)
        self.page.mouse.move(*end, steps=8)
        self.page.mouse.up()

    def show_all(self) -> None:
        """Move the canvas so that every card can be seen."""
        self.page.locator(".react-flow__controls-fitview").click()
        self.await_still()

    def await_still(self) -> None:
        """Wait until no card moves any more, by itself or with the canvas."""
        self.page.wait_for_function(_STILL)

    def edge(self, source: str, handle: str) -> Locator:
        """The link that begins there."""
        return self.page.locator(f'.react-flow__edge[data-id="{source}→{handle}"]')

    def await_saved(self) -> None:
        """Wait until everything is stored."""
        expect(self.page.locator(".saving")).to_have_text("Saved")


def _middle(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box, "it cannot be seen"
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def overlapping(cards: list[FloatRect]) -> list[tuple[int, int]]:
    """Pairs of boxes that lie over one another."""
    return [
        (i, j)
        for i, a in enumerate(cards)
        for j, b in enumerate(cards[:i])
        if a["x"] < b["x"] + b["width"]
        and b["x"] < a["x"] + a["width"]
        and a["y"] < b["y"] + b["height"]
        and b["y"] < a["y"] + a["height"]
    ]
