"""WhatsApp's side of a stack: what its simulated customers got, tap and write."""

from collections.abc import Collection, Iterator, Mapping
from itertools import count
from typing import Any, Self

import httpx

from tests.e2e.patience import until

Message = dict[str, Any]

_RANGES = count(1)


class PhoneNumbers:
    """Numbers nobody else in this test session uses, in E.164."""

    def __init__(self) -> None:
        self._prefix = f"+1604{next(_RANGES):03}"
        self._next = count(1)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return f"{self._prefix}{next(self._next):04}"

    def take(self, number: int) -> list[str]:
        """That many new numbers."""
        return [next(self) for _ in range(number)]


class Customers:
    """All customers of a stack, through the control side of its simulator."""

    def __init__(self, simulator_url: str) -> None:
        self._http = httpx.Client(base_url=f"{simulator_url}/_sim", trust_env=False, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def await_reachable(self) -> None:
        """Wait until the simulator answers, after it was killed."""

        def answers() -> bool:
            try:
                return self._http.get("/behaviour").is_success
            except httpx.TransportError:
                return False

        until(bool, answers)

    # --- what they got -------------------------------------------------------------------------

    def messages(self, to: str = "", after: str = "") -> list[Message]:
        """Every accepted message in order: to everybody, or to one number."""
        answer = self._http.get("/messages", params={"to": to, "after": after})
        answer.raise_for_status()
        listed: list[Message] = answer.json()["data"]
        return listed

    def got(self, number: str) -> list[str]:
        """The texts a customer's phone shows, in order."""
        return [message["text"] for message in self.messages(number)]

    def got_by(self, numbers: Collection[str]) -> dict[str, list[str]]:
        """The same for many customers at once."""
        texts: dict[str, list[str]] = {number: [] for number in numbers}
        for message in self.messages():
            if message["to"] in texts:
                texts[message["to"]].append(message["text"])
        return texts

    def await_message(self, number: str, text: str) -> str:
        """Wait until a customer has that message; its wamid."""
        listed = until(
            lambda seen: text in [m["text"] for m in seen], lambda: self.messages(number)
        )
        return next(str(m["id"]) for m in listed if m["text"] == text)

    # --- what they do --------------------------------------------------------------------------

    def tap(self, wamid: str, button: str) -> str:
        """Tap a button of a message; WhatsApp's id of the tap."""
        return self._do("click", {"messageId": wamid, "button": button})

    def write(self, number: str, text: str) -> str:
        """Write to who messaged them last; WhatsApp's id of the text."""
        return self._do("reply", {"from": number, "text": text})

    def _do(self, what: str, body: dict[str, str]) -> str:
        answer = self._http.post(f"/{what}", json=body)
        assert answer.is_success, answer.text
        return str(answer.json()["id"])

    # --- how their phones behave ---------------------------------------------------------------

    def behave(self, numbers: Collection[str], **knobs: Any) -> None:
        """Set the behaviour of these customers; that of all others stays as it is."""
        behaviour = self._http.get("/behaviour").json()
        behaviour["recipients"] |= dict.fromkeys(numbers, knobs)
        self._http.put("/behaviour", json=behaviour).raise_for_status()

    def behave_by_default(self, **knobs: Any) -> None:
        """Set the behaviour of everybody who has none of their own; without knobs the usual one."""
        recipients = self._http.get("/behaviour").json()["recipients"]
        behaviour = {**knobs, "recipients": recipients}
        self._http.put("/behaviour", json=behaviour).raise_for_status()

    # --- what WhatsApp makes of templates ------------------------------------------------------

    def recategorise(self, template: str, category: str) -> None:
        """Put a template into another category in WhatsApp's list, without an event of it."""
        listed = self._http.get("/templates").raise_for_status().json()["data"]
        for one in listed:
            if one["name"] == template:
                one["category"] = category
        self._http.put("/templates", json=listed).raise_for_status()


class Reactions:
    """Customers of one batch, some of whom tap a button of each message as soon as they get it."""

    def __init__(
        self, customers: Customers, numbers: Collection[str], button_of: Mapping[str, str]
    ) -> None:
        """`button_of` names the button of each number that taps."""
        self._customers = customers
        self._button_of = button_of
        self._seen = ""
        self.got: dict[str, list[str]] = {number: [] for number in numbers}

    def look(self) -> int:
        """Read what is new and let its recipients react; how many messages they have by now."""
        for message in self._customers.messages(after=self._seen):
            self._seen = str(message["id"])
            if message["to"] not in self.got:
                continue
            self.got[message["to"]].append(message["text"])
            button = self._button_of.get(message["to"])
            if button is not None and message["buttons"]:
                self._customers.tap(message["id"], button)
        return sum(map(len, self.got.values()))
