"""The messages of a flow document (flow.md section 1): what a node sends, short of its buttons."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field

from domain.document import Document, FromList


def _text_header(value: object) -> object:
    """A header given as bare text is a text header."""
    return {"type": "text", "text": value} if isinstance(value, str) else value


class TextHeader(Document):
    """A header of text, at most 60 characters when rendered."""

    type: Literal["text"]
    text: str


class MediaHeader(Document):
    """A header's media: a public `link` or the `id` of an uploaded asset."""

    type: Literal["image", "video", "document"]
    link: str | None = None
    id: str | None = None
    filename: str | None = None


class _Place(Document):
    type: Literal["location"]
    latitude: float | str
    longitude: float | str
    name: str | None = None
    address: str | None = None


class LocationHeader(_Place):
    """A place in a template's header; coordinates in degrees, or text that holds a variable."""


TemplateHeader: TypeAlias = Annotated[
    Annotated[TextHeader | MediaHeader | LocationHeader, Discriminator("type")],
    BeforeValidator(
        _text_header, json_schema_input_type=str | TextHeader | MediaHeader | LocationHeader
    ),
]
InteractiveHeader: TypeAlias = Annotated[
    Annotated[TextHeader | MediaHeader, Discriminator("type")],
    BeforeValidator(_text_header, json_schema_input_type=str | TextHeader | MediaHeader),
]


class UrlButton(Document):
    """The variable part of a template's URL button at `index` (0-based among all its buttons)."""

    index: int = Field(ge=0, le=9)
    text: str


class CopyCode(Document):
    """The code of a template's copy-code button at `index`."""

    index: int = Field(ge=0, le=9)
    code: str


class TemplateMessage(Document):
    """An approved template with its parameters, positional (list) or named (object)."""

    type: Literal["template"]
    name: str = Field(min_length=1)
    language: str = Field(min_length=1)
    category: Literal["marketing", "utility", "authentication"]
    header: TemplateHeader | None = None
    body: Annotated[tuple[str, ...], FromList] | dict[str, str] = ()
    url_buttons: Annotated[tuple[UrlButton, ...], FromList] = ()
    copy_code: CopyCode | None = None
    preview: str | None = None


class TextMessage(Document):
    """Plain text; free-form, so it needs an open customer-service window."""

    type: Literal["text"]
    body: str
    preview_url: bool = False


class MediaMessage(Document):
    """One media file, by public `link` or uploaded `id`."""

    type: Literal["image", "video", "document", "audio"]
    link: str | None = None
    id: str | None = None
    caption: str | None = None
    filename: str | None = None


class LocationMessage(_Place):
    """A place on the map; coordinates in degrees, or text that holds a variable."""


class ButtonsMessage(Document):
    """Interactive reply buttons; the buttons are the node's."""

    type: Literal["buttons"]
    body: str
    header: InteractiveHeader | None = None
    footer: str | None = None


class ListMessage(Document):
    """An interactive list; its rows are the node's buttons, `menu` is the label that opens it."""

    type: Literal["list"]
    body: str
    menu: str
    header: InteractiveHeader | None = None
    footer: str | None = None


class CtaUrlMessage(Document):
    """One button that opens a link; WhatsApp does not report its taps."""

    type: Literal["cta_url"]
    body: str
    label: str
    url: str
    header: InteractiveHeader | None = None
    footer: str | None = None


Message: TypeAlias = Annotated[
    TemplateMessage
    | TextMessage
    | MediaMessage
    | LocationMessage
    | ButtonsMessage
    | ListMessage
    | CtaUrlMessage,
    Discriminator("type"),
]
