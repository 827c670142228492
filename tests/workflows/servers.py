"""Temporal servers for tests: the real one, with the product's settings and those a test needs."""

import json

from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from embedded.temporal_server import DYNAMIC_CONFIG, program
from workflows import messages

_SKIPPING = (
    "frontend.WorkflowTimeSkippingEnabled=true",
    'history.timerProcessorMaxTimeShift="1ms"',
    "frontend.WorkflowTimeSkippingMaxSkipPerSession=10000",
)


async def local_server(*dynamic: str) -> WorkflowEnvironment:
    """A server with these dynamic settings too, each as `key=value`."""
    return await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(program()),
        search_attributes=list(messages.SEARCH_ATTRIBUTES),
        dev_server_log_level="error",
        dev_server_extra_args=_arguments(dynamic),
    )


async def skipping_server(*dynamic: str) -> WorkflowEnvironment:
    """The same, with runs whose time can be skipped."""
    return await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=str(program()),
        search_attributes=list(messages.SEARCH_ATTRIBUTES),
        ts_config=TimeSkippingConfig(enabled=False),
        dev_server_log_level="error",
        dev_server_extra_args=_arguments((*_SKIPPING, *dynamic)),
    )


def _arguments(dynamic: tuple[str, ...]) -> list[str]:
    ours = [f"{key}={json.dumps(value)}" for key, value in DYNAMIC_CONFIG.items()]
    # Of two values for one key the last one counts.
    return [part for value in (*ours, *dynamic) for part in ("--dynamic-config-value", value)]
