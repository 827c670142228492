"""What the inner parts ask of the world: small interfaces, implemented at the edges."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from domain.flow import Flow
from domain.templates import TemplateRegistry


class Pokes(Protocol):
    """Wakes sendouts after a commit."""

    def poke(self, sendout_id: UUID) -> None:
        """Wake the sendout's workflow soon; never waits and never raises."""


class Signals(Protocol):
    """Hands what was recorded for runs (`run_signals`) over to them."""

    def hand_over(self) -> None:
        """Hand over what is recorded, soon; never waits and never raises."""


class TemporalHealth(Protocol):
    """Whether the durable side is there; answers quickly and never raises."""

    async def reachable(self) -> bool:
        """Whether Temporal's frontend answers."""
        ...

    async def worker_polling(self) -> bool:
        """Whether a worker polls the task queue of the workflows."""
        ...


class Closing(Protocol):
    """Closes the runs of what was cancelled: tidying up, on which nothing depends."""

    def close_sendout(self, sendout_id: UUID) -> None:
        """Close the sendout's runs some time soon; never waits and never raises."""

    def close_entry(self, entry_id: UUID) -> None:
        """Close the entry's run some time soon; never waits and never raises."""


class Rates(Protocol):
    """Keeps the senders' limits equal to what their channels ask for."""

    def apply_soon(self) -> None:
        """Apply what the channels ask for by now, soon; never waits and never raises."""


class Numbers(Protocol):
    """Tells WhatsApp's side of a channel, where that side is the stack's own simulator."""

    async def announce(self, channel_id: UUID) -> None:
        """Make a new or changed channel known; after the commit."""


class Wakes(Protocol):
    """Wakes the deliveries of events to the businesses."""

    def wake(self) -> None:
        """Wake, soon, whoever has events to deliver; never waits and never raises."""

    def wake_one(self, webhook_id: UUID) -> None:
        """Wake the deliveries of a changed registration soon; never waits and never raises."""


class AddressCheck(Protocol):
    """Looks up where the address of a webhook leads."""

    async def check(self, address: str) -> object:
        """Raises `domain.webhook_address.UnusableAddress` if events may not go there."""


class Templates(Protocol):
    """The WhatsApp templates of a business: asked for when a flow is published, and made.

    The calls may take seconds and are never made inside a transaction.
    """

    async def prepare(self, business_id: UUID, flow: Flow) -> None:
        """Make the templates the flow names where that is this stack's own business."""

    async def registry(
        self, business_id: UUID, *, older_than: float = 0.0, patience: float | None = None
    ) -> TemplateRegistry | None:
        """The templates of the business's channels, None where they are not known.

        WhatsApp is asked for lists older than so many seconds, and waited for `patience` seconds.
        """

    async def refresh(self, business_id: UUID, *, older_than: float) -> bool:
        """Have the record's copy asked anew where it is older than so many seconds.

        False when WhatsApp does not answer; what was known stays.
        """
        ...

    def refresh_soon(self, business_id: UUID, *, older_than: float) -> None:
        """As `refresh`, behind the caller's back; never waits and never raises."""

    async def create(
        self, waba_id: str, access_token: str, definition: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Make a template in an account (Graph's definition); Graph's `id`, `status`, `category`.

        Raises `domain.errors.ApiError` when WhatsApp refuses it.
        """
        ...
