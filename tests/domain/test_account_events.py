"""What WhatsApp's words on templates and accounts call for."""

import pytest

from domain.account_events import TemplateStatus, Trouble
from domain.delivery import Remedy
from domain.error_codes import ERRORS
from domain.templates import EVERY_MARKETING, label, read_label


def update(event: str, reason: str | None = None) -> TemplateStatus:
    return TemplateStatus("hello", "en", event, reason, None)


@pytest.mark.parametrize(
    ("event", "calls_for"),
    [
        ("PAUSED", "hold"),
        ("DISABLED", "hold"),
        ("REJECTED", "hold"),
        ("PENDING_DELETION", "hold"),
        ("APPROVED", "release"),
        ("REINSTATED", "release"),
        ("PENDING", None),
        ("FLAGGED", None),
        ("approved", None),
        ("NOVELTY", None),
    ],
)
def test_a_templates_status_holds_releases_or_says_nothing(event, calls_for):
    assert update(event).calls_for == calls_for


@pytest.mark.parametrize("event", ["PAUSED", "DISABLED", "REJECTED", "DELETED", "ARCHIVED"])
def test_a_hold_by_status_has_a_code_that_holds_templates(event):
    assert ERRORS[update(event).code].remedy is Remedy.HOLD_TEMPLATE


def test_a_hold_says_why_in_whatsapps_words():
    assert update("PAUSED").message == "PAUSED"
    assert update("PAUSED", "Blocked often").message == "PAUSED: Blocked often"


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_an_error_without_a_message_holds_if_its_class_does(code):
    holds = ERRORS[code].remedy is Remedy.HOLD_CHANNEL
    assert Trouble(code, None, None).holds_channel is holds


@pytest.mark.parametrize(
    "key", [("hello", "en"), ("a (b)", "pt_BR"), ("", ""), EVERY_MARKETING, ("a (b", "c)")]
)
def test_a_label_is_read_back(key):
    assert read_label(label(key)) == key


@pytest.mark.parametrize("text", ["", "hello", "hello (en", "hello(en)", "(en)"])
def test_what_is_no_label_is_not_read(text):
    with pytest.raises(ValueError, match="names no template"):
        read_label(text)
