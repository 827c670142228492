"""The embedded stack's senders: a channel of the business is a number that the simulator knows."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx

SenderOf = Callable[[UUID], Awaitable[dict[str, str]]]
"""The ids and secrets of a channel, under the simulator's names for them."""


class SimulatedNumbers:
    """Implements `domain.ports.Numbers` for the stack whose WhatsApp is the simulator."""

    def __init__(self, simulator_url: str, sender_of: SenderOf) -> None:
        self._simulator_url = simulator_url
        self._sender_of = sender_of

    async def announce(self, channel_id: UUID) -> None:
        """Register the channel's number, account, token and secret in the simulator.

        Raises `httpx.HTTPError` when the simulator is away.
        """
        sender = await self._sender_of(channel_id)
        async with httpx.AsyncClient(
            base_url=self._simulator_url, trust_env=False, timeout=30
        ) as http:
            (await http.put("/_sim/channels", json=[sender])).raise_for_status()
