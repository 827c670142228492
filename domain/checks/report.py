"""Where the checks put what they find."""

import difflib
from collections.abc import Iterable

from domain.checks.codes import CODES
from domain.flow import Flow
from domain.issues import Issue

_MOST_GUESSES = 5
_LONGEST_GUESS = 40
"""Likeness is slow to compute, most of all of long names; further slips go without a proposal."""


class Report:
    """The issues of one flow, and the order they are told in."""

    def __init__(self, flow: Flow) -> None:
        self._places = {node: i for i, node in enumerate(flow.nodes)}
        self._found: list[tuple[int, Issue]] = []
        self._guesses: dict[tuple[str, str], str | None] = {}

    def add(self, code: str, path: str, message: str, *, node: str | None = None) -> None:
        """Note an issue at a field of `node` (`path` below it), or of the document."""
        full = path if node is None else f"nodes.{node}.{path}" if path else f"nodes.{node}"
        issue = Issue(severity=CODES[code].severity, code=code, path=full, message=message)
        self.take(node, [issue])

    def take(self, node: str | None, issues: Iterable[Issue]) -> None:
        """Note issues that were made elsewhere."""
        place = -1 if node is None else self._places[node]
        self._found += [(place, issue) for issue in issues]

    def closest(self, kind: str, name: str, known: Iterable[str]) -> str | None:
        """The known name that was probably meant; `kind` tells nodes from variables."""
        if (kind, name) not in self._guesses:
            if len(self._guesses) >= _MOST_GUESSES or len(name) > _LONGEST_GUESS:
                return None
            close = difflib.get_close_matches(name, list(known), n=1)
            self._guesses[kind, name] = close[0] if close else None
        return self._guesses[kind, name]

    def issues(self) -> list[Issue]:
        """Errors before warnings; in each the document's own first, then node by node."""
        order = sorted(self._found, key=lambda found: (found[1].severity != "error", found[0]))
        return [issue for _, issue in order]
