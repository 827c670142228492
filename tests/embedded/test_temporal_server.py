"""The embedded Temporal server, with the real program."""

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
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


async def test_workflows_run_with_our_search_attributes_and_survive_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A run started before the server was killed is there after it; foreign profiles don't matter."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", "cluster.example:7233")
    monkeypatch.setenv("TEMPORAL_TLS", "true")
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "missing.toml"))
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
