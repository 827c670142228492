"""Flow documents, each stored once under the hash of its content (design: section 3)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.session import Database
from storage.tables import flows


def canonical(document: Mapping[str, Any]) -> str:
    """The one spelling of a flow document: JSON with sorted names and no white space.

    Raises `ValueError` for a number that JSON has no word for (NaN, infinity).
    """
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def hash_of(text: str) -> str:
    """The name of a flow that is canonical JSON already."""
    return hashlib.sha256(text.encode()).hexdigest()


def flow_hash(document: Mapping[str, Any]) -> str:
    """A flow's name: SHA-256, in hex, of its canonical JSON in UTF-8."""
    return hash_of(canonical(document))


def behaviour_hash(document: Mapping[str, Any]) -> str:
    """As `flow_hash`, without the `layout`, which never changes behaviour (flow.md section 1)."""
    return flow_hash({name: part for name, part in document.items() if name != "layout"})


async def store_flow(connection: AsyncConnection, document: Mapping[str, Any]) -> str:
    """Keep a flow document and answer its hash; storing the same content again changes nothing."""
    text = canonical(document)
    name = hash_of(text)
    await connection.execute(
        insert(flows).values(flow_hash=name, document=text).on_conflict_do_nothing()
    )
    return name


async def read_flow_document(connection: AsyncConnection, flow_hash: str) -> str | None:
    """The canonical JSON of the flow of that hash, or None if none is stored."""
    found = await connection.scalar(select(flows.c.document).where(flows.c.flow_hash == flow_hash))
    return None if found is None else str(found)


class StoredFlows:
    """Implements `domain.flow_cache.FlowSource`: one short read per flow and process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def flow_document(self, flow_hash: str) -> str | None:
        """The canonical JSON of the flow of that hash, or None if none is stored."""
        async with self._database.transaction() as connection:
            return await read_flow_document(connection, flow_hash)
