"""What every sendout of the proofs must come to, in one place."""

import time
from typing import Any

from tests.chaos import judge
from tests.chaos.crowd import Crowd
from tests.e2e.business import Sendout
from tests.e2e.patience import PATIENCE, eventually, until

_QUIET = 2.0
"""Seconds after everything is done, for what should not come any more."""


def await_end(sendout: Sendout, crowd: Crowd) -> None:
    """Wait until nothing is pending and what is missing is as much as is shown to be unknown.

    A second more for each customer: slow machines make a few messages per second.
    """

    def look() -> dict[str, Any]:
        crowd.look()
        shown = sendout.read()
        missing = crowd.missing()
        return {
            "progress": shown["progress"],
            "unknown": shown["messages"]["unknown"],
            "missing": sum(map(len, missing.values())),
            "for instance": dict(list(missing.items())[:5]),
            "taps": crowd.is_done_tapping,
        }

    until(
        lambda seen: (
            seen["progress"] == "idle" and seen["taps"] and seen["missing"] == seen["unknown"]
        ),
        look,
        within=PATIENCE + len(crowd.people),
        every=0.4,
    )
    time.sleep(_QUIET)
    crowd.look()


def assert_exact(sendout: Sendout, crowd: Crowd) -> int:
    """Hold ledger, timelines and counts against each other; how many messages are unknown."""
    gaps: int = sendout.read()["messages"]["unknown"]
    known = judge.counted_by_ledger(crowd, gaps)
    # The last statuses may still be on their way.
    eventually(
        lambda: judge.without_unknown(judge.counted_by_the_record(sendout.read())), known, within=30
    )
    entries = judge.read_entries(sendout)
    assert judge.complaints(crowd, entries) == []
    assert sendout.read()["entries"] == judge.entry_counts(crowd)
    assert judge.counted_by_timelines(entries) == judge.counted_by_the_record(sendout.read())
    return gaps
