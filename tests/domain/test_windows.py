"""Sending windows by the clocks of their zones (flow.md 2.11)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.flow import Window
from domain.windows import known_zones, opens_in, zone_for, zone_of_number

NEW_YORK, LORD_HOWE = "America/New_York", "Australia/Lord_Howe"
"""Clocks change there by an hour on 2026-03-08 and 2026-11-01, and by half an hour on 2026-04-05."""
START = datetime(2026, 1, 1, tzinfo=UTC)
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]


def window(since: str, to: str, **fields: Any) -> Window:
    return Window.model_validate({"timezone": "UTC", "from": since, "to": to} | fields)


def moment(local: str, zone: str = "UTC", fold: int = 0) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone), fold=fold)


def opens(shut: Window, local: str, zone: str = "UTC", fold: int = 0) -> str | None:
    """What a clock there shows when the window opens; None while it is open."""
    now = moment(local, zone, fold)
    left = opens_in(shut, zone, now)
    if left is None:
        return None
    assert left > timedelta(0)
    return (now.astimezone(UTC) + left).astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-05T09:00", None),
        ("2026-01-05T19:59:59.999999", None),
        ("2026-01-05T20:00", "2026-01-06T09:00+00:00"),
        ("2026-01-05T08:59:59.999999", "2026-01-05T09:00+00:00"),
        ("2026-01-05T00:00", "2026-01-05T09:00+00:00"),
    ],
)
def test_a_window_is_open_from_its_first_minute_until_before_its_last(at, expected):
    assert opens(window("09:00", "20:00"), at) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-09T12:00", None),
        ("2026-01-09T18:00", "2026-01-12T09:00+00:00"),
        ("2026-01-10T12:00", "2026-01-12T09:00+00:00"),
        ("2026-01-11T23:59", "2026-01-12T09:00+00:00"),
    ],
)
def test_on_other_days_it_is_closed(at, expected):
    """2026-01-09 is a Friday."""
    assert opens(window("09:00", "18:00", days=WEEKDAYS), at) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-09T22:00", None),
        ("2026-01-10T00:00", None),
        ("2026-01-10T05:59", None),
        ("2026-01-10T06:00", "2026-01-16T22:00+00:00"),
        ("2026-01-10T23:00", "2026-01-16T22:00+00:00"),
        ("2026-01-09T05:00", "2026-01-09T22:00+00:00"),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_opens_on(at, expected):
    assert opens(window("22:00", "06:00", days=["fri"]), at) == expected


@pytest.mark.parametrize("at", ["2026-01-09T09:00", "2026-01-09T23:59"])
def test_midnight_as_the_end_is_the_end_of_the_day(at):
    assert opens(window("09:00", "00:00"), at) is None
    assert opens(window("09:00", "00:00"), "2026-01-10T00:00") == "2026-01-10T09:00+00:00"


def test_the_clock_of_the_zone_counts():
    shut = window("09:00", "20:00", days=["mon"])
    tokyo_monday = moment("2026-01-05T09:30", "Asia/Tokyo")
    assert opens_in(shut, "Asia/Tokyo", tokyo_monday) is None
    assert opens_in(shut, "UTC", tokyo_monday) == timedelta(hours=8, minutes=30)
    assert opens_in(shut, "America/Los_Angeles", tokyo_monday) == timedelta(hours=16, minutes=30)


# --- when clocks change ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("01:59", "2026-03-08T01:59-05:00"),
        ("02:00", "2026-03-08T03:00-04:00"),
        ("02:30", "2026-03-08T03:00-04:00"),
        ("03:00", "2026-03-08T03:00-04:00"),
        ("09:00", "2026-03-08T09:00-04:00"),
    ],
)
def test_a_window_that_would_open_in_the_hour_left_out_opens_after_it(since, expected):
    assert opens(window(since, "20:00"), "2026-03-08T01:00", NEW_YORK) == expected


def test_a_window_that_lies_in_the_hour_left_out_opens_on_its_next_day():
    shut = window("02:10", "02:50", days=["sun"])
    assert opens(shut, "2026-03-08T01:00", NEW_YORK) == "2026-03-15T02:10-04:00"


def test_the_night_of_a_change_is_as_long_as_it_is():
    shut = window("09:00", "20:00")
    evening = moment("2026-03-07T20:00", NEW_YORK)
    assert opens_in(shut, NEW_YORK, evening) == timedelta(hours=12)
    evening = moment("2026-10-31T20:00", NEW_YORK)
    assert opens_in(shut, NEW_YORK, evening) == timedelta(hours=14)


@pytest.mark.parametrize(
    ("at", "fold", "expected"),
    [
        ("2026-11-01T01:20", 0, None),
        ("2026-11-01T01:30", 0, "2026-11-01T01:00-05:00"),
        ("2026-11-01T01:20", 1, None),
        ("2026-11-01T01:30", 1, "2026-11-01T20:00-05:00"),
    ],
)
def test_an_hour_that_comes_twice_counts_both_times(at, fold, expected):
    assert opens(window("20:00", "01:30"), at, NEW_YORK, fold) == expected


def test_changes_of_half_an_hour_count_too():
    """At 02:00 clocks go back to 01:30."""
    shut = window("23:00", "01:45")
    assert opens(shut, "2026-04-05T01:50", LORD_HOWE) == "2026-04-05T01:30+10:30"


_CLOCK = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))


@settings(deadline=None, derandomize=True, max_examples=300)
@given(
    since=_CLOCK,
    to=_CLOCK,
    days=st.lists(st.sampled_from([*WEEKDAYS, "sat", "sun"]), min_size=1, max_size=7, unique=True),
    zone=st.sampled_from(
        [NEW_YORK, LORD_HOWE, "Europe/Berlin", "Asia/Kathmandu", "Africa/Casablanca"]
    ),
    seconds=st.integers(0, 730 * 86_400),
)
def test_a_window_is_open_when_it_is_said_to_open_and_not_a_moment_before(
    since, to, days, zone, seconds
):
    shut, now = window(since, to, days=days), START + timedelta(seconds=seconds)
    left = opens_in(shut, zone, now)
    if left is None:
        return
    assert timedelta(0) < left <= timedelta(days=14, hours=1)
    assert opens_in(shut, zone, now + left) is None
    assert opens_in(shut, zone, now + left - timedelta(microseconds=1)) is not None
    for part in (left / 3, left / 2):
        assert opens_in(shut, zone, now + part) == left - part


def test_a_zone_that_this_machine_does_not_know_is_an_error():
    with pytest.raises(ZoneInfoNotFoundError):
        opens_in(window("09:00", "20:00"), "Europe/Atlantis", datetime(2026, 1, 1, tzinfo=UTC))


# --- whose zone --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+4915112345678", "Europe/Berlin"),
        ("+5511987654321", "America/Sao_Paulo"),
        ("+919876543210", "Asia/Calcutta"),
        # Of several zones with the same time, one is as good as the other.
        ("+393331234567", "Europe/Rome"),
        ("+35850123456", "Europe/Helsinki"),
        # A mobile number of a country with several says nothing of where its owner is.
        ("+34612345678", None),
        ("+61412345678", None),
        ("+80012345678", None),
        ("+999", None),
    ],
)
def test_a_number_has_a_zone_where_it_can_be_in_one_only(number, expected):
    assert zone_of_number(number) == expected


def test_london_and_the_channel_islands_are_one_zone():
    zone = zone_of_number("+447911123456")
    assert zone is not None
    assert opens(window("09:00", "20:00"), "2026-07-01T08:00", zone) == "2026-07-01T09:00+01:00"


@pytest.mark.parametrize(
    ("timezone", "number", "expected"),
    [
        ("Asia/Tokyo", "+4915112345678", "Asia/Tokyo"),
        ("recipient", "+4915112345678", "Europe/Berlin"),
        ("recipient", "+61412345678", "America/Lima"),
    ],
)
def test_recipient_is_the_numbers_zone_else_the_businesss(timezone, number, expected):
    shut = window("09:00", "20:00", timezone=timezone)
    assert zone_for(shut, number, "America/Lima") == expected


def test_the_known_zones_are_those_one_can_write():
    assert {"UTC", "America/Sao_Paulo", "Europe/Berlin"} <= set(known_zones())
