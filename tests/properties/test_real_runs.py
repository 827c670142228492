"""Random flows and scripts on the real system: WhatsApp, the record and the engine agree.

Real server with time to skip, real database, real simulator over HTTP; histories are cut short all
the time. After every deed what the simulator accepted, what the rows say and what the engine says
for the same events must be the same.
"""

import asyncio
import json
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy import text
from temporalio.client import WorkflowExecutionStatus

from domain.flow import Flow, MessageNode
from tests.domain.random_flows import flows
from tests.properties.script import Deed, Rehearsal, Weather
from tests.workflows.told import tell_status
from tests.workflows.world import Customer, World, eventually

RUNS = 20
DEEDS = 7


def chosen_flows() -> list[Flow]:
    """Flows in which something can happen, always the same."""
    found: list[Flow] = []

    @settings(
        max_examples=200,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(flows())
    def look(flow: Flow) -> None:
        if flow not in found:
            found.append(flow)

    look()
    return sorted(found, key=_liveliness)[-RUNS:]


def _liveliness(flow: Flow) -> int:
    nodes = list(flow.nodes.values())
    buttons = sum(len(n.buttons) for n in nodes if isinstance(n, MessageNode))
    return len({type(node) for node in nodes}) * 10 + len(nodes) + min(buttons, 4)


async def test_whatsapp_the_record_and_the_engine_agree(world: World) -> None:
    turn = asyncio.Lock()
    played = [play(world, flow, seed, turn) for seed, flow in enumerate(chosen_flows())]
    done = await asyncio.gather(*played)
    names = {deed.name for deeds in done for deed in deeds}
    assert names == {"tap", "write", "pause", "resume", "skip", "retry", "cancel"}


async def play(world: World, flow: Flow, seed: int, turn: asyncio.Lock) -> list[Deed]:
    """One customer's script; what was done. `turn` is for the simulator's one set of knobs."""
    number = f"+160455501{seed:02}"
    name = await world.publish(document(flow, seed))
    # A split is decided by the entry's id, so the rehearsal comes after it is known; the first
    # weather does not depend on it.
    async with turn:
        await world.behave(number, **Rehearsal(flow, UUID(int=0), seed).starts().knobs)
    customer = await world.send(name, number)
    rehearsal = Rehearsal(flow, customer.entry_id, seed)
    weather = rehearsal.starts()
    stage = Stage(customer, rehearsal)
    done: list[Deed] = []
    try:
        await stage.fails_later(weather)
        await stage.agrees()
        for deed in rehearsal.deeds(DEEDS):
            done.append(deed)
            async with turn:
                await world.behave(number, **deed.weather.knobs)
            await stage.do(deed)
            await stage.fails_later(deed.weather)
            await stage.agrees()
    except AssertionError as error:
        error.add_note(f"seed {seed}: {[(d.name, d.key, d.button, d.weather) for d in done]}")
        error.add_note(flow.model_dump_json(by_alias=True, exclude_defaults=True))
        raise
    return done


def document(flow: Flow, seed: int) -> dict[str, Any]:
    """The flow as JSON, with templates of its own: others have other buttons."""
    written = flow.model_dump(mode="json", by_alias=True, exclude_none=True)
    for node in written["nodes"].values():
        if node["type"] == "message":
            node["message"]["name"] += f"_{seed}"
    return written


class Stage:
    """One customer of the real system, beside the rehearsal of what happens to them."""

    def __init__(self, customer: Customer, rehearsal: Rehearsal) -> None:
        self._customer = customer
        self._world = customer.world
        self._rehearsal = rehearsal
        self._known = 0
        """How many accepted messages are of former deeds."""

    async def do(self, deed: Deed) -> None:
        match deed.name:
            case "tap":
                assert deed.key is not None
                opaque = await self._message_id(deed.key)
                tap = await self._customer.does("click", messageId=opaque, button=deed.button)
                await self._customer.is_heard(tap)
            case "write":
                await self._customer.is_heard(await self._customer.writes("words"))
            case "skip":
                await self._customer.skip(seconds=deed.skip.total_seconds())
            case lever:
                path = f"/sendouts/{self._customer.sendout_id}/{lever}"
                answer = await self._world.api.post(path)
                assert answer.status_code == 200, answer.text

    async def fails_later(self, weather: Weather) -> None:
        """Report what was accepted since the last deed as failed, in such a weather."""
        accepted = self._rehearsal.server.accepted
        new, self._known = accepted[self._known :], len(accepted)
        if not weather.fails_later or not new:
            return
        await eventually(self._accepted, sorted(accepted))
        await eventually(self._is_at_rest, True)
        for key in new:
            message_id = await self._message_id(key)
            await tell_status(self._customer, "failed", message_id, code=131000)

    async def agrees(self) -> None:
        """Wait until the real system is where the rehearsal is, and at rest there."""
        record, server = self._rehearsal.record, self._rehearsal.server
        await eventually(self._rows, self._rehearsal.messages())
        await eventually(self._accepted, sorted(server.accepted))
        await eventually(self._customer.state, record.entry_state)
        await eventually(self._is_at_rest, True)
        # The time that was skipped in a run before is not skipped in the one that took it up again.
        if not server.reopened:
            await eventually(self._is_open, server.run is not None)
        assert await self._rows() == self._rehearsal.messages()
        assert await self._accepted() == sorted(server.accepted)
        if server.run is None and not record.is_cancelled and not server.reopened:
            assert record.snapshot is not None
            wanted = record.snapshot.model_dump(mode="json")
            await eventually(self._snapshot, {name: wanted[name] for name in _KEPT})

    async def _is_at_rest(self) -> bool:
        """Nothing is left to be told to the run, and nothing of it is on its way."""
        if await self._query("SELECT 1 FROM run_signals WHERE entry_id = :entry"):
            return False
        about = (await self._customer.run.describe()).raw_description
        return not about.pending_activities and not about.HasField("pending_workflow_task")

    async def _is_open(self) -> bool:
        return await self._customer.status() is WorkflowExecutionStatus.RUNNING

    async def _rows(self) -> list[tuple[Any, ...]]:
        rows = await self._query(
            "SELECT attempt, node, visit, state FROM messages WHERE entry_id = :entry"
        )
        return sorted(tuple(row) for row in rows)

    async def _accepted(self) -> list[tuple[Any, ...]]:
        """What WhatsApp has, by our names of it; a message that it has twice is there twice."""
        messages = await self._customer.messages()  # first: each has its row before it is sent
        rows = await self._query(
            "SELECT message_id, attempt, node, visit FROM messages WHERE entry_id = :entry"
        )
        names = {row[0]: tuple(row[1:]) for row in rows}
        return sorted(names[sent["opaque"]] for sent in messages)

    async def _snapshot(self) -> dict[str, Any]:
        rows = await self._query("SELECT snapshot::text FROM entries WHERE entry_id = :entry")
        found = json.loads(rows[0][0])
        return {name: found.get(name, default) for name, default in _KEPT.items()}

    async def _message_id(self, key: tuple[int, str, int]) -> str:
        rows = await self._query(
            "SELECT message_id, attempt, node, visit FROM messages WHERE entry_id = :entry"
        )
        return str(next(row[0] for row in rows if tuple(row[1:]) == key))

    async def _query(self, query: str) -> list[Any]:
        async with self._world.database.transaction() as connection:
            found = await connection.execute(text(query), {"entry": self._customer.entry_id})
            return list(found.all())


_KEPT: dict[str, Any] = {"visits": {}, "sends": 0, "outputs": {}, "used": [], "given_up": []}
"""What a snapshot remembers of what was sent and heard."""
