"""The template registry of every WhatsApp Business account."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from whatsapp.simulator.database import Database
from whatsapp.simulator.template import Origin, Template, read_definition

_ORIGINS: dict[str, Origin] = {"flow": "flow", "graph": "graph", "control": "control"}


class Registry:
    """Durable templates; those made by publishing a flow are told apart from hand-made ones."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._templates: dict[tuple[str, str, str], Template] = {}
        for template_id, waba_id, document in database.execute(
            "SELECT id, waba_id, document FROM templates ORDER BY id"
        ):
            stored = json.loads(document)
            template = read_definition(
                stored, template_id=str(template_id), waba_id=waba_id, origin=stored["origin"]
            )
            self._templates[_key(template)] = template

    def find(self, waba_id: str, name: str, language: str) -> Template | None:
        return self._templates.get((waba_id, name, language))

    def listed(self, waba_id: str | None = None) -> list[Template]:
        """Templates in the order they were made; of every account without a `waba_id`."""
        return [t for t in self._templates.values() if waba_id in {None, t.waba_id}]

    def create(self, waba_id: str, definition: Any) -> Template | None:
        """A new approved template, or None when that name has that language already.

        Raises `GraphError` 100 for a bad definition.
        """
        template = self._read(waba_id, definition, origin="graph", status="APPROVED")
        if _key(template) in self._templates:
            return None
        with self._database.transaction():
            self._store(template)
        return template

    def replace_all(self, definitions: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """The registry becomes exactly these (account, definition) pairs.

        A definition may say its `status`, and its `origin` as the listing does, so a listing that
        is changed in one place and put back changes nothing else.
        """
        templates = [
            self._read(waba_id, given, origin=_ORIGINS.get(str(given.get("origin")), "control"))
            for waba_id, given in definitions
        ]
        with self._database.transaction():
            self._database.execute("DELETE FROM templates")
            self._templates.clear()
            for template in templates:
                self._store(template)

    def make_for_flow(self, waba_id: str, definitions: Iterable[Any]) -> None:
        """Makes approved what a flow needs, and renews what was made this way before.

        Templates that were made by hand are left alone.
        """
        wanted = [
            self._read(waba_id, given, origin="flow", status="APPROVED") for given in definitions
        ]
        with self._database.transaction():
            for template in wanted:
                present = self._templates.get(_key(template))
                if present is None or present.origin == "flow":
                    self._store(template)

    def forget(self) -> None:
        """Drops what is held in memory, after the database forgot it."""
        self._templates.clear()

    def _read(
        self, waba_id: str, definition: Any, *, origin: Origin, status: str | None = None
    ) -> Template:
        template = read_definition(
            definition, template_id="", waba_id=waba_id, origin=origin, status=status
        )
        present = self._templates.get(_key(template))
        if present is not None:
            return replace(template, id=present.id)
        return replace(template, id=str(10**15 + self._database.next_number()))

    def _store(self, template: Template) -> None:
        document = json.dumps({**template.document(), "origin": template.origin})
        self._database.execute(
            "INSERT OR REPLACE INTO templates VALUES (?, ?, ?, ?, ?)",
            (int(template.id), template.waba_id, template.name, template.language, document),
        )
        self._templates[_key(template)] = template


def _key(template: Template) -> tuple[str, str, str]:
    return template.waba_id, template.name, template.language
