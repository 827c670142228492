"""The control side `/_sim`: api.md section 8, "Simulator"."""

import json
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from whatsapp.simulator.behaviour import Behaviour
from whatsapp.simulator.config import Channel
from whatsapp.simulator.graph import RunningSimulator
from whatsapp.simulator.inbound import prefer, tap, write
from whatsapp.simulator.phone import only_digits
from whatsapp.simulator.simulator import Simulator
from whatsapp.simulator.template import Template

router = APIRouter(prefix="/_sim")


class ControlError(Exception):
    """A control call that cannot be done: its HTTP status and why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Request(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )


Model = TypeVar("Model", bound=BaseModel)
Number = Annotated[str, Field(pattern=r"^\+?[\d\s().-]{7,25}$")]


class Tap(_Request):
    """A tap: the wamid (or the opaque id) of the message, and the button by any of its names."""

    message_id: str
    button: str


class Reply(_Request):
    """A text of a customer; `sender` is the business number it goes to."""

    from_: Annotated[Number, Field(alias="from")]
    text: Annotated[str, Field(min_length=1, max_length=4096)]
    sender: str | None = None


class Preference(_Request):
    """A customer's word on marketing messages."""

    from_: Annotated[Number, Field(alias="from")]
    value: Literal["stop", "resume"]
    sender: str | None = None


class FlowTemplates(_Request):
    """The templates a flow needs, as Graph defines them."""

    waba_id: str
    templates: list[dict[str, Any]]


async def _body(request: Request) -> bytes:
    return await request.body()


Body = Annotated[bytes, Depends(_body)]


def _read(kind: type[Model], body: bytes) -> Model:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise ControlError(400, f"{where}: {first['msg']}") from error


def _read_list(body: bytes) -> list[dict[str, Any]]:
    """A JSON list of objects, bare or as the `data` of an object."""
    try:
        document = json.loads(body)
    except ValueError as error:
        raise ControlError(400, "body: not JSON") from error
    items = document.get("data") if isinstance(document, dict) else document
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ControlError(400, 'body: must be a list of objects or {"data": [...]}')
    return items


@router.get("/messages")
async def messages(simulator: RunningSimulator, to: str = "", after: str = "") -> Response:
    """Every accepted message in order; to one customer, after one message."""
    number = 0
    if after:
        last = simulator.ledger.message(after)
        if last is None:
            raise ControlError(404, "after: no such message")
        number = last.number
    named = only_digits(to)
    customer = simulator.ledger.digits_of(named) or named if to else None
    # The stored lines are put together as they are: a large ledger is listed without parsing it.
    lines = ",".join(simulator.ledger.records(customer, number))
    return Response(f'{{"data":[{lines}]}}', media_type="application/json")


@router.post("/click")
async def click(body: Body, simulator: RunningSimulator) -> dict[str, str]:
    """A customer taps a button."""
    tapped = _read(Tap, body)
    return {"id": tap(simulator, tapped.message_id, tapped.button)}


@router.post("/reply")
async def reply(body: Body, simulator: RunningSimulator) -> dict[str, str]:
    """A customer writes."""
    given = _read(Reply, body)
    return {"id": write(simulator, given.from_, given.text, given.sender)}


@router.post("/user-preference")
async def user_preference(body: Body, simulator: RunningSimulator) -> dict[str, str]:
    """A customer stops or resumes marketing messages in the app."""
    given = _read(Preference, body)
    prefer(simulator, given.from_, given.value, given.sender)
    return {"value": given.value}


@router.get("/templates")
async def templates(
    simulator: RunningSimulator, waba_id: Annotated[str | None, Query(alias="wabaId")] = None
) -> dict[str, Any]:
    """The registry, or one account's part of it, with who made each template."""
    return _listing(simulator, waba_id)


@router.put("/templates")
async def replace_templates(body: Body, simulator: RunningSimulator) -> dict[str, Any]:
    """Replaces the registry; templates without a `wabaId` belong to the first channel's account."""
    first = simulator.channels.first()
    default = first.waba_id if first else ""
    simulator.registry.replace_all(
        (str(given.get("wabaId") or default), given) for given in _read_list(body)
    )
    return _listing(simulator)


@router.post("/templates/from-flow")
async def make_flow_templates(body: Body, simulator: RunningSimulator) -> dict[str, Any]:
    """Makes a flow's templates, approved; hand-made ones of the same name are left alone."""
    given = _read(FlowTemplates, body)
    simulator.registry.make_for_flow(given.waba_id, given.templates)
    return _listing(simulator, given.waba_id)


@router.get("/behaviour")
async def behaviour(simulator: RunningSimulator) -> dict[str, Any]:
    """How new messages are treated."""
    return simulator.behaviour.defaults.document()


@router.put("/behaviour")
async def replace_behaviour(body: Body, simulator: RunningSimulator) -> dict[str, Any]:
    """Replaces how new messages are treated; what is left out gets its default."""
    simulator.set_behaviour(_read(Behaviour, body))
    return simulator.behaviour.defaults.document()


@router.get("/channels")
async def channels(simulator: RunningSimulator) -> dict[str, Any]:
    """The senders, without their secrets."""
    return _channels(simulator)


@router.put("/channels")
async def put_channels(body: Body, simulator: RunningSimulator) -> dict[str, Any]:
    """Adds senders, or replaces those of the same phone number id."""
    given = [_read(Channel, json.dumps(item).encode()) for item in _read_list(body)]
    simulator.channels.put(given)
    return _channels(simulator)


@router.post("/reset")
async def reset(simulator: RunningSimulator) -> dict[str, bool]:
    """Forgets messages, customers, webhooks, templates and behaviour; channels stay."""
    simulator.reset()
    return {"success": True}


@router.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
async def unknown(path: str) -> None:
    """Any other path: it must not be taken for a Graph call."""
    raise ControlError(404, f"there is no control call {path!r} with this method")


def _listing(simulator: Simulator, waba_id: str | None = None) -> dict[str, Any]:
    return {"data": [_listed(template) for template in simulator.registry.listed(waba_id)]}


def _listed(template: Template) -> dict[str, Any]:
    return {**template.document(), "wabaId": template.waba_id, "origin": template.origin}


def _channels(simulator: Simulator) -> dict[str, Any]:
    secret = {"access_token", "app_secret"}
    return {
        "data": [
            channel.model_dump(by_alias=True, exclude=secret) for channel in simulator.channels
        ]
    }
