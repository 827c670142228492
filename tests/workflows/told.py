"""What WhatsApp tells, told by hand: when the test wants it, not when the simulator's time is up."""

from typing import Any

from tests.e2e.provider_events import body_of, change, status
from tests.workflows.world import Customer, World
from whatsapp.signature import HEADER, sign

NOTHING_BY_ITSELF: dict[str, object] = {"delayMs": 3_600_000}
"""The simulator's knobs under which no status of a message comes while a test lasts."""


async def tell(world: World, told: dict[str, Any]) -> None:
    """A change that WhatsApp reports, signed."""
    body = body_of(told)
    address = world.api.base_url.join("/v1/providers/whatsapp/webhook")
    answer = await world.api.post(address, content=body, headers={HEADER: sign("secret", body)})
    assert answer.status_code == 200, answer.text


async def tell_status(
    customer: Customer, name: str, message: int | str = -1, *, code: int | None = None
) -> None:
    """A status of a message that arrived: the last one, or that of another place or opaque id."""
    sent = await customer.messages()
    if isinstance(message, str):
        (about,) = [one for one in sent if one["opaque"] == message]
    else:
        about = sent[message]
    errors = {} if code is None else {"errors": [{"code": code, "title": "As told"}]}
    told = status(about["id"], name, biz_opaque_callback_data=about["opaque"], **errors)
    await tell(customer.world, change(statuses=[told]))
