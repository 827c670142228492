"""The memory of a campaign report: a million rows against ten thousand.

Both are downloaded from one API process, the short one first, so that what importing and the first
download cost is in both figures. Promise: constant memory, the peak grows by less than a tenth.
"""

import time

from bench.installation import Installation, installation
from tests.api.long_report import fill, lines_and_bytes, peak_of

FEW, MANY = 10_000, 1_000_000


async def main() -> None:
    """Print the peak resident memory of the API process after each, and their ratio."""
    async with installation() as place:
        few = await _peak_after(place, FEW)
        many = await _peak_after(place, MANY)
    print(f"ratio of the peaks {many / few:.3f}")


async def _peak_after(place: Installation, rows: int) -> int:
    sendout_id = await fill(place.database, rows)
    began = time.perf_counter()
    lines, size = await lines_and_bytes(place.http, f"/sendouts/{sendout_id}/report.csv")
    took = time.perf_counter() - began
    if lines != rows + 1:
        raise RuntimeError(f"{lines} lines for {rows} rows")
    peak = peak_of(place.api_process)
    print(
        f"{rows:,} rows: {size / 1e6:,.0f} MB in {took:.0f} s, "
        f"peak of the API process {peak / 1e6:.1f} MB"
    )
    return peak
