"""The API's description, made without a database."""

from typing import Any, cast

from api.app import create_app
from domain.ports import Pokes, Signals, TemporalHealth
from settings import Settings
from storage.session import Database

_NOWHERE = "postgresql+asyncpg://localhost:1/none"


def description() -> dict[str, Any]:
    """The document that `/openapi.json` answers."""
    nothing: Any = None
    app = create_app(
        Settings(database_url=_NOWHERE),
        Database(_NOWHERE),
        pokes=cast("Pokes", nothing),
        signals=cast("Signals", nothing),
        temporal=cast("TemporalHealth", nothing),
    )
    return app.openapi()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every operation as (method, path, description)."""
    return [
        (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def operation_ids() -> list[str]:
    """The names of all operations, in the order of their description."""
    return [operation["operationId"] for _, _, operation in operations(description())]
