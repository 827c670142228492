"""An entry as it is handed to the parts that move it on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.rendering import variable_text


@dataclass(frozen=True, slots=True)
class QueuedEntry:
    """What is needed to start, or take up again, the run of an entry."""

    entry_id: UUID
    attempt: int
    business_id: UUID
    sendout_id: UUID
    channel_id: UUID
    campaign_name: str
    campaign_version: str
    flow_hash: str
    variables: str
    """The entry's variables, as the request's JSON text."""
    is_single: bool = False
    """A message of the message API (ADR 11), for which somebody may be waiting."""


def given_texts(variables: str | None) -> Mapping[str, str]:
    """The variables of an entry as text, from the JSON text they are stored as.

    Numbers keep the spelling of the request. Objects and lists, which only undeclared variables can
    be (api.md section 2), are left out: flows never read them.
    """
    values: Mapping[str, Any] = json.loads(variables or "{}", parse_float=str, parse_int=str)
    texts = {
        name: variable_text(value)
        for name, value in values.items()
        if not isinstance(value, dict | list)
    }
    return {name: text for name, text in texts.items() if text is not None}
