"""Record one history per shape of run: `python -m tests.histories.record`, in real time.

Run it when a change adds a shape, and commit the new file. Files that exist are left alone: they are
what replays must go on understanding.
"""

import asyncio
import json
import re
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import text
from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from embedded.postgres import running_postgres
from embedded.temporal_server import program
from settings import Settings
from storage.schema import migrate
from storage.session import Database
from tests.record import add_business
from tests.workflows.conftest import make_world
from tests.workflows.flows import echo, offer, question
from tests.workflows.world import Customer, World
from workflows import messages

HERE = Path(__file__).parent
_Shape = Callable[[World, str], Awaitable[Customer]]


async def silent(world: World, number: str) -> Customer:
    """The nudge after the delay, then the window ends."""
    customer = await world.send(await world.publish(offer(duration="PT2S")), number)
    await customer.gets("Welcome", "Nudge")
    await customer.closes()
    return customer


async def clicked(world: World, number: str) -> Customer:
    customer = await world.send(await world.publish(offer(duration="PT20S")), number)
    await customer.gets("Welcome")
    await customer.waits_for("time delay")
    await customer.taps("Yes")
    await customer.gets("Welcome", "Offer")
    await customer.taps("No", message=0)
    await customer.closes()
    return customer


async def parallel(world: World, number: str) -> Customer:
    """An `all` delay goes on beside the path of a click."""
    flow = offer(condition="all", duration="PT4S")
    customer = await world.send(await world.publish(flow), number)
    await customer.gets("Welcome")
    await customer.taps("Yes")
    await customer.gets("Welcome", "Offer", "Nudge")
    await customer.closes()
    return customer


async def answered(world: World, number: str) -> Customer:
    customer = await world.send(await world.publish(question()), number)
    await customer.gets("Hello")
    await customer.waits_for("text for **color**")
    await customer.writes("red")
    await customer.gets("Hello", "Red it is")
    await customer.closes()
    return customer


async def unanswered(world: World, number: str) -> Customer:
    flow = question()
    flow["nodes"]["color"]["timeout"] = "PT2S"
    customer = await world.send(await world.publish(flow), number)
    await customer.gets("Hello", "Too late")
    await customer.closes()
    return customer


async def held(world: World, number: str) -> Customer:
    customer = await world.send(await world.publish(offer(duration="PT3S")), number)
    await customer.gets("Welcome")
    await world.api.post(f"/sendouts/{customer.sendout_id}/pause")
    await customer.waits_for("is held")
    await world.api.post(f"/sendouts/{customer.sendout_id}/resume")
    await customer.gets("Welcome", "Nudge")
    await customer.closes()
    return customer


async def taken_back(world: World, number: str) -> Customer:
    """A pause takes a send back that still waits in the queue, behind another customer's."""
    other = number.replace("+1604", "+1605")
    await world.behave(other, latencyMs=4000)
    first = await world.send(await world.publish(offer()), other)
    await first.has("state = 'sending'", "welcome")
    customer = await world.send(await world.publish(offer(duration="PT2S")), number)
    await customer.is_in_state("running")
    await customer.waits_for("welcome")
    await world.api.post(f"/sendouts/{customer.sendout_id}/pause")
    await customer.waits_for("is held")
    await world.api.post(f"/sendouts/{customer.sendout_id}/resume")
    await customer.gets("Welcome", "Nudge")
    await customer.closes()
    return customer


async def with_the_phone_off(world: World, number: str, **changes: str) -> Customer:
    """A customer who receives nothing, and whose delay is due after a second."""
    await world.behave(number, deliver=False)
    flow = offer(duration="PT1S", **changes)
    return await world.send(await world.publish(flow), number)


async def delivered_late(world: World, number: str) -> Customer:
    customer = await with_the_phone_off(world, number, condition="all")
    await customer.gets("Welcome")
    await customer.waits_for("not delivered yet")
    await customer.taps("No")
    await customer.gets("Welcome", "Nudge")
    await customer.closes()
    return customer


async def never_received(world: World, number: str) -> Customer:
    """The phone stays off for longer than the run waits; recorded before it took a last look."""
    customer = await with_the_phone_off(world, number)
    await customer.gets("Welcome")
    await customer.is_in_state("not_received")
    await customer.closes()
    return customer


async def unheard(world: World, number: str) -> Customer:
    """The delivery is on record, but the run has not heard of it when it stops waiting."""
    customer = await with_the_phone_off(world, number)
    await customer.waits_for("not delivered yet")
    await customer.is_delivered_unheard("welcome")
    await customer.gets("Welcome", "Nudge")
    await customer.closes()
    return customer


async def failed(world: World, number: str) -> Customer:
    await world.behave(number, failWith=131026)
    customer = await world.send(await world.publish(offer()), number)
    await customer.is_in_state("failed")
    await customer.closes()
    return customer


async def unknown(world: World, number: str) -> Customer:
    """The connection breaks after WhatsApp took the message; a status settles it."""
    await world.behave(number, dropAfterAcceptRate=1, delayMs=1000)
    customer = await world.send(await world.publish(offer(duration="PT2S")), number)
    await customer.gets("Welcome")
    await customer.has("state = 'sent'", "welcome")
    await world.behave(number)
    await customer.gets("Welcome", "Nudge")
    await customer.closes()
    return customer


async def reopened(world: World, number: str) -> Customer:
    """The second run of an entry, made by a late click."""
    customer = await silent(world, number)
    await customer.taps("Yes", message=0)
    await customer.gets("Welcome", "Nudge", "Offer")
    await customer.closes()
    return customer


async def retried(world: World, number: str) -> Customer:
    """The second attempt, in a history that follows the first one's."""
    await world.behave(number, failWith={"code": 131000, "via": "status", "times": 1})
    customer = await world.send(await world.publish(offer(duration="PT2S")), number)
    await customer.is_in_state("failed")
    await customer.waits_for("clicks")
    await world.api.post(f"/sendouts/{customer.sendout_id}/retry")
    await customer.gets("Welcome", "Welcome", "Nudge")
    await customer.closes()
    return customer


async def overtaken(world: World, number: str) -> Customer:
    """The first attempt of the same, open for clicks until the second takes over."""
    customer = await retried(world, number)
    customer.run_id = (await customer.run.describe()).raw_info.first_run_id
    return customer


async def too_many(world: World, number: str) -> Customer:
    customer = await world.send(await world.publish(echo()), number)
    for count in range(1, 5):
        await customer.gets(*["Again?"] * count)
        await customer.taps("More")
    await customer.closes()
    return customer


async def windowed(world: World, number: str) -> Customer:
    """Held until its sending window opens, with the next minute but a few seconds."""
    opens = (datetime.now(UTC) + timedelta(seconds=70)).replace(second=0, microsecond=0)
    closes = opens + timedelta(hours=1)
    window = {"timezone": "UTC", "from": f"{opens:%H:%M}", "to": f"{closes:%H:%M}"}
    flow = offer(condition="all", duration="PT2S") | {"window": window}
    customer = await world.send(await world.publish(flow), number)
    await customer.has("state = 'held'", "welcome")
    await asyncio.sleep((opens - datetime.now(UTC)).total_seconds())
    await customer.gets("Welcome", "Nudge")
    await customer.closes()
    return customer


async def expired(world: World, number: str) -> Customer:
    """Held by a pause that nobody ends, until its time is over."""
    flow = offer(condition="all", duration="PT3S") | {"expireAfter": "PT3S"}
    customer = await world.send(await world.publish(flow), number)
    await customer.gets("Welcome")
    await world.api.post(f"/sendouts/{customer.sendout_id}/pause")
    await customer.has("state = 'expired'", "nudge")
    await customer.closes()
    return customer


SHAPES: tuple[_Shape, ...] = (
    silent,
    clicked,
    parallel,
    answered,
    unanswered,
    held,
    taken_back,
    delivered_late,
    never_received,
    unheard,
    failed,
    unknown,
    reopened,
    retried,
    overtaken,
    too_many,
    windowed,
    expired,
)


async def dev_server() -> WorkflowEnvironment:
    """Temporal's own server, in real time."""
    return await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(program()),
        search_attributes=list(messages.SEARCH_ATTRIBUTES),
        dev_server_log_level="error",
    )


async def record() -> None:
    """Record the shapes that have no file yet."""
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder) / "pg") as url:
        await migrate(url)
        env = await dev_server()
        settings = Settings(
            database_url=url,
            task_queue=f"t-{uuid4()}",
            click_window=3,
            late_delivery=6,
            max_sends=4,
            unknown_grace=15,
            http_timeout=6,
            send_slots=1,
        )
        async with env, Database(url) as database:
            async with database.transaction() as connection:
                await add_business(connection)
            async with make_world(settings, env, database, Path(folder)) as world:
                for number, shape in enumerate(SHAPES):
                    await _record_shape(world, shape, f"+16045551{number:03}")


async def _record_shape(world: World, shape: _Shape, number: str) -> None:
    file = HERE / f"run.{shape.__name__}.json"
    if file.exists():
        return
    customer = await shape(world, number)
    history = await customer.run.fetch_history()
    async with world.database.transaction() as connection:
        rows = await connection.execute(
            text("""
                SELECT f.flow_hash, f.document FROM flows f
                JOIN sendouts s USING (flow_hash) WHERE s.sendout_id = :sendout
            """),
            {"sendout": customer.sendout_id},
        )
        flows = {row.flow_hash: json.loads(row.document) for row in rows}
    keep(file, history, flows)


def keep(file: Path, history: WorkflowHistory, flows: Mapping[str, Any]) -> None:
    """Write a history, with the flows it names beside it."""
    recorded = {
        "workflowId": history.workflow_id,
        "flows": flows,
        "history": history.to_json_dict(),
    }
    # Whose machine it was is nobody's business.
    anonymous = re.sub(r"\d+@[\w.-]+", "worker", json.dumps(recorded, indent=1))
    file.write_text(anonymous + "\n")


if __name__ == "__main__":
    asyncio.run(record())
