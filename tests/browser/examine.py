"""What is asked of every page: accessible, legible at every width, nothing wider than the screen."""

import os
from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
AXE = ROOT / "builder" / "node_modules" / "axe-core" / "axe.min.js"
LEGIBILITY = Path(__file__).with_name("legibility.js")
WIDTHS = (320, 390, 600, 861, 1100, 1400, 1900)


def examine(page: Page, where: str) -> None:
    """Fail for whatever axe calls serious or critical, and for texts nobody can read.

    Widths do not depend on colours: all of them are looked at in the light, in the dark only the
    page's own. With `PICTURES` (a folder) in the environment, a picture of the page is put there.
    """
    page.wait_for_timeout(250)
    size = page.viewport_size
    assert size
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    if folder := os.environ.get("PICTURES"):
        parts = [where.replace(" ", "-").lower(), *(["dark"] if is_dark else []), size["width"]]
        name = "-".join(map(str, parts))
        page.screenshot(path=Path(folder) / f"{name}.png")
    page.evaluate(AXE.read_text() + "\n;0")
    found = page.evaluate("axe.run(document)")
    serious = [
        (v["id"], [node["html"] for node in v["nodes"][:3]])
        for v in found["violations"]
        if v["impact"] in {"serious", "critical"}
    ]
    assert not serious, f"{where}: {serious}"
    for width in [size["width"]] if is_dark else WIDTHS:
        page.set_viewport_size({"width": width, "height": size["height"]})
        page.wait_for_timeout(60)
        illegible = page.evaluate(LEGIBILITY.read_text())
        assert not illegible, f"{where} at {width} pixels: {illegible}"
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert over <= 0, f"{where} is {over} pixels wider than a screen of {width}"
    page.set_viewport_size(size)
