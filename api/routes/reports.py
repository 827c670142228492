"""Campaign reports: the daily one by link, and that of a sendout or campaign (connectly.md section 5)."""

from datetime import datetime
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from api.csv_stream import CSV_ANSWER, CsvStream, csv_answer
from api.deps import AppDatabase, AppParts, CanRead
from api.routes.campaigns import CampaignId
from api.routes.campaigns import found as found_campaign
from api.routes.sendouts import SendoutId
from api.routes.sendouts import found as found_sendout
from api.schemas.reports import LastRun, Report, Reports, RunResult
from domain.errors import PermissionDenied
from domain.report_links import (
    LINK_PATH,
    REPORT_NAME,
    REPORT_TYPE,
    SECRET,
    link,
    opened_run,
    report_id,
)
from storage.businesses import database_time
from storage.campaign_report import Scope
from storage.report_runs import ReportRun, find_run, newest_run
from storage.server_secrets import server_secret

router = APIRouter(tags=["reports"])

_BUSINESS = "/v1/businesses/{businessId}"

ReportType: TypeAlias = Annotated[
    str | None, Query(alias="type", description=f"Only reports of this type: {REPORT_TYPE}.")
]


@router.get(f"{_BUSINESS}/reporting/reports")
async def list_reports(
    request: Request, caller: CanRead, parts: AppParts, report_type: ReportType = None
) -> Reports:
    """The daily report: the newest day (UTC) that is closed, with a link to its CSV."""
    if report_type not in {None, "", REPORT_TYPE}:
        return Reports(data=[])
    base_url = parts.settings.public_url or str(request.base_url)
    async with parts.database.transaction() as connection:
        run = await newest_run(connection, caller.business_id)
        last_run = None if run is None else await _last_run(connection, run, base_url)
    daily = Report(
        id=report_id(caller.business_id), name=REPORT_NAME, type=REPORT_TYPE, last_run=last_run
    )
    return Reports(data=[daily])


async def _last_run(connection: AsyncConnection, run: ReportRun, base_url: str) -> LastRun:
    if run.completed_at is None:
        return LastRun.model_validate({"id": run.run_id, "status": run.state, "result": None})
    secret = await server_secret(connection, SECRET)
    url, expires_at = link(base_url, secret, run.run_id, await database_time(connection))
    result = RunResult(url=url, expires_at=expires_at, created_at=run.completed_at)
    return LastRun.model_validate({"id": run.run_id, "status": run.state, "result": result})


@router.get(
    LINK_PATH.replace("{run_id}", "{runId}"), response_class=StreamingResponse, responses=CSV_ANSWER
)
async def download_report(
    request: Request,
    database: AppDatabase,
    run_id: Annotated[str, Path(alias="runId")],
    expires: str = "",
    signature: str = "",
) -> CsvStream:
    """The CSV of one day of one business, as on record now; the link itself is the permission."""
    async with database.transaction() as connection:
        secret = await server_secret(connection, SECRET)
        opened = opened_run(secret, run_id, expires, signature)
        run = None if opened is None else await find_run(connection, opened)
        now = await database_time(connection)
    if run is None:
        raise PermissionDenied("This is no link of this server, or it was changed on the way.")
    if _is_over(expires, now):
        raise PermissionDenied("The link has expired; GET …/reporting/reports gives a new one.")
    scope = Scope(run.business_id, day=run.day)
    return await csv_answer(request, database, scope, f"campaign-report-{run.day}.csv")


def _is_over(expires: str, now: datetime) -> bool:
    return now.timestamp() >= int(expires)


@router.get(
    f"{_BUSINESS}/sendouts/{{sendoutId}}/report.csv",
    response_class=StreamingResponse,
    responses=CSV_ANSWER,
)
async def read_sendout_report(
    request: Request, caller: CanRead, database: AppDatabase, sendout_id: SendoutId
) -> CsvStream:
    """The documented CSV of one sendout: a row per customer, without duplicates and tests."""
    async with database.transaction() as connection:
        await found_sendout(connection, caller.business_id, sendout_id)
    scope = Scope(caller.business_id, sendout_id=sendout_id)
    return await csv_answer(request, database, scope, f"sendout-{sendout_id}.csv")


@router.get(
    f"{_BUSINESS}/campaigns/{{campaignId}}/report.csv",
    response_class=StreamingResponse,
    responses=CSV_ANSWER,
)
async def read_campaign_report(
    request: Request, caller: CanRead, database: AppDatabase, campaign_id: CampaignId
) -> CsvStream:
    """The documented CSV of all sendouts of a campaign, oldest first: a row per customer in each."""
    async with database.transaction() as connection:
        await found_campaign(connection, caller.business_id, campaign_id)
    scope = Scope(caller.business_id, campaign_id=campaign_id)
    return await csv_answer(request, database, scope, f"campaign-{campaign_id}.csv")
