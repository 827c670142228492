"""The flow document (flow.md section 1): the one grammar that every part of Sendout reads.

The models check shape only (names, types, unknown fields). What makes a flow of the right shape
unfit to publish is `domain.checks`.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, StringConstraints, model_validator

from domain.document import ButtonId, Document, Duration, FromList, Name, NodeId, Scalar
from domain.message_types import Message

FORMAT = 1
"""The newest document format this code reads."""

LONGEST_DELAY = timedelta(hours=20)
"""The longest duration of a delay or an ask (flow.md sections 1 and 3)."""


class Variable(Document):
    """A declared variable; required when it has no default and does not say otherwise."""

    required: bool | None = None
    default: Scalar | None = None

    @property
    def is_required(self) -> bool:
        return self.default is None if self.required is None else self.required


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
    variables: dict[Name, Variable] = Field(default={})
    nodes: dict[NodeId, Node] = Field(min_length=1)
    window: Window | None = None
    expire_after: Duration | None = Field(default=None, alias="expireAfter")
    layout: dict[str, Any] = Field(default={})

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
