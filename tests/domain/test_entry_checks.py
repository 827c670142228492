"""One entry of a send request: every check, in the order of api.md section 2."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import json_text, send_errors
from domain.entry_checks import Accepted, Channel, Rejected, Situation, check_entry, read_time
from domain.errors import PartialError
from domain.flow import Flow
from domain.flow_inputs import FlowInputs
from domain.grouping import check_entries, flow_to_run, group_entries, reject_all, report

NOW = datetime(2026, 5, 4, 10, tzinfo=UTC)
SHOP = Channel(UUID(int=1), "+15550001111")
OTHER = Channel(UUID(int=2), "+15550002222")
SITUATION = Situation({c.phone_number: c for c in (SHOP, OTHER)}, SHOP, NOW)
INPUTS = FlowInputs(
    Flow.model_validate(
        {
            "format": 1,
            "start": "s",
            "variables": {"name": {}},
            "nodes": {"s": {"type": "split", "paths": [{"weight": 1}]}},
        }
    )
)
GOOD = {"client": "+16045552331", "campaignName": "spring", "variables": {"name": "Ann"}}

# Each breaks one check; an earlier one is reported whatever else is wrong.
FLAWS: list[tuple[dict[str, Any], PartialError]] = [
    ({"scheduledAt": 5}, send_errors.ENTRY_INVALID),
    ({"client": "nobody"}, send_errors.CLIENT_INVALID),
    ({"sender": "+15559999999"}, send_errors.SENDER_INVALID),
    ({"client": "+15550001111"}, send_errors.CLIENT_IS_SENDER),
    ({"variables": {}}, send_errors.ENTRY_INVALID),
]


def check(entry: dict[str, Any], situation: Situation = SITUATION) -> Accepted | Rejected:
    return check_entry(0, entry, situation, INPUTS)


@pytest.mark.parametrize(("flaw", "error"), FLAWS)
def test_each_flaw_has_its_error(flaw: dict[str, Any], error: PartialError):
    checked = check(GOOD | flaw)
    assert isinstance(checked, Rejected)
    assert checked.error == error


@pytest.mark.parametrize("later", range(1, len(FLAWS)))
@pytest.mark.parametrize("earlier", range(len(FLAWS) - 1))
def test_of_two_flaws_the_first_in_the_table_is_reported(earlier: int, later: int):
    first, second = FLAWS[earlier][0], FLAWS[later][0]
    if earlier >= later or set(first) & set(second):
        return
    checked = check(GOOD | first | second)
    assert isinstance(checked, Rejected)
    assert checked.error == FLAWS[earlier][1]


def test_without_a_default_channel_that_is_reported_before_anything_of_the_entry():
    nowhere = Situation({}, None, NOW)
    checked = check({"campaignName": "spring", "client": 5}, nowhere)
    assert isinstance(checked, Rejected)
    assert checked.error == send_errors.NO_CHANNEL


def test_a_good_entry_is_read_as_it_is_to_be_stored():
    checked = check(
        GOOD | {"client": "001 604 555 2331", "sender": "15550002222", "callback_data": [1]}
    )
    assert checked == Accepted(0, "+16045552331", OTHER.channel_id, '{"name":"Ann"}', "[1]", None)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-05-04T10:00:00Z", NOW),
        ("2026-05-04t10:00:00z", NOW),
        ("2026-05-04 10:00:00+00:00", NOW),
        ("2026-05-04T12:30:00.5+02:30", NOW + timedelta(seconds=0.5)),
        ("2026-05-04T10:00:00.123456789Z", NOW + timedelta(microseconds=123456)),
        ("2026-05-04T10:00:00", None),
        ("2026-05-04T10:00Z", None),
        ("20260504T100000Z", None),
        ("2026-05-04T24:00:00Z", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("２026-05-04T10:00:00Z", None),
        ("2026-05-04T10:00:00Z\n", None),
    ],
)
def test_times_are_rfc_3339_with_an_offset(text: str, time: datetime | None):
    assert read_time(text) == time


@pytest.mark.parametrize(
    ("ahead", "good"),
    [
        (timedelta(days=90), True),
        (timedelta(days=90, seconds=1), False),
        (-timedelta(hours=24), True),
        (-timedelta(hours=24, seconds=1), False),
    ],
)
def test_scheduled_at_is_within_90_days_ahead_and_24_hours_past(ahead: timedelta, good: bool):
    checked = check(GOOD | {"scheduledAt": (NOW + ahead).isoformat()})
    assert isinstance(checked, Accepted) is good


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.text(max_size=20)
    | st.integers().map(str).map(json_text.NumberLiteral),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
fields = st.sampled_from(
    [
        "client",
        "sender",
        "variables",
        "campaignName",
        "campaign_name",
        "campaignVersion",
        "campaign_version",
        "scheduledAt",
        "scheduled_at",
        "callbackData",
        "callback_data",
    ]
)
likely = st.sampled_from(["+16045552331", "spring", "", "2026-05-04T10:00:00Z", "+15550001111"])
entries = st.dictionaries(fields, likely | anything) | anything


@given(st.lists(entries, max_size=6), st.booleans())
def test_whatever_is_sent_every_entry_is_accepted_or_refused_once(
    sent: list[Any], allow_multiple: bool
):
    groups = group_entries(sent)
    for group in groups:
        judged = flow_to_run(group)
        if group.campaign_name is None:
            assert isinstance(judged, PartialError)
            reject_all(group, judged)
        else:
            check_entries(group, SITUATION, INPUTS, allow_multiple=allow_multiple)
    accepted = [entry.position for group in groups for entry in group.accepted]
    rejected = [entry.position for group in groups for entry in group.rejected]
    assert sorted(accepted + rejected) == list(range(len(sent)))
    rows = report(groups, listed="rejected")
    counted = sum(row["acceptedCount"] + row["rejectedCount"] for row in rows)
    assert counted == len(sent)
