"""`sendout demo`: a batch to simulated customers, and what every one of them got.

It uses the stack that runs under the configured ports, or starts one for itself.
"""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import httpx
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from embedded import credentials
from embedded.demo_customers import (
    IN_TIME,
    PLANS,
    Counts,
    Customer,
    count_differences,
    expected_counts,
    make_customers,
    shown_counts,
    wrong_customers,
)
from embedded.demo_parties import Business, Phones
from embedded.dev import api_url
from embedded.environment import embedded_settings
from embedded.errors import StackError
from embedded.stack import Stack
from settings import Settings

_FLOW = Path(__file__).resolve().parent.parent / "examples" / "flows" / "demo.json"
_AT_MOST = 120.0
"""Seconds for one sending on a slow machine; the flow needs a little more than its delay of 5 s, the
slowest phone 12."""
_COMES_UP = 30.0
"""Seconds for a stack that was started just now, or that is slow."""
_QUIET = 2.0
"""Seconds in which nothing more may come once everything is as expected."""
_LOOK_EVERY = 0.25


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the stack is, and whether the demo started it."""

    api: str
    simulator: str
    temporal_ui: str
    own: bool


class _Failed(Exception):
    """Carries why the demo cannot go on."""


def main() -> int:
    """Run the demo; the exit status is 0 only if everybody got exactly what the flow says."""
    console = Console(highlight=False)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        with _stack(console) as addresses:
            status = _play(console, addresses)
            if addresses.own and sys.stdin.isatty() and sys.stdout.isatty():
                console.input("\nThe stack is still running. Enter stops it. ")
            return status
    except KeyboardInterrupt:
        return 130
    except (StackError, _Failed, httpx.HTTPError) as error:
        console.print(f"sendout demo: {error}", style="red", markup=False)
        return 1


def _terminated(*_: object) -> NoReturn:
    raise KeyboardInterrupt


# --- the stack ---------------------------------------------------------------------------------


@contextlib.contextmanager
def _stack(console: Console) -> Iterator[Addresses]:
    settings = embedded_settings()
    if _runs(settings):
        console.print(f"Using the stack that runs at {api_url(settings)}.")
        yield Addresses(api_url(settings), settings.graph_url, settings.temporal_ui_url, own=False)
        return
    console.print("Starting PostgreSQL, Temporal, the WhatsApp simulator, the API and a worker …")
    began = time.monotonic()
    with Stack.start() as stack:
        console.print(f"The stack is ready after {time.monotonic() - began:.0f} s.")
        yield Addresses(stack.api_url, stack.simulator_url, stack.temporal_ui_url, own=True)


def _runs(settings: Settings) -> bool:
    """Whether a complete embedded stack answers under these settings; one that comes up is awaited."""
    key = {"X-API-Key": credentials.API_KEY}
    questions = (
        f"{api_url(settings)}/readyz?all=1",
        f"{api_url(settings)}/v1/me",
        f"{settings.graph_url}/_sim/behaviour",
    )
    deadline = time.monotonic() + _COMES_UP
    with httpx.Client(headers=key, timeout=_COMES_UP, trust_env=False) as http:
        while True:
            try:
                answers = [http.get(question) for question in questions]
            except httpx.HTTPError:
                return False
            if all(answer.is_success for answer in answers):
                return True
            is_coming_up = any(answer.status_code == 503 for answer in answers)
            if not is_coming_up or time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_EVERY)


# --- the play ----------------------------------------------------------------------------------


def _play(console: Console, addresses: Addresses) -> int:
    campaign = f"demo {time.strftime('%Y-%m-%d %H:%M:%S')} {os.getpid()}"
    customers = make_customers(int(time.time()) * 100)
    with (
        contextlib.closing(Business(addresses.api)) as business,
        Phones(addresses.simulator, customers) as phones,
    ):
        version = business.publish(campaign, json.loads(_FLOW.read_bytes()))
        console.print(f"Published [bold]{campaign}[/], version {version}.\n", soft_wrap=True)
        performance = _Performance(console, business, phones, customers, campaign)
        performance.first_sending()
        if performance.as_expected(again=False):
            performance.second_sending()
            again = True
        else:
            again = False
        sendout = business.sendout(performance.sendout_id)
        status = verdict(console, customers, shown_counts(sendout), again=again)
        quiet = next(c for c in customers if c.plan.does == "ignores every message")
        workflow = business.workflow_of(performance.sendout_id, quiet.number)
    _print_addresses(console, addresses, performance.sendout_id, workflow)
    return status


class _Performance:
    """Sends the batch, lets the customers live, and watches until everything is done."""

    def __init__(
        self,
        console: Console,
        business: Business,
        phones: Phones,
        customers: Sequence[Customer],
        campaign: str,
    ) -> None:
        self._console = console
        self._business = business
        self._phones = phones
        self._customers = customers
        self._campaign = campaign
        self.sendout_id = ""

    def first_sending(self) -> None:
        """The batch, among it three entries that have to be rejected."""
        batch = [self._entry(customer) for customer in self._customers]
        broken: list[dict[str, Any]] = [
            {"client": "call me", "campaignName": self._campaign, "variables": {"name": "Nobody"}},
            {"client": "+15550009999", "campaignName": self._campaign},
            batch[0],
        ]
        rows = self._business.send([*batch, *broken])
        self.sendout_id = str(rows[0]["sendoutId"])
        self._report(f"Sent a batch of {len(batch) + len(broken)} entries", rows)
        answered = [(row["acceptedCount"], row["rejectedCount"]) for row in rows]
        if answered != [(len(batch), 0), (0, 1), (0, 2)]:
            raise _Failed(f"the answer to the batch is wrong: {rows}")
        self._watch(again=False)

    def second_sending(self) -> None:
        """The same batch again, and those who opted out once more with the check switched off."""
        batch = [self._entry(customer) for customer in self._customers]
        rows = self._business.send(batch)
        self._report("Sent the same batch again", rows)
        if [row["acceptedCount"] for row in rows] != [len(batch)]:
            raise _Failed(f"the answer to the repeated batch is wrong: {rows}")
        insisted = [self._entry(c) for c in self._customers if c.plan.asked_again]
        rows = self._business.send(insisted, ifDuplicateCheckUnspecified="allow_multiple")
        self._report("Sent to those who opted out once more, duplicates allowed", rows)
        self._watch(again=True)

    def _entry(self, customer: Customer) -> dict[str, Any]:
        return {
            "client": customer.number,
            "campaignName": self._campaign,
            "variables": {"name": customer.name},
        }

    def _report(self, title: str, rows: Sequence[dict[str, Any]]) -> None:
        self._console.print(f"{title}:")
        for row in rows:
            if row["error"] is None:
                self._console.print(f"  {row['acceptedCount']} accepted ({row['status']})")
            else:
                self._console.print(f"  {row['rejectedCount']} rejected: {row['error']['code']}")
        self._console.print()

    # --- watching ------------------------------------------------------------------------------

    def as_expected(self, *, again: bool, sendout: dict[str, Any] | None = None) -> bool:
        """Whether the ledger and the counts are what they have to be.

        The last deliveries of the first sending may still come in during the second.
        """
        shown = shown_counts(sendout or self._business.sendout(self.sendout_id))
        expected = expected_counts(self._customers, again=again)
        if not again:
            shown["messages"]["delivered"] = expected["messages"]["delivered"]
        wrong = wrong_customers(self._customers, again=again)
        return not wrong and not count_differences(expected, shown)

    def _watch(self, *, again: bool) -> None:
        """Follow the sending until all is as expected and stays so, or time is up."""
        began = time.monotonic()
        good_since: float | None = None
        with _progress(self._console) as show:
            while (now := time.monotonic()) < began + _AT_MOST:
                self._phones.live()
                sendout = self._business.sendout(self.sendout_id)
                self._phones.hear(sendout["messages"]["clicked"])
                show(sendout, self._customers, now - began, again)
                if not (self._phones.idle and self.as_expected(again=again, sendout=sendout)):
                    good_since = None
                elif good_since is None:
                    good_since = now
                elif now - good_since > _QUIET:
                    return
                time.sleep(_LOOK_EVERY)


# --- what is shown -----------------------------------------------------------------------------


@contextlib.contextmanager
def _progress(console: Console) -> Iterator[Any]:
    """A function that shows how things stand: a live table, or a line now and then in a log."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=8, transient=True) as live:

            def draw(
                sendout: dict[str, Any], customers: Sequence[Customer], seconds: float, again: bool
            ) -> None:
                live.update(
                    Group(_line(sendout, seconds), _table(customers, again=again, missing="dim"))
                )

            yield draw
        return
    last = -5.0

    def write(
        sendout: dict[str, Any], customers: Sequence[Customer], seconds: float, again: bool
    ) -> None:
        nonlocal last
        if seconds - last >= 3:
            last = seconds
            console.print(f"  {_line(sendout, seconds)}", soft_wrap=True)

    yield write
    console.print()


def _line(sendout: dict[str, Any], seconds: float) -> str:
    entries, messages = sendout["entries"], sendout["messages"]
    waiting = entries["queued"] + entries["running"]
    return (
        f"{seconds:4.1f} s  {waiting} of {entries['accepted']} entries under way, "
        f"{messages['sent']} messages sent, {messages['delivered']} delivered, "
        f"{messages['clicked']} customers tapped"
    )


def _table(customers: Sequence[Customer], *, again: bool, missing: str = "red") -> Table:
    """What each kind of customer does and is to get, and how many have it."""
    table = Table(header_style="bold")
    table.add_column("The customer …")
    table.add_column("and gets")
    table.add_column("exactly that", justify="right")
    for plan in PLANS:
        group = [customer for customer in customers if customer.plan is plan]
        right = len(group) - len(wrong_customers(group, again=again))
        gets = ", ".join(plan.gets) or "nothing"
        if again and plan.again:
            gets += f"; then {', '.join(plan.again)}"
        style = "" if right == len(group) else missing
        table.add_row(plan.does, gets, f"{right} of {len(group)}", style=style)
    return table


def verdict(console: Console, customers: Sequence[Customer], shown: Counts, *, again: bool) -> int:
    """Print the report; 0 if every customer and every count is right, else 1."""
    console.print(_table(customers, again=again))
    entries, messages = shown["entries"], shown["messages"]
    console.print(f"Entries:  {_listed(entries)}\nMessages: {_listed(messages)}", soft_wrap=True)
    if late := sum(customer.gets != customer.plan.gets for customer in customers):
        console.print(
            f"The taps of {late} of the customers were heard more than {IN_TIME:g} s after the invite, for "
            "this machine is slow, and they got the nudge as well.",
            soft_wrap=True,
        )
    wrong = wrong_customers(customers, again=again)
    differences = count_differences(expected_counts(customers, again=again), shown)
    if not wrong and not differences:
        console.print(
            f"[green]Each of the {len(customers)} customers got exactly what the flow says.[/]"
        )
        return 0
    for customer in wrong:
        console.print(f"[red]{customer.number}[/] ({customer.name}), who {customer.plan.does}:")
        console.print("  should have", _texts(customer.expects(again=again)), markup=False)
        console.print("  got        ", _texts(customer.got), markup=False)
    for difference in differences:
        console.print(difference, style="red", markup=False)
    console.print(f"[red]{len(wrong)} customers and {len(differences)} counts are wrong.[/]")
    return 1


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items())


def _texts(messages: Sequence[tuple[str, object]]) -> str:
    return " · ".join(text for text, _ in messages) or "nothing"


def _print_addresses(
    console: Console, addresses: Addresses, sendout_id: str, workflow: str
) -> None:
    if addresses.own and not sys.stdin.isatty():
        console.print("\n`make run` starts a stack that stays; this one ends now. It was at")
    else:
        console.print("\nLook around:")
    runs = f"{addresses.temporal_ui}/namespaces/default/workflows"
    business = f"{addresses.api}/v1/businesses/{credentials.BUSINESS_ID}"
    for what, address in (
        ("the WhatsApp simulator", addresses.simulator),
        ("one run in Temporal", f"{runs}/{workflow}"),
        ("all runs of the batch", f"{runs}?query=SendoutId%3D%22{sendout_id}%22"),
        ("the sendout", f"{business}/sendouts/{sendout_id}   (X-API-Key: {credentials.API_KEY})"),
        ("the API's description", f"{addresses.api}/docs"),
    ):
        console.print(f"  {what:22} {address}", soft_wrap=True, markup=False)
