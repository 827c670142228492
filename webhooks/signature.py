"""Both signatures of an event: Connectly's own, and that of Standard Webhooks.

The secret is a text. Connectly's scheme takes it as it is, in UTF-8. Standard Webhooks takes what its
library makes of it: base64, with or without `whsec_` in front; a text that is none stands for its bytes.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

from standardwebhooks import Webhook

CONNECTLY_HEADER = "x-connectly-hmac-sha256"


def new_secret() -> str:
    """A secret of 256 random bits, as Standard Webhooks writes them."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def signature_headers(secret: str, event_id: int, at: datetime, body: str) -> dict[str, str]:
    """The headers that sign this body, sent at `at` (UTC); the id is the same at every try."""
    webhook_id = f"evt_{event_id}"
    digest = hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()
    return {
        CONNECTLY_HEADER: base64.b64encode(digest).decode(),
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": standard(secret).sign(webhook_id, at, body),
    }


def standard(secret: str) -> Webhook:
    """What signs, and verifies, by Standard Webhooks with this secret."""
    try:
        return Webhook(secret)
    except (ValueError, RuntimeError):
        pass
    except Exception as error:
        # Of a text that holds no base64 nothing is left; the library has no public name for it.
        if type(error).__module__.partition(".")[0] != "standardwebhooks":
            raise
    return Webhook(secret.encode())
