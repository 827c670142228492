"""The simulator as a process of its own, killed without warning."""

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from embedded.ports import free_ports
from tests.e2e.patience import until_seen
from tests.whatsapp.simulator.harness import (
    MESSAGES,
    SALE,
    SECRET,
    SENDER,
    SENDER_ID,
    TOKEN,
    WABA,
    Receiver,
    behave,
    click,
    ledger,
    reply,
    sale,
    send,
    text,
)

ROOT = Path(__file__).parents[3]
FAILING = "+16045550001"
STOPPED = "+16045550002"
FEW = 10
"""Messages that are accepted at least before the kill."""


class Process:
    """A simulator that is started again on the same port and data folder."""

    def __init__(self, folder: Path, webhook_url: str) -> None:
        (self.port,) = free_ports(1)
        self.config = folder / "config.json"
        self.config.write_text(
            json.dumps(
                {
                    "port": self.port,
                    "data_dir": str(folder / "data"),
                    "webhook_url": webhook_url,
                    "app_secret": SECRET,
                    "access_token": TOKEN,
                    "phone_numbers": [
                        {
                            "phone_number_id": SENDER_ID,
                            "display_phone_number": SENDER,
                            "waba_id": WABA,
                        }
                    ],
                }
            )
        )

    async def start(self) -> None:
        self.child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "whatsapp.simulator", str(self.config), cwd=ROOT
        )

    async def end(self, how: signal.Signals) -> int:
        os.kill(self.child.pid, how)
        return await self.child.wait()

    @asynccontextmanager
    async def client(self):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"http://127.0.0.1:{self.port}"
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:

            async def listens() -> bool:
                with suppress(httpx.ConnectError):
                    await client.get("/")
                    return True
                return False

            await until_seen(bool, listens)
            yield client


@dataclass
class Survived:
    """A simulator that was killed while it was being sent to, and what it had answered."""

    process: Process
    client: httpx.AsyncClient
    receiver: Receiver
    accepted: list[str]
    tapped: str
    written: str


async def _keep_sending(client: httpx.AsyncClient, worker: int, accepted: list[str]) -> None:
    for number in range(1000):
        message = sale(f"w{worker}-{number}", to=f"+1604{worker:03d}{number:04d}")
        answer = await client.post(MESSAGES, json=message)
        accepted.append(answer.json()["messages"][0]["id"])


@pytest.fixture(scope="module")
async def survived(tmp_path_factory):
    receiver = Receiver()
    (receiver.port,) = free_ports(1)
    process = Process(tmp_path_factory.mktemp("process"), receiver.url)
    accepted: list[str] = []
    await process.start()
    async with process.client() as client:
        await client.put("/_sim/templates", json=[SALE])
        failing = {"failWith": {"code": 131056, "times": 2}}
        await behave(client, delayMs=20, recipients={FAILING: failing})
        assert (await client.post(MESSAGES, json=sale(to=FAILING))).status_code == 429
        await client.post("/_sim/user-preference", json={"from": STOPPED, "value": "stop"})
        tapped = await click(client, await send(client, sale("tapped")), "More")
        written = await reply(client, "before the kill")
        channel = {"phoneNumberId": SENDER_ID, "phoneNumber": SENDER, "wabaId": WABA}
        secrets = {"accessToken": "renewed", "appSecret": SECRET}
        await client.put("/_sim/channels", json=[{**channel, **secrets}])
        client.headers["Authorization"] = "Bearer renewed"
        workers = [asyncio.create_task(_keep_sending(client, n, accepted)) for n in range(4)]
        while len(accepted) <= FEW:  # noqa: ASYNC110 four tasks add to it
            await asyncio.sleep(0.05)
        await process.end(signal.SIGKILL)
        results = await asyncio.gather(*workers, return_exceptions=True)
        assert all(isinstance(result, httpx.TransportError) for result in results)
    # Nobody took webhooks so far, so all of them must have survived the kill.
    async with receiver.listening():
        await process.start()
        async with process.client() as client:
            client.headers["Authorization"] = "Bearer renewed"
            yield Survived(process, client, receiver, accepted, tapped, written)
            if process.child.returncode is None:
                await process.end(signal.SIGKILL)


async def test_a_kill_loses_no_accepted_message(survived):
    records = await ledger(survived.client)
    assert len(survived.accepted) > FEW
    assert set(survived.accepted) <= {record["id"] for record in records}
    assert len({record["opaque"] for record in records}) == len(records)


async def test_a_kill_loses_no_webhook(survived):
    for record in await ledger(survived.client):
        await survived.receiver.statuses_reach(record["id"], "sent", "delivered")
    await survived.receiver.inbound_arrives(survived.tapped)
    await survived.receiver.inbound_arrives(survived.written)
    assert survived.receiver.unsigned == []


async def test_after_a_kill_window_templates_and_new_ids_go_on(survived):
    known = {record["id"] for record in await ledger(survived.client)}
    wamids = [await send(survived.client, text()), await send(survived.client, sale("again"))]
    assert not known & set(wamids)
    for wamid in wamids:
        await survived.receiver.statuses_reach(wamid, "sent", "delivered")


async def test_failures_used_up_before_a_kill_stay_used_up(survived):
    answers = [await survived.client.post(MESSAGES, json=sale(to=FAILING)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [429, 200]


async def test_a_preference_survives_a_kill(survived):
    wamid = await send(survived.client, sale(to=STOPPED))
    (failed,) = await survived.receiver.statuses_reach(wamid, "failed")
    assert failed["errors"][0]["code"] == 131050


async def test_a_renewed_token_survives_a_restart_with_the_old_configuration(survived):
    old = {"Authorization": f"Bearer {TOKEN}"}
    assert (await survived.client.post(MESSAGES, json=sale(), headers=old)).status_code == 401
    await send(survived.client, sale())


async def test_the_real_process_drops_connections_too(survived):
    await behave(survived.client, dropAfterAcceptRate=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await survived.client.post(MESSAGES, json=sale("dropped"))
    assert (await ledger(survived.client))[-1]["opaque"] == "dropped"
    await behave(survived.client)


async def test_sigterm_ends_the_process_cleanly(survived):
    ended = await asyncio.wait_for(survived.process.end(signal.SIGTERM), 60)
    assert ended in {0, -signal.SIGTERM}
