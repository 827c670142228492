"""Free and occupied TCP ports on this machine."""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path

from embedded.errors import StackError

# Below every system's ephemeral range, so that no outgoing connection takes a port of a part
# that is down for a moment.
_RANGE = range(20_000, 32_000)
_reserved: dict[int, int] = {}
"""The descriptors that hold the locks, by port; the kernel lets them go when this process ends."""


def _is_free(port: int, host: str = "127.0.0.1") -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Connections of a stack that just ended may linger; they don't hinder a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def require_free(addresses: Mapping[str, tuple[str, int]]) -> None:
    """Raise `StackError` naming every setting whose (host, port) can't be listened on."""
    problems = []
    seen: dict[int, str] = {}
    for setting, (host, port) in addresses.items():
        if not 0 < port < 65_536:
            problems.append(f"{setting} is {port}, which is no port")
        elif port in seen:
            problems.append(f"{setting} and {seen[port]} are both {port}")
        elif not _is_free(port, host):
            problems.append(f"port {port} ({setting}) is already in use")
        seen[port] = setting
    if problems:
        raise StackError(
            "; ".join(problems) + ": stop what listens there, or set the setting to a free port"
        )


def free_ports(count: int) -> list[int]:
    """`count` free ports that no other call of this user gets while this process lives.

    Raises `StackError` when there are not enough.
    """
    found: list[int] = []
    for port in random.sample(_RANGE, len(_RANGE)):
        if len(found) == count:
            break
        if port not in _reserved and _reserve(port):
            found.append(port)
    if len(found) < count:
        raise StackError(f"no {count} free ports from {_RANGE.start} to {_RANGE.stop - 1}")
    return found


def _reserve(port: int) -> bool:
    """Lock the port among our own processes, then look whether it is free for real."""
    folder = Path(tempfile.gettempdir()) / f"sendout-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / str(port), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    if not _is_free(port):
        os.close(descriptor)
        return False
    _reserved[port] = descriptor
    return True
