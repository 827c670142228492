"""Sending a decided message: the send activity's view of WhatsApp."""

from domain.delivery import Answer
from domain.flow import MessageNode
from domain.sending import Situation
from whatsapp.client import CloudApi
from whatsapp.payloads import request_body


class WhatsApp:
    """Implements `activities.send.Provider` on the Cloud API."""

    def __init__(self, api: CloudApi) -> None:
        self._api = api

    async def send(self, situation: Situation, node: MessageNode) -> Answer:
        """Post a rendered message to the entry's customer, from the entry's channel."""
        return await self._api.send(
            phone_number_id=situation.phone_number_id,
            access_token=situation.access_token,
            body=request_body(situation.client, node, situation.message_id),
        )
