"""The two parties the demo talks to: the API as a business does, the simulator as customers do."""

import time
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx

from embedded import credentials
from embedded.demo_customers import Customer, Tap, Text

_PATIENCE = 60.0


class Business:
    """The API with the embedded stack's key. Raises `httpx.HTTPError` when it does not answer."""

    def __init__(self, api_url: str) -> None:
        self._http = httpx.Client(
            base_url=f"{api_url}/v1/businesses/{credentials.BUSINESS_ID}",
            headers={"X-API-Key": credentials.API_KEY},
            timeout=_PATIENCE,
            trust_env=False,
        )

    def publish(self, name: str, flow: dict[str, Any]) -> str:
        """Make a campaign of a flow; its version."""
        made = self._post("/campaigns", {"name": name, "flow": flow})
        campaign_id = made["entity"]["campaignId"]
        return str(self._post(f"/campaigns/{campaign_id}/publish", {})["campaignVersion"])

    def send(self, entries: Sequence[dict[str, Any]], **options: str) -> list[dict[str, Any]]:
        """Send a batch; the rows of the answer."""
        answer = self._post("/send/campaigns", {"entries": list(entries), "options": options})
        rows: list[dict[str, Any]] = answer["data"]
        return rows

    def sendout(self, sendout_id: str) -> dict[str, Any]:
        """A sendout with its counts."""
        sendout: dict[str, Any] = self._get(f"/sendouts/{sendout_id}")["entity"]
        return sendout

    def workflow_of(self, sendout_id: str, client: str) -> str:
        """The workflow id of a customer's run; duplicates have none."""
        entries = self._get(f"/sendouts/{sendout_id}/entries?client={client.replace('+', '%2B')}")
        run = next(entry for entry in entries["data"] if entry["state"] != "duplicate")
        return str(run["workflowId"])

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _document(self._http.post(path, json=body))

    def _get(self, path: str) -> dict[str, Any]:
        return _document(self._http.get(path))

    def close(self) -> None:
        self._http.close()


class Phones:
    """The customers' phones: the simulator's control side.

    A context manager: it lends the simulator the customers' behaviour and puts back what was there.
    """

    def __init__(self, simulator_url: str, customers: Sequence[Customer]) -> None:
        self._http = httpx.Client(base_url=simulator_url, timeout=_PATIENCE, trust_env=False)
        self._customers = {customer.number: customer for customer in customers}
        self._last = ""
        self._accepted_at: dict[str, float] = {}
        self._due: list[tuple[float, Customer, str, Tap]] = []
        self._on_their_way: list[tuple[Customer, str, Tap]] = []
        self._tapped: set[str] = set()
        """The messages with a tap."""

    def __enter__(self) -> Self:
        self._behaviour = _document(self._http.get("/_sim/behaviour"))
        own = {customer.number: customer.phone for customer in self._customers.values()}
        self._put(self._behaviour | {"recipients": self._behaviour["recipients"] | own})
        if earlier := _document(self._http.get("/_sim/messages"))["data"]:
            self._last = earlier[-1]["id"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._put(self._behaviour)
        self._http.close()

    @property
    def idle(self) -> bool:
        """Whether no customer is about to tap, and every tap was heard."""
        return not (self._due or self._on_their_way)

    def live(self) -> None:
        """Look at the new messages, and make the taps that are due."""
        messages = _document(self._http.get("/_sim/messages", params={"after": self._last}))["data"]
        for message in messages:
            self._last = message["id"]
            if customer := self._customers.get(message["to"]):
                self._receive(customer, message)
        now = time.monotonic()
        due = [tap for tap in self._due if tap[0] <= now]
        self._due = [tap for tap in self._due if tap[0] > now]
        for _, customer, wamid, tap in due:
            _document(
                self._http.post("/_sim/click", json={"messageId": wamid, "button": tap.button})
            )
            self._on_their_way.append((customer, wamid, tap))
            self._tapped.add(wamid)

    def hear(self, clicked: int) -> None:
        """Note the taps that are heard, given how many messages the API knows a tap of.

        On a slow machine a tap takes its time, and only those in the record stop a reminder.
        """
        if clicked < len(self._tapped):
            return
        for customer, wamid, tap in self._on_their_way:
            customer.tap(tap.node, time.time() - self._accepted_at[wamid])
        self._on_their_way.clear()

    def _receive(self, customer: Customer, message: dict[str, Any]) -> None:
        self._accepted_at[message["id"]] = datetime.fromisoformat(message["acceptedAt"]).timestamp()
        labels = tuple(button["label"] for button in message["buttons"])
        taps = customer.receive(message["id"], Text(message["text"], labels))
        # People do not tap all at the same moment.
        thinking = 0.3 + int(customer.number[-1]) * 0.1
        for n, tap in enumerate(taps):
            at = time.monotonic() + thinking + n * 0.2
            self._due.append((at, customer, customer.newest[tap.node], tap))

    def _put(self, behaviour: dict[str, Any]) -> None:
        _document(self._http.put("/_sim/behaviour", json=behaviour))


def _document(answer: httpx.Response) -> dict[str, Any]:
    answer.raise_for_status()
    document: dict[str, Any] = answer.json()
    return document
