"""Contract cases: what is given, one call, and the whole answer to it, as JSON files.

A file holds `title`, `given`, `call` (`"PATCH …/campaigns/<campaign>"`; `…` is the business's part
of the address, and a case without `call` sends campaigns), its `headers` (null: not sent),
`request` (or `requestText`, the body as it is), `status`, `response`, `responseHeaders` and what is
`stored` afterwards; documented examples also their `source`, how closely the answer matches
(`match`) and why. What may be `given` is told in `tests/contract/given.py`; besides, `earlier` are
steps that are taken in order before the call: each another call with its own `status` (any 2xx
unless told) and `response`, or something that happens in the record.

In a response, a UUID that does not occur in what was given stands for any UUID, the same one
wherever it occurs; so does `<any name>`, and `<cursor>` for the text of a cursor. Calls and
requests that come later may name them. `<trace id>` is a decimal number, `<time>` a time in
RFC 3339 UTC, `<message id>` a ULID, `<text>` any text. An object with the field `…` may have other fields, which another
case tells in full. `"<flow welcome>"` is, everywhere, the flow of that name in `flows.json`.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.record import BUSINESS

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAMED = re.compile(r"<[\w ]+>")
_CURSOR = re.compile(r"<(\w+ )*cursor>")
_ANY = {
    "<trace id>": re.compile(r"\d{1,20}"),
    "<time>": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
    "<text>": re.compile(r"(?s).+"),
    "<message id>": re.compile(r"[0-9A-HJKMNP-TV-Z]{26}"),
}
_OTHER_FIELDS = "…"
_FOLDER = Path(__file__).parent
_EVERY_CASE = sorted(_FOLDER.glob("*/*.json"))
_FLOWS: dict[str, Any] = json.loads((_FOLDER / "flows.json").read_text())

SEND = "POST …/send/campaigns"


def case_files() -> list[Path]:
    """Every case file there is."""
    return _EVERY_CASE


def read_case(path: Path) -> dict[str, Any]:
    """A case with the flows it names."""
    text = path.read_text()
    for name, flow in _FLOWS.items():
        text = text.replace(f'"<flow {name}>"', json.dumps(flow))
    case: dict[str, Any] = json.loads(text)
    return case


def body_of(step: Mapping[str, Any]) -> str:
    """The body of a call, as text; `""` when it has none."""
    if "requestText" in step:
        return str(step["requestText"])
    return json.dumps(step["request"]) if "request" in step else ""


class Answers:
    """Compares answers with what a case expects; ids the server chose are bound as they come."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        given = dict(case.get("given", {}))
        earlier = [_asked(step) for step in given.pop("earlier", [])]
        self._told = json.dumps([str(BUSINESS), given, earlier, _asked(case)])
        self._bound: dict[str, str] = {}

    def filled(self, text: str) -> str:
        """The text of a call or request with what was bound in the places of the names."""
        return _NAMED.sub(lambda name: self._bound.get(name.group(), name.group()), text)

    def check(self, expected: Any, actual: Any, at: str = "$") -> None:
        """Raises `AssertionError` naming the first place that differs."""
        if isinstance(expected, dict):
            assert isinstance(actual, dict), f"{at}: {actual!r} is no object"
            self._check_fields(expected, actual, at)
        elif isinstance(expected, list):
            assert isinstance(actual, list), f"{at}: {actual!r} is no list"
            assert len(expected) == len(actual), f"{at}: {len(actual)} items: {actual}"
            for i, value in enumerate(expected):
                self.check(value, actual[i], f"{at}[{i}]")
        elif isinstance(expected, str):
            self._check_text(expected, actual, at)
        else:
            same = type(expected) is type(actual) and expected == actual
            assert same, f"{at}: {actual!r} instead of {expected!r}"

    def _check_fields(self, expected: dict[str, Any], actual: dict[str, Any], at: str) -> None:
        named = expected.keys() - {_OTHER_FIELDS}
        missing = named - actual.keys()
        assert not missing, f"{at}: without the fields {missing}"
        more = actual.keys() - named
        assert _OTHER_FIELDS in expected or not more, f"{at}: other fields: {more}"
        for name in (name for name in expected if name in named):
            self.check(expected[name], actual[name], f"{at}.{name}")

    def _check_text(self, expected: str, actual: Any, at: str) -> None:
        if expected in _ANY:
            good = isinstance(actual, str) and _ANY[expected].fullmatch(actual) is not None
        elif _CURSOR.fullmatch(expected):
            good = isinstance(actual, str) and actual != "" and self._bind(expected, actual)
        elif _NAMED.fullmatch(expected) or (
            _UUID.fullmatch(expected) and expected not in self._told
        ):
            is_id = isinstance(actual, str) and _UUID.fullmatch(actual) is not None
            good = is_id and self._bind(expected, actual)
        else:
            good = self.filled(expected) == actual
        assert good, f"{at}: {actual!r} instead of {expected!r}"

    def _bind(self, expected: str, actual: str) -> bool:
        known = self._bound.setdefault(expected, actual)
        # Two names never mean the same id.
        return known == actual and list(self._bound.values()).count(actual) == 1


def _asked(step: Mapping[str, Any]) -> dict[str, Any]:
    """What a step tells the server."""
    asked = ("call", "headers", "request", "requestText")
    return {name: step[name] for name in asked if name in step}
