"""Sending windows: when messages nobody waits for may go out (flow.md 2.11).

A window is open while a clock in its zone shows a time from `from` until before `to`, on its days.
One whose `to` is not after its `from` goes over midnight and belongs to the day it opens on. So a
window whose `from` is left out when clocks go forward opens as they do, and an hour that comes twice
when they go back counts both times.

The zone database is a file that changes between releases: this is for activities and requests, never
for workflow code.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import phonenumbers
from phonenumbers import timezone as zones_of_numbers

from domain.flow import Weekday, Window

RECIPIENT: Final = "recipient"
"""Instead of a zone: the one of the customer's number."""

_DAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
_LOOK_AHEAD = 15
"""Days in which every window opens, also one of a single day that is left out once."""


def opens_in(window: Window, zone: str, now: datetime) -> timedelta | None:
    """How long until the window opens; None while it is open.

    `zone` is an IANA name, `now` timezone-aware. Raises `ZoneInfoNotFoundError` on a machine whose
    zone database does not know the zone.
    """
    clock = ZoneInfo(zone)
    now = now.astimezone(UTC)
    if _is_open(window, clock, now):
        return None
    moments = sorted((*_opening_times(window, clock, now), *_changes(clock, now)))
    return next(at for at in moments if at > now and _is_open(window, clock, at)) - now


def zone_for(window: Window, number: str, business_zone: str) -> str:
    """The zone whose clock a window goes by, for a customer's number (E.164)."""
    if window.timezone != RECIPIENT:
        return window.timezone
    return zone_of_number(number) or business_zone


def zone_of_number(number: str) -> str | None:
    """The one zone of a number (E.164), None if it may be in several or nobody knows.

    Zones that keep the same time, like London's and Jersey's, are one.
    """
    try:
        found = zones_of_numbers.time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
    return found[0] if _keep_the_same_time(tuple(found)) else None


@lru_cache(maxsize=1)
def known_zones() -> tuple[str, ...]:
    """The IANA zones in a fixed order; empty on a machine without a zone database."""
    return tuple(sorted(available_timezones()))


def _is_open(window: Window, clock: ZoneInfo, at: datetime) -> bool:
    local = at.astimezone(clock)
    shown = f"{local:%H:%M}"
    today, yesterday = _DAYS[local.weekday()], _DAYS[local.weekday() - 1]
    if window.from_ < window.to:
        return today in window.days and window.from_ <= shown < window.to
    since_today = shown >= window.from_ and today in window.days
    return since_today or (shown < window.to and yesterday in window.days)


def _opening_times(window: Window, clock: ZoneInfo, now: datetime) -> Iterator[datetime]:
    """When a clock shows `from`; the hour that comes twice, twice."""
    opening = time.fromisoformat(window.from_)
    today = now.astimezone(clock).date()
    for days in range(_LOOK_AHEAD + 1):
        local = datetime.combine(today + days * _DAY, opening, clock)
        yield local.astimezone(UTC)
        yield local.replace(fold=1).astimezone(UTC)


def _changes(clock: ZoneInfo, now: datetime) -> Iterator[datetime]:
    """When clocks are put forward or back, to the second."""
    for days in range(_LOOK_AHEAD):
        before, after = now + days * _DAY, now + (days + 1) * _DAY
        offset = _offset(clock, before)
        if offset == _offset(clock, after):
            continue
        while after - before > timedelta(seconds=1):
            middle = before + (after - before) / 2
            if _offset(clock, middle) == offset:
                before = middle
            else:
                after = middle
        yield after.replace(microsecond=0)


def _offset(clock: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(clock).utcoffset()


@lru_cache(maxsize=1024)
def _keep_the_same_time(zones: Collection[str]) -> bool:
    """Whether the clocks of all zones agree in every month of these years."""
    try:
        clocks = [ZoneInfo(zone) for zone in zones]
    except ZoneInfoNotFoundError:
        return False
    moments = [
        datetime(year, month, 15, tzinfo=UTC) for year in (2026, 2036) for month in range(1, 13)
    ]
    return all(len({_offset(clock, at) for clock in clocks}) == 1 for at in moments)
