"""The signature WhatsApp puts on every webhook: an HMAC over the exact bytes of the body."""

import hashlib
import hmac

HEADER = "X-Hub-Signature-256"
_PREFIX = "sha256="


def sign(app_secret: str, body: bytes) -> str:
    """The value of the `X-Hub-Signature-256` header for these exact bytes: `sha256=<64 hex>`."""
    return _PREFIX + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def verify(app_secret: str, body: bytes, header: str | None) -> bool:
    """Whether `header` signs `body`; takes the same time however much of it is right.

    A missing header and one that is not ASCII are simply wrong. `body` must be the bytes as
    they were received: JSON written again from the parsed document has another signature.
    """
    if header is None:
        return False
    return hmac.compare_digest(sign(app_secret, body).encode(), header.encode(errors="replace"))
