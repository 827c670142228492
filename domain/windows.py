"""Sending windows: when messages nobody waits for may go out (flow.md 2.11).

A window is open while a clock in its zone shows a time from `from` until before `to`, on its days.
One whose `to` is not after its `from` goes over midnight and belongs to the day it opens on. So a
window whose `from` is left out when clocks go forward opens as they do, and an hour that comes twice
when they go back counts both times.

The zone database is a file that changes between releases: this is for activities and requests, never
for workflow code.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import phonenumbers

from domain.flow import Weekday, Window

RECIPIENT: Final = "recipient"
"""Instead of a zone: the one of the customer's number."""

_NOT_THE_COUNTRYS = {"Asia/Urumqi", "Europe/Simferopol"}
"""Zones of which the database knows that they are kept somewhere, but not by their country's law."""

_SPREAD_OVER = 900.0
"""Seconds after an opening in which what has waited for it takes its turns."""
_LOOKED_AT_AGAIN = 3600.0
"""Seconds until a window is looked at again whose zone this machine does not know."""

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


def turn_in(
    window: Window, zone: str, now: datetime, place: float, *, expires_in: float | None = None
) -> float | None:
    """Seconds until a message that waits for the window is to be looked at; None while it is open.

    `place` is for how many seconds its entry had to wait for its start: what has waited goes on at the
    pace in which it was started, which is that of its sender, and not all of it at once. Nobody is
    kept from the window or beyond `expires_in` seconds by that.

    A zone that this machine does not know (the flow was published by a newer release) is closed: no
    message goes out at a wrong hour, and none is lost.
    """
    try:
        opens = opens_in(window, zone, now)
        if opens is None:
            return None
        turn = opens + timedelta(seconds=place % _SPREAD_OVER)
        in_time = expires_in is None or turn.total_seconds() < expires_in
        takes_turn = in_time and opens_in(window, zone, now + turn) is None
        seconds = (turn if takes_turn else opens).total_seconds()
    except ZoneInfoNotFoundError:
        seconds = _LOOKED_AT_AGAIN
    return seconds if expires_in is None else min(seconds, expires_in)


def zone_for(window: Window, number: str, business_zone: str) -> str:
    """The zone whose clock a window goes by, for a customer's number (E.164)."""
    if window.timezone != RECIPIENT:
        return window.timezone
    return zone_of_number(number) or business_zone


def zone_of_number(number: str) -> str | None:
    """The zone of a number's country (E.164), None if it has several or nobody knows the country.

    Zones that keep the same time, like Berlin's and Büsingen's, are one. An area code does not count:
    people keep their numbers when they move.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    countries = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(parsed.country_code or 0, ())
    country = phonenumbers.region_code_for_number(parsed) if len(countries) > 1 else countries[0]
    zones = _zones_of_countries().get(country or "", ())
    return zones[0] if zones and _keep_the_same_time(zones) else None


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


@lru_cache(maxsize=1)
def _zones_of_countries() -> Mapping[str, tuple[str, ...]]:
    """The zones of each country (ISO 3166), the main one first, from the zone database."""
    zones: dict[str, tuple[str, ...]] = {}
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8")
    for line in table.splitlines():
        if not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            if zone not in _NOT_THE_COUNTRYS:
                zones[country] = (*zones.get(country, ()), zone)
    return zones


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
