"""What the Flow Builder knows of the API and of flows: `builder/api.json`, and WhatsApp's limits.

`npm run types` makes TypeScript of the first. Descriptions are left out, so that better words in a
docstring do not make the front end stale; a test compares the files with the code.
"""

import json
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from api.app import create_app
from domain import limits
from settings import Settings
from storage.session import Database

FILE = Path(__file__).with_name("api.json")
LIMITS_FILE = Path(__file__).parent / "src" / "flow" / "limits.json"

ANSWERS = (
    "Campaign",
    "Channel",
    "Customer",
    "Draft",
    "EnteredOptOuts",
    "EntryWithTimeline",
    "FrozenFlow",
    "Import",
    "Me",
    "OptedOutCustomer",
    "Published",
    "Sendout",
    "SendoutError",
    "SimulationResult",
    "StartedTest",
    "TemplateGroups",
    "Version",
)
"""The answers that the pages read; what they are made of comes along, and so does the flow."""


def limits_text() -> str:
    """The numbers of `domain.limits`: `LONGEST_REPLY_TITLE` as `longestReplyTitle`."""
    named = {
        to_camel(name.lower()): value
        for name, value in vars(limits).items()
        if name.startswith(("LONGEST_", "MOST_"))
    }
    return json.dumps(named, indent=2) + "\n"


def text() -> str:
    """The document as the file holds it."""
    schemas = _api()["components"]["schemas"]
    answers: dict[str, Any] = {}
    for name in ANSWERS:
        _take(name, schemas, answers)
    for schema in answers.values():
        # An answer has all its fields, also those with a default.
        schema["required"] = sorted(schema.get("properties", {}))
    flow: dict[str, Any] = {}
    _take("Flow", schemas, flow)
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Sendout", "version": "1.0"},
        "paths": {},
        "components": {"schemas": _bare(answers | flow)},
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _api() -> dict[str, Any]:
    """`/openapi.json`, made without a database."""
    nowhere = "postgresql+asyncpg://localhost:1/none"
    nothing: Any = None
    app = create_app(
        Settings(database_url=nowhere),
        Database(nowhere),
        pokes=nothing,
        signals=nothing,
        temporal=nothing,
    )
    return app.openapi()


def _take(name: str, schemas: dict[str, Any], chosen: dict[str, Any]) -> None:
    """Copy a schema and those it refers to."""
    if name not in chosen:
        chosen[name] = schemas[name]
        for reference in _references(schemas[name]):
            _take(reference, schemas, chosen)


def _references(node: object) -> list[str]:
    if isinstance(node, list):
        return [name for item in node for name in _references(item)]
    if not isinstance(node, dict):
        return []
    own = [str(node["$ref"]).rpartition("/")[2]] if "$ref" in node else []
    return own + [name for item in node.values() for name in _references(item)]


def _bare(node: Any, *, names: bool = True) -> Any:
    """Without words for people; `names` says that the keys are names, not keywords of a schema."""
    if isinstance(node, list):
        return [_bare(item, names=False) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _bare(value, names=not names and key in {"properties", "$defs", "mapping"})
        for key, value in node.items()
        if names or key not in {"description", "title", "example", "examples"}
    }


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    LIMITS_FILE.write_text(limits_text(), encoding="utf-8")
