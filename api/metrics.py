"""What a process counts about its work, for Prometheus (api.md section 7).

Labels are route templates, methods, statuses and a few fixed words: never a number, a name or an id.
"""

import time

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storage.backlog import Backlog

# They double the number of series and tell nothing a restart does not.
disable_created_metrics()  # type: ignore[no-untyped-call]

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one process, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.requests = Counter(
            "sendout_http_requests",
            "Requests answered, by route.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "sendout_http_request_seconds",
            "Time from a request's arrival to the end of its answer.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.entries = Counter(
            "sendout_entries",
            "Entries of send requests: accepted to run, accepted as duplicates, rejected.",
            ("outcome",),
            registry=self._registry,
        )
        self.left_to_sweep = Counter(
            "sendout_left_to_sweep",
            "Calls to Temporal that failed; the sweep makes up for them.",
            ("call",),
            registry=self._registry,
        )
        # A rate needs the first value to be 0, not absent.
        for outcome in ("accepted", "duplicate", "rejected"):
            self.entries.labels(outcome)
        for call in ("poke", "hand_over"):
            self.left_to_sweep.labels(call)

    def exposition(self, backlog: Backlog | None, *, temporal_up: bool) -> bytes:
        """Everything in Prometheus' text format; `backlog` is None while the database is away."""
        now = CollectorRegistry()
        _gauge(now, "sendout_database_up", "Whether PostgreSQL answers.", backlog is not None)
        _gauge(now, "sendout_temporal_up", "Whether Temporal's frontend answers.", temporal_up)
        if backlog is not None:
            for name, told, value in (
                ("unread_events", "Webhook bodies that were kept unread.", backlog.unread_events),
                ("run_signals", "Facts not handed over to their runs yet.", backlog.run_signals),
                ("held_messages", "Messages waiting for a hold or a closed window.", backlog.held),
                ("sending_messages", "Messages on the wire.", backlog.sending),
                ("unknown_messages", "Messages whose outcome is unknown.", backlog.unknown),
            ):
                _gauge(now, f"sendout_{name}", told, value)
        return generate_latest(self._registry) + generate_latest(now)


def _gauge(registry: CollectorRegistry, name: str, told: str, value: float) -> None:
    Gauge(name, told, registry=registry).set(value)


class CountRequests:
    """Counts and times every request, whatever becomes of it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        status = 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            # The template, not the address: addresses hold customers' numbers and are endless.
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.requests.labels(method, route, status).inc()
            self._metrics.seconds.labels(method, route).observe(time.perf_counter() - begun)
