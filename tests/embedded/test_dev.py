"""The real PostgreSQL and Temporal under the supervisor, as `sendout dev` runs them."""

import asyncio
import os
import signal
import socket
import time
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from embedded import dev
from embedded.environment import embedded_settings
from embedded.errors import StackError
from embedded.part import Stage
from embedded.ports import free_ports
from embedded.supervisor import Supervisor
from embedded.temporal_server import SEARCH_ATTRIBUTES
from settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    api, simulator, temporal, ui = free_ports(4)
    return embedded_settings(
        {},
        data_dir=tmp_path / "data",
        api_port=api,
        simulator_port=simulator,
        temporal_port=temporal,
        temporal_ui_port=ui,
    )


def servers(settings: Settings) -> list[Stage]:
    """The first stage without our own processes."""
    first = dev.stages(settings)[0]
    parts = [part for part in first.parts if part.name in {"postgres", "temporal"}]
    return [Stage(tuple(parts), tuple(step for step in first.steps if step.name == "retention"))]


async def namespace(settings: Settings) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(f"{settings.temporal_ui_url}/api/v1/namespaces/default")


async def back(settings: Settings, part: str, killed: int) -> None:
    """Wait until another process has the part's name and does its work."""
    found = {part.name: part for stage in servers(settings) for part in stage.parts}[part]
    file = settings.data_dir / "run" / f"{part}.pid"
    deadline = time.monotonic() + 20
    while int(file.read_text()) == killed or await found.ready() is not None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_postgres_and_temporal_survive_being_killed(settings: Settings):
    """Each is its own process, comes back after SIGKILL, and Temporal keeps what it was told."""
    lines: list[str] = []
    supervisor = Supervisor(servers(settings), settings.data_dir, say=lines.append)
    try:
        await supervisor.start()
        retention = (await namespace(settings)).json()["config"]["workflowExecutionRetentionTtl"]
        assert retention == "604800s"
        for part in ("postgres", "temporal", "postgres"):
            pid = int((settings.data_dir / "run" / f"{part}.pid").read_text())
            assert psutil.Process(pid).name() == part
            os.kill(pid, signal.SIGKILL)
            await back(settings, part, pid)
        again = (await namespace(settings)).json()["config"]
        assert again["workflowExecutionRetentionTtl"] == "604800s"
        assert set(again["customSearchAttributeAliases"].values()) == set(SEARCH_ATTRIBUTES)
    finally:
        await supervisor.stop()
    assert lines[-2:] == ["temporal stopped", "postgres stopped"]


def test_an_occupied_port_is_named_before_anything_starts(
    settings: Settings,
):
    """The refusal names the port and its setting, and the data folder stays without a database."""
    taken = socket.create_server(("127.0.0.1", settings.temporal_ui_port))
    with (
        taken,
        pytest.raises(StackError, match=f"{settings.temporal_ui_port} .SENDOUT_TEMPORAL_UI_PORT"),
    ):
        dev.run(settings)
    assert not (settings.data_dir / "postgres").exists()


def test_it_refuses_to_listen_beyond_loopback(tmp_path: Path):
    """With credentials that everyone knows, any other address is refused by name."""
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org"):
        with pytest.raises(StackError, match="SENDOUT_API_HOST"):
            dev.run(embedded_settings({}, data_dir=tmp_path / "data", api_host=host))
    assert not (tmp_path / "data").exists()
