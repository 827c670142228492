"""Webhook bodies made by hand: what WhatsApp reports that the simulator would not report just so."""

import json
import time
from typing import Any, Self

import httpx

from embedded import credentials
from whatsapp.signature import HEADER, sign


class Webhook:
    """The address that WhatsApp calls."""

    def __init__(self, api_url: str) -> None:
        self._address = f"{api_url}/v1/providers/whatsapp/webhook"
        self._http = httpx.Client(trust_env=False, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def verify(self, token: str) -> httpx.Response:
        """Meta's check of the address."""
        query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "1158201444"}
        return self._http.get(self._address, params=query)

    def call(self, body: bytes, *, secret: str = credentials.APP_SECRET) -> int:
        """Events signed with that secret; the HTTP status."""
        return self._post(body, {HEADER: sign(secret, body)})

    def call_unsigned(self, body: bytes) -> int:
        """Events without a signature; the HTTP status."""
        return self._post(body, {})

    def _post(self, body: bytes, headers: dict[str, str]) -> int:
        return self._http.post(self._address, content=body, headers=headers).status_code


def change(phone_number_id: str = credentials.PHONE_NUMBER_ID, **events: Any) -> dict[str, Any]:
    """One part of a webhook body."""
    metadata = {
        "display_phone_number": credentials.PHONE_NUMBER.lstrip("+"),
        "phone_number_id": phone_number_id,
    }
    value = {"messaging_product": "whatsapp", "metadata": metadata, **events}
    return {"field": "messages", "value": value}


def body_of(*changes: dict[str, Any]) -> bytes:
    """A webhook body."""
    entry = {"id": credentials.WABA_ID, "changes": list(changes)}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def status(wamid: str, name: str, **more: Any) -> dict[str, Any]:
    """A status of a message, as of now."""
    return {"id": wamid, "status": name, "timestamp": str(int(time.time())), **more}


def delivered(message: dict[str, Any]) -> bytes:
    """The body that reports an accepted message, as the simulator lists it, as delivered."""
    told = status(message["id"], "delivered", biz_opaque_callback_data=message["opaque"])
    return body_of(change(statuses=[told]))


def tap(message: dict[str, Any], inbound_id: str) -> dict[str, Any]:
    """A tap of a template's first button."""
    pressed = message["buttons"][0]
    return {
        "id": inbound_id,
        "from": message["to"].lstrip("+"),
        "timestamp": str(int(time.time())),
        "type": "button",
        "context": {"id": message["id"]},
        "button": {"payload": pressed["id"], "text": pressed["label"]},
    }
