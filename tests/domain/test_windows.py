"""Sending windows by the clocks of their zones (flow.md 2.11)."""

import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.flow import Window
from domain.windows import known_zones, opens_in, turn_in, zone_for, zone_of_number

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


@settings(max_examples=300)
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


# --- taking turns ------------------------------------------------------------------------------


def test_what_has_waited_goes_on_at_the_pace_in_which_it_was_started():
    """Of 6,000 entries of a sender with 6 a second no second gets more than twice as many."""
    closed = moment("2026-01-05T08:59:00")
    turns = [turn_in(window("09:00", "20:00"), "UTC", closed, n / 6) for n in range(6_000)]
    seconds = Counter(int(turn) for turn in turns if turn is not None)
    assert sum(seconds.values()) == 6_000
    assert max(seconds.values()) <= 12
    assert (min(seconds), max(seconds)) == (60, 60 + 899)


def test_an_entry_that_did_not_wait_for_its_start_goes_on_as_the_window_opens():
    assert turn_in(window("09:00", "20:00"), "UTC", moment("2026-01-05T08:59"), 0.0) == 60


@pytest.mark.parametrize("expires_in", [60.5, 65.0])
def test_no_message_expires_because_of_its_turn(expires_in):
    closed = moment("2026-01-05T08:59")
    turn = turn_in(window("09:00", "20:00"), "UTC", closed, 30.0, expires_in=expires_in)
    assert turn == 60


def test_no_message_misses_a_short_window_because_of_its_turn():
    closed = moment("2026-01-05T08:59")
    assert turn_in(window("09:00", "09:05"), "UTC", closed, 299.0) == 60 + 299
    assert turn_in(window("09:00", "09:05"), "UTC", closed, 300.0) == 60


def test_a_window_of_a_zone_that_this_machine_does_not_know_is_closed():
    """Looked at again after an hour, or when the message expires."""
    shut = window("00:00", "23:59")
    assert turn_in(shut, "Europe/Atlantis", START, 0.0) == 3600
    assert turn_in(shut, "Europe/Atlantis", START, 0.0, expires_in=90.0) == 90


def test_zones_work_on_a_machine_without_zone_files():
    program = """
from datetime import UTC, datetime
from domain.flow import Window
from domain.windows import known_zones, opens_in, zone_of_number
shut = Window.model_validate({"timezone": "UTC", "from": "09:00", "to": "20:00"})
print(len(known_zones()) > 400, zone_of_number("+4915112345678"),
    opens_in(shut, "Europe/Berlin", datetime(2026, 7, 1, 6, tzinfo=UTC)))
"""
    environment = os.environ | {"PYTHONTZPATH": ""}
    said = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout.split() == ["True", "Europe/Berlin", "1:00:00"]


# --- whose zone --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+4915112345678", "Europe/Berlin"),
        ("+8613912345678", "Asia/Shanghai"),
        ("+393331234567", "Europe/Rome"),
        ("+212612345678", "Africa/Casablanca"),
        ("+213551234567", "Africa/Algiers"),
        # Of several zones with the same time, one is as good as the other.
        ("+541151234567", "America/Argentina/Buenos_Aires"),
        ("+77012345678", "Asia/Almaty"),
        # Countries that share their calling code with larger ones.
        ("+18765550123", "America/Jamaica"),
        ("+262692123456", "Indian/Reunion"),
    ],
)
def test_a_number_has_the_zone_of_its_country(number, expected):
    assert zone_of_number(number) == expected


@pytest.mark.parametrize(
    "number",
    [
        "+5511987654321",
        "+525512345678",
        "+34612345678",
        "+351912345678",
        "+61412345678",
        "+628123456789",
        "+79161234567",
        "+12125550123",
        "+16045552331",
    ],
)
def test_in_a_country_with_several_zones_no_number_has_one(number):
    """Whatever its area code."""
    assert zone_of_number(number) is None


@pytest.mark.parametrize("number", ["+80012345678", "+999", "+1", "not a number"])
def test_a_number_of_no_country_has_no_zone(number):
    assert zone_of_number(number) is None


@pytest.mark.parametrize(
    ("timezone", "number", "expected"),
    [
        ("Asia/Tokyo", "+4915112345678", "Asia/Tokyo"),
        ("recipient", "+4915112345678", "Europe/Berlin"),
        ("recipient", "+61412345678", "America/Lima"),
        ("recipient", "+12125550123", "America/Lima"),
    ],
)
def test_recipient_is_the_numbers_zone_else_the_businesss(timezone, number, expected):
    shut = window("09:00", "20:00", timezone=timezone)
    assert zone_for(shut, number, "America/Lima") == expected


def test_the_known_zones_are_those_one_can_write():
    assert {"UTC", "America/Sao_Paulo", "Europe/Berlin"} <= set(known_zones())
