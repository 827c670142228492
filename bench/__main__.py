"""`make bench`: performance claims, each a ratio of two arms measured side by side in one run.

`python -m bench [name …]` runs some of them. These machines are shared and noisy: read the median
ratio, not the seconds.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from bench import accept_batch, accept_single, accept_stored, report, webhooks

BENCHES: dict[str, Callable[[], Awaitable[None]]] = {
    "accept_batch": accept_batch.main,
    "accept_single": accept_single.main,
    "accept_stored": accept_stored.main,
    "report": report.main,
    "webhooks": webhooks.main,
}


def main() -> None:
    """Run the named benches, or all."""
    names = sys.argv[1:] or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        sys.exit(f"no bench is named {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    for name in names:
        print(f"--- {name}: {BENCHES[name].__module__}")
        asyncio.run(BENCHES[name]())


main()
