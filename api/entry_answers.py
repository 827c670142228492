"""Entries as the API answers them: their values exactly as they were given, their errors in words."""

from typing import Any
from uuid import UUID

from starlette.responses import Response

from api.schemas.entries import Entry, EntryError, Step
from domain import json_text
from domain.documented_codes import ErrorCode
from domain.error_codes import OWN_CODES, lookup
from domain.timeline import History, timeline
from domain.timeline import Step as Happening
from storage import entries as record
from workflows.messages import run_workflow_id

_TITLES = {
    "TOO_MANY_SENDS": "The run reached its limit of sends",
    "EXPIRED": "The first message was not sent in time",
    "UNKNOWN": "WhatsApp never said whether it took the first message",
}


class ExactJson(Response):
    """An answer as JSON in which numbers that clients gave stay as they wrote them."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json_text.write(content).encode()


def entry_json(entry: record.Entry) -> dict[str, Any]:
    """An entry as JSON; variables and callback data keep the spelling of their numbers."""
    shown = Entry(
        entry_id=entry.entry_id,
        sendout_id=entry.sendout_id,
        client=entry.client,
        state=entry.state,
        attempt=entry.attempt,
        variables={},
        output_variables={},
        callback_data=None,
        error=entry_error(entry),
        duplicate_of=entry.duplicate_of,
        created_at=entry.created_at,
        scheduled_at=entry.scheduled_at,
        finished_at=entry.finished_at,
        workflow_id=run_workflow_id(entry.entry_id),
    )
    return shown.model_dump(mode="json", by_alias=True) | {
        "variables": json_text.read(entry.variables),
        "outputVariables": json_text.read(entry.output_variables or "{}"),
        "callbackData": json_text.read(entry.callback_data or "null"),
    }


def entry_error(entry: record.Entry) -> EntryError | None:
    """Why the entry did not complete, in the documented enum's words (flow.md section 2)."""
    if entry.state == "opted_out":
        return _error(
            ErrorCode.MESSAGE_CUSTOMER_OPTED_OUT, None, "The customer has opted out", entry
        )
    if entry.error_code is None:
        return None
    return _error(*named_error(entry.error_code), entry)


def named_error(code: str) -> tuple[str, int | None, str]:
    """A recorded code (WhatsApp's in digits, or one of ours): documented code, number, title."""
    if code.isdecimal():
        known = lookup(int(code))
        return known.connectly, int(code), known.title
    return OWN_CODES.get(code, ErrorCode.UNSPECIFIED.value), None, _TITLES.get(code, code)


def _error(code: str, provider_code: int | None, title: str, entry: record.Entry) -> EntryError:
    return EntryError(
        code=code,
        provider_code=provider_code,
        title=title,
        message=entry.error_message or title,
    )


def entry_with_timeline(
    entry: record.Entry, history: History, blocker: tuple[record.Entry, str] | None
) -> dict[str, Any]:
    """An entry as JSON with everything that happened to it.

    `blocker` is the entry (and its campaign version) because of which this one is a duplicate.
    """
    steps = [*_begun(entry, blocker), *timeline(history), *_ended(entry)]
    # A run cannot do anything before it was accepted, and its end is told after its cause.
    steps.sort(key=lambda step: step.place)
    return entry_json(entry) | {"timeline": [_shown(step) for step in steps]}


def _shown(step: Happening) -> dict[str, Any]:
    facts: dict[str, Any] = {"type": step.type, "at": step.at, **step.facts}
    return Step.model_validate(facts).model_dump(mode="json", by_alias=True)


def _begun(entry: record.Entry, blocker: tuple[record.Entry, str] | None) -> list[Happening]:
    scheduled = {"scheduledAt": entry.scheduled_at} if entry.scheduled_at else {}
    steps = [Happening("accepted", entry.created_at, dict(scheduled))]
    if entry.state == "duplicate":
        steps.append(
            Happening("duplicate", entry.created_at, _blocked(entry.duplicate_of, blocker))
        )
    if entry.started_at is not None:
        steps.append(Happening("started", entry.started_at, {"attempt": entry.attempt}))
    return steps


def _blocked(entry_id: UUID | None, blocker: tuple[record.Entry, str] | None) -> dict[str, Any]:
    if blocker is None:
        # The claim outlives purges, and imported history has no entry of ours.
        return {"entryId": entry_id}
    earlier, version = blocker
    return {
        "entryId": earlier.entry_id,
        "sendoutId": earlier.sendout_id,
        "campaignVersion": version,
        "state": earlier.state,
        "createdAt": earlier.created_at,
    }


def _ended(entry: record.Entry) -> list[Happening]:
    if entry.finished_at is None or entry.state == "duplicate":
        return []
    error = entry_error(entry)
    said = {"error": error.model_dump(by_alias=True)} if error else {}
    return [Happening("ended", entry.finished_at, {"state": entry.state, **said})]
