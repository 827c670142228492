"""The world of the workflow tests, on a server whose runs go on in new histories all the time."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from embedded.temporal_server import program
from settings import Settings
from storage.session import Database
from tests.workflows.conftest import World, make_world, world_settings
from workflows import messages


@pytest.fixture(scope="session")
async def short_histories() -> AsyncIterator[WorkflowEnvironment]:
    """A server with time to skip that suggests a new history after 20 events instead of 4,096."""
    dynamic = (
        "frontend.WorkflowTimeSkippingEnabled=true",
        'history.timerProcessorMaxTimeShift="1ms"',
        "frontend.WorkflowTimeSkippingMaxSkipPerSession=10000",
        "limit.historyCount.suggestContinueAsNew=20",
    )
    env = await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=str(program()),
        search_attributes=list(messages.SEARCH_ATTRIBUTES),
        ts_config=TimeSkippingConfig(enabled=False),
        dev_server_log_level="error",
        dev_server_extra_args=[
            part for value in dynamic for part in ("--dynamic-config-value", value)
        ],
    )
    async with env:
        yield env


@pytest.fixture
async def world(
    world_settings: Settings,
    short_histories: WorkflowEnvironment,
    database: Database,
    business: None,
    tmp_path: Path,
) -> AsyncIterator[World]:
    """API, worker and simulator, over real HTTP. Nobody settles what is given up after a second."""
    settings = world_settings.model_copy(update={"unknown_grace": 1})
    async with make_world(settings, short_histories, database, tmp_path) as made:
        yield made


__all__ = ["short_histories", "world", "world_settings"]
