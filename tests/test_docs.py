"""The documentation against what it describes: settings, codes, commands, links."""

import json
import re
from pathlib import Path

import pytest
from typer.main import get_command

from cli import app
from docs.generate import DOCS, PAGES
from domain.checks.codes import CODES
from domain.documented_codes import ErrorCode
from domain.error_codes import ERRORS
from embedded import credentials
from settings import Settings

ROOT = DOCS.parent
WRITTEN = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_fresh(name: str, monkeypatch: pytest.MonkeyPatch):
    """The page is what `make docs` writes, whatever the environment says."""
    monkeypatch.setenv("SENDOUT_API_PORT", "1234")
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


def test_every_setting_is_described():
    """Each setting has one row, with its own description."""
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        (row,) = re.findall(rf"^\| `SENDOUT_{name.upper()}` \|.*$", page, re.MULTILINE)
        assert field.description
        assert field.description in row


def test_every_code_is_described():
    """Codes of the API, of WhatsApp and of the publish checks each start a row."""
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    first_cells = re.findall(r"^\| `?([\w]+)`? \|", page, re.MULTILINE)
    assert {*ErrorCode, *map(str, ERRORS), *CODES} <= set(first_cells)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_named_files_exist(page: Path):
    """Relative links lead somewhere, and pictures are small."""
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        file = page.parent / target
        assert file.exists(), target
        assert file.suffix != ".png" or file.stat().st_size < 300_000, target


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_settings_that_are_named_exist(page: Path):
    """`make …`, `sendout …` and `SENDOUT_…` are what the code has."""
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", text)) <= targets
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert set(re.findall(r"`sendout ([a-z]+)\b", text)) <= set(commands)
    settings = {name.upper() for name in Settings.model_fields}
    assert set(re.findall(r"\bSENDOUT_([A-Z_]*[A-Z])\b", text)) <= settings


def test_the_readme_sends_to_the_embedded_stack():
    """Its business, key, sender, campaign and variables are those of the stack and the example."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (body,) = re.findall(r"""--data '(\{"entries".*?\})'\n```""", readme, re.DOTALL)
    (entry,) = json.loads(body)["entries"]
    flow = json.loads((ROOT / f"examples/flows/{entry['campaignName']}.json").read_bytes())
    required = {name for name, told in flow["variables"].items() if told.get("required")}
    assert entry["sender"] == credentials.PHONE_NUMBER
    assert required <= set(entry["variables"]) <= set(flow["variables"])
    assert f"X-API-Key: {credentials.API_KEY}" in readme
    assert f"businesses/{credentials.BUSINESS_ID}/send/campaigns" in readme


def test_decisions_are_numbered_and_complete():
    """Each decision has the five headings; numbers follow each other."""
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    assert [page.name[:4] for page in decisions] == [
        f"{n:04}" for n in range(1, len(decisions) + 1)
    ]
    for page in decisions:
        headings = re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives", "References"]
