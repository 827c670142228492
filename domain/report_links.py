"""The daily campaign report as it is offered: its name, and links that open it for a while.

A link needs no API key: whoever has it can read the report until it expires. It is signed with
HMAC-SHA256, under a key that only this installation has (reference/connectly.md section 5.1).
"""

import hashlib
import hmac
import uuid
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

REPORT_NAME = "Daily campaign report"
REPORT_TYPE = "campaign.daily.v1"

LINK_LASTS = timedelta(hours=1)
SECRET = "report links"  # noqa: S105 - its name among the server's secrets, not the secret
LINK_PATH = "/v1/reporting/runs/{run_id}/report.csv"


def report_id(business_id: UUID) -> UUID:
    """The id of a business's daily report: always the same, in the layout of a UUID version 4."""
    digest = hashlib.sha256(f"{business_id} {REPORT_TYPE}".encode()).digest()
    return UUID(bytes=digest[:16], version=4)


class Link(NamedTuple):
    """An address that answers a run's CSV until it expires."""

    url: str
    expires_at: datetime


def link(base_url: str, secret: bytes, run_id: UUID, now: datetime) -> Link:
    """A new link to a run's report, below the address under which the API is reached."""
    expires_at = (now + LINK_LASTS).astimezone(UTC).replace(microsecond=0)
    expires = str(int(expires_at.timestamp()))
    path = LINK_PATH.format(run_id=run_id)
    signature = _signature(secret, str(run_id), expires)
    url = f"{base_url.rstrip('/')}{path}?expires={expires}&signature={signature}"
    return Link(url, expires_at)


def opened_run(secret: bytes, run_id: str, expires: str, signature: str) -> UUID | None:
    """The run that a link names, if the link is one of ours as it was made.

    Whether it has expired is the caller's to say: `expires` is then a number of Unix seconds.
    """
    ours = _signature(secret, run_id, expires)
    same = hmac.compare_digest(ours.encode(), signature.encode("utf-8", "surrogatepass"))
    return uuid.UUID(run_id) if same else None


def _signature(secret: bytes, run_id: str, expires: str) -> str:
    said = f"{run_id}\n{expires}".encode("utf-8", "surrogatepass")
    return hmac.new(secret, said, hashlib.sha256).hexdigest()
