"""The embedded Temporal server, with the real program."""

import os
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from embedded.temporal_server import SEARCH_ATTRIBUTES, program, running_temporal


@workflow.defn
class Nap:
    @workflow.run
    async def run(self, seconds: float) -> str:
        await workflow.sleep(timedelta(seconds=seconds))
        return "rested"


def test_the_program_is_the_wheels_own():
    """Not a wrapper: its process is the server, so its process id is the part's."""
    with program().open("rb") as file:
        assert file.read(4) in {b"\x7fELF", b"\xcf\xfa\xed\xfe"}


async def test_workflows_run_with_our_search_attributes_and_survive_a_restart(tmp_path: Path):
    """A run started before a stop of the server is there after it, found by its attributes."""
    key = SearchAttributeKey.for_keyword(SEARCH_ATTRIBUTES[0])
    with running_temporal(tmp_path / "temporal") as address:
        client = await Client.connect(address)
        run = await client.start_workflow(
            Nap.run,
            0.5,
            id=f"nap-{uuid.uuid4()}",
            task_queue="naps",
            search_attributes=TypedSearchAttributes([SearchAttributePair(key, "b1")]),
        )
    with running_temporal(tmp_path / "temporal") as address:
        client = await Client.connect(address)
        async with Worker(
            client,
            task_queue="naps",
            workflows=[Nap],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            assert await client.get_workflow_handle(run.id).result() == "rested"
            queue = await client.workflow_service.describe_task_queue(
                DescribeTaskQueueRequest(
                    namespace="default", task_queue=TaskQueue(name="naps"), report_config=True
                )
            )
            assert queue.pollers


@pytest.mark.skipif("TEMPORAL_ADDRESS" in os.environ, reason="the variable is already in use")
async def test_the_users_own_temporal_settings_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A profile meant for a real cluster neither breaks nor redirects the embedded server."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", "cluster.example:7233")
    monkeypatch.setenv("TEMPORAL_TLS", "true")
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "missing.toml"))
    with running_temporal(tmp_path / "temporal") as address:
        assert (await Client.connect(address)).namespace == "default"
