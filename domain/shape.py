"""From a JSON document to a `Flow`, or to the list of what is wrong with its shape.

Pydantic reports a mistake once per member of a union and puts the members' names into the path.
Here every mistake becomes one issue, at the path its author knows from the document.
"""

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain import flow, message_types
from domain.document import Document
from domain.flow import FORMAT, Flow
from domain.issues import Issue

UNKNOWN_FIELD: Final = "UNKNOWN_FIELD"
MISSING_FIELD: Final = "MISSING_FIELD"
WRONG_TYPE: Final = "WRONG_TYPE"
INVALID_VALUE: Final = "INVALID_VALUE"
UNKNOWN_TYPE: Final = "UNKNOWN_TYPE"
UNSUPPORTED_FORMAT: Final = "UNSUPPORTED_FORMAT"

MOST_ISSUES: Final = 100
"""Further issues of one document are left out: whoever mends a hundred will ask again."""

Shape = tuple[str, ...]
"""A path with `*` for every id and index, for example `("nodes", "*", "message")`."""


class FlowShapeError(ValueError):
    """The document is no flow; `issues` says why, with paths (flow.md section 1)."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__("; ".join(f"{i.path or 'the document'}: {i.message}" for i in issues[:5]))
        self.issues = issues


class FlowFormatUnsupported(FlowShapeError):
    """The document's `format` is newer than this code (API: CAMPAIGN_VERSION_UNSUPPORTED)."""


def read_flow(document: object) -> Flow:
    """Read a flow from parsed JSON (objects as `dict`, lists as `list`).

    Raises `FlowShapeError` when the document has not the shape of flow.md section 1, and its kind
    `FlowFormatUnsupported` when it was made for a newer server.
    """
    if not isinstance(document, dict):
        raise FlowShapeError([_issue(WRONG_TYPE, "", "a flow is a JSON object")])
    _refuse_newer_format(document.get("format"))
    if unstorable := list(_unstorable(document)):
        raise FlowShapeError(unstorable[:MOST_ISSUES])
    try:
        return Flow.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False)
    raise FlowShapeError(_issues(details))


def _refuse_newer_format(found: object) -> None:
    if isinstance(found, int | float) and found > FORMAT:
        said = f"this server reads flows up to format {FORMAT}: update it, or save in that format"
        raise FlowFormatUnsupported([_issue(UNSUPPORTED_FORMAT, "format", said)])


def _issue(code: str, path: str, message: str) -> Issue:
    return Issue(severity="error", code=code, path=path, message=message)


def _unstorable(document: object) -> Iterator[Issue]:
    """Values that JSON parsers let through and neither PostgreSQL nor WhatsApp can take."""
    pending: list[tuple[str, object]] = [("", document)]
    while pending:
        path, value = pending.pop()
        match value:
            case str() if not _is_storable(value):
                said = "remove the NUL character or half surrogate pair from this text"
                yield _issue(INVALID_VALUE, path, said)
            case float() if not math.isfinite(value):
                yield _issue(INVALID_VALUE, path, "write a finite number")
            case list():
                pending += [(f"{path}.{i}", item) for i, item in reversed([*enumerate(value)])]
            case dict():
                for key, item in reversed(value.items()):
                    if isinstance(key, str) and _is_storable(key):
                        pending.append((f"{path}.{key}" if path else key, item))
                    else:
                        said = "a name in a flow is text without NUL or half surrogate pairs"
                        yield _issue(INVALID_VALUE, path, said)


def _is_storable(text: str) -> bool:
    # `isascii` is a flag on the string, so plain texts cost nothing.
    plain = text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)
    return plain and "\0" not in text


# --- where a field stands ----------------------------------------------------------------------


def _tags(*models: type[Document]) -> dict[str, type[Document]]:
    """The models by the values of their `type`."""
    return {
        tag: model for model in models for tag in get_args(model.model_fields["type"].annotation)
    }


_TAGGED: Final[Mapping[Shape, Mapping[str, type[Document]]]] = {
    ("nodes", "*"): _tags(
        flow.MessageNode,
        flow.DelayNode,
        flow.BranchNode,
        flow.SplitNode,
        flow.AskNode,
    ),
    ("nodes", "*", "message"): _tags(
        message_types.TemplateMessage,
        message_types.TextMessage,
        message_types.MediaMessage,
        message_types.LocationMessage,
        message_types.ButtonsMessage,
        message_types.ListMessage,
        message_types.CtaUrlMessage,
    ),
    ("nodes", "*", "message", "header"): _tags(
        message_types.TextHeader, message_types.MediaHeader, message_types.LocationHeader
    ),
}
"""Where `type` chooses the model. After these places pydantic's paths hold the tag."""

_PLAIN: Final[Mapping[Shape, type[Document]]] = {
    (): Flow,
    ("variables", "*"): flow.Variable,
    ("window",): flow.Window,
    ("nodes", "*", "buttons", "*"): flow.Button,
    ("nodes", "*", "cases", "*"): flow.Case,
    ("nodes", "*", "paths", "*"): flow.Share,
    ("nodes", "*", "message", "url_buttons", "*"): message_types.UrlButton,
    ("nodes", "*", "message", "copy_code"): message_types.CopyCode,
}
"""The other objects with fixed fields."""

_SCALAR = "text, a number, true or false"
_DEGREES = "a number of degrees, or text that holds a variable"
_UNIONS: Final[Mapping[Shape, str]] = {
    ("nodes", "*", "message", "body"): "a list of texts, or an object of named texts",
    ("nodes", "*", "message", "latitude"): _DEGREES,
    ("nodes", "*", "message", "longitude"): _DEGREES,
    ("nodes", "*", "message", "header", "latitude"): _DEGREES,
    ("nodes", "*", "message", "header", "longitude"): _DEGREES,
    ("nodes", "*", "cases", "*", "value"): f"{_SCALAR} (for `in`: a list of them)",
    ("nodes", "*", "cases", "*", "value", "*"): _SCALAR,
    ("variables", "*", "default"): _SCALAR,
}
"""Where several types will do, and which. After these places pydantic's paths hold the member."""


@dataclass(slots=True)
class _Place:
    """One error's place, found by walking pydantic's path without its tags and members."""

    path: str = ""
    shape: Shape = ()
    tag: str | None = None
    """The `type` of the object at `shape`, where one chooses its model."""
    holder: tuple[Shape, str | None] = ((), None)
    """Shape and tag of the object that has the field."""
    entered: list[str] = field(default_factory=list)
    """The paths of the unions whose value was of this member's kind, so the error is inside."""
    misfit: bool = False
    """Whether the value is not of the kind of this member of a union at all."""


def _place(error: ErrorDetails) -> _Place:
    place = _Place()
    steps = [step for step in error["loc"] if step != "[key]"]
    while steps:
        _enter(place, steps.pop(0))
        if place.shape in _TAGGED:
            place.tag = str(steps.pop(0)) if steps else None
        elif steps and _is_union(place):
            steps.pop(0)
            place.misfit = not steps
            place.entered += [place.path] if steps else []
    return place


def _enter(place: _Place, step: int | str) -> None:
    place.holder = (place.shape, place.tag)
    place.path = f"{place.path}.{step}" if place.shape else str(step)
    any_name = isinstance(step, int) or place.shape in {("nodes",), ("variables",)}
    place.shape = (*place.shape, "*" if any_name else str(step))


def _is_union(place: _Place) -> bool:
    # Only a template's body may be of two kinds; every other body is text.
    return place.shape in _UNIONS and (place.shape[-1] != "body" or place.tag == "template")


# --- what is said about it ---------------------------------------------------------------------


def _issues(errors: list[ErrorDetails]) -> list[Issue]:
    """One issue per mistake: of a union's members only the one that the value is meant for."""
    placed = [(error, _place(error)) for error in errors]
    entered = {path for _, place in placed for path in place.entered}
    found: dict[tuple[str, str], Issue] = {}
    for error, place in placed:
        if _is_echo(error) or (place.misfit and place.path in entered):
            continue
        issue = _explain(error, place)
        found.setdefault((issue.path, issue.code), issue)
        if len(found) == MOST_ISSUES:
            break
    return list(found.values())


def _is_echo(error: ErrorDetails) -> bool:
    """A list whose items are all wrong is also called too short; only an empty one is."""
    return error["type"] == "too_short" and len(error["input"]) > 0


def _explain(error: ErrorDetails, place: _Place) -> Issue:
    path, context, name = place.path, error.get("ctx", {}), str((error["loc"] or ("",))[-1])
    if place.misfit:
        return _issue(WRONG_TYPE, path, f"write {_UNIONS[place.shape]}")
    match error["type"]:
        case "extra_forbidden":
            code, said = UNKNOWN_FIELD, _unknown_field(name, place)
        case "missing":
            code, said = MISSING_FIELD, f"add `{name}`: it is required here"
        case "union_tag_not_found":
            path += ".type"
            code, said = MISSING_FIELD, f"add `type`, one of: {', '.join(_TAGGED[place.shape])}"
        case "union_tag_invalid":
            path += ".type"
            code, said = UNKNOWN_TYPE, f"choose one of: {_plain(context['expected_tags'])}"
        case "literal_error":
            code, said = INVALID_VALUE, f"write one of: {_plain(context['expected'])}"
        case "value_error":
            # The only check of a whole object is that of a case, and it is about the value.
            path += ".value" if place.shape[-2:] == ("cases", "*") else ""
            code, said = INVALID_VALUE, str(context["error"])
        case kind:
            code, said = explain_value(kind, error["msg"])
    return _issue(code, path, said)


def _plain(expected: str) -> str:
    return expected.replace("'", "").replace(" or ", ", ")


_TYPES: Final[Mapping[str, str]] = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


def explain_value(kind: str, pydantic_said: str) -> tuple[str, str]:
    """Code and words for a value that is wrong by itself, by pydantic's name of the error."""
    if kind in _TYPES:
        return WRONG_TYPE, f"write {_TYPES[kind]} here"
    if kind == "string_pattern_mismatch":
        return INVALID_VALUE, "write a time of day from 00:00 to 23:59"
    if kind == "string_too_short":
        return INVALID_VALUE, "this cannot be empty: give it at least one character"
    if kind == "too_short":
        return INVALID_VALUE, "this cannot be empty: add at least one"
    # What is left are bounds of numbers and lengths, which pydantic words well.
    return INVALID_VALUE, pydantic_said.replace("Input should", "this should")


def _unknown_field(name: str, place: _Place) -> str:
    shape, tag = place.holder
    model = _TAGGED[shape].get(tag or "") if shape in _TAGGED else _PLAIN.get(shape)
    known = [f.alias or n for n, f in model.model_fields.items()] if model is not None else []
    # A long name is no slip of the pen, and comparing it takes long.
    close = difflib.get_close_matches(name, known, n=1) if len(name) <= 50 else []
    if close:
        return f"there is no such field here: write `{close[0]}`, or remove it"
    return f"there is no such field here: remove it (known are {', '.join(known)})"
