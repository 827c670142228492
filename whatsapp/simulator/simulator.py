"""One running simulator: what its Graph and control calls work on."""

from typing import Any

from whatsapp.simulator.behaviour import Behaviour, BehaviourByCustomer
from whatsapp.simulator.config import Channel, SimulatorConfig
from whatsapp.simulator.database import Database
from whatsapp.simulator.ledger import Channels, Ledger
from whatsapp.simulator.outbox import Outbox
from whatsapp.simulator.outgoing import Outgoing
from whatsapp.simulator.registry import Registry
from whatsapp.simulator.throughput import TokenBuckets
from whatsapp.simulator.validation import read_message
from whatsapp.simulator.webhooks import WebhookSender


class Simulator:
    """The parts of a simulator, opened on the database in its data folder."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.database = Database(config.data_dir / "simulator.db")
        self.ledger = Ledger(self.database)
        self.channels = Channels(self.database)
        self.channels.configure(config.channels())
        self.registry = Registry(self.database)
        self.outbox = Outbox(self.database)
        self.webhooks = WebhookSender(str(config.webhook_url), self.outbox, self.channels)
        self.buckets = TokenBuckets()
        self.behaviour = BehaviourByCustomer(self.ledger.behaviour())

    def read(self, request: Any, channel: Channel) -> Outgoing:
        """The message a request on this channel asks for; raises `GraphError`."""
        return read_message(
            request,
            channel,
            lambda name, language: self.registry.find(channel.waba_id, name, language),
            self.ledger.digits_of,
        )

    def set_behaviour(self, behaviour: Behaviour) -> None:
        """Replaces the behaviour of new messages; `times` are counted from zero again."""
        with self.database.transaction():
            self.ledger.set_behaviour(behaviour)
        self.behaviour = BehaviourByCustomer(behaviour)
        self.buckets.clear()

    def reset(self) -> None:
        """Forgets everything but the channels."""
        with self.database.transaction():
            self.database.forget()
            self.ledger.set_behaviour(Behaviour())
        self.behaviour = BehaviourByCustomer(Behaviour())
        self.registry.forget()
        self.outbox.forget()
        self.buckets.clear()
