"""Media, stickers and locations inside a message."""

from typing import Any

from whatsapp.simulator.appearance import medium
from whatsapp.simulator.fields import (
    invalid,
    missing,
    optional_text,
    required_object,
    required_text,
    web_address,
)
from whatsapp.simulator.outgoing import Content

CAPTIONED = ("image", "video", "document")
ASSETS = (*CAPTIONED, "audio", "sticker")


def read_asset(message: dict[str, Any], kind: str) -> Content:
    """The caption of a media message (empty without one)."""
    asset = required_object(message, kind, "message")
    check_asset(asset, kind)
    caption = optional_text(asset, "caption", kind, 1024)
    if caption is not None and kind not in CAPTIONED:
        raise invalid(f"{kind}.caption", "is not supported for this type")
    return Content(caption or "", shown={"header": medium(kind, asset)})


def check_asset(asset: dict[str, Any], where: str) -> None:
    """Exactly one of an uploaded `id` and a `link`; neither is fetched here."""
    given = [key for key in ("id", "link") if asset.get(key)]
    if not given:
        raise missing(f"{where}.id or {where}.link")
    if len(given) > 1:
        raise invalid(where, "takes an id or a link, not both")
    if given == ["link"]:
        web_address(asset, "link", where)
    else:
        required_text(asset, "id", where, 256)
    optional_text(asset, "filename", where, 240)


def read_location(message: dict[str, Any]) -> Content:
    """The name of a location message, else its address, else nothing."""
    location = required_object(message, "location", "message")
    check_location(location, "location")
    text = location.get("name") or location.get("address") or ""
    return Content(text, shown={"header": medium("location", location)})


def check_location(location: dict[str, Any], where: str) -> None:
    """Refuses coordinates that are not degrees."""
    for key, limit in (("latitude", 90), ("longitude", 180)):
        value = location.get(key)
        if value is None or value == "":
            raise missing(f"{where}.{key}")
        if not _within(value, limit):
            raise invalid(f"{where}.{key}", f"must be degrees between -{limit} and {limit}")
    optional_text(location, "name", where, 1000)
    optional_text(location, "address", where, 1000)


def _within(value: Any, limit: int) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    try:
        return abs(float(value)) <= limit
    except ValueError:
        return False
