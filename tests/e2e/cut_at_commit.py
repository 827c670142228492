"""A TCP way to PostgreSQL that breaks exactly when a transaction is committed."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Literal
from urllib.parse import parse_qs, urlsplit

Side = Literal["before", "after"]
"""Whether the server gets the COMMIT that is cut off."""


class CutAtCommit:
    """Passes everything on until it is armed; then it cuts one connection, once.

    The connection is the one whose statements carry `mark` (a customer's number, say): it breaks at
    its next COMMIT, which the server gets and carries out (`after`) or never sees (`before`). The
    client learns in either case only that the connection is gone.
    """

    def __init__(self, server: str) -> None:
        """`server` is the path of the server's Unix socket."""
        self._server = server
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._armed: tuple[bytes, Side] | None = None
        self.cut = threading.Event()

    def arm(self, mark: str, side: Side) -> None:
        """Cut the next transaction that names `mark`."""
        self.cut.clear()
        self._armed = (mark.encode(), side)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Take connections while the block runs."""
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield
        finally:
            # Wakes the thread that waits for connections.
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        with client, server, contextlib.suppress(OSError):
            server.connect(self._server)
            back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
            back.start()
            self._watch(client, server)
            back.join()

    def _watch(self, client: socket.socket, server: socket.socket) -> None:
        """From the client to the server, until either ends or the COMMIT comes."""
        marked = False
        while data := client.recv(65536):
            armed = self._armed
            marked = marked or (armed is not None and armed[0] in data)
            if armed is not None and marked and b"COMMIT" in data:
                self._armed = None
                _end(client)
                if armed[1] == "after":
                    server.sendall(data)
                    # The server says so on this side once it is done, to nobody.
                    server.shutdown(socket.SHUT_WR)
                else:
                    _end(server)
                self.cut.set()
                return
            server.sendall(data)
        _end(server)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    _end(target)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def socket_of(database_url: str) -> str:
    """The path of the Unix socket in an embedded stack's database URL."""
    [folder] = parse_qs(urlsplit(database_url).query)["host"]
    return f"{folder}/.s.PGSQL.5432"
