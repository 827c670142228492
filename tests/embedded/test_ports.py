"""Free ports for several stacks on one machine."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.errors import StackError
from embedded.ports import free_ports, require_free


def test_ports_are_free_and_never_given_twice():
    """Two calls of one process share no port, and each can be listened on."""
    ports = free_ports(20) + free_ports(20)
    assert len(set(ports)) == 40
    require_free({f"SETTING_{port}": ("127.0.0.1", port) for port in ports})


def test_another_process_gets_other_ports():
    """What this process was given stays reserved although nothing listens yet."""
    mine = set(free_ports(50))
    code = "from embedded.ports import free_ports; print(*free_ports(2000))"
    theirs = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert mine.isdisjoint(int(port) for port in theirs.stdout.split())


def test_occupied_and_doubled_ports_are_named_with_their_settings():
    """One message tells of every unusable port."""
    free = free_ports(1)[0]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError) as refusal:
            require_free(
                {
                    "SENDOUT_API_PORT": ("127.0.0.1", port),
                    "SENDOUT_TEMPORAL_PORT": ("127.0.0.1", free),
                    "SENDOUT_TEMPORAL_UI_PORT": ("127.0.0.1", free),
                    "SENDOUT_SIMULATOR_PORT": ("127.0.0.1", 70_000),
                }
            )
    assert f"port {port} (SENDOUT_API_PORT) is already in use" in str(refusal.value)
    assert f"SENDOUT_TEMPORAL_UI_PORT and SENDOUT_TEMPORAL_PORT are both {free}" in str(
        refusal.value
    )
    assert "SENDOUT_SIMULATOR_PORT is 70000, which is no port" in str(refusal.value)
