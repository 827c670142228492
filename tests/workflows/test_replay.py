"""Runs of earlier releases go on under today's code: recorded histories replay without a difference."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from domain.flow_cache import FLOWS
from settings import Settings
from temporal import WORKFLOWS, workflow_runner
from tests.histories import record, record_deliveries
from workflows.converter import data_converter

HISTORIES = Path(__file__).parent.parent / "histories"


class FlowsOf:
    """The flows that stand beside a recorded history."""

    def __init__(self, documents: dict[str, object]) -> None:
        self._documents = documents

    async def flow_document(self, flow_hash: str) -> str | None:
        document = self._documents.get(flow_hash)
        return None if document is None else json.dumps(document)


@pytest.mark.parametrize(
    ("kind", "shapes"), [("run", record.SHAPES), ("webhook", record_deliveries.SHAPES)]
)
def test_every_shape_has_a_recorded_history(kind: str, shapes: Sequence[Any]) -> None:
    recorded = {file.name for file in HISTORIES.glob(f"{kind}.*.json")}
    assert recorded >= {f"{kind}.{shape.__name__}.json" for shape in shapes}


@pytest.mark.parametrize("sandbox", ["full", "passthrough"])
@pytest.mark.parametrize(
    "file", sorted(HISTORIES.glob("*.json")), ids=lambda file: file.stem.removeprefix("run.")
)
async def test_a_recorded_run_replays(file: Path, sandbox: str) -> None:
    """With the stock sandbox and with the one of production."""
    recorded = json.loads(file.read_text())
    source = FlowsOf(recorded["flows"])
    for flow_hash in recorded["flows"]:
        await FLOWS.load(flow_hash, source)
    settings = Settings(workflow_sandbox="full" if sandbox == "full" else "passthrough")
    replayer = Replayer(
        workflows=list(WORKFLOWS),
        data_converter=data_converter(source),
        workflow_runner=workflow_runner(settings),
    )
    history = WorkflowHistory.from_json(recorded["workflowId"], recorded["history"])
    await replayer.replay_workflow(history)
