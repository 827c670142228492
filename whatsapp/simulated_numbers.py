"""The embedded stack's senders: a channel of the business is a number that the simulator knows."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from whatsapp.stack_simulator import simulator_at

SenderOf = Callable[[UUID], Awaitable[dict[str, str]]]
"""The ids and secrets of a channel, under the simulator's names for them."""


class SimulatedNumbers:
    """Implements `domain.ports.Numbers` for the stack whose WhatsApp is the simulator."""

    def __init__(self, simulator_url: str, sender_of: SenderOf) -> None:
        self._simulator_url = simulator_url
        self._sender_of = sender_of

    async def announce(self, channel_id: UUID) -> None:
        """Register the channel's number, account, token and secret in the simulator.

        Raises `Unavailable` when the simulator is away.
        """
        sender = await self._sender_of(channel_id)
        then = f"Channel {channel_id} is stored as asked; PATCH it again once the simulator runs."
        async with simulator_at(self._simulator_url, then=then) as http:
            (await http.put("/_sim/channels", json=[sender])).raise_for_status()
