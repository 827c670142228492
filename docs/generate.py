"""Writes the pages of `docs/` that repeat tables of the code: `make docs`.

A test fails while a page differs from what the code says.
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pydantic import SecretStr

from domain.checks.codes import CODES
from domain.delivery import Remedy
from domain.documented_codes import NEVER_HERE, RETURNED
from domain.error_codes import (
    ERRORS,
    MARKETING_OFF,
    NOT_TAKEN_IN_5XX,
    OPTED_OUT,
    OWN_CODES,
    ProviderError,
    Seen,
)
from embedded.environment import embedded_settings
from settings import Settings

DOCS = Path(__file__).parent
_NOTICE = "<!-- Written by `make docs` from the code. Change the code, not this page. -->"
_WHATSAPP = """\
What each code means for a send. *Seen*: in the answer to the call, in a `failed` status by webhook,
or both. *Then*, when it is in the answer:

- *permanent*: the message is refused and its path ends;
- *backoff*, *retry after*: it was not sent, and the call is made again after these pauses in
  seconds, each up to a fifth longer;
- *hold channel*: it and every other send of the channel wait until somebody releases it;
- *hold template*: it and every other send of the template wait until WhatsApp approves the template
  again or somebody releases it; after {marketing_off}, every marketing template of the account;
- *suppress*: the message is refused, and for 24 hours no marketing template goes to this person: such
  a message is refused with the same code, without a call.

By webhook the message was accepted before: it has failed, and it is not sent again by itself,
whatever the class. What holds the channel or the template, or suppresses, does so for the sends that
come after it. {opted_out} is recorded as an opt-out, wherever it is seen.

A 5xx answer proves nothing about whether the message was taken, unless it carries one of the codes
{taken}. A code that is not listed refuses the message for good, but 200 to 299 hold the channel, as does
100 with the subcode 33, and with HTTP 429 it is a limit: the call is made again after a minute and
more."""
_REPEATED = {Remedy.BACKOFF, Remedy.RETRY_AFTER}
_NOT_KNOWN_HERE = {"database_url", "data_dir"}
"""Settings whose embedded value is a place on the machine at hand."""


def settings_page() -> str:
    """Every setting with its default, in the order of `settings.py`."""
    with patch.dict(os.environ, clear=True):  # the page is about the defaults
        usual, embedded = Settings(), embedded_settings()
    rows = []
    for name, field in Settings.model_fields.items():
        default, own = _shown(getattr(usual, name)), _shown(getattr(embedded, name))
        if name in _NOT_KNOWN_HERE:
            own = default if name == "data_dir" else "its own"
        rows.append(
            (
                f"`SENDOUT_{name.upper()}`",
                default,
                own if own != default else "",
                field.description or "",
            )
        )
    return _page(
        "Settings",
        "Every process reads these from its environment. All durations are seconds. The third "
        "column is what `make run` and `make demo` use instead of the default; what the environment "
        "says goes before both, except for the addresses of the embedded stack's own parts.",
        _table(("Setting", "Default", "Embedded", "Meaning"), rows),
    )


def errors_page() -> str:
    """The codes of the API, of WhatsApp and of the publish checks."""
    returned = [
        (f"`{code}`", "" if here.status is None else str(here.status), here.where)
        for code, here in RETURNED.items()
    ]
    never = [(f"`{code}`", why) for code, why in NEVER_HERE.items()]
    whatsapp = [_whatsapp_row(error) for error in ERRORS.values()]
    own = [(f"`{name}`", f"`{code}`") for name, code in OWN_CODES.items()]
    checks = [(f"`{code}`", told.severity, told.meaning) for code, told in CODES.items()]
    return _page(
        "Error codes",
        "## Codes of the API\n\nThe documented `ERROR_CODE_…` enum: where each code is met here.",
        _table(("Code", "Status", "Where"), returned),
        "Documented, but never returned here:",
        _table(("Code", "Why"), never),
        f"## Codes of WhatsApp\n\n{_whatsapp_words()}",
        _table(("Code", "Meaning", "Seen", "Then", "On the API as"), whatsapp),
        "Ends of our own that are shown under a documented code:",
        _table(("End", "On the API as"), own),
        "## Codes of the publish checks\n\nAn error stands in the way of publishing, a warning "
        "does not.",
        _table(("Code", "Severity", "Meaning"), checks),
    )


def _whatsapp_words() -> str:
    taken = ", ".join(str(code) for code in sorted(NOT_TAKEN_IN_5XX))
    return _WHATSAPP.format(taken=taken, marketing_off=MARKETING_OFF, opted_out=OPTED_OUT)


def _whatsapp_row(error: ProviderError) -> tuple[str, ...]:
    seen = {Seen.ANSWER: "answer", Seen.WEBHOOK: "webhook", Seen.BOTH: "both"}[error.seen]
    then = error.remedy.value.replace("_", " ")
    if error.seen is Seen.WEBHOOK and error.remedy in _REPEATED:
        # In the answer to a call it would be repeated; there it does not come.
        then = "permanent"
    elif error.pauses:
        times = (
            "for as long as it may be sent" if error.attempts is None else f"{error.attempts} calls"
        )
        then += f": {times}, after {', '.join(f'{pause:g}' for pause in error.pauses)}"
        then += " …" if error.attempts is None and len(error.pauses) > 1 else ""
    return (str(error.code), error.title, seen, then, f"`{error.connectly}`")


def _shown(value: Any) -> str:
    """A value as one would write it into the environment; empty ones are left blank."""
    match value:
        case SecretStr():
            text = value.get_secret_value()
        case bool():
            text = json.dumps(value)
        case tuple():
            text = json.dumps(value) if value else ""
        case None:
            text = ""
        case _:
            text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"`{text}`" if text else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _page(title: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", _NOTICE, *parts)) + "\n"


PAGES: dict[str, Callable[[], str]] = {"settings.md": settings_page, "errors.md": errors_page}
"""The pages by their file name."""


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
