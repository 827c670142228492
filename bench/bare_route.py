"""The least an accepting endpoint could do: validate, insert, commit. A floor for `accept_single`."""

import sys
from typing import Any
from uuid import uuid4

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import text

from storage.session import Database


class Entry(BaseModel):
    """An entry as documented."""

    client: str
    campaignName: str  # noqa: N815 the wire's own spelling
    sender: str | None = None
    variables: dict[str, Any] = {}
    campaignVersion: str | None = None  # noqa: N815


class Request(BaseModel):
    """A request as documented."""

    entries: list[Entry]


def main() -> None:
    """Serve `POST /entries` on the given port."""
    url, port = sys.argv[1], int(sys.argv[2])
    app = FastAPI()
    database = Database(url)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        async with database.transaction() as connection:
            await connection.execute(
                text(
                    "CREATE TABLE IF NOT EXISTS bare (id uuid PRIMARY KEY, client text, body text)"
                )
            )
        return {}

    @app.post("/entries")
    async def entries(request: Request) -> dict[str, int]:
        entry = request.entries[0]
        async with database.transaction() as connection:
            await connection.execute(
                text("INSERT INTO bare VALUES (:id, :client, :body)"),
                {"id": uuid4(), "client": entry.client, "body": entry.model_dump_json()},
            )
        return {"accepted": 1}

    # Idle connections are kept as long as ours.
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,
    )


main()
