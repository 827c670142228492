"""The daily reports on the real server: the schedule, the days that are closed, and the event."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, text
from temporalio.exceptions import ApplicationError

from settings import Settings
from storage.report_runs import ReportRuns
from storage.webhook_tables import webhooks
from temporal import schedule_daily_reports
from tests.record import BUSINESS
from tests.workflows.flows import offer
from tests.workflows.world import World, eventually
from workflows import messages


async def query(world: World, statement: str) -> list[tuple[Any, ...]]:
    async with world.database.transaction() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


async def change(world: World, statement: str) -> None:
    async with world.database.transaction() as connection:
        await connection.execute(text(statement))


async def yesterday_was_busy(world: World) -> None:
    """Somebody was sent something, a day before now; a webhook wants to hear of reports."""
    ana = await world.send(await world.publish(offer()), "+16045550021")
    await ana.gets("Welcome")
    await ana.delivered("welcome")
    await change(world, "UPDATE messages SET accepted_at = accepted_at - interval '1 day'")
    async with world.database.transaction() as connection:
        await connection.execute(
            insert(webhooks).values(
                webhook_id=uuid4(), business_id=BUSINESS, topic="report", type="custom",
                address="https://shop.example.com/reports", secret="s", filters=[],
            )
        )  # fmt: skip


async def close_days(world: World, settings: Settings) -> None:
    """One run of the workflow, as the schedule starts it."""
    await world.client.execute_workflow(
        messages.DAILY_REPORTS_WORKFLOW,
        id=f"daily-reports-{uuid4()}",
        task_queue=settings.task_queue,
        execution_timeout=timedelta(seconds=120),
    )


async def test_a_day_that_is_over_is_closed_and_announced_once(
    world: World, world_settings: Settings
) -> None:
    await yesterday_was_busy(world)

    await close_days(world, world_settings)
    await close_days(world, world_settings)

    ((run_id, state),) = await query(world, "SELECT run_id, state FROM report_runs")
    assert state == "completed"
    ((kind, key, told),) = await query(world, "SELECT kind, key, details FROM webhook_events")
    assert (kind, key) == ("report", str(run_id))
    assert (told["name"], told["type"]) == ("Daily campaign report", "campaign.daily.v1")
    last_run = told["last_run"]
    assert (last_run["id"], last_run["status"]) == (str(run_id), "completed")
    assert set(last_run["result"]) == {"url", "expires_at", "created_at"}
    path = last_run["result"]["url"].removeprefix(world_settings.api_url)
    listed = await world.api.get("/reporting/reports")
    assert listed.json()["data"][0]["lastRun"]["id"] == str(run_id)
    opened = await world.api.get(f"http://{world.api.base_url.netloc.decode()}{path}")
    assert "+16045550021" in opened.text


async def test_a_run_that_cannot_be_completed_is_failed_and_tried_the_next_day(
    world: World, world_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await yesterday_was_busy(world)
    complete = ReportRuns.complete_run
    calls = []

    async def breaks(self: ReportRuns, run_id: Any) -> None:
        calls.append(run_id)
        raise ApplicationError("it never can", non_retryable=True)

    monkeypatch.setattr(ReportRuns, "complete_run", breaks)
    await close_days(world, world_settings)
    assert await query(world, "SELECT state FROM report_runs") == [("failed",)]
    assert len(calls) == 1

    monkeypatch.setattr(ReportRuns, "complete_run", complete)
    await close_days(world, world_settings)
    assert await query(world, "SELECT state FROM report_runs") == [("completed",)]


async def test_the_schedule_is_made_once_and_closes_days(
    world: World, world_settings: Settings
) -> None:
    await yesterday_was_busy(world)
    try:
        await schedule_daily_reports(world.client, world_settings)
        await schedule_daily_reports(world.client, world_settings)
        handle = world.client.get_schedule_handle(messages.DAILY_REPORTS_ID)
        (when,) = (await handle.describe()).schedule.spec.calendars
        assert ([r.start for r in when.hour], [r.start for r in when.minute]) == ([0], [10])
        await handle.trigger()

        async def states() -> list[tuple[Any, ...]]:
            return await query(world, "SELECT state FROM report_runs")

        await eventually(states, [("completed",)])
    finally:
        await world.client.get_schedule_handle(messages.DAILY_REPORTS_ID).delete()
