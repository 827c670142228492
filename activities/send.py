"""The send: the one place from which messages leave (design: never twice, never lost)."""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.beats import beating
from domain.delivery import Answer, NotSent
from domain.flow import Flow, MessageNode
from domain.message_types import TemplateMessage
from domain.requests import SendMessage, SendResult
from domain.sending import Decision, Policy, Post, Recorded, Situation, after, before

_RECORD_FOR = 20.0
"""Seconds for which an answer is tried to be recorded before the attempt gives up on it."""


class Ledger(Protocol):
    """The record around each call; `storage.ledger` tells the rest."""

    async def take_up(
        self,
        order: SendMessage,
        lease_attempt: int,
        decide: Callable[[Situation, SendMessage, Flow, Policy], Decision],
    ) -> tuple[Situation, Decision, SendResult | None, int]:
        """Read, decide, write what was decided; claim the message if it is to be posted."""

    async def record(
        self, order: SendMessage, situation: Situation, recorded: Recorded, lease_attempt: int
    ) -> SendResult | None:
        """Record what came of the call; None when it is to be made again after a pause."""


class Provider(Protocol):
    """WhatsApp, as far as a send needs it."""

    async def send(self, situation: Situation, node: MessageNode) -> Answer:
        """Post a rendered message; never raises for what the network or WhatsApp does."""


class Sending:
    """Sends one message per call; repeating a call never repeats a message."""

    def __init__(self, ledger: Ledger, provider: Provider, policy: Policy) -> None:
        self._ledger = ledger
        self._provider = provider
        self._policy = policy

    @activity.defn
    async def send_message(self, order: SendMessage) -> SendResult:
        """Send the message unless something speaks against it; say how it ended.

        Raises `ApplicationError` with a pause when the call provably did not send and is to be made
        again. One that is cancelled after it has begun ends as if it were not.
        """
        work = asyncio.create_task(self._deliver(order))
        async with beating():
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                return await work

    async def _deliver(self, order: SendMessage) -> SendResult:
        attempt = activity.info().attempt
        decide = partial(before, now=activity.info().started_time)
        claimed_at = time.monotonic()
        situation, decision, result, tries = await self._ledger.take_up(order, attempt, decide)
        if result is not None:
            return result
        if not isinstance(decision, Post):
            raise TypeError(f"{decision!r} leaves the run without an answer")
        if time.monotonic() - claimed_at > self._policy.lease:
            # This process was asleep while its lease ran out: somebody else may have taken over.
            answer: Answer = NotSent("the lease ended before the call")
        else:
            answer = await self._provider.send(situation, decision.node)
        message = decision.node.message
        template = message if isinstance(message, TemplateMessage) else None
        recorded = after(answer, tries, self._policy, template, decision.expires_in)
        told = await self._record(order, situation, recorded, attempt)
        if told is not None:
            return told
        pause = (recorded.again_in or 1.0) * random.uniform(1.0, 1.2)  # noqa: S311 spreads retries
        raise ApplicationError(
            f"not sent yet: {recorded.message}",
            type="NotSentYet",
            next_retry_delay=timedelta(seconds=pause),
            category=ApplicationErrorCategory.BENIGN,
        )

    async def _record(
        self, order: SendMessage, situation: Situation, recorded: Recorded, attempt: int
    ) -> SendResult | None:
        """Record the answer, through short absences of the database: it exists only here."""
        deadline = time.monotonic() + _RECORD_FOR
        while True:
            try:
                return await self._ledger.record(order, situation, recorded, attempt)
            except Exception:
                if time.monotonic() > deadline:
                    raise
                activity.logger.warning("an answer could not be recorded yet", exc_info=True)
                await asyncio.sleep(0.5)
