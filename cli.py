"""The `sendout` command: every process of an installation, and its operation from a shell.

Each command imports what it needs when it runs: a part that died is back in half the time.
"""

import asyncio
import json
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

import admin
from console import database_errors, database_url
from settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
flow = typer.Typer(no_args_is_help=True, help="Flow documents on disk.")
history = typer.Typer(no_args_is_help=True, help="What was sent before moving here.")
app.add_typer(admin.business, name="business")
app.add_typer(admin.channel, name="channel")
app.add_typer(admin.key, name="key")
app.add_typer(flow, name="flow")
app.add_typer(history, name="import")


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

    with database_errors():
        asyncio.run(schema.migrate(database_url()))


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
    from flow_test_file import checked, issue_line

    try:
        _, issues = checked(json.loads(file.read_bytes()))
    except (ValueError, RecursionError) as error:
        typer.echo(f"{file}: not JSON: {error}", err=True)
        raise typer.Exit(1) from None
    for issue in issues:
        typer.echo(issue_line(issue))
    if any(issue.severity == "error" for issue in issues):
        raise typer.Exit(1)
    typer.echo(f"{file}: can be published")


@flow.command("test")
def test_flow(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, metavar="FILE...")],
) -> None:
    """Run saved tests of flows (YAML or JSON); exit with 1 unless all pass. Needs no network."""
    import flow_test_file

    flow_test_file.run(files)


@app.command()
def explain(
    client: Annotated[str, typer.Option(help="The customer's number, for instance +16045552331.")],
    business_id: Annotated[
        UUID | None, typer.Option("--business", help="Only what this business sent.")
    ] = None,
) -> None:
    """Say why a customer got what they got, newest entry first."""
    import explain as explanation

    explanation.run(client, business_id)


@app.command("doctor")
def examine() -> None:
    """Check the whole installation and say what is wrong; exit with 1 if anything is."""
    import doctor

    doctor.run()


@history.callback()
def _history() -> None:
    """What was sent before moving here."""


@history.command("connectly-report")
def import_connectly_report(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    business_id: admin.Business,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be imported.")
    ] = False,
) -> None:
    """Take a campaign report of Connectly as history: its customers are not sent to again.

    Under allow_one nobody gets a campaign that Connectly sent them, and opt-outs hold. The same file
    again changes nothing, a newer one adds to it.
    """
    import connectly_import

    connectly_import.run(file, business_id, dry_run=dry_run)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
