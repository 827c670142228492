"""Events go to the address that was checked, and nowhere else."""

import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from domain.webhook_address import Allowed, UnusableAddress
from storage.webhooks import change_webhook
from tests.record import BUSINESS
from tests.webhooks.delivering import LOOPBACK, Office, courier
from tests.webhooks.receiver import Receiver
from webhooks.addresses import Addresses

HERE = Path(__file__).parent
CERTIFICATE = HERE / "hook.example.pem"


class Names:
    """A name server whose answers can change."""

    def __init__(self, **known: Sequence[str]) -> None:
        self.known = {name.replace("_", "."): list(ips) for name, ips in known.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host not in self.known:
            raise OSError("no such host")
        return self.known[host]


@pytest.fixture
async def tls_receiver() -> AsyncIterator[Receiver]:
    """Answers for hook.example over TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE, HERE / "hook.example.key.pem")
    async with Receiver(tls=context) as receiver:
        yield receiver


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))


class TestChecking:
    async def test_a_public_address_is_good(self):
        names = Names(hook_example=["93.184.216.34", "2606:2800:220:1::1"])
        await Addresses(Allowed(), names).check("https://hook.example/x")

    @pytest.mark.parametrize(
        "ip",
        [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "::1",
            "fd00::1",
            "fe80::1%eth0",
            "::ffff:127.0.0.1",
        ],
    )
    async def test_one_private_address_among_public_ones_is_one_too_many(self, ip):
        names = Names(hook_example=["93.184.216.34", ip])
        with pytest.raises(UnusableAddress, match="private"):
            await Addresses(Allowed(), names).check("https://hook.example/x")

    async def test_a_name_nobody_knows_is_refused(self):
        with pytest.raises(UnusableAddress, match="could not be looked up"):
            await Addresses(Allowed(), Names()).check("https://hook.example/x")

    @pytest.mark.parametrize(
        "spelling", ["127.1", "2130706433", "0x7f000001", "localhost", "[::ffff:7f00:1]"]
    )
    async def test_other_spellings_of_loopback_are_looked_up_by_the_system(self, spelling):
        with pytest.raises(UnusableAddress):
            await Addresses(Allowed()).check(f"https://{spelling}/x")


class TestDelivering:
    async def test_a_name_that_leads_elsewhere_at_delivery_is_refused(
        self, office: Office, receiver: Receiver
    ):
        """DNS rebinding: good at registration, private afterwards."""
        names = Names(hook_example=["93.184.216.34"])
        addresses = Addresses(Allowed(), names)
        address = f"https://hook.example:{receiver.port}/x"
        await addresses.check(address)
        webhook_id = await office.register(address)
        names.known["hook.example"] = ["127.0.0.1"]
        await office.happens([(message, "sent") for message in await office.messages(2)])
        await office.deliver(webhook_id, courier(addresses))

        assert receiver.connections == 0
        said = "the host must not be at a private, loopback or special address"
        assert await office.waiting(webhook_id) == [("sent", "pending", said)] * 2

    @pytest.mark.parametrize("name", ["hook.example", "hook.example."])
    async def test_what_was_checked_is_connected_to(
        self, office: Office, tls_receiver: Receiver, name: str
    ):
        """The system knows no hook.example: only the checked address can have been used."""
        names = Names()
        names.known[name] = ["127.0.0.1"]
        webhook_id = await office.register(f"https://{name}:{tls_receiver.port}/x?y=1")
        await office.happens([(message, "read") for message in await office.messages(2)])
        via = courier(Addresses(LOOPBACK, names), tls=trusting())
        await office.deliver_all(webhook_id, via)

        assert len(tls_receiver.taken) == 6
        assert tls_receiver.unsigned == []
        call = tls_receiver.taken[0]
        assert call.path == "/x?y=1"
        assert call.headers["host"] == f"{name}:{tls_receiver.port}"
        assert set(names.asked) == {name}

    @pytest.mark.parametrize("name", ["other.example", "127.0.0.1"])
    async def test_the_certificate_has_to_be_of_the_name(
        self, office: Office, tls_receiver: Receiver, name: str
    ):
        names = Names(other_example=["127.0.0.1"])
        names.known["127.0.0.1"] = ["127.0.0.1"]
        webhook_id = await office.register(f"https://{name}:{tls_receiver.port}/x")
        await office.happens([(message, "sent") for message in await office.messages(1)])
        await office.deliver(webhook_id, courier(Addresses(LOOPBACK, names), tls=trusting()))

        assert tls_receiver.got == []
        said = "the certificate is not good"
        assert await office.waiting(webhook_id) == [("sent", "pending", said)]

    async def test_an_address_that_is_away_gives_way_to_the_next_one(
        self, office: Office, receiver: Receiver
    ):
        names = Names(hook_example=["127.0.0.2", "127.0.0.1"])
        webhook_id = await office.register(f"http://hook.example:{receiver.port}/")
        await office.happens([(message, "sent") for message in await office.messages(1)])
        await office.deliver_all(webhook_id, courier(Addresses(LOOPBACK, names)))

        assert len(receiver.taken) == 1

    async def test_an_address_that_takes_no_connection_leaves_time_for_the_next_one(
        self, office: Office, receiver: Receiver
    ):
        """Packets to it are lost: its queue of connections is full and nobody takes one."""
        with socket.socket() as silent, contextlib.ExitStack() as waiting:
            silent.bind(("127.0.0.2", receiver.port))
            silent.listen(0)
            for _ in range(4):
                knocking = waiting.enter_context(socket.socket())
                knocking.setblocking(False)
                knocking.connect_ex(silent.getsockname())
            names = Names(hook_example=["127.0.0.2", "127.0.0.1"])
            webhook_id = await office.register(f"http://hook.example:{receiver.port}/")
            await office.happens([(message, "sent") for message in await office.messages(1)])
            via = courier(Addresses(LOOPBACK, names), timeout=4.0)
            await office.deliver_all(webhook_id, via, tries=10)

        assert receiver.taken

    async def test_user_and_password_are_sent_as_basic_authentication(
        self, office: Office, receiver: Receiver
    ):
        webhook_id = await office.register(f"http://ana:p%40ss@127.0.0.1:{receiver.port}/")
        await office.happens([(message, "sent") for message in await office.messages(1)])
        await office.deliver_all(webhook_id)

        (call,) = receiver.taken
        assert call.headers["authorization"] == "Basic YW5hOnBAc3M="
        assert call.headers["host"] == f"127.0.0.1:{receiver.port}"

    async def test_a_change_of_address_and_secret_counts_for_the_next_event(
        self, office: Office, receiver: Receiver
    ):
        webhook_id = await office.register("http://127.0.0.1:1/")
        (message,) = await office.messages(1)
        await office.happens([(message, "sent")])
        await office.deliver(webhook_id)
        receiver.secret = "quite another secret"
        async with office.database.transaction() as connection:
            changes = {"address": receiver.address, "secret": "quite another secret"}
            assert await change_webhook(connection, BUSINESS, webhook_id, changes)
        await office.deliver_all(webhook_id)

        assert len(receiver.taken) == 1
        assert receiver.unsigned == []
