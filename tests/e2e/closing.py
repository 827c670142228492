"""Workflows that have done all they had to do."""

import httpx

from embedded.stack import Stack
from tests.e2e.patience import until


def await_closed(stack: Stack, workflow_id: str) -> None:
    """Wait until Temporal has closed the workflow of this id."""
    address = f"{stack.temporal_ui_url}/api/v1/namespaces/default/workflows/{workflow_id}"

    def status() -> str:
        answer = httpx.get(address, trust_env=False, timeout=60)
        if answer.is_server_error:
            return answer.text  # Temporal was too slow for it
        return str(answer.raise_for_status().json()["workflowExecutionInfo"]["status"])

    until(lambda seen: seen == "WORKFLOW_EXECUTION_STATUS_COMPLETED", status)
