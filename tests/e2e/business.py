"""The business's side of a stack: campaigns, sendouts and entries through the API."""

from collections.abc import Iterable
from typing import Any, Self

import httpx

from embedded import credentials
from tests.e2e.patience import eventually, until

Document = dict[str, Any]


class Business:
    """The embedded stack's business, with its well-known key."""

    def __init__(self, api_url: str) -> None:
        self.http = httpx.Client(
            base_url=f"{api_url}/v1/businesses/{credentials.BUSINESS_ID}",
            headers={"X-API-Key": credentials.API_KEY},
            trust_env=False,
            timeout=60,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, path: str, **query: Any) -> Document:
        """A JSON answer."""
        return _answered(self.http.get(path, params=query))

    def post(self, path: str, body: Document | None = None) -> Document:
        """A JSON answer to a JSON body."""
        return _answered(self.http.post(path, json=body or {}))

    def draft(self, name: str, flow: Document) -> str:
        """A new campaign with that draft; its id."""
        campaign = self.post("/campaigns", {"name": name, "flow": flow})["entity"]
        return str(campaign["campaignId"])

    def publish(self, name: str, flow: Document) -> str:
        """A new campaign with that flow, published; its version."""
        campaign_id = self.draft(name, flow)
        return str(self.post(f"/campaigns/{campaign_id}/publish")["campaignVersion"])

    def send(self, name: str, clients: Iterable[str], **fields: Any) -> "Sendout":
        """Send a campaign to these numbers in one request; `fields` go into every entry."""
        entries = [{"client": client, "campaignName": name, **fields} for client in clients]
        return self.send_entries(entries)

    def send_entries(self, entries: list[Document]) -> "Sendout":
        """Send entries of one campaign in one request that accepts them all."""
        report = self.post("/send/campaigns", {"entries": entries})["data"]
        assert len(report) == 1, report
        assert report[0]["error"] is None
        assert report[0]["acceptedCount"] == len(entries)
        return Sendout(self, report[0]["sendoutId"])

    def start(self, name: str, flow: Document, clients: Iterable[str]) -> "Sendout":
        """Publish a flow and send it to these numbers."""
        self.publish(name, flow)
        return self.send(name, clients)


class Sendout:
    """One sendout, as the API shows it."""

    def __init__(self, business: Business, sendout_id: str) -> None:
        self._business = business
        self.id = sendout_id
        self._path = f"/sendouts/{sendout_id}"

    def read(self) -> Document:
        """The sendout with its counts."""
        entity: Document = self._business.get(self._path)["entity"]
        return entity

    def order(self, lever: str) -> Document:
        """Pull a lever: pause, resume or cancel; the sendout after it."""
        entity: Document = self._business.post(f"{self._path}/{lever}")["entity"]
        return entity

    def entries(self, **query: Any) -> dict[str, Document]:
        """All entries by client."""
        listed: list[Document] = []
        cursor: Document = {}
        while True:
            page = self._business.get(f"{self._path}/entries", limit=500, **query, **cursor)
            listed += page["data"]
            if page["nextCursor"] is None:
                return {entry["client"]: entry for entry in listed}
            cursor = {"cursor": page["nextCursor"]}

    def entry(self, client: str) -> Document:
        """The entry of a client with its timeline."""
        return self.entry_by_id(self.entries(client=client)[client]["entryId"])

    def entry_by_id(self, entry_id: str) -> Document:
        """An entry with its timeline."""
        entity: Document = self._business.get(f"{self._path}/entries/{entry_id}")["entity"]
        return entity

    def steps(self, client: str, kind: str) -> list[Document]:
        """The steps of one kind in a client's timeline."""
        return [step for step in self.entry(client)["timeline"] if step["type"] == kind]

    def states(self) -> dict[str, str]:
        """The state of every entry, by client."""
        return {client: entry["state"] for client, entry in self.entries().items()}

    def await_states(self, **clients_of: Iterable[str]) -> None:
        """Wait until exactly these clients are in these states."""
        expected = {client: state for state, clients in clients_of.items() for client in clients}
        eventually(self.states, expected)

    def await_step(self, client: str, kind: str, **facts: Any) -> Document:
        """Wait for a step with these facts in a client's timeline."""

        def fitting() -> list[Document]:
            return [s for s in self.steps(client, kind) if facts.items() <= s.items()]

        return until(bool, fitting)[0]

    def await_overdue(self, client: str) -> None:
        """Wait until a client's delay is due, and waits for a sign that its message arrived.

        For customers to whom nothing is delivered: nothing happens to them by itself from then on.
        """
        # Before that, a tap would share its way with what is still told of the message.
        self.await_step(client, "status", status="sent")
        self.await_step(client, "decision", verdict="wait")

    def await_idle(self) -> Document:
        """Wait until no entry is pending; the sendout then."""
        return until(lambda seen: seen["progress"] == "idle", self.read)


def counts(**given: int) -> dict[str, int]:
    """Entry counts: those not given are 0, and `accepted` is their sum."""
    states = (
        "duplicate",
        "scheduled",
        "queued",
        "running",
        "completed",
        "failed",
        "unknown",
        "notReceived",
        "optedOut",
        "cancelled",
    )
    assert given.keys() <= set(states)
    return {"accepted": sum(given.values())} | {state: given.get(state, 0) for state in states}


def _answered(answer: httpx.Response) -> Document:
    assert answer.is_success, f"{answer.request.url}: {answer.status_code} {answer.text}"
    document: Document = answer.json()
    return document
