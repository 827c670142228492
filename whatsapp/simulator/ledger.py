"""What the simulator has accepted and knows of customers: the tables behind every answer."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from whatsapp.simulator.behaviour import Behaviour
from whatsapp.simulator.config import Channel
from whatsapp.simulator.database import Database
from whatsapp.simulator.phone import user_id

# How long after a customer's last message free-form messages may be sent, in seconds.
SERVICE_WINDOW = 24 * 3600


class Accepted(NamedTuple):
    """An accepted message; `record` is its line in `/_sim/messages`."""

    number: int
    wamid: str
    phone_number_id: str
    customer: str
    failed: bool
    delivered: bool
    record: dict[str, Any]


class Customer(NamedTuple):
    """A customer's number in digits, and the names WhatsApp gives them."""

    digits: str
    wa_id: str
    user_id: str


def timestamp(seconds: float) -> str:
    """Unix seconds as RFC 3339, in UTC and to the millisecond."""
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_ACCEPTED = "number, wamid, phone_number_id, customer, failed, delivered, record"


class Ledger:
    """Reads and writes of messages, customers and behaviour; the caller holds the transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._execute = database.execute

    # --- messages ----------------------------------------------------------------------------

    def add_message(self, message: Accepted, opaque: str | None) -> None:
        record = json.dumps(message.record, ensure_ascii=False, separators=(",", ":"))
        self._execute(
            "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                message.number, message.wamid, opaque, message.phone_number_id, message.customer,
                message.failed, message.delivered, record,
            ),
        )  # fmt: skip

    def message(self, wamid_or_opaque: str) -> Accepted | None:
        """The message of that id; of several sent with one opaque id the newest."""
        row = self._execute(
            f"SELECT {_ACCEPTED} FROM messages WHERE wamid = ?1 OR opaque = ?1"
            " ORDER BY number DESC LIMIT 1",
            (wamid_or_opaque,),
        ).fetchone()
        if row is None:
            return None
        number, wamid, phone_number_id, customer, failed, delivered, record = row
        return Accepted(
            number,
            wamid,
            phone_number_id,
            customer,
            bool(failed),
            bool(delivered),
            json.loads(record),
        )

    def set_delivered(self, wamid: str) -> None:
        self._execute("UPDATE messages SET delivered = 1 WHERE wamid = ?", (wamid,))

    def records(self, customer: str | None, after: int) -> list[str]:
        """The JSON lines of accepted messages with a higher number than `after`, in order."""
        query = "SELECT record FROM messages WHERE number > ?"
        values: list[Any] = [after]
        if customer is not None:
            query += " AND customer = ?"
            values.append(customer)
        return [row[0] for row in self._execute(f"{query} ORDER BY number", values)]

    def add_said(self, number: int, customer: str, record: dict[str, Any]) -> None:
        """Keep what a customer wrote or tapped, as the phone page shows it."""
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        self._execute("INSERT INTO said VALUES (?, ?, ?)", (number, customer, line))

    def last_sender(self, customer: str) -> str | None:
        """The phone number id that messaged this customer last."""
        row = self._execute(
            "SELECT phone_number_id FROM messages WHERE customer = ? ORDER BY number DESC LIMIT 1",
            (customer,),
        ).fetchone()
        return row[0] if row else None

    # --- customers ---------------------------------------------------------------------------

    def count_request(self, digits: str) -> int:
        """Counts one more request for this customer, answered or not; returns which it is."""
        row = self._execute(
            "UPDATE customers SET requests = requests + 1 WHERE digits = ? RETURNING requests",
            (digits,),
        ).fetchone()
        if row is None:
            self._execute(
                "INSERT INTO customers VALUES (?, ?, ?, 1)", (digits, digits, user_id(digits))
            )
            return 1
        return int(row[0])

    def meet(self, digits: str, wa_id: str) -> Customer:
        """The customer of this number, from now on known by that `wa_id`."""
        row = self._execute(
            "UPDATE customers SET wa_id = ? WHERE digits = ? RETURNING user_id", (wa_id, digits)
        ).fetchone()
        if row is None:
            self._execute(
                "INSERT INTO customers VALUES (?, ?, ?, 0)", (digits, wa_id, user_id(digits))
            )
            return Customer(digits, wa_id, user_id(digits))
        return Customer(digits, wa_id, row[0])

    def customer(self, digits: str) -> Customer:
        """The customer of this number, met or not."""
        row = self._execute(
            "SELECT wa_id, user_id FROM customers WHERE digits = ?", (digits,)
        ).fetchone()
        return Customer(digits, *row) if row else Customer(digits, digits, user_id(digits))

    def digits_of(self, name: str) -> str | None:
        """The dialled number of whoever has that number, `wa_id` or user id."""
        row = self._execute(
            "SELECT digits FROM customers WHERE digits = ?1 OR wa_id = ?1 OR user_id = ?1"
            " ORDER BY digits = ?1 DESC LIMIT 1",
            (name,),
        ).fetchone()
        return row[0] if row else None

    def open_window(self, phone_number_id: str, customer: str) -> None:
        self._execute(
            "INSERT INTO conversations VALUES (?, ?, ?, 0)"
            " ON CONFLICT DO UPDATE SET last_inbound = excluded.last_inbound",
            (phone_number_id, customer, time.time()),
        )

    def window_is_open(self, phone_number_id: str, customer: str) -> bool:
        last, _ = self._conversation(phone_number_id, customer)
        return time.time() - last < SERVICE_WINDOW

    def set_stopped(self, phone_number_id: str, customer: str, *, stopped: bool) -> None:
        self._execute(
            "INSERT INTO conversations VALUES (?, ?, 0, ?)"
            " ON CONFLICT DO UPDATE SET stopped = excluded.stopped",
            (phone_number_id, customer, stopped),
        )

    def has_stopped(self, phone_number_id: str, customer: str) -> bool:
        """Whether the customer stopped this number's marketing messages."""
        return bool(self._conversation(phone_number_id, customer)[1])

    def _conversation(self, phone_number_id: str, customer: str) -> tuple[float, int]:
        row = self._execute(
            "SELECT last_inbound, stopped FROM conversations"
            " WHERE phone_number_id = ? AND customer = ?",
            (phone_number_id, customer),
        ).fetchone()
        return row or (0.0, 0)

    # --- behaviour ---------------------------------------------------------------------------

    def behaviour(self) -> Behaviour:
        stored = self._database.fact("behaviour")
        return Behaviour.model_validate_json(str(stored)) if stored else Behaviour()

    def set_behaviour(self, behaviour: Behaviour) -> None:
        self._database.set_fact("behaviour", json.dumps(behaviour.document()))
        self._execute("DELETE FROM failures")

    def use_failure(self, scope: str, times: int) -> bool:
        """Uses one of the `times` failures of a scope; False when they are used up."""
        row = self._execute(
            "INSERT INTO failures SELECT ?1, 1 WHERE ?2 > 0"
            " ON CONFLICT DO UPDATE SET used = used + 1 WHERE used < ?2 RETURNING used",
            (scope, times),
        ).fetchone()
        return row is not None

    # --- media -------------------------------------------------------------------------------

    def add_media(self, document: dict[str, Any]) -> str:
        media_id = 10**15 + self._database.next_number()
        self._execute("INSERT INTO media VALUES (?, ?)", (media_id, json.dumps(document)))
        return str(media_id)

    def media(self, media_id: str) -> dict[str, Any] | None:
        row = self._execute("SELECT document FROM media WHERE id = ?", (media_id,)).fetchone()
        return json.loads(row[0]) if row else None


class Channels:
    """The senders, by phone number id, in the order they were added."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._channels: dict[str, Channel] = {}
        for (document,) in database.execute("SELECT document FROM channels ORDER BY position"):
            channel = Channel.model_validate_json(document)
            self._channels[channel.phone_number_id] = channel

    def __iter__(self) -> Iterator[Channel]:
        return iter(self._channels.values())

    def get(self, phone_number_id: str | None) -> Channel | None:
        return self._channels.get(phone_number_id or "")

    def by_phone_number(self, digits: str) -> Channel | None:
        return next((c for c in self._channels.values() if c.digits == digits), None)

    def first(self) -> Channel | None:
        return next(iter(self._channels.values()), None)

    def of_account(self, waba_id: str) -> list[Channel]:
        return [c for c in self._channels.values() if c.waba_id == waba_id]

    def configure(self, channels: list[Channel]) -> None:
        """Takes over the configuration's channels where it changed since the last start.

        A channel that was changed by a control call in between stays as the call left it.
        """
        with self._database.transaction():
            for channel in channels:
                document = channel.model_dump_json()
                row = self._database.execute(
                    "SELECT configured FROM channels WHERE phone_number_id = ?",
                    (channel.phone_number_id,),
                ).fetchone()
                if row is None or row[0] != document:
                    self._store(channel, configured=document)

    def put(self, channels: list[Channel]) -> None:
        """Adds these channels, or replaces those of the same phone number id."""
        with self._database.transaction():
            for channel in channels:
                self._store(channel)

    def _store(self, channel: Channel, configured: str | None = None) -> None:
        self._database.execute(
            "INSERT INTO channels (phone_number_id, document, configured) VALUES (?, ?, ?)"
            " ON CONFLICT (phone_number_id) DO UPDATE SET document = excluded.document,"
            " configured = coalesce(excluded.configured, configured)",
            (channel.phone_number_id, channel.model_dump_json(), configured),
        )
        self._channels[channel.phone_number_id] = channel
