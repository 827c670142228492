"""Flow documents as requests hand them in: their shape, their issues, and a test's shorter delays."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.checks import check
from domain.document import parse_duration
from domain.documented_codes import ErrorCode
from domain.errors import BadRequest, Conflict
from domain.flow import Flow
from domain.issues import Issue
from domain.ports import Templates
from domain.shape import FlowFormatUnsupported, FlowShapeError, read_flow
from domain.templates import TemplateRegistry
from storage.campaigns import Campaign
from storage.flows import behaviour_hash


def read_document(document: object) -> Flow:
    """A flow from a request's JSON.

    Raises `BadRequest` with `details.issues` when it has not the shape of flow.md section 1, with
    the code CAMPAIGN_VERSION_UNSUPPORTED when its `format` is newer than this server.
    """
    try:
        return read_flow(document)
    except FlowShapeError as error:
        first = error.issues[0]
        new = isinstance(error, FlowFormatUnsupported)
        raise BadRequest(
            f"Please check the flow at `{first.path or 'flow'}`: {first.message}.",
            code=ErrorCode.CAMPAIGN_VERSION_UNSUPPORTED if new else None,
            details={"issues": as_json(error.issues)},
        ) from None


def as_json(issues: Iterable[Issue]) -> list[dict[str, Any]]:
    """Issues as they stand in an error's `details`."""
    return [issue.model_dump() for issue in issues]


async def draft_issues(campaign: Campaign) -> list[Issue]:
    """The issues of a stored draft, as far as they can be told without WhatsApp's templates."""
    if campaign.draft is None:
        return []
    # A flow of a thousand nodes takes a while: other requests need not wait for it.
    return await asyncio.to_thread(_issues, campaign.draft, is_tested(campaign))


def _issues(document: dict[str, Any], tested: bool) -> list[Issue]:
    try:
        return check(read_flow(document), tested=tested)
    except FlowShapeError as error:
        # It was saved by a server that knew other shapes.
        return error.issues


def is_tested(campaign: Campaign) -> bool:
    """Whether the draft, leaving its layout aside, was sent to a test number."""
    return (
        campaign.draft is not None and behaviour_hash(campaign.draft) == campaign.tested_flow_hash
    )


async def sendable_flow(
    business_id: UUID, campaign: Campaign, templates: Templates | None, *, for_test: bool = False
) -> tuple[Flow, list[Issue]]:
    """The draft as a flow that may be published, or sent `for_test`, and its warnings.

    Raises `Conflict` (CAMPAIGN_NOT_FINAL) with `details.issues` while there are errors.
    """
    flow = _given(campaign.draft)
    tested = for_test or is_tested(campaign)
    issues = await _checked(flow, None, tested)
    if templates is not None:
        # Only now, so that no templates are made for a flow that is refused anyway.
        await templates.prepare(business_id, flow)
        issues = await _checked(flow, await templates.registry(business_id), tested)
    return flow, issues


async def flow_without_errors(document: object) -> Flow:
    """A document as a flow that can run, as far as can be told without WhatsApp's templates.

    Raises `BadRequest` as `read_document` does, `Conflict` as `sendable_flow` does.
    """
    flow = _given(document)
    await _checked(flow, None, tested=True)
    return flow


def _given(document: object) -> Flow:
    if document is None:
        said = "the campaign has no flow yet: save a draft first"
        _refuse_errors([Issue(severity="error", code="NO_FLOW", path="", message=said)])
    return read_document(document)


async def _checked(flow: Flow, registry: TemplateRegistry | None, tested: bool) -> list[Issue]:
    issues = await asyncio.to_thread(check, flow, templates=registry, tested=tested)
    _refuse_errors(issues)
    return issues


def _refuse_errors(issues: list[Issue]) -> None:
    errors = [issue for issue in issues if issue.severity == "error"]
    if errors:
        first = errors[0]
        raise Conflict(
            f"The flow has {len(errors)} error(s); the first is at `{first.path or 'flow'}`: "
            f"{first.message}.",
            code=ErrorCode.CAMPAIGN_NOT_FINAL,
            title="Campaign is not final",
            details={"issues": as_json(issues)},
        )


def with_delays_cut(document: dict[str, Any], longest: str | None) -> dict[str, Any]:
    """The document with no delay longer than `longest` (ISO 8601); None leaves it as it is."""
    if longest is None:
        return document
    limit = parse_duration(longest)
    nodes = {name: _cut(node, longest, limit) for name, node in document["nodes"].items()}
    return {**document, "nodes": nodes}


def _cut(node: dict[str, Any], longest: str, limit: timedelta) -> dict[str, Any]:
    if node["type"] != "delay" or parse_duration(node["duration"]) <= limit:
        return node
    return {**node, "duration": longest}
