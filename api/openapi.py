"""`/openapi.json`: what the framework knows of the routes, and what only we know of them.

Bodies are read by hand and errors are answered in our own two shapes (api.md section 1), so the
framework describes neither. Every status an operation may answer is listed, by rules that hold for
all operations of a kind.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel
from pydantic.json_schema import models_json_schema

from api.errors import FLAT_STATUSES
from api.openapi_examples import example_flows, request_examples
from api.schemas.errors import ErrorAnswer, RpcStatus
from domain.flow import Flow

_REF = "#/components/schemas/"
_SEND = "CampaignService_SendCampaigns"
_THROTTLED = {_SEND, "sendTemplatedMessage", "sendSessionMessage"}

_ERRORS = {
    400: "The request cannot be understood; the message names the field and the fix.",
    401: "The API key (or the signature) is missing, unknown or revoked.",
    403: "A good key, but not of this business or without the scope that is needed.",
    404: "There is nothing of that id.",
    409: "The present state does not allow it.",
    413: "The body is too large.",
    422: "The Idempotency-Key was used within 24 hours with another body.",
    429: "Too many requests within one second; repeat after Retry-After seconds.",
    500: "An error of the server's own; its log has it under `cntTraceId`.",
    503: "The database cannot be reached; nothing was done. Repeat after Retry-After seconds.",
}

TAGS = (
    ("send", "Send campaigns, or single messages, to customers."),
    ("campaigns", "Campaigns, their drafts and versions; trying them out."),
    ("sendouts", "How sendouts stand, and the levers on them."),
    ("imports", "Sendouts from CSV files."),
    ("entries", "What became of each customer, and why."),
    ("customers", "A customer across all sendouts."),
    ("opt-outs", "Customers who want no marketing."),
    ("channels", "The numbers a business sends from."),
    ("templates", "WhatsApp's templates; those that are not sent for now, and why."),
    ("reports", "What became of every customer, as Connectly's CSV."),
    ("webhooks", "Where a business is told what happens."),
    ("keys", "Who an API key belongs to."),
    ("WhatsApp", "What WhatsApp calls."),
    ("operations", "Whether this process and the whole stack can work."),
)


def operation_id(route: APIRoute) -> str:
    """The name of an operation: its function's, in camelCase."""
    return to_camel(route.name)


def describe(app: FastAPI) -> dict[str, Any]:
    """The description of `app`, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=[{"name": name, "description": said} for name, said in TAGS],
        )
        _add_error_schemas(document)
        _add_flow_schema(document)
        for path, operation in _operations(document):
            _add_errors(path, operation)
            _refer_to_flow(operation)
            _add_examples(operation)
        app.openapi_schema = document
    return app.openapi_schema


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation


def _add_error_schemas(document: dict[str, Any]) -> None:
    models = [(model, "serialization") for model in (ErrorAnswer, RpcStatus)]
    _, schemas = models_json_schema(models, ref_template=_REF + "{model}")  # type: ignore[arg-type]
    components = document["components"]["schemas"]
    components |= schemas["$defs"]
    # The framework answers 422 with these; we do not.
    components.pop("HTTPValidationError", None)
    components.pop("ValidationError", None)


def _add_flow_schema(document: dict[str, Any]) -> None:
    """The flow document as a component, from the models that read it."""
    models = [(Flow, "validation")]
    _, schemas = models_json_schema(models, ref_template=_REF + "{model}")  # type: ignore[arg-type]
    components = document["components"]["schemas"]
    if taken := components.keys() & schemas["$defs"].keys():
        raise TypeError(f"two schemas have one name: {', '.join(sorted(taken))}")
    components |= schemas["$defs"]
    components[Flow.__name__]["examples"] = list(example_flows().values())


def _refer_to_flow(operation: dict[str, Any]) -> None:
    """Say of a body's `flow` that it is a flow; routes read it by hand, for issues with paths."""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = body.get("schema", {})
    if "flow" in schema.get("properties", {}):
        flow: dict[str, Any] = {"$ref": _REF + Flow.__name__}
        if "flow" not in schema.get("required", ()):
            flow = {"anyOf": [flow, {"type": "null"}], "default": None}
        schema["properties"]["flow"] = flow


def _add_errors(path: str, operation: dict[str, Any]) -> None:
    responses: dict[str, Any] = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    for status in _statuses(path, operation):
        known = responses.setdefault(str(status), {"description": _ERRORS[status]})
        known.setdefault("content", _error_content(status))
    if operation["operationId"] == _SEND:
        responses["default"] = {"description": "Any other error."} | {"content": _error_content(0)}
    operation["responses"] = dict(sorted(responses.items()))


def _statuses(path: str, operation: dict[str, Any]) -> set[int]:
    """The errors an operation may answer."""
    parameters = operation.get("parameters", [])
    statuses = {500}
    if operation["tags"] == ["operations"]:
        return statuses | ({400} if parameters else set())
    statuses.add(503)
    if operation["operationId"] in {"verifyWebhook", "downloadReport"}:
        return statuses | {403}
    statuses.add(401)
    if "requestBody" in operation:
        statuses |= {413}
    if path.startswith("/v1/businesses/"):
        statuses |= {400, 403, 404}
        statuses |= {409} if operation["responses"].keys() and _changes(operation) else set()
    if any(p["name"] == "Idempotency-Key" for p in parameters):
        # Its body counts as part of the request's identity, also where none is read.
        statuses |= {409, 413, 422}
    return statuses | ({429} if operation["operationId"] in _THROTTLED else set())


def _changes(operation: dict[str, Any]) -> bool:
    return not operation["operationId"].startswith(("list", "read"))


def _error_content(status: int) -> dict[str, Any]:
    name = ErrorAnswer.__name__ if status in FLAT_STATUSES else RpcStatus.__name__
    return {"application/json": {"schema": {"$ref": _REF + name}}}


def _add_examples(operation: dict[str, Any]) -> None:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None:
        body["examples"] = {
            name: {"summary": name, "value": value}
            for name, value in request_examples(operation["operationId"]).items()
        }
