"""A receiver for webhooks and the messages a business sends, for the simulator's tests."""

import asyncio
import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from pydantic import HttpUrl, SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.e2e.patience import PATIENCE
from whatsapp.signature import HEADER, verify
from whatsapp.simulator.config import PhoneNumber, SimulatorConfig

SENDER = "+15550001111"
SENDER_ID = "106540352242922"
WABA = "102290129340398"
TOKEN = "token-one"
SECRET = "secret-one"
MESSAGES = f"/v25.0/{SENDER_ID}/messages"
CUSTOMER = "+16045552331"


def config(folder: Path, webhook_url: str) -> SimulatorConfig:
    """A simulator with the one number, reporting to `webhook_url`."""
    return SimulatorConfig(
        port=0,
        data_dir=folder,
        webhook_url=HttpUrl(webhook_url),
        app_secret=SecretStr(SECRET),
        access_token=SecretStr(TOKEN),
        phone_numbers=(
            PhoneNumber(phone_number_id=SENDER_ID, display_phone_number=SENDER, waba_id=WABA),
        ),
    )


class Receiver:
    """Takes webhooks as our API would: checks the signature, then answers `answer(body)`."""

    def __init__(self) -> None:
        self.secret = SECRET
        self.port = 0
        self.arrived = asyncio.Condition()
        self.forget()

    def forget(self) -> None:
        self.answer: Callable[[str], int] = lambda _body: 200
        self.bodies: list[bytes] = []
        self.attempts: list[str] = []
        self.unsigned: list[bytes] = []
        self.changes: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/webhook"

    async def take(self, request: Request) -> Response:
        body = await request.body()
        self.attempts.append(body.decode("ascii"))
        if not verify(self.secret, body, request.headers.get(HEADER)):
            self.unsigned.append(body)
            return Response(status_code=401)
        status = self.answer(body.decode("ascii"))
        if status == 200:
            self.bodies.append(body)
            for entry in json.loads(body)["entry"]:
                self.changes += [{**change, "waba": entry["id"]} for change in entry["changes"]]
        async with self.arrived:
            self.arrived.notify_all()
        return Response(status_code=status)

    async def until(self, condition: Callable[[], bool], within: float = PATIENCE) -> None:
        async with self.arrived:
            await asyncio.wait_for(self.arrived.wait_for(condition), within)

    def items(self, kind: str) -> list[dict[str, Any]]:
        return [item for change in self.changes for item in change["value"].get(kind, [])]

    def statuses(self, message_id: str) -> list[dict[str, Any]]:
        return [item for item in self.items("statuses") if item["id"] == message_id]

    def names(self, message_id: str) -> list[str]:
        return [item["status"] for item in self.statuses(message_id)]

    def inbound(self, message_id: str) -> dict[str, Any] | None:
        found = [item for item in self.items("messages") if item["id"] == message_id]
        return found[0] if found else None

    async def statuses_reach(self, message_id: str, *names: str) -> list[dict[str, Any]]:
        await self.until(lambda: len(self.names(message_id)) >= len(names))
        assert self.names(message_id) == list(names)
        return self.statuses(message_id)

    async def inbound_arrives(self, message_id: str) -> dict[str, Any]:
        await self.until(lambda: self.inbound(message_id) is not None)
        found = self.inbound(message_id)
        assert found is not None
        return found

    @asynccontextmanager
    async def listening(self):
        app = Starlette(routes=[Route("/webhook", self.take, methods=["POST"])])
        config = uvicorn.Config(
            app, port=self.port, log_level="warning", lifespan="off", timeout_keep_alive=75
        )
        async with serving(uvicorn.Server(config)) as port:
            self.port = port
            yield self


@asynccontextmanager
async def serving(server: uvicorn.Server):
    """Runs a server on this loop and yields its port."""
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), "the server did not start"
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


def envelope(kind: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "to": CUSTOMER, "type": kind, kind: content, **more}


def text(body: str = "Hello", **more: Any) -> dict[str, Any]:
    return envelope("text", {"body": body}, **more)


def interactive(kind: str, action: dict[str, Any], **more: Any) -> dict[str, Any]:
    return envelope(
        "interactive", {"type": kind, "body": {"text": "Choose"}, "action": action, **more}
    )


def reply_buttons(*buttons: tuple[str, str], **more: Any) -> dict[str, Any]:
    replies = [{"type": "reply", "reply": {"id": i, "title": title}} for i, title in buttons]
    return interactive("button", {"buttons": replies}, **more)


def list_rows(*rows: dict[str, str], **more: Any) -> dict[str, Any]:
    return interactive("list", {"button": "Menu", "sections": [{"rows": list(rows)}]}, **more)


def template(name: str, *components: dict[str, Any], **more: Any) -> dict[str, Any]:
    content = {"name": name, "language": {"code": "en_US"}, "components": list(components)}
    return envelope("template", content, **more)


def words(kind: str, *values: str) -> dict[str, Any]:
    return {"type": kind, "parameters": [{"type": "text", "text": value} for value in values]}


def payload(index: int, value: str) -> dict[str, Any]:
    return {
        "type": "button",
        "sub_type": "quick_reply",
        "index": str(index),
        "parameters": [{"type": "payload", "payload": value}],
    }


def definition(name: str, *components: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "language": "en_US",
        "category": "MARKETING",
        "components": list(components),
        **more,
    }


def quick_replies(*labels: str) -> dict[str, Any]:
    return {
        "type": "BUTTONS",
        "buttons": [{"type": "QUICK_REPLY", "text": label} for label in labels],
    }


# A template with everything most tests need: one parameter and two quick replies.
SALE = definition(
    "sale", {"type": "BODY", "text": "Hi {{1}}, all is on sale."}, quick_replies("More", "Stop")
)


def sale(opaque: str = "m1", to: str = CUSTOMER) -> dict[str, Any]:
    return template(
        "sale",
        words("body", "Ana"),
        payload(0, f"{opaque}:more"),
        payload(1, f"{opaque}:no"),
        to=to,
        biz_opaque_callback_data=opaque,
    )


async def send(graph: httpx.AsyncClient, message: dict[str, Any]) -> str:
    """Sends a message that must be accepted; its id."""
    answer = await graph.post(MESSAGES, json=message)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["messages"][0]["id"])


async def click(graph: httpx.AsyncClient, message_id: str, button: str) -> str:
    answer = await graph.post("/_sim/click", json={"messageId": message_id, "button": button})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def reply(graph: httpx.AsyncClient, body: str = "Hi", **more: str) -> str:
    answer = await graph.post("/_sim/reply", json={"from": CUSTOMER, "text": body, **more})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def behave(graph: httpx.AsyncClient, **knobs: Any) -> None:
    answer = await graph.put("/_sim/behaviour", json={"delayMs": 5, **knobs})
    assert answer.status_code == 200, answer.text


async def ledger(graph: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    answer = await graph.get("/_sim/messages", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])
