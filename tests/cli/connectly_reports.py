"""Campaign reports as Connectly gives them out."""

import csv
import io

from domain.campaign_report import COLUMNS
from tests.record import BUSINESS

SENT = "2024-05-10 20:13:50.682000"
ROW = {
    "customer_external_id": "+16045552331",
    "business_id": str(BUSINESS),
    "campaign_name": "Spring",
    "sendout_id": "9bb0431a-ae0e-45cd-8784-df4a2ad5b30e",
    "cnt_session_id": "018f6423-fa75-de08-b5a1-0123456789ab",
    "sent_at": SENT,
    "input_variables": '{"name":"Ana"}',
    "button_clicks": "[]",
    "link_clicks": "[]",
    "output_variables": "{}",
}


def row(client: int, **cells: str) -> dict[str, str]:
    """A row of a report, of a customer who was sent `Spring`."""
    return dict.fromkeys(COLUMNS, "") | ROW | {"customer_external_id": f"+{client}"} | cells


def report(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    written = io.StringIO()
    writer = csv.DictWriter(written, COLUMNS, delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()
