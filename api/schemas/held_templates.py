"""Requests and answers of the template holds (api.md section 4, `heldBy`)."""

from datetime import datetime
from typing import Literal

from api.schemas.common import Schema


class TemplateHold(Schema):
    """Why and since when one WhatsApp account's template is not sent.

    `code` is WhatsApp's, `by` a key's name or whatsapp.
    """

    waba_id: str
    code: int | None
    message: str | None
    since: datetime
    by: str | None


class HeldTemplate(TemplateHold):
    """A held template; `*` as name and language stands for every marketing template."""

    name: str
    language: str


class TemplateState(Schema):
    """Whether a template is sent, with its hold in each WhatsApp account that holds it."""

    name: str
    language: str
    state: Literal["active", "held"]
    holds: list[TemplateHold]
