"""Reading the reports of `BUSINESS`."""

import csv
import io

import httpx

from tests.record import BUSINESS

HERE = f"/v1/businesses/{BUSINESS}"


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def clients(answer: httpx.Response) -> list[str]:
    return [row["customer_external_id"] for row in rows_of(answer)]
