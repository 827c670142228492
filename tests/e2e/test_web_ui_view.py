"""What a person sees of a run in Temporal's Web UI: where it stands, and nothing about who it is for."""

import json
import re
from datetime import datetime

from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHistory

from embedded import credentials
from embedded.stack import Stack
from tests.e2e.business import Business
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import invitation
from tests.e2e.patience import until_seen
from workflows import messages


async def test_a_waiting_run_tells_what_it_did_and_what_it_waits_for(
    stack: Stack, business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """Attributes to find it by, summaries that name node and condition, and the details of now."""
    number = next(numbers)
    campaign_id = business.draft(name, invitation(600))
    version = business.post(f"/campaigns/{campaign_id}/publish")["campaignVersion"]
    sendout = business.send(name, [number])
    customers.await_message(number, "Hello!")
    step = sendout.await_step(number, "delay", node="wait")
    client = await Client.connect(stack.temporal_address)
    handle = client.get_workflow_handle(sendout.entries()[number]["workflowId"])

    seen = await handle.describe()
    attributes = {key: seen.typed_search_attributes.get(key) for key in messages.SEARCH_ATTRIBUTES}
    assert attributes == {
        messages.BUSINESS_ID: credentials.BUSINESS_ID,
        messages.CAMPAIGN_NAME: name,
        messages.CAMPAIGN_VERSION: version,
        messages.SENDOUT_ID: sendout.id,
    }

    # The record says that the delay has begun before the run does.
    history = await until_seen(lambda seen: len(summaries(seen)) > 1, handle.fetch_history)
    assert summaries(history) == ["hello", "wait: then go on without a click"]

    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    details = metadata.current_details
    assert "Messages so far: hello." in details
    found = re.search(r"time delay \*\*wait\*\* after hello until ([^.]+) UTC", details)
    assert found, details
    shown_until = datetime.fromisoformat(f"{found[1]}Z")
    # The run sets its timer when it has heard of what the record knows.
    assert shown_until >= datetime.fromisoformat(step["until"]).replace(microsecond=0)

    for shown in (details, str(seen.raw_description), str(history.events)):
        assert number.lstrip("+") not in shown


def summaries(history: WorkflowHistory) -> list[str]:
    """What the Web UI writes beside activities and timers, in order."""
    given = [event.user_metadata.summary for event in history.events]
    return [json.loads(summary.data) for summary in given if summary.data]
