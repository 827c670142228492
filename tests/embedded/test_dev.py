"""The real PostgreSQL and Temporal under the supervisor, as `sendout dev` runs them."""

import socket
from pathlib import Path

import pytest

from embedded import dev
from embedded.environment import embedded_settings
from embedded.errors import StackError
from embedded.ports import free_ports
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
