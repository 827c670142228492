"""The templates of a business's channels: read from the Graph API, made in the simulator."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple
from uuid import UUID

import httpx
import structlog

from domain.flow import Flow
from domain.templates import TemplateRegistry, flow_templates
from whatsapp.client import CallError, CloudApi

log = structlog.get_logger(__name__)


class Account(NamedTuple):
    """A WhatsApp account and a token that may read it."""

    waba_id: str
    access_token: str


AccountsOf = Callable[[UUID], Awaitable[Sequence[Account]]]


class TemplateSource:
    """Implements `domain.ports.Templates`.

    With `simulator_url` (the embedded stack) publishing first makes a flow's templates there
    (api.md section 8).
    """

    def __init__(
        self, api: CloudApi, accounts_of: AccountsOf, *, simulator_url: str | None = None
    ) -> None:
        self._api = api
        self._accounts_of = accounts_of
        self._simulator_url = simulator_url

    async def prepare(self, business_id: UUID, flow: Flow) -> None:
        """Make the flow's templates in the simulator where they are missing; elsewhere nothing.

        Raises `httpx.HTTPError` when the simulator is away.
        """
        templates = flow_templates(flow)
        if self._simulator_url is None or not templates:
            return
        async with httpx.AsyncClient(base_url=self._simulator_url, trust_env=False) as http:
            for account in await self._accounts_of(business_id):
                made = await http.post(
                    "/_sim/templates/from-flow",
                    json={"wabaId": account.waba_id, "templates": templates},
                )
                made.raise_for_status()

    async def registry(self, business_id: UUID) -> TemplateRegistry | None:
        """The templates of the business's accounts; None where WhatsApp does not tell them."""
        found = []
        accounts = await self._accounts_of(business_id)
        for account in accounts:
            try:
                found += await self._api.list_templates(
                    waba_id=account.waba_id, access_token=account.access_token
                )
            except CallError as error:
                log.warning("templates could not be read", reason=str(error.answer))
                return None
        return TemplateRegistry.from_graph(found) if accounts else None
