"""The world of the workflow tests, on a server whose runs go on in new histories all the time."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from settings import Settings
from storage.session import Database
from tests.workflows.conftest import make_world, world_settings
from tests.workflows.servers import skipping_server
from tests.workflows.world import World


@pytest.fixture(scope="session")
async def short_histories() -> AsyncIterator[WorkflowEnvironment]:
    """A server with time to skip that suggests a new history after 20 events instead of 4,096."""
    async with await skipping_server("limit.historyCount.suggestContinueAsNew=20") as env:
        yield env


@pytest.fixture
async def world(
    world_settings: Settings,
    short_histories: WorkflowEnvironment,
    database: Database,
    business: None,
    tmp_path: Path,
) -> AsyncIterator[World]:
    """API, worker and simulator, over real HTTP. Nobody settles what is given up after a second.

    A call has as long as the activity around it, so that a slow answer is no unknown outcome.
    """
    settings = world_settings.model_copy(update={"unknown_grace": 1, "http_timeout": 100})
    async with make_world(settings, short_histories, database, tmp_path) as made:
        yield made


__all__ = ["short_histories", "world", "world_settings"]
