"""The day a business comes over from Connectly: whom it sent to there gets nothing again here."""

import asyncio
from pathlib import Path

from embedded import credentials
from embedded.stack import Stack
from tests.cli.command import done
from tests.cli.connectly_reports import SENT, report, row
from tests.e2e.business import Business, Sendout
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import flow, template


def test_whom_connectly_sent_to_is_not_sent_to_again(
    stack: Stack,
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
    tmp_path: Path,
):
    """The report is imported twice and the campaign sent twice, to everybody in it and one more."""
    sent, read, failed, out, new = everybody = numbers.take(5)
    rows = {
        sent: {},
        read: {"delivered_at": SENT, "read_at": SENT},
        failed: {"error_code": "131026", "error_msg": "Message Undeliverable."},
        out: {"sent_at": "", "opt_out_at": SENT},
    }
    file = tmp_path / "report.csv"
    file.write_text(report([row(int(n), campaign_name=name, **cells) for n, cells in rows.items()]))
    words = ["import", "connectly-report", str(file), "--business", str(credentials.BUSINESS_ID)]
    said = [asyncio.run(done(stack.database_url, *words)).splitlines()[3] for _ in range(2)]
    assert said == [f"rows kept:          3, {n} of them new" for n in (3, 0)]

    listed = business.get("/campaigns", limit=500)["data"]
    (campaign_id,) = (c["campaignId"] for c in listed if c["campaignName"] == name)
    draft = {"flow": flow(hello=template("From here on!"))}
    business.http.put(f"/campaigns/{campaign_id}/draft", json=draft).raise_for_status()
    business.post(f"/campaigns/{campaign_id}/publish")
    sendouts: list[Sendout] = [business.send(name, everybody) for _ in range(2)]
    for sendout in sendouts:
        sendout.await_idle()

    expected = {failed: ["From here on!"], new: ["From here on!"], sent: [], read: [], out: []}
    assert customers.got_by(everybody) == expected
