"""The `sendout` command: every process of an installation, and its operation from a shell.

Each command imports what it needs when it runs: a part that died is back in half the time.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID, uuid4

import typer

from settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
business = typer.Typer(no_args_is_help=True, help="Businesses of this installation.")
channel = typer.Typer(no_args_is_help=True, help="WhatsApp numbers to send from.")
key = typer.Typer(no_args_is_help=True, help="API keys.")
flow = typer.Typer(no_args_is_help=True, help="Flow documents on disk.")
app.add_typer(business, name="business")
app.add_typer(channel, name="channel")
app.add_typer(key, name="key")
app.add_typer(flow, name="flow")

_SCOPES = "send,read,operate,admin"
_Result = TypeVar("_Result")


@app.command()
def api() -> None:
    """Serve the HTTP API."""
    import server

    server.main()


@app.command()
def worker() -> None:
    """Run the flows and make the sends."""
    import worker as worker_process

    worker_process.main()


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    from storage import schema

    asyncio.run(schema.migrate(Settings().database_url))


@app.command()
def simulator() -> None:
    """Serve the WhatsApp simulator of the embedded stack."""
    import seed as embedded_seed
    from logs import configure_logs

    configure_logs(Settings())
    embedded_seed.serve_simulator(Settings())


@app.command()
def seed() -> None:
    """Put the embedded stack's business, key, channel and example flows in place."""
    import seed as embedded_seed
    from logs import configure_logs

    configure_logs(Settings())

    asyncio.run(embedded_seed.seed(Settings()))


@app.command()
def dev() -> None:
    """Start the whole stack on this machine; Ctrl-C stops it."""
    from embedded import dev as embedded_stack
    from embedded.environment import embedded_settings
    from embedded.errors import StackError

    try:
        embedded_stack.run(embedded_settings())
    except StackError as error:
        typer.echo(f"sendout dev: {error}", err=True)
        raise typer.Exit(1) from None


@app.command()
def demo() -> None:
    """Send a batch to simulated customers and check what every one of them got."""
    from embedded import demo as embedded_demo

    raise typer.Exit(embedded_demo.main())


@flow.command("check")
def check_flow(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Report the issues of a flow document; exit with 1 if it could not be published."""
    from domain.checks import check
    from domain.shape import FlowShapeError, read_flow

    try:
        issues = check(read_flow(json.loads(file.read_bytes())))
    except ValueError as error:
        if not isinstance(error, FlowShapeError):
            typer.echo(f"{file}: not JSON: {error}", err=True)
            raise typer.Exit(1) from None
        issues = error.issues
    for issue in issues:
        typer.echo(f"{issue.severity}: {issue.path or '(flow)'}: {issue.message} [{issue.code}]")
    if any(issue.severity == "error" for issue in issues):
        raise typer.Exit(1)
    typer.echo(f"{file}: can be published")


def _in_database(work: "Callable[[AsyncConnection], Awaitable[_Result]]") -> _Result:
    from storage.session import Database

    async def run() -> _Result:
        async with (
            Database(Settings().database_url) as database,
            database.transaction() as connection,
        ):
            return await work(connection)

    return asyncio.run(run())


@business.command("create")
def create_business(
    name: str,
    business_id: Annotated[
        UUID | None, typer.Option("--id", help="Keep an existing business id (a UUID).")
    ] = None,
) -> None:
    """Create a business and print its id."""
    from storage import businesses

    chosen = business_id or uuid4()
    created = _in_database(lambda c: businesses.create_business(c, chosen, name))
    if not created:
        typer.echo(f"There is a business {chosen} already.", err=True)
        raise typer.Exit(1)
    typer.echo(str(chosen))


@channel.command("add")
def add_channel(  # noqa: PLR0917 typer makes named options of them
    business_id: Annotated[UUID, typer.Option("--business")],
    phone_number: Annotated[str, typer.Option(help="E.164, for instance +15550001111.")],
    phone_number_id: Annotated[str, typer.Option()],
    waba_id: Annotated[str, typer.Option()],
    access_token: Annotated[str, typer.Option(prompt=True, hide_input=True)],
    app_secret: Annotated[str, typer.Option(prompt=True, hide_input=True)],
    default: Annotated[bool, typer.Option(help="Send from it when no sender is named.")] = False,
    messages_per_second: Annotated[int, typer.Option(min=1)] = 60,
) -> None:
    """Connect a WhatsApp number and print its channel id; the secrets are asked for."""
    from domain.phone import parse_phone
    from storage import channels

    number = parse_phone(phone_number)
    if number is None:
        typer.echo("--phone-number is not a phone number; write it as +15550001111.", err=True)
        raise typer.Exit(1)
    new = channels.NewChannel(
        phone_number=number,
        phone_number_id=phone_number_id,
        waba_id=waba_id,
        access_token=access_token,
        app_secret=app_secret,
        default=default,
        messages_per_second=messages_per_second,
    )
    added = _in_database(lambda c: channels.add_channel(c, business_id, new))
    typer.echo(str(getattr(added, "channel_id", added)))


@key.command("create")
def create_key(
    business_id: Annotated[UUID, typer.Option("--business")],
    name: str,
    scopes: Annotated[str, typer.Option(help="Comma-separated.")] = _SCOPES,
) -> None:
    """Create an API key and print it, once."""
    from storage import keys

    wanted = frozenset(scope.strip() for scope in scopes.split(","))
    unknown = wanted - set(_SCOPES.split(","))
    if unknown:
        typer.echo(f"--scopes takes {_SCOPES}, not {', '.join(sorted(unknown))}.", err=True)
        raise typer.Exit(1)
    key_id, secret = _in_database(lambda c: keys.add_key(c, business_id, name=name, scopes=wanted))
    typer.echo(f"{secret}   (key id {key_id}; it is not shown again)")


@key.command("revoke")
def revoke_key(key_id: UUID) -> None:
    """Revoke an API key."""
    from storage import keys

    if not _in_database(lambda c: keys.revoke_key(c, key_id)):
        typer.echo(f"There is no key {key_id} in use.", err=True)
        raise typer.Exit(1)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
