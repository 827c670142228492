"""The embedded PostgreSQL, with the real server."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from embedded import postgres
from embedded.errors import StackError
from embedded.processes import alive
from tests.embedded.conftest import eventually


async def sql(url: str, *statements: str) -> object:
    """The scalar result of the last statement, through the driver the application uses."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        for statement in statements:
            result = await connection.execute(text(statement))
    await engine.dispose()
    return result.scalar() if result.returns_rows else None


def postmaster(folder: Path) -> int:
    return int((folder / "postmaster.pid").read_text().splitlines()[0])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared data folder that tests may start and kill, one after the other."""
    folder = tmp_path_factory.mktemp("pg") / "postgres"
    postgres.prepare(folder)
    return folder


async def test_what_was_committed_is_there_after_a_stop_and_a_start(made: Path):
    """A server stopped cleanly comes back with its rows, safe settings and a plain collation."""
    with postgres.running_postgres(made) as url:
        await sql(url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)")
        assert await sql(url, "SHOW fsync") == "on"
        assert await sql(url, "SHOW listen_addresses") == ""
        pid = postmaster(made)
    assert not alive(pid)
    with postgres.running_postgres(made) as url:
        assert await sql(url, "SELECT n FROM kept") == 7
        assert await sql(url, "SELECT lower('ÀÉ')") == "àé"


async def test_it_comes_back_after_every_sigkill(made: Path):
    """Killed again and again, it starts at the first try and has every committed row."""
    for n in range(3):
        with postgres.running_postgres(made) as url:
            await sql(url, f"CREATE TABLE killed_{n} ()")
            killed = postmaster(made)
            os.kill(killed, signal.SIGKILL)
            eventually(lambda: not alive(killed))  # noqa: B023 - used at once
    with postgres.running_postgres(made) as url:
        assert await sql(url, "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'killed%'") == 3


def test_a_pid_file_that_names_a_living_stranger_does_not_stop_it(made: Path):
    """After a crash of the machine the recorded process id may be somebody else's."""
    with postgres.running_postgres(made):
        lines = (made / "postmaster.pid").read_text().splitlines()
    stranger = subprocess.Popen(["sleep", "60"], user=made.owner())
    try:
        (made / "postmaster.pid").write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        with postgres.running_postgres(made) as url:
            assert asyncio.run(sql(url, "SELECT 1")) == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_second_server_on_the_same_folder_is_refused(made: Path):
    """Two servers on one folder would destroy it; the first goes on undisturbed."""
    with postgres.running_postgres(made) as url:
        with pytest.raises(StackError, match="another PostgreSQL runs on"):
            postgres.make_startable(made)
        assert asyncio.run(sql(url, "SELECT 1")) == 1


def test_an_orphan_is_found_without_any_pid_file(made: Path):
    """A server that outlived its supervisor is ended by the folder it works in."""
    code = (
        "import sys, time; from pathlib import Path; from embedded import postgres\n"
        "with postgres.running_postgres(Path(sys.argv[1])): print('up', flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(made)], stdout=subprocess.PIPE, cwd=Path.cwd()
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"up\n"
    pid = postmaster(made)
    os.kill(pid, signal.SIGSTOP)  # so that it can't follow its parent by itself
    parent.kill()
    parent.wait()
    parent.stdout.close()
    os.kill(pid, signal.SIGCONT)
    postgres.end_leftovers(made)
    assert not alive(pid)


@pytest.mark.parametrize("name", ["x" * 120, "has space, 'quotes' & ü%"], ids=["long", "odd"])
def test_any_path_will_do(tmp_path: Path, name: str):
    """Paths too long for a socket, or with characters that mean something elsewhere, work."""
    folder = tmp_path / name / "postgres"
    with postgres.running_postgres(folder) as url:
        assert asyncio.run(sql(url, "SELECT 1")) == 1
        assert (folder / ".s.PGSQL.5432").is_socket()
    assert not os.path.lexists(str(make_url(url).query["host"]))


@pytest.mark.parametrize("mode", [0o700, 0o755], ids=["closed", "open"])
def test_permissions_of_the_folders_above_stay_as_they_are(tmp_path: Path, mode: int):
    """Root's server runs as another user, and yet needs no way opened to its folder."""
    above = tmp_path / "above"
    above.mkdir(mode)
    with postgres.running_postgres(above / "postgres") as url:
        assert asyncio.run(sql(url, "CREATE TABLE t AS SELECT 1 AS n", "SELECT n FROM t")) == 1
        assert stat.S_IMODE(above.stat().st_mode) == mode
        assert stat.S_IMODE((above / "postgres").stat().st_mode) == 0o700


def test_a_half_made_folder_is_made_again(tmp_path: Path):
    """What an interrupted first start left is never taken for a database."""
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with postgres.running_postgres(tmp_path / "postgres"):
        assert not half.exists()
