"""Businesses, channels and API keys from a shell: what a new installation is set up with."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID, uuid4

import typer

from console import failure, in_database, moment, table

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.channels import Channel
    from whatsapp.phone_number import Number

business = typer.Typer(no_args_is_help=True, help="Businesses of this installation.")
channel = typer.Typer(no_args_is_help=True, help="WhatsApp numbers to send from.")
key = typer.Typer(no_args_is_help=True, help="API keys.")

SCOPES = ("send", "read", "operate", "admin")

Business = Annotated[UUID, typer.Option("--business", help="The business's id.")]
OneBusiness = Annotated[
    UUID | None, typer.Option("--business", help="Only of the business with this id.")
]


@business.command("create")
def create_business(
    name: str,
    business_id: Annotated[
        UUID | None, typer.Option("--id", help="Keep an existing business id (a UUID).")
    ] = None,
    timezone: Annotated[
        str, typer.Option(help="Its time zone, an IANA name such as America/Sao_Paulo.")
    ] = "UTC",
) -> None:
    """Create a business and print its id."""
    from storage import businesses

    chosen = business_id or uuid4()
    called, zone = _name(name), _zone(timezone)
    if not in_database(lambda c: businesses.create_business(c, chosen, called, zone)):
        raise failure(f"There is a business {chosen} already.")
    typer.echo(str(chosen))


@business.command("timezone")
def set_timezone(business_id: UUID, timezone: str) -> None:
    """Change a business's time zone, by an IANA name such as America/Sao_Paulo.

    Messages that wait for a sending window keep the time until which they wait.
    """
    from storage import businesses

    zone = _zone(timezone)

    async def change(connection: "AsyncConnection") -> None:
        await _known(connection, business_id)
        await businesses.set_business_zone(connection, business_id, zone)

    in_database(change)


@business.command("list")
def list_businesses() -> None:
    """List the businesses, oldest first."""
    from storage import businesses

    found = in_database(businesses.list_businesses)
    table(
        [
            ("business id", "created", "time zone", "name"),
            *((str(b.business_id), moment(b.created_at), b.timezone, b.name) for b in found),
        ]
    )


@channel.command("add")
def add_channel(  # noqa: PLR0917 typer makes named options of them
    business_id: Business,
    phone_number: Annotated[str, typer.Option(help="E.164, for instance +15550001111.")],
    phone_number_id: Annotated[str, typer.Option(help="Meta's id of the number.")],
    waba_id: Annotated[str, typer.Option(help="Meta's id of the WhatsApp account.")],
    access_token: Annotated[str, typer.Option(prompt=True, hide_input=True)],
    app_secret: Annotated[str, typer.Option(prompt=True, hide_input=True)],
    default: Annotated[bool, typer.Option(help="Send from it when no sender is named.")] = False,
    messages_per_second: Annotated[int, typer.Option(min=1, max=1000)] = 60,
) -> None:
    """Connect a WhatsApp number and print its channel id; the secrets are asked for."""
    from api.bodies import fitted
    from api.schemas.channels import NewChannel
    from domain.errors import BadRequest
    from storage import channels

    given: dict[str, Any] = {
        "phone_number": phone_number,
        "phone_number_id": phone_number_id,
        "waba_id": waba_id,
        "access_token": access_token,
        "app_secret": app_secret,
        "default": default,
        "messages_per_second": messages_per_second,
    }
    try:
        new = channels.NewChannel(**fitted(NewChannel, given).model_dump())
    except BadRequest as error:
        raise failure(error.error.message) from None

    async def add(connection: "AsyncConnection") -> UUID | str:
        await _known(connection, business_id)
        return await channels.add_channel(connection, business_id, new)

    added = in_database(add)
    if added == "phoneNumber":
        raise failure(f"{new.phone_number} is a channel of this business already.")
    if added == "phoneNumberId":
        raise failure(f"The phone number id {phone_number_id} is another channel's already.")
    typer.echo(str(added))


@channel.command("list")
def list_channels(business_id: OneBusiness = None) -> None:
    """List the channels, oldest first, without their secrets."""
    from storage import channels

    found = in_database(lambda c: channels.channels_of(c, business_id))
    table(
        [
            ("channel id", "business id", "number", "phone number id", "default", "state"),
            *(
                (
                    str(c.channel_id),
                    str(owner),
                    c.phone_number,
                    c.phone_number_id,
                    "yes" if c.default else "no",
                    "active" if c.held_since is None else f"held: {hold_in_words(c)}",
                )
                for owner, c in found
            ),
        ]
    )


@channel.command("check")
def check_channel(channel_id: UUID) -> None:
    """Ask WhatsApp whether the channel's number can send; exit with 1 if it cannot."""
    from storage import channels

    found = in_database(lambda c: channels.channel_with_token(c, channel_id))
    if found is None:
        raise failure(f"There is no channel {channel_id}; `sendout channel list` shows all.")
    checked, access_token = found
    said, can_send = verdict(checked, asyncio.run(ask_whatsapp(checked, access_token)))
    typer.echo(said)
    if checked.held_since is not None:
        typer.echo(f"But the channel is held here, {hold_in_words(checked)}; release it to send.")
    if not can_send or checked.held_since is not None:
        raise typer.Exit(1)


def hold_in_words(held: "Channel") -> str:
    """By whom a held channel is held, since when and why."""
    code = "" if held.hold_code is None else f" [{held.hold_code}]"
    why = held.hold_message or "no reason was given"
    return f"by {held.hold_by or 'nobody known'} since {moment(held.held_since)}: {why}{code}"


async def ask_whatsapp(asked: "Channel", access_token: str) -> "Number | str":
    """What WhatsApp says of the number, or why it does not."""
    from domain.delivery import Refused
    from settings import Settings
    from whatsapp import phone_number
    from whatsapp.client import CallError, CloudApi

    settings = Settings()
    async with CloudApi(settings.graph_url, settings.graph_version, http_timeout=10.0) as api:
        try:
            return phone_number.read_number(
                await api.read_phone_number(
                    phone_number_id=asked.phone_number_id,
                    access_token=access_token,
                    fields=phone_number.FIELDS,
                )
            )
        except CallError as error:
            if isinstance(error.answer, Refused):
                details = f" ({error.answer.details})" if error.answer.details else ""
                return f"WhatsApp refuses: {error.answer.title}{details} [{error.answer.code}]."
            return f"{settings.graph_url} gives no usable answer: {error.answer.reason}."


def verdict(asked: "Channel", answer: "Number | str") -> tuple[str, bool]:
    """What to tell of the answer, and whether the channel can send."""
    number = asked.phone_number
    if isinstance(answer, str):
        return f"{number} cannot send. {answer}", False
    if answer.digits != number.removeprefix("+"):
        theirs = f"+{answer.digits}" if answer.digits else "unknown"
        return (
            f"{number} cannot send: WhatsApp's number of {asked.phone_number_id} is {theirs}.",
            False,
        )
    remarks = "".join(f"\n  {remark}" for remark in answer.remarks)
    if answer.can_send is False:
        return f"{number} cannot send: WhatsApp blocks it.{remarks}", False
    known = f" (verified name {answer.name!r}, quality {answer.quality or 'unknown'})"
    if answer.can_send is None:
        return f"{number} is known to WhatsApp{known}, which does not say if it can send.", True
    return f"{number} can send{known}.{remarks}", True


@key.command("create")
def create_key(
    business_id: Business,
    name: str,
    scopes: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(SCOPES),
) -> None:
    """Create an API key and print it, once."""
    from storage import keys

    wanted = frozenset(scope.strip() for scope in scopes.split(",") if scope.strip())
    if not wanted or wanted - set(SCOPES):
        given = ", ".join(sorted(wanted - set(SCOPES))) or "nothing"
        raise failure(f"--scopes takes {', '.join(SCOPES)}, not {given}.")
    called = _name(name)

    async def create(connection: "AsyncConnection") -> tuple[UUID, str]:
        await _known(connection, business_id)
        return await keys.add_key(connection, business_id, name=called, scopes=wanted)

    key_id, secret = in_database(create)
    typer.echo(f"{secret}   (key id {key_id}; it is not shown again)")


@key.command("list")
def list_keys(business_id: OneBusiness = None) -> None:
    """List the API keys, oldest first; the keys themselves are kept nowhere."""
    from storage import keys

    found = in_database(lambda c: keys.list_keys(c, business_id))
    table(
        [
            ("key id", "business id", "scopes", "created", "last used", "revoked", "name"),
            *(
                (
                    str(k.key_id),
                    str(k.business_id),
                    ",".join(k.scopes),
                    moment(k.created_at),
                    moment(k.last_used_at),
                    moment(k.revoked_at),
                    k.name,
                )
                for k in found
            ),
        ]
    )


@key.command("revoke")
def revoke_key(key_id: UUID) -> None:
    """Revoke an API key."""
    from storage import keys

    if not in_database(lambda c: keys.revoke_key(c, key_id)):
        raise failure(f"There is no key {key_id} in use.")


def _name(text: str) -> str:
    """A name as it is kept: one line that is not blank."""
    name = text.strip()
    if not name or not name.isprintable():
        raise failure("The name must be one line and not blank.")
    return name


def _zone(text: str) -> str:
    """A time zone by its IANA name; on a machine without a zone database, whatever was given."""
    from domain.windows import known_zones

    known = known_zones()
    if known and text not in known:
        raise failure(f"{text!r} is not an IANA time zone, such as America/Sao_Paulo or UTC.")
    return text


async def _known(connection: "AsyncConnection", business_id: UUID) -> None:
    from storage.businesses import business_name

    if await business_name(connection, business_id) is None:
        raise failure(f"There is no business {business_id}; `sendout business list` shows all.")
