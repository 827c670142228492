"""Reading the fields of a Graph request; a refusal names the field by its path."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from whatsapp.simulator.graph_error import GraphError


def missing(where: str) -> GraphError:
    """The refusal of a request that leaves a field out."""
    return GraphError(131008, f"{where} is required.")


def invalid(where: str, rule: str) -> GraphError:
    """The refusal of a field that breaks a rule."""
    return GraphError(131009, f"{where} {rule}.")


def required_object(parent: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    """An object that must be there."""
    value = optional_object(parent, key, where)
    if value is None:
        raise missing(f"{where}.{key}")
    return value


def optional_object(parent: dict[str, Any], key: str, where: str) -> dict[str, Any] | None:
    """An object, or None when it is absent or null."""
    value = parent.get(key)
    if value is not None and not isinstance(value, dict):
        raise invalid(f"{where}.{key}", "must be an object")
    return value


def objects(parent: dict[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    """A list of objects; an absent one is empty."""
    value = parent.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise invalid(f"{where}.{key}", "must be a list of objects")
    return value


def required_text(
    parent: dict[str, Any], key: str, where: str, longest: int, *, code: int = 131009
) -> str:
    """A string of 1 to `longest` characters that is not only white space."""
    value = optional_text(parent, key, where, longest, code=code)
    if value is None or not value.strip():
        raise missing(f"{where}.{key}")
    return value


def optional_text(
    parent: dict[str, Any], key: str, where: str, longest: int, *, code: int = 131009
) -> str | None:
    """A string of at most `longest` characters, or None; `code` is that of a refusal."""
    value = parent.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise GraphError(code, f"{where}.{key} must be a string.")
    if len(value) > longest:
        raise GraphError(code, f"{where}.{key} may have {longest} characters, has {len(value)}.")
    return value


def web_address(parent: dict[str, Any], key: str, where: str) -> str:
    """An http(s) address; whether anything answers there is found out later, as by WhatsApp."""
    value = required_text(parent, key, where, 2000)
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise invalid(f"{where}.{key}", "must be an http or https address")
    return value


def unique(values: Iterable[str], where: str) -> None:
    """Refuses values of which two are the same."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise invalid(where, "must be unique within the message")
        seen.add(value)
