"""The flow document (flow.md section 1): the one grammar that every part of Sendout reads.

The models check shape only (names, types, unknown fields). What makes a flow of the right shape
unfit to publish is `domain.checks`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    model_validator,
)

FORMAT = 1
"""The newest document format this code reads."""

LONGEST_DELAY = timedelta(hours=20)
"""The longest duration of a delay or an ask (flow.md sections 1 and 3)."""

_DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def parse_duration(text: object) -> timedelta:
    """Read an ISO 8601 duration such as `PT20H` or `P1DT30M`.

    Raises `ValueError` when it is not one, is zero or is absurdly long (over 1,000 days).
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) and len(text) <= 40 else None
    if match is None:
        raise ValueError("write a duration as in ISO 8601, for example PT20H or PT30M")
    parts = {unit: float(n) for unit, n in match.groupdict().items() if n is not None}
    if sum(parts.values()) <= 0:
        raise ValueError("a duration must be longer than zero")
    if parts.get("weeks", 0) > 142 or parts.get("days", 0) > 1000 or max(parts.values()) > 9e7:
        raise ValueError("a duration must be shorter than 1,000 days")
    return timedelta(**parts)


def _text_header(value: object) -> object:
    """A header given as bare text is a text header."""
    return {"type": "text", "text": value} if isinstance(value, str) else value


def _as_tuple(value: object) -> object:
    """JSON has lists only; frozen models hold tuples."""
    return tuple(value) if isinstance(value, list) else value


def _no_edge_spaces(value: str) -> str:
    if value != value.strip():
        raise ValueError("an id has no leading or trailing spaces")
    return value


FromList = BeforeValidator(_as_tuple)
Duration: TypeAlias = Annotated[timedelta, BeforeValidator(parse_duration)]
Id: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=100), AfterValidator(_no_edge_spaces)
]
"""A node's or button's id. 100 characters keep `<message id>:<button id>` within the 200 that
WhatsApp allows for a list row's id."""
NodeId: TypeAlias = Id
ButtonId: TypeAlias = Id
Name: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A variable's name, case-sensitive."""
Scalar: TypeAlias = str | bool | int | float


class Document(BaseModel):
    """Base of every part of the flow document: frozen, strict about types, no unknown fields.

    `null` for an optional field is the same as leaving it out (api.md section 1).
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_by_name=False, validate_by_alias=True
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, given: object) -> object:
        if not isinstance(given, dict) or None not in given.values():
            return given
        optional = {
            field.alias or name
            for name, field in cls.model_fields.items()
            if not field.is_required()
        }
        return {
            name: value
            for name, value in given.items()
            if value is not None or name not in optional
        }


class Variable(Document):
    """A declared variable; required when it has no default and does not say otherwise."""

    required: bool | None = None
    default: Scalar | None = None

    @property
    def is_required(self) -> bool:
        return self.default is None if self.required is None else self.required


# --- messages ----------------------------------------------------------------------------------


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


class LocationHeader(Document):
    """A place in a template's header; coordinates in degrees, or text that holds a variable."""

    type: Literal["location"]
    latitude: float | str
    longitude: float | str
    name: str | None = None
    address: str | None = None


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


class LocationMessage(Document):
    """A place on the map; coordinates in degrees, or text that holds a variable."""

    type: Literal["location"]
    latitude: float | str
    longitude: float | str
    name: str | None = None
    address: str | None = None


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


# --- nodes -------------------------------------------------------------------------------------


class Button(Document):
    """A quick reply, reply button or list row; what is tapped comes back as a click on it."""

    id: ButtonId
    label: str
    next: NodeId | None = None
    opt_out: bool = Field(default=False, alias="optOut")
    index: int | None = Field(default=None, ge=0, le=9)
    description: str | None = None
    section: str | None = None


class MessageNode(Document):
    """Send one WhatsApp message."""

    type: Literal["message"]
    message: Message
    buttons: Annotated[tuple[Button, ...], FromList] = ()
    next: NodeId | None = None

    def button(self, button_id: str) -> Button | None:
        """The button of that id, or None."""
        return next((b for b in self.buttons if b.id == button_id), None)


class DelayNode(Document):
    """The Time Delay card: wait, then go on if the condition holds (flow.md 2.4)."""

    type: Literal["delay"]
    duration: Duration
    condition: Literal["all", "no_click", "no_response"]
    next: NodeId | None = None


class Case(Document):
    """One case of a branch; ops and missing variables as in flow.md section 1."""

    variable: Name
    op: Literal["eq", "ne", "lt", "le", "gt", "ge", "contains", "exists", "in"]
    value: Scalar | Annotated[tuple[Scalar, ...], FromList]
    next: NodeId | None = None

    @model_validator(mode="before")
    @classmethod
    def _value_fits_op(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "value" not in data:
            return data
        op, value = data.get("op"), data["value"]
        if (op == "in") != isinstance(value, list | tuple):
            raise ValueError("`value` is a list for `in`, and one value for every other op")
        if op == "exists" and not isinstance(value, bool):
            raise ValueError("`value` of `exists` is true or false")
        return data


class BranchNode(Document):
    """Go on at the first case that holds."""

    type: Literal["branch"]
    cases: Annotated[tuple[Case, ...], FromList] = Field(min_length=1)
    otherwise: NodeId | None = None


class Share(Document):
    """One path of a split and its weight, relative to the others'."""

    weight: float = Field(gt=0, le=1_000_000, allow_inf_nan=False)
    next: NodeId | None = None


class SplitNode(Document):
    """An A/B split by a hash of entry, node and visit."""

    type: Literal["split"]
    paths: Annotated[tuple[Share, ...], FromList] = Field(min_length=1)


class AskNode(Document):
    """Wait for the customer's next text and keep it as an output variable (flow.md 2.5)."""

    type: Literal["ask"]
    variable: Name
    timeout: Duration
    next: NodeId | None = None
    on_timeout: NodeId | None = None


Node: TypeAlias = Annotated[
    MessageNode | DelayNode | BranchNode | SplitNode | AskNode, Discriminator("type")
]


# --- the document ------------------------------------------------------------------------------

Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ClockTime: TypeAlias = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Window(Document):
    """When first messages and messages after a delay may be sent (flow.md 2.11)."""

    timezone: str = Field(min_length=1)
    days: Annotated[tuple[Weekday, ...], FromList] = Field(
        default=("mon", "tue", "wed", "thu", "fri", "sat", "sun"), min_length=1, strict=False
    )
    from_: ClockTime = Field(alias="from")
    to: ClockTime


class Flow(Document):
    """One flow document of the right shape."""

    format: Literal[1]
    start: NodeId
    variables: dict[Name, Variable] = {}
    nodes: dict[NodeId, Node] = Field(min_length=1)
    window: Window | None = None
    expire_after: Duration | None = Field(default=None, alias="expireAfter")
    layout: dict[str, Any] = {}

    def ask_variables(self) -> Iterator[str]:
        """The variables that asks declare, in document order."""
        return (node.variable for node in self.nodes.values() if isinstance(node, AskNode))

    def leads_on(self) -> bool:
        """Whether a tap of any button leads somewhere."""
        return any(
            button.next is not None
            for node in self.nodes.values()
            if isinstance(node, MessageNode)
            for button in node.buttons
        )

    def branch_variables(self) -> list[str]:
        """The variables that branches read, each once, in document order."""
        return list(
            dict.fromkeys(
                case.variable
                for node in self.nodes.values()
                if isinstance(node, BranchNode)
                for case in node.cases
            )
        )


def exits(
    node: MessageNode | DelayNode | BranchNode | SplitNode | AskNode,
) -> Iterator[tuple[str, str | None]]:
    """Every way on from a node as (path below the node, target); a target may be None."""
    match node:
        case MessageNode():
            yield "next", node.next
            for i, button in enumerate(node.buttons):
                yield f"buttons.{i}.next", button.next
        case DelayNode():
            yield "next", node.next
        case BranchNode():
            for i, case in enumerate(node.cases):
                yield f"cases.{i}.next", case.next
            yield "otherwise", node.otherwise
        case SplitNode():
            for i, share in enumerate(node.paths):
                yield f"paths.{i}.next", share.next
        case AskNode():
            yield "next", node.next
            yield "on_timeout", node.on_timeout
