"""The product's own example (flow.md section 1) with a short delay, sent to many at once."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FLOW: dict[str, Any] = json.loads((Path(__file__).parent / "spring_sale.json").read_bytes())
NUDGE = "Still thinking about it?"


@dataclass(frozen=True)
class Batch:
    """Customers of whom a third will tap yes, a third no, and the rest nothing."""

    clients: list[str]

    @property
    def button_of(self) -> dict[str, str]:
        """What the customers who tap will tap."""
        return {
            client: ("yes", "no")[place % 3]
            for place, client in enumerate(self.clients)
            if place % 3 < 2
        }

    def entries(self, campaign: str) -> list[dict[str, Any]]:
        """The entries of one request."""
        return [
            {
                "client": client,
                "campaignName": campaign,
                "variables": {"customername": called(client)},
            }
            for client in self.clients
        ]

    def expected(self) -> dict[str, list[str]]:
        """Exactly what each customer is to get."""
        taps = self.button_of
        return {client: expected_of(client, taps.get(client)) for client in self.clients}


def expected_of(client: str, button: str | None) -> list[str]:
    """Exactly what a customer who taps that button, or nothing, is to get."""
    welcome = f"Hi {called(client)}, the new watch is 20% off today."
    match button:
        case "yes":
            return [welcome, f"Great {called(client)}! Here is the offer."]
        case None:
            return [welcome, NUDGE]
        case _:
            return [welcome]


def called(client: str) -> str:
    """The name of a customer."""
    return f"Customer{client[-4:]}"
