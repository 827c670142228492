"""The list of reports, as Connectly documents it (reference/connectly.md section 5.1)."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from api.schemas.common import Schema


class RunResult(Schema):
    """Where the CSV is: a plain GET of `url` answers it, without an API key, until `expiresAt`."""

    url: str
    expires_at: datetime
    created_at: datetime


class LastRun(Schema):
    """The newest completed run; while none is completed, the newest, without a result."""

    id: UUID
    status: Literal["processing", "completed", "failed"]
    result: RunResult | None


class Report(Schema):
    """A report of the business; `lastRun` is null before its first day is over."""

    id: UUID
    name: str
    type: str
    last_run: LastRun | None


class Reports(Schema):
    """The reports of the type asked for, all without one."""

    data: list[Report]
