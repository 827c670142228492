"""Message templates: what a definition may hold (WhatsApp Cloud API, template components)."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast

from whatsapp.simulator.graph_error import GraphError

Origin = Literal["flow", "graph", "control"]

_NAME = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Za-z0-9]{2,8})?")
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
_CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
_STATUSES = ("APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED")
_TEXT_LIMITS = {"BODY": 1024, "HEADER": 60, "FOOTER": 60}
_HEADER_FORMATS = ("TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION")
_BUTTON_LIMITS = {"QUICK_REPLY": 10, "URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1}


def placeholders(text: str) -> list[str]:
    """The names between double braces, each once, in order of first appearance."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(text)))


def substitute(text: str, values: dict[str, str]) -> str:
    """`text` with its placeholders filled; one without a value stays as it is."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


@dataclass(frozen=True)
class Template:
    """One language of a template, as the registry of a WhatsApp Business account holds it."""

    id: str
    waba_id: str
    name: str
    language: str
    category: str
    status: str
    components: list[dict[str, Any]]
    origin: Origin

    @cached_property
    def body(self) -> str:
        return str(self._component("BODY").get("text", ""))

    @cached_property
    def header(self) -> dict[str, Any]:
        """The header component, empty without one."""
        return self._component("HEADER")

    @cached_property
    def footer(self) -> str:
        return str(self._component("FOOTER").get("text", ""))

    @cached_property
    def buttons(self) -> list[dict[str, Any]]:
        return cast("list[dict[str, Any]]", self._component("BUTTONS").get("buttons", []))

    def document(self) -> dict[str, Any]:
        """The form Graph's `message_templates` lists it in."""
        named = any(not name.isdigit() for name in placeholders(self.body))
        return {
            "name": self.name,
            "parameter_format": "NAMED" if named else "POSITIONAL",
            "components": self.components,
            "language": self.language,
            "status": self.status,
            "category": self.category,
            "id": self.id,
        }

    def _component(self, kind: str) -> dict[str, Any]:
        for component in self.components:
            if str(component.get("type", "")).upper() == kind:
                return component
        return {}


def read_definition(
    definition: Any, *, template_id: str, waba_id: str, origin: Origin, status: str | None = None
) -> Template:
    """A template from its Graph definition; `status` overrules the one it names (else APPROVED).

    Raises `GraphError` 100 naming what is wrong with it.
    """
    if not isinstance(definition, dict):
        raise _bad("a template must be an object")
    name, language = definition.get("name"), definition.get("language")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _bad("name must be 1 to 512 lower-case letters, digits and underscores")
    if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
        raise _bad(f"language of {name} must be a code like en_US")
    return Template(
        id=template_id,
        waba_id=waba_id,
        name=name,
        language=language,
        category=_one_of(definition.get("category"), _CATEGORIES, f"category of {name}"),
        status=_one_of(status or definition.get("status") or "APPROVED", _STATUSES, "status"),
        components=_components(definition.get("components"), name),
        origin=origin,
    )


def _bad(details: str) -> GraphError:
    return GraphError(100, f"{details}.", subcode=2388043)


def _one_of(value: Any, known: tuple[str, ...], what: str) -> str:
    if not isinstance(value, str) or value.upper() not in known:
        raise _bad(f"{what} must be one of {', '.join(known)}")
    return value.upper()


def _components(components: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(components, list) or not all(isinstance(c, dict) for c in components):
        raise _bad(f"components of {name} must be a list of objects")
    kinds = [
        _one_of(c.get("type"), (*_TEXT_LIMITS, "BUTTONS"), "component type") for c in components
    ]
    if len(set(kinds)) < len(kinds):
        raise _bad(f"components of {name} repeat a type")
    if "BODY" not in kinds:
        raise _bad(f"components of {name} have no BODY")
    for kind, component in zip(kinds, components, strict=True):
        if kind == "BUTTONS":
            _check_buttons(component.get("buttons"), name)
        else:
            _check_text(kind, component, name)
    return components


def _check_text(kind: str, component: dict[str, Any], name: str) -> None:
    if kind == "HEADER":
        form = _one_of(component.get("format"), _HEADER_FORMATS, f"header format of {name}")
        if form != "TEXT":
            return
    text, longest = component.get("text"), _TEXT_LIMITS[kind]
    if not isinstance(text, str) or not text.strip():
        raise _bad(f"{kind} of {name} needs a text")
    if len(text) > longest:
        raise _bad(f"{kind} of {name} may have {longest} characters, has {len(text)}")
    names = placeholders(text)
    positional = [value for value in names if value.isdigit()]
    if positional and sorted(map(int, positional)) != list(range(1, len(names) + 1)):
        raise _bad(f"placeholders in the {kind} of {name} must count up from {{{{1}}}}")
    if (kind == "HEADER" and len(names) > 1) or (kind == "FOOTER" and names):
        raise _bad(f"{kind} of {name} has too many placeholders")


def _check_buttons(buttons: Any, name: str) -> None:
    if not isinstance(buttons, list) or not all(isinstance(b, dict) for b in buttons):
        raise _bad(f"buttons of {name} must be a list of objects")
    if not 1 <= len(buttons) <= 10:
        raise _bad(f"{name} may have 1 to 10 buttons")
    kinds = [str(button.get("type", "")).upper() for button in buttons]
    for kind, most in _BUTTON_LIMITS.items():
        if kinds.count(kind) > most:
            raise _bad(f"{name} may have {most} buttons of type {kind}")
    replies = [i for i, kind in enumerate(kinds) if kind == "QUICK_REPLY"]
    if replies and replies not in (
        list(range(len(replies))),
        list(range(len(kinds) - len(replies), len(kinds))),
    ):
        raise _bad(f"quick replies of {name} must stand together at one end")
    for kind, button in zip(kinds, buttons, strict=True):
        text = button.get("text")
        # The label of a copy-code button is WhatsApp's own.
        if kind != "COPY_CODE" and not (isinstance(text, str) and 1 <= len(text) <= 25):
            raise _bad(f"each button of {name} needs a text of 1 to 25 characters")
        if kind == "URL" and not str(button.get("url", "")).startswith(("https://", "http://")):
            raise _bad(f"URL buttons of {name} need an http or https url")
