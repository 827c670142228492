"""Contract cases: what is given, one request, and the whole answer to it, as JSON files.

A file holds `title`, `given`, `request` (or `requestText`, the body as it is), `status`, `response`
and what is `stored` afterwards; documented examples also their `source`, how closely the answer
matches (`match`) and why. In `given`: `campaigns`, `channels`, `settings`, and `earlier`, steps that
are taken in order before the request.

In a response, a UUID that does not occur in what was given stands for any UUID, the same one
wherever it occurs; so does `<any name>`. `<trace id>` is a decimal number, `<text>` any text.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.tables import campaign_names, campaigns, claims, entries, sendouts
from tests.record import BUSINESS, add_campaign, add_channel, greeting, publish

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAMED = re.compile(r"<[\w ]+>")
_EVERY_CASE = sorted(Path(__file__).parent.glob("*/*.json"))


def case_files() -> list[Path]:
    """Every case file there is."""
    return _EVERY_CASE


def read_case(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_text())
    return case


# --- what is given -----------------------------------------------------------------------------


async def make_given(connection: AsyncConnection, given: Mapping[str, Any]) -> None:
    """Put the campaigns and channels of a case into the record."""
    for channel in given.get("channels", []):
        await add_channel(
            connection, BUSINESS, channel["phoneNumber"], is_default=channel.get("default", False)
        )
    for campaign in given.get("campaigns", []):
        campaign_id = await add_campaign(
            connection,
            campaign["name"],
            campaign_id=UUID(campaign["campaignId"]) if "campaignId" in campaign else None,
            state=campaign.get("state", "published"),
            versions={
                label: _flow(described)
                for label, described in campaign.get("versions", {"v1": {}}).items()
            },
        )
        for name in campaign.get("formerNames", []):
            await connection.execute(
                insert(campaign_names).values(
                    business_id=BUSINESS, name=name, campaign_id=campaign_id, was_published=True
                )
            )


def _flow(described: Mapping[str, Any]) -> dict[str, Any]:
    """A whole flow, or one described by its `variables` and the `body` parameter it sends."""
    if "nodes" in described:
        return dict(described)
    return greeting(described.get("variables"), described.get("body", "Hello"))


async def take_step(connection: AsyncConnection, step: Mapping[str, Any]) -> None:
    """One step of `earlier` that is no request, as `{"what": "campaign's name"}`."""
    (what, of), *_ = step.items()
    name = of["campaign"] if isinstance(of, dict) else of
    campaign_id = await connection.scalar(
        select(campaign_names.c.campaign_id).where(campaign_names.c.name == name)
    )
    assert campaign_id is not None, f"no campaign {name} is given"
    match what:
        case "publish":
            await publish(connection, campaign_id, of["version"], _flow(of.get("flow", {})))
        case "archive" | "unpublish":
            state = {"archive": "archived", "unpublish": "unpublished"}[what]
            await connection.execute(
                update(campaigns).where(campaigns.c.campaign_id == campaign_id).values(state=state)
            )
        case "pause":
            await connection.execute(
                update(sendouts).where(sendouts.c.campaign_id == campaign_id).values(state="paused")
            )
        case "cancel":
            await connection.execute(
                update(sendouts)
                .where(sendouts.c.campaign_id == campaign_id)
                .values(state="cancelled", is_current=False)
            )
        case "everyMessageFailed":
            # As the end of such an entry does it: the claim goes in the same transaction.
            await connection.execute(claims.delete().where(claims.c.campaign_id == campaign_id))
        case _:
            raise AssertionError(f"no such step: {what}")


async def stored_rows(connection: AsyncConnection) -> list[dict[str, Any]]:
    """The entries in their order, as `stored` of a case describes them."""
    rows = await connection.execute(
        select(
            entries.c.client,
            entries.c.state,
            cast(entries.c.variables, Text).label("variables"),
        ).order_by(entries.c.position)
    )
    return [dict(row._mapping) for row in rows]


# --- what is answered --------------------------------------------------------------------------


class Answers:
    """Compares answers with what a case expects; ids the server chose are bound as they come."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        given = dict(case.get("given", {}))
        sent = [step.get("send") for step in given.pop("earlier", [])]
        self._told = json.dumps([given, sent, case.get("request"), case.get("requestText")])
        self._bound: dict[str, str] = {}

    def check(self, expected: Any, actual: Any, at: str = "$") -> None:
        """Raises `AssertionError` naming the first place that differs."""
        if isinstance(expected, dict):
            assert isinstance(actual, dict), f"{at}: {actual!r} is no object"
            assert set(expected) == set(actual), (
                f"{at}: other fields: {set(expected) ^ set(actual)}"
            )
            for name, value in expected.items():
                self.check(value, actual[name], f"{at}.{name}")
        elif isinstance(expected, list):
            assert isinstance(actual, list), f"{at}: {actual!r} is no list"
            assert len(expected) == len(actual), f"{at}: {len(actual)} items: {actual}"
            for i, value in enumerate(expected):
                self.check(value, actual[i], f"{at}[{i}]")
        elif isinstance(expected, str):
            self._check_text(expected, actual, at)
        else:
            same = type(expected) is type(actual) and expected == actual
            assert same, f"{at}: {actual!r} instead of {expected!r}"

    def _check_text(self, expected: str, actual: Any, at: str) -> None:
        if expected == "<trace id>":
            good = isinstance(actual, str) and re.fullmatch(r"\d{1,20}", actual) is not None
        elif expected == "<text>":
            good = isinstance(actual, str) and actual != ""
        elif _NAMED.fullmatch(expected) or (
            _UUID.fullmatch(expected) and expected not in self._told
        ):
            good = self._bind(expected, actual)
        else:
            good = expected == actual
        assert good, f"{at}: {actual!r} instead of {expected!r}"

    def _bind(self, expected: str, actual: Any) -> bool:
        if not (isinstance(actual, str) and _UUID.fullmatch(actual)):
            return False
        known = self._bound.setdefault(expected, actual)
        # Two names never mean the same id.
        return known == actual and list(self._bound.values()).count(actual) == 1
