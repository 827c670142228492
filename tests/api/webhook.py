"""WhatsApp's events for the default channel, signed as the API expects them."""

import hmac
import json
import time
from typing import Any

import httpx
from sqlalchemy import select

from storage.session import Database
from storage.tables import channels


class Webhook:
    """Reports events of the default channel to the API."""

    def __init__(self, api: httpx.AsyncClient, phone_number_id: str) -> None:
        self._api = api
        self._phone_number_id = phone_number_id
        self._told = 0

    @classmethod
    async def of(cls, api: httpx.AsyncClient, database: Database) -> "Webhook":
        async with database.transaction() as connection:
            named = select(channels.c.phone_number_id).where(channels.c.is_default)
            return cls(api, str(await connection.scalar(named)))

    async def wrote(self, text: str, **names: str) -> str:
        """A customer of these names (`from`, `from_user_id`) wrote; WhatsApp's id of it."""
        item = {"type": "text", "text": {"body": text}, **names}
        return await self._tell("messages", item, f"wamid.in{self._told}")

    async def tapped(self, message_id: str, button: str, **names: str) -> str:
        """A customer tapped a button of a message of ours."""
        pressed = {"payload": f"{message_id}:{button}", "text": button}
        item = {"type": "button", "button": pressed, **names}
        return await self._tell("messages", item, f"wamid.in{self._told}")

    async def delivered(self, message_id: str, **names: str) -> str:
        """A message of ours was delivered to `recipient_id`, `recipient_user_id`."""
        item = {"status": "delivered", "biz_opaque_callback_data": message_id, **names}
        return await self._tell("statuses", item, f"wamid.{message_id}")

    async def prefers(self, value: str, **names: str) -> None:
        """A customer said `stop` or `resume` in WhatsApp's own settings."""
        item = {"category": "marketing_messages", "value": value, **names}
        await self._tell("user_preferences", item, "")

    async def _tell(self, kind: str, item: dict[str, Any], wamid: str) -> str:
        self._told += 1
        told = {"id": wamid, "timestamp": str(int(time.time())), **item}
        value = {"metadata": {"phone_number_id": self._phone_number_id}, kind: [told]}
        body = json.dumps({"entry": [{"id": "1", "changes": [{"value": value}]}]}).encode()
        signature = "sha256=" + hmac.new(b"secret", body, "sha256").hexdigest()
        answer = await self._api.post(
            "/v1/providers/whatsapp/webhook",
            content=body,
            headers={"X-Hub-Signature-256": signature},
        )
        assert answer.status_code == 200, answer.text
        return wamid
