"""A worker's own metrics, from Temporal's SDK."""

import httpx
import pytest
from pydantic import ValidationError
from temporalio.testing import WorkflowEnvironment

from embedded.ports import free_ports
from settings import Settings
from storage.flows import StoredFlows
from storage.session import Database
from temporal import connect_patiently, metrics_runtime


async def test_a_worker_serves_them_where_the_setting_says(
    time_skipping: WorkflowEnvironment, postgres_url: str
) -> None:
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    server = time_skipping.client.service_client.config.target_host
    settings = Settings(temporal_address=server, worker_metrics_address=address)
    async with (
        Database(postgres_url) as database,
        httpx.AsyncClient(trust_env=False, timeout=60) as http,
    ):
        client = await connect_patiently(settings, StoredFlows(database), metrics_runtime(settings))
        await client.service_client.check_health()
        answer = await http.get(f"http://{address}/metrics")
    assert "temporal_request" in answer.text


def test_none_are_served_unless_asked_for() -> None:
    assert metrics_runtime(Settings()) is None


@pytest.mark.parametrize("address", ["9464", "localhost:", "here there:1"])
def test_an_address_has_a_host_and_a_port(address: str) -> None:
    with pytest.raises(ValidationError, match="worker_metrics_address"):
        Settings(worker_metrics_address=address)
