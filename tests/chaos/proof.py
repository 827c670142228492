"""What every sendout of the proofs must come to, in one place."""

import time
from collections import Counter
from typing import Any

from tests.chaos import judge
from tests.chaos.crowd import Crowd
from tests.e2e.business import Sendout
from tests.e2e.patience import PATIENCE, eventually

_QUIET = 2.0
"""Seconds after everything is done, for what should not come any more."""


def await_end(sendout: Sendout, crowd: Crowd, *, resends: bool = False) -> None:
    """Wait until nothing is pending and, node by node, as many are missing as are shown as unknown.

    If the stack `resends`, no message stays unknown: the reply to a late tap, too, of which nothing is
    pending in its entry, is sent in the end. What is missing for good is left to the verdict, which
    names it. A second more for each customer: slow machines make a few messages per second.
    """

    def look() -> dict[str, Any]:
        crowd.look()
        shown = sendout.read()
        unknown = Counter({node: given["unknown"] for node, given in shown["nodes"].items()})
        missing = Counter(node for nodes in crowd.missing().values() for node in nodes)
        return {
            "progress": shown["progress"],
            "taps": crowd.is_done_tapping,
            "gaps": unknown == missing and not (resends and unknown.total()),
        }

    done = {"progress": "idle", "taps": True, "gaps": True}
    deadline = time.monotonic() + PATIENCE + len(crowd.people)
    while (seen := look()) != done and time.monotonic() < deadline:
        time.sleep(0.4)
    assert seen | {"gaps": True} == done
    time.sleep(_QUIET)
    crowd.look()


def assert_exact(sendout: Sendout, crowd: Crowd) -> int:
    """Hold ledger, timelines and counts against each other; how many messages are unknown."""
    entries = judge.read_entries(sendout)
    complaints = judge.complaints(crowd, entries)
    assert complaints == [], judge.evidence(complaints, entries)
    gaps: int = sendout.read()["messages"]["unknown"]
    known = judge.counted_by_ledger(crowd, gaps)
    # The last statuses may still be on their way.
    eventually(lambda: judge.without_unknown(judge.counted_by_the_record(sendout.read())), known)
    assert sendout.read()["entries"] == judge.entry_counts(crowd)
    entries = judge.read_entries(sendout)
    assert judge.counted_by_timelines(entries) == judge.counted_by_the_record(sendout.read())
    return gaps
