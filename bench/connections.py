"""An HTTP client that costs next to nothing, so that it is the servers that are measured."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Connections:
    """Kept-alive connections to one server; as many as there are requests at once."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._port = port
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, path: str, body: bytes) -> bytes:
        """The body of a 200 answer. Raises `RuntimeError` for any other."""
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        head = (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n{self._headers}\r\n"
        )
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(answer.partition("content-length:")[2].partition("\r\n")[0])
        content = await reader.readexactly(length)
        self._idle.append((reader, writer))
        if not answer.startswith("http/1.1 200"):
            raise RuntimeError(f"{answer}{content.decode()[:500]}")
        return content

    async def close(self) -> None:
        """Close what is idle."""
        for _, writer in self._idle:
            writer.close()


@contextlib.asynccontextmanager
async def connections(port: int, **headers: str) -> AsyncIterator[Connections]:
    """Connections that are closed with the block."""
    made = Connections(port, headers)
    try:
        yield made
    finally:
        await made.close()
