"""What a test of the workflows does and sees: the API, the customers' phones, the time of a run."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from activities.sweeping import Sweeping
from storage.session import Database
from workflows import messages

_PATIENCE = 180.0
"""Seconds a test waits for something to come true before it fails."""


class World:
    """What a test does and sees: the API, the customers' phones, and the clock of a run."""

    def __init__(
        self,
        api: httpx.AsyncClient,
        simulator: httpx.AsyncClient,
        client: Client,
        env: WorkflowEnvironment,
        database: Database,
        repairs: Sweeping,
    ) -> None:
        self.api = api
        self.simulator = simulator
        self.client = client
        self.env = env
        self.database = database
        self.sweeping = repairs

    async def publish(self, flow: dict[str, Any], name: str | None = None) -> str:
        """Publish a flow; the campaign's name."""
        name = name or f"campaign {uuid4()}"
        made = await self.api.post("/campaigns", json={"name": name, "flow": flow})
        assert made.status_code == 201, made.text
        campaign = made.json()["entity"]["campaignId"]
        published = await self.api.post(f"/campaigns/{campaign}/publish", json={})
        assert published.status_code == 200, published.text
        return name

    async def send(self, name: str, client: str, **entry: Any) -> "Customer":
        """Send the campaign to one customer."""
        body = {
            "entries": [{"client": client, "campaignName": name, **entry}],
            "options": {"includeEntries": "all"},
        }
        answer = await self.api.post("/send/campaigns", json=body)
        row = answer.json()["data"][0]
        assert row["error"] is None, row
        return Customer(self, client, UUID(row["entries"][0]["entryId"]), UUID(row["sendoutId"]))

    async def behave(self, client: str, **knobs: Any) -> None:
        """Set how the simulator treats one recipient from now on."""
        now = (await self.simulator.get("/_sim/behaviour")).json()
        recipients = now.get("recipients", {}) | {client: knobs}
        answer = await self.simulator.put("/_sim/behaviour", json=now | {"recipients": recipients})
        assert answer.status_code == 200, answer.text


class Customer:
    """One customer's entry: what arrived on the phone, what is tapped, how the run stands."""

    def __init__(self, world: World, number: str, entry_id: UUID, sendout_id: UUID) -> None:
        self.world = world
        self.number = number
        self.entry_id = entry_id
        self.sendout_id = sendout_id
        self.run_id: str | None = None
        """The execution that `run` means; None for the newest."""

    @property
    def run(self) -> WorkflowHandle[Any, Any]:
        workflow_id = messages.run_workflow_id(self.entry_id)
        return self.world.client.get_workflow_handle(workflow_id, run_id=self.run_id)

    async def messages(self) -> list[dict[str, Any]]:
        """Everything WhatsApp accepted for this customer, in order."""
        answer = await self.world.simulator.get("/_sim/messages", params={"to": self.number})
        data: list[dict[str, Any]] = answer.json()["data"]
        return data

    async def texts(self) -> list[str]:
        return [m["text"] for m in await self.messages()]

    async def gets(self, *texts: str) -> None:
        """Wait until exactly these texts have arrived, in this order."""
        await eventually(self.texts, list(texts))

    async def taps(self, label: str, message: int = -1) -> str:
        """Tap a button of a message that arrived (the last one); WhatsApp's id of the tap."""
        wamid = (await self.messages())[message]["id"]
        return await self.does("click", messageId=wamid, button=label)

    async def writes(self, words: str) -> str:
        """Write a text; WhatsApp's id of it."""
        return await self.does("reply", **{"from": self.number, "text": words})

    async def does(self, act: str, **what: str) -> str:
        """Do something on the phone; WhatsApp's id of it. The record hears of it a moment later."""
        answer = await self.world.simulator.post(f"/_sim/{act}", json=what)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    async def is_heard(self, inbound_id: str) -> None:
        """Wait until the record has a tap or text, and with it what the run is to be told."""

        async def recorded() -> bool:
            query = text("SELECT true FROM inbound WHERE inbound_id = :id")
            async with self.world.database.transaction() as connection:
                return bool(await connection.scalar(query, {"id": inbound_id}))

        await eventually(recorded, True)

    async def entry(self) -> dict[str, Any]:
        answer = await self.world.api.get(f"/sendouts/{self.sendout_id}/entries/{self.entry_id}")
        assert answer.status_code == 200, answer.text
        entity: dict[str, Any] = answer.json()["entity"]
        return entity

    async def state(self) -> str:
        return str((await self.entry())["state"])

    async def is_in_state(self, state: str) -> None:
        await eventually(self.state, state)

    async def delivered(self, node: str) -> None:
        """Wait until the record knows that this node's message was delivered."""
        await self.has("delivered_at IS NOT NULL", node)

    async def has(self, condition: str, node: str) -> None:
        async def holds() -> bool:
            query = (
                f"SELECT count(*) FROM messages WHERE entry_id = :e AND node = :n AND {condition}"
            )
            async with self.world.database.transaction() as connection:
                found = await connection.execute(text(query), {"e": self.entry_id, "n": node})
                return bool(found.scalar_one())

        await eventually(holds, True)

    async def is_delivered_unheard(self, node: str) -> None:
        """Record that this node's message was delivered, and do not tell the run."""
        delivered = """
            UPDATE messages SET delivered_at = now(), awaits_delivery = false
            WHERE entry_id = :e AND node = :n
        """
        async with self.world.database.transaction() as connection:
            await connection.execute(text(delivered), {"e": self.entry_id, "n": node})

    async def waits_for(self, words: str) -> None:
        """Wait until the run says in its details that it waits for this."""

        async def says() -> bool:
            return words in await self.details()

        await eventually(says, True)

    async def details(self) -> str:
        """What a person reads about the run in the Web UI; nothing before it is started."""
        return await details_of(self.run)

    async def skip(self, **duration: float) -> None:
        """Let time pass for this run."""
        await asyncio.wait_for(
            self.world.env.fast_forward(self.run, timedelta(**duration)), _PATIENCE
        )

    async def closes(self) -> None:
        """Wait until the run has closed."""
        await asyncio.wait_for(self.run.result(), _PATIENCE)

    async def status(self) -> WorkflowExecutionStatus | None:
        """How Temporal sees the run."""
        return (await self.run.describe()).status


async def eventually(look: Any, wanted: object) -> None:
    """Wait until `look()` gives what is wanted; fail with what it gave last."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    while True:
        seen = await look()
        if seen == wanted:
            return
        if asyncio.get_running_loop().time() > deadline:
            assert seen == wanted
        await asyncio.sleep(0.05)


async def details_of(workflow: WorkflowHandle[Any, Any]) -> str:
    """What a person reads about a workflow in the Web UI; nothing before it is started."""
    query = "__temporal_workflow_metadata"
    try:
        metadata = await workflow.query(query, result_type=WorkflowMetadata)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return ""
    return str(metadata.current_details)
