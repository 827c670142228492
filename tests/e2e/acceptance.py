"""Send requests whose answers may never come, and who got what they asked for."""

import asyncio
from dataclasses import dataclass, field

import httpx
from sqlalchemy import text

from embedded import credentials
from storage.session import Database
from tests.e2e.business import Business, Document, Sendout, counts
from tests.e2e.customers import Customers
from tests.e2e.patience import eventually

BUSINESS_PATH = f"/v1/businesses/{credentials.BUSINESS_ID}"
SEND = f"{BUSINESS_PATH}/send/campaigns"
BOTH = ["Hello!", "Still there?"]


@dataclass(frozen=True)
class Invited:
    """A campaign of one test alone, of two messages that each of its customers gets once."""

    name: str
    business: Business
    customers: Customers

    def send(self, clients: list[str]) -> Sendout:
        return self.business.send(self.name, clients)

    def request(self, clients: list[str], key: str | None = None) -> "Request":
        """A request that may be repeated: because of that Idempotency-Key alone, else `allow_one`."""
        duplicates = "allow_one" if key is None else "allow_multiple"
        body = {
            "entries": [{"client": client, "campaignName": self.name} for client in clients],
            "options": {"ifDuplicateCheckUnspecified": duplicates},
        }
        return Request(body, {} if key is None else {"Idempotency-Key": key})

    def assert_sent(self, sendout_id: str, clients: list[str], **expected: int) -> None:
        """Wait for the end: the sendout has these counts, and these customers both messages."""
        assert Sendout(self.business, sendout_id).await_idle()["entries"] == counts(**expected)
        assert self.customers.got_by(clients) == dict.fromkeys(clients, BOTH)


@dataclass(frozen=True)
class Request:
    """A send request that can be made again."""

    body: Document
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, http: httpx.AsyncClient) -> httpx.Response:
        """Make it once."""
        return await http.post(SEND, json=self.body, headers=self.headers)

    async def until_answered(self, address: str) -> httpx.Response:
        """Make it again as a client should: as long as the first one still runs."""
        async with caller(address) as http:
            while True:
                answer = await self.ask(http)
                if answer.status_code != 409:
                    return answer
                await asyncio.sleep(float(answer.headers["Retry-After"]))


def caller(address: str) -> httpx.AsyncClient:
    """A client with the business's key."""
    key = {"X-API-Key": credentials.API_KEY}
    return httpx.AsyncClient(base_url=address, headers=key, timeout=60, trust_env=False)


async def accepted(database: Database, clients: list[str]) -> int:
    """How many entries these customers have in the record."""
    async with database.transaction() as connection:
        found = await connection.scalar(
            text("SELECT count(*) FROM entries WHERE client = ANY(:clients)"), {"clients": clients}
        )
    return int(found or 0)


def await_readiness(
    address: str, status: int, said: str, checks: dict[str, str], **query: int
) -> None:
    """Wait until /readyz says this: a part that is slow to answer counts as away, too."""

    def readiness() -> tuple[int, str, dict[str, str]]:
        answer = httpx.get(f"{address}/readyz", params=query, timeout=60, trust_env=False)
        return answer.status_code, answer.json()["status"], answer.json()["checks"]

    eventually(readiness, (status, said, checks))
