"""The bodies of events: every shape in tests/golden/webhooks."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest

from api.json_body import snake_case
from domain.webhook_events import Kind
from domain.webhook_payloads import Event, Origin, inbound_message_id, render

CASES = sorted((Path(__file__).parents[1] / "golden" / "webhooks").glob("*.json"))


def read_event(described: dict[str, Any]) -> Event:
    """The event of a case; its fields are those of `Event` in camelCase."""
    fields = {snake_case(name): value for name, value in described.items()}
    fields["at"] = datetime.fromisoformat(fields["at"])
    if "origin" in fields:
        origin = {snake_case(name): value for name, value in fields["origin"].items()}
        ids = {name: UUID(origin[name]) for name in ("entry_id", "sendout_id")}
        fields["origin"] = Origin(**origin | ids)
    return Event(**fields)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_body_is_as_documented(path: Path):
    case = json.loads(path.read_text(encoding="utf-8"))

    assert json.loads(render(read_event(case["event"]))) == case["body"]


def test_every_kind_has_a_case():
    kinds = {json.loads(path.read_text(encoding="utf-8"))["event"]["kind"] for path in CASES}

    assert kinds == set(get_args(Kind))


def test_numbers_of_callback_data_stay_as_they_were_written():
    case = json.loads(CASES[0].read_text(encoding="utf-8"))
    origin = case["event"]["origin"] | {"callbackData": '{"price":1.50,"id":12345678901234567890}'}
    body = render(read_event(case["event"] | {"origin": origin}))

    assert '"callbackData":{"price":1.50,"id":12345678901234567890}' in body


def test_a_message_that_is_gone_cannot_be_told_of():
    with pytest.raises(ValueError, match="no longer"):
        render(Event(1, "sent", "01", datetime.now(UTC)))


def test_inbound_messages_have_ids_of_their_own():
    at = datetime(2026, 5, 4, tzinfo=UTC)

    assert inbound_message_id("wamid.1", at) == inbound_message_id("wamid.1", at)
    assert inbound_message_id("wamid.1", at) != inbound_message_id("wamid.2", at)
    assert len(inbound_message_id("wamid.1", at)) == 26
