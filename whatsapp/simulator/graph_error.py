"""Graph API errors: the codes WhatsApp answers or reports, and how each looks on the wire."""

import secrets
from dataclasses import dataclass
from typing import Any, NamedTuple

_HREF = "/documentation/business-messaging/whatsapp/support/error-codes"


class Kind(NamedTuple):
    """What is known of one code: its HTTP status as an answer, its title, how senders meet it."""

    http: int
    title: str
    by_status: bool = False


# HTTP statuses differ between the years of Meta's own pages; clients are told to go by the code.
KINDS = {
    0: Kind(401, "Authentication failed"),
    1: Kind(400, "Unknown API error"),
    2: Kind(503, "API service down"),
    3: Kind(500, "Capability missing"),
    4: Kind(429, "Too many API calls"),
    10: Kind(403, "Permission not granted"),
    33: Kind(400, "Phone number was deleted"),
    100: Kind(400, "Invalid parameter"),
    104: Kind(401, "Access token missing"),
    190: Kind(401, "Access token expired or invalid"),
    368: Kind(403, "Blocked for policy violations"),
    613: Kind(400, "Custom rate limit hit"),
    2500: Kind(400, "Unknown path components"),
    80007: Kind(400, "Account rate limit hit"),
    130403: Kind(400, "Recipient is blocked by the business"),
    130429: Kind(429, "Throughput of the number exceeded"),
    130472: Kind(400, "Recipient is part of an experiment", by_status=True),
    130497: Kind(403, "Account may not message this country"),
    131000: Kind(500, "Something failed while sending"),
    131005: Kind(403, "Access denied"),
    131008: Kind(400, "Required parameter missing"),
    131009: Kind(400, "Parameter value not valid"),
    131016: Kind(503, "Service unavailable"),
    131021: Kind(400, "Sender and recipient are the same"),
    131026: Kind(400, "Message undeliverable", by_status=True),
    131030: Kind(400, "Recipient not on the allow-list"),
    131031: Kind(403, "Account locked"),
    131037: Kind(400, "Number needs an approved display name"),
    131042: Kind(400, "Payment problem of the business", by_status=True),
    131045: Kind(500, "Number not registered correctly"),
    131047: Kind(400, "Customer service window closed", by_status=True),
    131048: Kind(429, "Spam limit of the number hit"),
    131049: Kind(400, "Withheld for a healthy ecosystem", by_status=True),
    131050: Kind(400, "Recipient stopped marketing messages", by_status=True),
    131051: Kind(400, "Unsupported message type"),
    131052: Kind(500, "Media download failed", by_status=True),
    131053: Kind(500, "Media upload failed", by_status=True),
    131055: Kind(400, "Only marketing templates allowed"),
    131056: Kind(429, "Pair rate limit hit"),
    131057: Kind(500, "Account in maintenance mode"),
    131062: Kind(400, "User id not allowed for this message"),
    131063: Kind(400, "Marketing disabled on this API"),
    131064: Kind(400, "Limited for misclassified templates"),
    132000: Kind(400, "Number of parameters does not match the template"),
    132001: Kind(404, "Template does not exist in that language"),
    132005: Kind(400, "Template text too long after substitution"),
    132007: Kind(400, "Template content policy violated"),
    132008: Kind(400, "Template parameter value not valid"),
    132012: Kind(400, "Template parameter format mismatch"),
    132015: Kind(400, "Template is paused", by_status=True),
    132016: Kind(400, "Template is disabled"),
    132018: Kind(400, "Template parameters not valid"),
    132068: Kind(400, "Flow is blocked"),
    132069: Kind(400, "Flow is throttled"),
    133000: Kind(500, "Earlier deregistration incomplete"),
    133004: Kind(503, "Server temporarily unavailable"),
    133010: Kind(400, "Phone number not registered"),
    133015: Kind(400, "Phone number deleted just now"),
    133016: Kind(429, "Too many registration attempts"),
    134011: Kind(400, "Payment terms not accepted"),
    134100: Kind(400, "Only marketing messages supported"),
    134101: Kind(400, "Template still syncing"),
    134102: Kind(500, "Template unavailable"),
    135000: Kind(400, "Generic user error"),
    137000: Kind(400, "Identity key hash mismatch"),
}


def kind_of(code: int) -> Kind:
    """What is known of `code`; an unlisted one is a plain client error."""
    if code in KINDS:
        return KINDS[code]
    if 200 <= code <= 299:
        return Kind(403, "Permission missing or removed")
    return Kind(400, f"Error {code}")


@dataclass
class GraphError(Exception):
    """A refusal of a Graph call: answered with the code's HTTP status unless `http` is given."""

    code: int
    details: str = ""
    subcode: int | None = None
    type: str = "OAuthException"
    http: int | None = None

    @property
    def status(self) -> int:
        return self.http or kind_of(self.code).http

    def body(self) -> dict[str, Any]:
        title = kind_of(self.code).title
        error: dict[str, Any] = {
            "message": f"(#{self.code}) {title}",
            "type": self.type,
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details or title},
            "fbtrace_id": "A" + secrets.token_urlsafe(16),
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        return {"error": error}


def webhook_error(code: int, details: str | None = None) -> dict[str, Any]:
    """The form an error has inside a `failed` status."""
    title = kind_of(code).title
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details or title},
        "href": _HREF,
    }
