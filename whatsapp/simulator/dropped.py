"""Hanging up on a client instead of answering."""

import asyncio

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_TRANSPORT = "transport"


class HangUpProtocol(H11Protocol):
    """Uvicorn's HTTP/1.1 protocol; it also tells the application the connection's transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # Becomes `scope["state"]` of every request on this connection.
        self.app_state = {**self.app_state, _TRANSPORT: transport}


class DroppedConnection(Response):
    """Closes the connection without a byte of answer; needs `HangUpProtocol`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"][_TRANSPORT].close()
        # The server counts the request as over once it has seen the disconnect itself.
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        except ClientDisconnect:
            return
