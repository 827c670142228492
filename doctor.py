"""`sendout doctor`: is this installation in order, and what mends what is not (api.md section 7)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import httpx
import typer
from asyncpg import PostgresError
from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from admin import ask_whatsapp, hold_in_words, verdict
from console import (
    NO_DATABASE,
    OLD_SCHEMA,
    database_trouble,
    moment,
    names_database,
    unusable_settings,
)
from domain.durations import in_words
from settings import Settings
from storage import businesses, channels, keys, standstill
from storage.backlog import Backlog, read_backlog
from storage.schema import is_current
from storage.session import Database
from storage.standstill import FailingWebhook, Standstill
from storage.template_holds import HeldTemplate, held_templates
from temporal import connect, missing_search_attributes, pollers
from workflows import messages

_PATIENCE = 5.0
"""Seconds for an answer of Temporal or the API."""
_PATIENCE_WITH_ALL = 30.0
"""Seconds for all that is asked of a Temporal that answers."""
_SKEW = 2.0
"""Seconds by which the clocks of this host and the database may differ."""
_LONG = 300.0
"""Seconds after which what waits for a matter of seconds is stuck."""
_PERMISSION_DENIED = 7
_WEBHOOK_PATH = "/v1/providers/whatsapp/webhook"


class Finding(NamedTuple):
    """What one check found; of a problem `said` also tells what mends it."""

    about: str
    said: str
    fine: bool = True


def run() -> None:
    """Examine the installation, a line per check; ends the command with 1 if there is a problem."""
    problems = asyncio.run(_tell())
    if problems:
        typer.echo(f"{problems} problem{'' if problems == 1 else 's'}")
        raise typer.Exit(1)
    typer.echo("no problems")


async def _tell() -> int:
    problems = 0
    async for finding in examine():
        problems += not finding.fine
        typer.echo(f"{'ok     ' if finding.fine else 'PROBLEM'}  {finding.about}: {finding.said}")
    return problems


def _problem(about: str, said: str) -> Finding:
    return Finding(about, said, fine=False)


async def examine() -> AsyncIterator[Finding]:
    """Every check, in the order in which the parts depend on each other."""
    try:
        settings = Settings()
    except (ValidationError, SettingsError) as error:
        wrong = unusable_settings(error) if isinstance(error, ValidationError) else [f"{error}."]
        for line in wrong:
            yield _problem("settings", line)
        return
    yield Finding("settings", "readable")
    async for finding in _database(settings):
        yield finding
    async for finding in _temporal(settings):
        yield finding
    async for finding in _address(settings):
        yield finding


# --- the record --------------------------------------------------------------------------------


class Sender(NamedTuple):
    """A channel, whose it is, and its token."""

    business_id: UUID
    channel: channels.Channel
    access_token: str


class Record(NamedTuple):
    """What was read from the database, at one moment."""

    skew: timedelta
    all_businesses: list[businesses.Business]
    with_key: set[UUID]
    """The businesses that have a key in use."""
    senders: list[Sender]
    held: list[HeldTemplate]
    still: Standstill
    backlog: Backlog
    failing: list[FailingWebhook]


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    if not names_database(settings.database_url):
        yield _problem("database", NO_DATABASE)
        return
    try:
        async with (
            Database(settings.database_url, pool_size=1) as database,
            database.transaction() as connection,
        ):
            current = await is_current(connection)
            record = await _read(connection) if current else None
    except (DBAPIError, PostgresError, OSError) as error:
        yield _problem("database", database_trouble(error))
        return
    if record is None:
        yield _problem("database", OLD_SCHEMA)
        return
    yield Finding("database", "reachable, its schema is current")
    yield _clock(record.skew)
    for finding in (
        *_set_up(record),
        *await asyncio.gather(*map(_channel, record.senders)),
        *(_template(held) for held in record.held),
        *_waiting(record.still, record.backlog, settings),
        *_webhooks(record.failing),
    ):
        yield finding


async def _read(connection: AsyncConnection) -> Record:
    before = datetime.now(UTC)
    theirs = await businesses.database_time(connection)
    skew = max(before - theirs, theirs - datetime.now(UTC), timedelta())
    all_businesses = await businesses.list_businesses(connection)
    senders = [
        Sender(owner, *found)
        for owner, channel in await channels.channels_of(connection)
        if (found := await channels.channel_with_token(connection, channel.channel_id))
    ]
    held = [
        template
        for business in all_businesses
        for template in await held_templates(connection, business.business_id)
    ]
    in_use = {key.business_id for key in await keys.list_keys(connection) if not key.revoked_at}
    return Record(
        skew,
        all_businesses,
        in_use,
        senders,
        held,
        await standstill.look(connection, lately=_LONG),
        await read_backlog(connection),
        await standstill.failing_webhooks(connection),
    )


def _clock(skew: timedelta) -> Finding:
    seconds = skew.total_seconds()
    if seconds > _SKEW:
        said = f"this host and the database differ by {seconds:.1f} s; let NTP set both."
        return _problem("clock", said)
    return Finding("clock", "this host and the database agree")


def _set_up(record: Record) -> Iterator[Finding]:
    if not record.all_businesses:
        yield _problem("businesses", "there is none; `sendout business create` makes one.")
    with_channel = {sender.business_id for sender in record.senders}
    for business in record.all_businesses:
        about = f"business {business.business_id}"
        for having, what in ((with_channel, "channel"), (record.with_key, "key")):
            if business.business_id not in having:
                command = f"sendout {what} {'add' if what == 'channel' else 'create'}"
                yield _problem(about, f"it has no {what}; `{command}` makes one.")
    yield Finding("businesses", f"{len(record.all_businesses)}")


async def _channel(sender: Sender) -> Finding:
    channel = sender.channel
    about = f"channel {channel.phone_number}"
    said, can_send = verdict(channel, await ask_whatsapp(channel, sender.access_token))
    if channel.held_since is not None:
        said = f"held {hold_in_words(channel)}. {said} Cure the cause, then release it."
    return Finding(about, said, fine=can_send and channel.held_since is None)


def _template(held: HeldTemplate) -> Finding:
    why = held.message or "no reason was given"
    said = f"held by {held.by} since {moment(held.since)}: {why}. Cure the cause, then release it."
    return _problem(f"template {held.name} ({held.language})", said)


def _waiting(still: Standstill, backlog: Backlog, settings: Settings) -> Iterator[Finding]:
    """What waits for longer than the sweep lets it: then nobody sweeps, or it fails."""
    age = still.unsent_for
    if age is None:
        yield Finding("entries", "none is due and not started")
    elif age <= _LONG or still.sent_lately:
        yield Finding("entries", f"the oldest that waits is due since {_ago(age)}; sends go on")
    else:
        said = f"one is due since {_ago(age)} and nothing is sent; look at the worker's log."
        yield _problem("entries", said)
    stuck = (
        ("sends", still.sending_beyond, _LONG, "a send was begun and not recorded"),
        (
            "unknown outcomes",
            still.unknown_for,
            settings.unknown_grace + _LONG,
            "an outcome is unknown and nothing was decided",
        ),
        ("facts for runs", still.signal_for, _LONG, "a tap, text or status was not handed over"),
    )
    for about, age, longest, what in stuck:
        if age is not None and age > longest:
            yield _problem(about, f"{what} since {_ago(age)}; look at the worker's log.")
    yield Finding(
        "messages",
        f"{backlog.held} held, {backlog.sending} on the wire, {backlog.unknown} of unknown outcome",
    )
    if backlog.unread_events:
        said = f"{backlog.unread_events} could not be read; look at `unread_events.reason`."
        yield _problem("events of WhatsApp", said)


def _webhooks(failing: list[FailingWebhook]) -> Iterator[Finding]:
    for webhook in failing:
        about = f"webhook {webhook.topic} of business {webhook.business_id}"
        path = f"…/webhooks/{webhook.webhook_id}/deliveries"
        if webhook.failures and (webhook.pending_for or 0.0) > _LONG:
            said = f"nothing gets through since {_ago(webhook.pending_for or 0.0)}"
            yield _problem(about, f"{said}; `GET {path}` says why.")
        if webhook.given_up:
            said = f"{webhook.given_up} events were given up; `POST {path}/retry` sends them again."
            yield _problem(about, said)


def _ago(seconds: float) -> str:
    return in_words(timedelta(seconds=round(seconds)))


# --- Temporal ----------------------------------------------------------------------------------


class _NoFlows:
    """Nothing is read that has a flow in it."""

    async def flow_document(self, flow_hash: str) -> str | None:
        raise AssertionError(flow_hash)


async def _temporal(settings: Settings) -> AsyncIterator[Finding]:
    address, namespace = settings.temporal_address, settings.temporal_namespace
    try:
        client = await asyncio.wait_for(connect(settings, _NoFlows(), lazy=False), _PATIENCE)
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=namespace), timeout=timedelta(seconds=_PATIENCE)
        )
    except ValueError as error:
        yield _problem("Temporal", f"SENDOUT_TEMPORAL_ADDRESS is unusable: {error}.")
        return
    except (RuntimeError, TimeoutError):
        said = f"{address} does not answer; start it, or set SENDOUT_TEMPORAL_ADDRESS."
        yield _problem("Temporal", said)
        return
    except RPCError as error:
        said = (
            f"{address} has no namespace {namespace}; create it, or set SENDOUT_TEMPORAL_NAMESPACE."
        )
        if error.status is not RPCStatusCode.NOT_FOUND:
            said = f"{address} refuses: {error.message}."
        yield _problem("Temporal", said)
        return
    yield Finding("Temporal", f"{address} answers, the namespace {namespace} is there")
    try:
        findings = await asyncio.wait_for(_furnished(client, settings), _PATIENCE_WITH_ALL)
    except TimeoutError:
        findings = [_problem("Temporal", f"{address} answers too slowly; look at its log.")]
    except RPCError as error:
        findings = [_problem("Temporal", f"{address} refuses: {error.message}.")]
    for finding in findings:
        yield finding


async def _furnished(client: Client, settings: Settings) -> list[Finding]:
    """What a worker makes and needs in the namespace."""
    missing = await missing_search_attributes(client)
    findings = [Finding("search attributes", "all are there")]
    if missing:
        said = f"{', '.join(missing)} missing; a worker's start registers them."
        findings = [_problem("search attributes", said)]
    workflow, activity = (
        TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    ours = settings.task_queue
    for queue, kind in (
        (ours, workflow),
        (ours, activity),
        (messages.send_queue(ours), activity),
        (messages.webhook_queue(ours), activity),
    ):
        about = f"task queue {queue} ({'workflows' if kind == workflow else 'activities'})"
        count = await pollers(client, queue, kind)
        if count:
            findings.append(Finding(about, f"polled by {count}"))
        else:
            said = "no worker polls it; start `sendout worker` with the same SENDOUT_TASK_QUEUE."
            findings.append(_problem(about, said))
    longest = timedelta(seconds=3 * settings.sweep_every + 60)
    findings.append(await _schedule(client, messages.SWEEP_ID, longest))
    findings.append(await _schedule(client, messages.DAILY_REPORTS_ID, timedelta(hours=25)))
    return findings


async def _schedule(client: Client, name: str, longest: timedelta) -> Finding:
    """Whether a schedule runs: its last time, or its making, is at most `longest` ago."""
    about = f"schedule {name}"
    try:
        found = await client.get_schedule_handle(name).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return _problem(about, "it is not there; a worker's start makes it.")
    if found.schedule.state.paused:
        return _problem(about, "it is paused in Temporal; unpause it.")
    ran = [action.started_at for action in found.info.recent_actions]
    last = max([found.info.created_at, found.info.last_updated_at or found.info.created_at, *ran])
    ago = datetime.now(UTC) - last
    if ago > longest:
        said = f"it last ran {_ago(ago.total_seconds())} ago; look at Temporal and the worker."
        return _problem(about, said)
    return Finding(about, "it runs")


# --- the way in --------------------------------------------------------------------------------


async def _address(settings: Settings) -> AsyncIterator[Finding]:
    """Whether WhatsApp finds us; where WhatsApp is the simulator, loopback is as good."""
    if settings.simulator_url is None:
        if not settings.public_url.startswith("https://"):
            said = "is not an https address; WhatsApp and the readers of reports need one."
            yield _problem("public address", f"SENDOUT_PUBLIC_URL {said}")
        if not settings.meta_verify_token.get_secret_value():
            said = "is empty, so Meta's verification is refused; set it as in Meta's app."
            yield _problem("verify token", f"SENDOUT_META_VERIFY_TOKEN {said}")
    url = f"{settings.api_url}{_WEBHOOK_PATH}"
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE, trust_env=False) as http:
            # With a token that cannot be ours: the refusal in our words shows that it is us.
            answer = await http.get(url, params={"hub.mode": "subscribe", "hub.verify_token": ""})
            body = answer.json() if answer.status_code == 403 else None
            ours = isinstance(body, dict) and body.get("code") == _PERMISSION_DENIED
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        ours = False
    if ours:
        yield Finding("API", f"{settings.api_url} answers, with the path of WhatsApp's events")
    else:
        said = "is not answered by Sendout; start `sendout api`, or look at SENDOUT_PUBLIC_URL."
        yield _problem("API", f"{url} {said}")
