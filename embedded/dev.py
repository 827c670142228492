"""`sendout dev`: the parts of the embedded stack, put together and run."""

import asyncio
import signal
import sys
from functools import partial
from pathlib import Path

from embedded import postgres, temporal_server
from embedded.environment import part_environment, refuse_beyond_loopback
from embedded.part import Part, Stage, Step
from embedded.ports import require_free
from embedded.processes import PidFiles, end_leftovers, only_one
from embedded.ready import Check, answers_http, answers_sql, answers_tcp
from embedded.supervisor import Supervisor, console, run_until_signal
from settings import Settings

PARTS = ("postgres", "temporal", "simulator", "api", "worker")
# Where `-m cli` is found whatever the user's working directory is.
_ROOT = Path(__file__).resolve().parent.parent


def api_url(settings: Settings) -> str:
    """The API's address for a client on this machine."""
    host = f"[{settings.api_host}]" if ":" in settings.api_host else settings.api_host
    return f"http://{host}:{settings.api_port}"


def stages(settings: Settings) -> tuple[Stage, ...]:
    """Everything `sendout dev` runs, in its order; prepares the data folder.

    The worker comes after the seed, so that `/readyz?all=1`, which asks for a worker, tells the
    world of a stack that is complete.
    """
    env = part_environment(settings)
    url = api_url(settings)
    simulator = _own("simulator", env, answers_tcp(settings.simulator_port))
    api = _own("api", env, answers_http(f"{url}/healthz"))
    worker = _own("worker", env, answers_http(f"{url}/readyz?all=1"), stop_timeout=30)
    return (
        Stage((_postgres_part(settings, env),)),
        Stage((_temporal_part(settings, env), simulator), (_own_step("migrate", env),)),
        Stage((api,), (_retention_step(settings, env),)),
        Stage((), (_own_step("seed", env),)),
        Stage((worker,)),
    )


def _own(name: str, env: dict[str, str], ready: Check, stop_timeout: float = 10) -> Part:
    command = (sys.executable, "-m", "cli", name)
    return Part(
        name=name, command=command, env=env, cwd=_ROOT, ready=ready, stop_timeout=stop_timeout
    )


def _own_step(name: str, env: dict[str, str]) -> Step:
    return Step(name=name, command=(sys.executable, "-m", "cli", name), env=env, cwd=_ROOT)


def _postgres_part(settings: Settings, env: dict[str, str]) -> Part:
    folder = settings.data_dir / "postgres"
    owner = postgres.prepare(folder)
    return Part(
        name="postgres",
        owner=owner,
        command=postgres.command(folder, owner),
        env=env,
        cwd=folder,
        prepare=partial(postgres.make_startable, folder),
        ready=answers_sql(postgres.socket_folder(folder)),
        stop_signal=signal.SIGINT,
        orphan_signal=signal.SIGINT,
    )


def _temporal_part(settings: Settings, env: dict[str, str]) -> Part:
    folder = settings.data_dir / "temporal"
    folder.mkdir(exist_ok=True)
    namespace = settings.temporal_namespace
    return Part(
        name="temporal",
        command=temporal_server.command(
            port=settings.temporal_port, ui_port=settings.temporal_ui_port, namespace=namespace
        ),
        env=temporal_server.environment(env),
        cwd=folder,
        ready=partial(temporal_server.ready, settings.temporal_ui_url, namespace),
    )


def _retention_step(settings: Settings, env: dict[str, str]) -> Step:
    return Step(
        name="retention",
        command=temporal_server.retention_command(
            port=settings.temporal_port, namespace=settings.temporal_namespace
        ),
        env=temporal_server.environment(env),
        cwd=settings.data_dir,
    )


def run(settings: Settings) -> None:
    """Run the whole stack until Ctrl-C or SIGTERM; `settings` are `embedded_settings()`.

    Raises `StackError`, before anything is started, for credentials beyond loopback, a data
    folder in use or an occupied port; later, with everything ended, for a part that fails.
    """
    refuse_beyond_loopback(settings)
    with only_one(settings.data_dir):
        asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    folder = settings.data_dir / "postgres"
    signals = dict.fromkeys(PARTS, signal.SIGKILL) | {"postgres": signal.SIGINT}
    for part in end_leftovers(PidFiles(settings.data_dir / "run"), signals):
        console(f"{part} of an earlier run ended")
    postgres.end_leftovers(folder)
    _require_ports(settings)
    supervisor = Supervisor(stages(settings), settings.data_dir)
    try:
        await run_until_signal(supervisor, ready=partial(_announce, settings))
    finally:
        postgres.forget_socket(folder)


def _require_ports(settings: Settings) -> None:
    loopback = "127.0.0.1"
    require_free(
        {
            "SENDOUT_API_PORT": (settings.api_host, settings.api_port),
            "SENDOUT_SIMULATOR_PORT": (loopback, settings.simulator_port),
            "SENDOUT_TEMPORAL_PORT": (loopback, settings.temporal_port),
            "SENDOUT_TEMPORAL_UI_PORT": (loopback, settings.temporal_ui_port),
        }
    )


def _announce(settings: Settings) -> None:
    console(f"ready: API and Flow Builder {api_url(settings)}")
    console(f"       WhatsApp simulator   {settings.simulator_url}")
    console(f"       Temporal Web UI      {settings.temporal_ui_url}")
