"""The templates of a business's accounts: read from the Graph API, made there or in the simulator."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import structlog

from domain.flow import Flow
from domain.template_refusals import template_refusal
from domain.templates import TemplateRegistry, flow_templates
from whatsapp.client import CallError, CloudApi
from whatsapp.stack_simulator import simulator_at

log = structlog.get_logger(__name__)


class TemplateStore(Protocol):
    """Where the lists are kept."""

    async def older_than(self, business_id: UUID, seconds: float) -> Sequence[tuple[str, str]]:
        """The accounts (id and access token) whose templates were not asked for in that time."""
        ...

    async def now(self) -> datetime:
        """The store's time."""
        ...

    async def keep(
        self,
        business_id: UUID,
        waba_id: str,
        listed: Iterable[Mapping[str, Any]],
        asked_at: datetime,
    ) -> None:
        """Keep an account's list in the place of the one that is kept."""
        ...

    async def known(self, business_id: UUID) -> Sequence[Mapping[str, Any]] | None:
        """All templates that are kept; None when no list ever was."""
        ...


class TemplateSource:
    """Implements `domain.ports.Templates`.

    With `simulator_url` (the embedded stack) publishing first makes a flow's templates there
    (api.md section 8).
    """

    def __init__(
        self, api: CloudApi, store: TemplateStore, *, simulator_url: str | None = None
    ) -> None:
        self._api = api
        self._store = store
        self._simulator_url = simulator_url
        self._reading: dict[UUID, asyncio.Lock] = {}
        self._soon: dict[UUID, asyncio.Task[bool]] = {}

    async def prepare(self, business_id: UUID, flow: Flow) -> None:
        """Make the flow's templates in the simulator where they are missing; elsewhere nothing.

        Raises `Unavailable` when the simulator is away.
        """
        templates = flow_templates(flow)
        if self._simulator_url is None or not templates:
            return
        then = "Nothing was published or sent; repeat this once it runs."
        async with simulator_at(self._simulator_url, then=then) as http:
            for waba_id, _ in await self._store.older_than(business_id, 0):
                made = await http.post(
                    "/_sim/templates/from-flow",
                    json={"wabaId": waba_id, "templates": templates},
                )
                made.raise_for_status()

    async def registry(
        self, business_id: UUID, *, older_than: float = 0.0, patience: float | None = None
    ) -> TemplateRegistry | None:
        """The templates of the business's accounts as WhatsApp tells them now, or told them last.

        Lists younger than `older_than` seconds are taken as they are kept; after `patience` seconds
        (None: however long WhatsApp takes) they all are.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self.refresh(business_id, older_than=older_than)
        known = await self._store.known(business_id)
        return None if known is None else TemplateRegistry.from_graph(known)

    async def refresh(self, business_id: UUID, *, older_than: float) -> bool:
        """Ask anew for lists older than so many seconds; False when WhatsApp does not answer.

        However many wait for it, each account is asked once.
        """
        lock = self._reading.setdefault(business_id, asyncio.Lock())
        async with lock:
            told = True
            for waba_id, token in await self._store.older_than(business_id, older_than):
                asked_at = await self._store.now()
                try:
                    listed = await self._api.list_templates(waba_id=waba_id, access_token=token)
                except CallError as error:
                    log.warning("templates could not be read", reason=str(error.answer))
                    told = False
                else:
                    await self._store.keep(business_id, waba_id, listed, asked_at)
        return told

    def refresh_soon(self, business_id: UUID, *, older_than: float) -> None:
        """As `refresh`, behind the caller's back; never waits and never raises."""
        if business_id not in self._soon:
            task = asyncio.get_running_loop().create_task(
                self.refresh(business_id, older_than=older_than)
            )
            self._soon[business_id] = task
            task.add_done_callback(lambda done: self._is_done(business_id, done))

    def _is_done(self, business_id: UUID, task: asyncio.Task[bool]) -> None:
        del self._soon[business_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("templates could not be kept", reason=repr(error))

    async def create(
        self, waba_id: str, access_token: str, definition: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Make a template (Graph's own definition); Graph's answer: `id`, `status`, `category`.

        Raises `domain.errors.ApiError` with the documented code when WhatsApp refuses it.
        """
        try:
            return await self._api.create_template(
                waba_id=waba_id, access_token=access_token, definition=definition
            )
        except CallError as error:
            raise template_refusal(error.answer) from None
