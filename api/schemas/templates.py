"""Requests and answers of the template calls (reference/connectly.md section 6)."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from api.bodies import RequestBody
from api.schemas.common import Schema


class LanguageCode(Schema):
    """A template's language."""

    code: str = Field(examples=["en_US"])


class NewTemplate(RequestBody):
    """A template to be made at WhatsApp, one language of it."""

    name: str = Field(pattern=r"^[a-z0-9_]{1,512}$", description="Lower-case letters, digits, _.")
    language: dict[str, Any] = Field(
        description="`{code}`, for example en_US.",
        json_schema_extra={
            "type": "object",
            "properties": {"code": {"type": "string", "pattern": "^[a-z]{2,3}(_[A-Za-z]{2,8})?$"}},
            "required": ["code"],
        },
    )
    category: Literal[
        "MESSAGE_TEMPLATE_GROUP_CATEGORY_MARKETING",
        "MESSAGE_TEMPLATE_GROUP_CATEGORY_UTILITY",
        "MESSAGE_TEMPLATE_GROUP_CATEGORY_AUTHENTICATION",
    ]
    template_components: list[dict[str, Any]] = Field(
        description="`{header: {text} or {media: {type, example}}}`, `{body: {text: {text, "
        "example}}}`, `{footer: {text: {text}}}`, and `{buttons: […]}` as the Graph API defines "
        "buttons.",
    )


class MadeTemplate(Schema):
    """One language of a template."""

    id: str = Field(description="WhatsApp's id of it.")
    language: LanguageCode
    status: str = Field(examples=["MESSAGE_TEMPLATE_STATUS_PENDING"])
    created_at: datetime = Field(description="When it was first seen here.")
    updated_at: datetime = Field(description="When it last changed, as far as was seen here.")
    template_components: list[dict[str, Any]]
    rejection_reason: str | None


class TemplateChannel(Schema):
    """The channel whose account the template is in."""

    id: UUID
    external_id: str = Field(description="The channel's phone number.")
    channel_type: Literal["CHANNEL_TYPE_WHATSAPP_CLOUD"]


class WhatsAppTemplate(Schema):
    """A template in the Graph API's own words."""

    id: str
    name: str
    language: str
    status: str
    category: str
    components: list[dict[str, Any]]


class ExternalTemplate(Schema):
    """The template where it comes from."""

    whatsapp: WhatsAppTemplate


class ListedTemplate(MadeTemplate):
    """One language of a template in one account."""

    channel: TemplateChannel
    external_template: ExternalTemplate


class TemplateGroup(Schema):
    """A template in all its languages."""

    id: str
    name: str
    category: str
    templates: list[ListedTemplate]


class TemplateGroups(Schema):
    """All templates of a business."""

    template_groups: list[TemplateGroup]


class MadeGroup(Schema):
    """A template with the language that was made."""

    id: str
    name: str
    category: str
    templates: list[MadeTemplate]
