"""Requests and answers of the calls for single messages, for the description (api.md section 2b).

The bodies are read by `api.message_calls`, which is more lenient about them.
"""

from typing import Any, Literal

from pydantic import Field

from api.schemas.common import Schema

_CallbackData = Field(
    default=None, description="Given back in webhooks; at most 1024 bytes as JSON."
)
_Tag = Field(
    default=None,
    max_length=256,
    description="A campaign that starts with this template, which the message then is an entry of; "
    "or a tag for reports and webhooks.",
)


class MessageId(Schema):
    """The id of a message, which its statuses and webhooks carry."""

    id: str = Field(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$", description="A ULID.")


class TemplateParameter(Schema):
    """One parameter of a template."""

    name: str = Field(
        description="`header_text`, `header_image`, `header_video`, `header_document`, `body_1` …, "
        "`button_1_url` …, or the name of a named parameter."
    )
    value: str = Field(description="The text, or the public address of the media.")
    filename: str | None = Field(default=None, description="The name of a document.")


class TemplatedMessage(Schema):
    """One template to one customer."""

    number: str = Field(description="The customer's phone number, with its country code.")
    template_name: str = Field(min_length=1)
    language: str | None = Field(
        default=None, description="May be left out if the template has one language."
    )
    parameters: list[TemplateParameter] | None = None
    sender: str | None = Field(default=None, description="The default channel if left out.")
    campaign_name: str | None = _Tag
    callback_data: Any = _CallbackData


class Party(Schema):
    """Who sends or receives a session message."""

    id: str = Field(description="A phone number, with its country code.")
    channel_type: Literal["channel_type_unspecified", "whatsapp"] | None = None
    name: str | None = None


class Attachment(Schema):
    """A file at a public address."""

    type: Literal["image", "video", "audio", "document"]
    url: str
    caption: str | None = Field(default=None, description="Not for audio.")
    filename: str | None = Field(default=None, description="Of documents.")


class Location(Schema):
    """A place on the map; degrees."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    name: str | None = None
    address: str | None = None


class HeaderAttachment(Schema):
    """A header's file."""

    type: Literal["image", "video", "document"]
    url: str
    filename: str | None = None


class Header(Schema):
    """What stands above the text; a list's header is text."""

    text: str | None = Field(default=None, max_length=60)
    attachment: HeaderAttachment | None = None


class Footer(Schema):
    """What stands below the text."""

    text: str = Field(max_length=60)


class ReplyButton(Schema):
    """A button; `id` comes back when it is tapped."""

    id: str | None = Field(default=None, max_length=256)
    text: str = Field(min_length=1, max_length=20)


class ReplyButtons(Schema):
    """Up to three buttons below `message.text`."""

    header: Header | None = None
    footer: Footer | None = None
    buttons: list[ReplyButton] = Field(min_length=1, max_length=3)


class Row(Schema):
    """A row of a list; `id` comes back when it is chosen."""

    id: str | None = Field(default=None, max_length=256)
    text: str = Field(min_length=1, max_length=24)
    description: str | None = Field(default=None, max_length=72)


class Section(Schema):
    """Rows under a title, which every section needs where there are several."""

    title: str | None = Field(default=None, max_length=24)
    rows: list[Row] = Field(min_length=1, max_length=10)


class Menu(Schema):
    """The label that opens a list."""

    text: str = Field(min_length=1, max_length=20)


class ListOfRows(Schema):
    """Up to ten rows behind a menu, below `message.text`."""

    header: Header | None = None
    footer: Footer | None = None
    button: Menu
    sections: list[Section] = Field(min_length=1, max_length=10)


class SessionContent(Schema):
    """One content: a text, an attachment, a place, or buttons or a list below a text."""

    text: str | None = Field(default=None, max_length=4096)
    attachments: list[Attachment] | None = Field(default=None, max_length=1)
    location: Location | None = None
    reply_button_message: ReplyButtons | None = None
    list_message: ListOfRows | None = None


class SessionMessage(Schema):
    """One free-form message to a customer who wrote within the last 24 hours."""

    recipient: Party
    message: SessionContent
    sender: Party | None = None
    campaign_name: str | None = Field(
        default=None, max_length=256, description="A tag for reports and webhooks."
    )
    callback_data: Any = _CallbackData
