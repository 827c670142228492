"""What of an inbound message is more than text, in the words of Connectly's `messages` events.

Reference/connectly.md section 4.2 documents attachments, locations and referrals; WhatsApp keeps media
behind its own access token, so that `url` is WhatsApp's, if it gives one, and `id` its id of the media.
"""

from collections.abc import Mapping
from typing import Any

_ATTACHMENTS = {
    "image": "image",
    "sticker": "image",
    "video": "video",
    "audio": "audio",
    "document": "document",
}
_REFERRAL = {
    "ctwa_clid": "ctwaClid",
    "source_url": "sourceUrl",
    "source_id": "sourceId",
    "source_type": "sourceType",
    "headline": "headline",
    "body": "body",
    "media_type": "mediaType",
    "image_url": "imageUrl",
    "video_url": "videoUrl",
    "thumbnail_url": "thumbnailUrl",
}


def message_details(message: Mapping[str, Any], name: str | None) -> dict[str, Any] | None:
    """The parts beside the text, and the customer's name; None if there are none."""
    details: dict[str, Any] = {}
    if name is not None:
        details["name"] = name
    kind = message.get("type")
    part = message.get(kind) if isinstance(kind, str) else None
    if isinstance(part, Mapping):
        if kind in _ATTACHMENTS:
            details["attachments"] = [_attachment(_ATTACHMENTS[str(kind)], part)]
        elif kind == "location":
            details["location"] = _given(
                part, {k: k for k in ("latitude", "longitude", "name", "address")}
            )
        elif kind == "reaction":
            details["reaction"] = _given(part, {"emoji": "emoji"})
    referral = message.get("referral")
    if isinstance(referral, Mapping):
        details["referral"] = _given(referral, _REFERRAL)
    return details or None


def _attachment(kind: str, part: Mapping[str, Any]) -> dict[str, Any]:
    given = {"url": "url", "id": "id", "mime_type": "mimeType", "caption": "caption"}
    return {"type": kind, "url": None} | _given(part, given | {"filename": "filename"})


def _given(part: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The fields that are there and hold what can be stored, under our names."""
    return {
        ours: _storable(value)
        for theirs, ours in names.items()
        if isinstance(value := part.get(theirs), str | int | float) and not isinstance(value, bool)
    }


def _storable(value: Any) -> Any:
    """A text without what PostgreSQL has no place for."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "\ufffd").encode(errors="replace").decode()
