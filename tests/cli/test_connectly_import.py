"""`sendout import connectly-report` on a real record: switch day sends to nobody twice."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import insert, text

from storage.campaign_report import Scope, report_rows
from storage.customer_tables import customer_numbers
from storage.opt_outs import lift_by_hand
from storage.session import Database
from tests.cli.command import Answer, as_process, done, sendout
from tests.cli.connectly_reports import ROW, SENT, report, row
from tests.record import BUSINESS, add_business, add_campaign, greeting

HERE = f"/v1/businesses/{BUSINESS}"
REPORT = [
    row(16045552301),
    row(16045552302, delivered_at=SENT, read_at=SENT),
    # It failed, so that the customer may be sent it here.
    row(16045552303, error_code="131026", error_msg="Message Undeliverable."),
    # A later message of the flow failed; the first had arrived.
    row(16045552304, delivered_at=SENT, error_code="131049", error_msg="In order to maintain…"),
    row(16045552305, error_code="132001", error_msg="Template does not exist", sent_at=""),
    # An error without WhatsApp's number says nothing sure.
    row(16045552306, error_msg="Internal server error"),
    # The example cells of the documents show a bare object.
    row(16045552307, sent_at="", button_clicks='{"id":"f2390b","name":"Yes"}'),
    row(16045552308, sent_at="", opt_out_at=SENT),
    row(16045552309, campaign_name="Cafe\u0301", opt_out_at=SENT),
]
BLOCKED = ["01", "02", "04", "06", "07"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """`REPORT`, as it is downloaded."""
    path = tmp_path / "report.csv"
    path.write_bytes(report(REPORT).encode())
    return path


def words(file: Path, *more: str) -> list[str]:
    return ["import", "connectly-report", str(file), "--business", str(BUSINESS), *more]


async def record(database: Database) -> dict[str, Any]:
    """Everything an import may change, times of storing apart."""
    tables = {
        "campaigns": "SELECT name, state FROM campaigns ORDER BY name",
        "versions": "SELECT campaign_version, kind FROM campaign_versions ORDER BY 1",
        "sendouts": "SELECT sendout_id, source, state, is_current, label FROM sendouts ORDER BY 1",
        "entries": "SELECT client, entry_id, state, error_code, error_message, variables::text "
        "FROM entries ORDER BY client, entry_id",
        "messages": "SELECT client, message_id, state, accepted_at, delivered_at, read_at, "
        "error_code FROM messages ORDER BY client, message_id",
        "claims": "SELECT client, entry_id FROM claims ORDER BY client",
        "opt_outs": "SELECT client, source, by_hand, opted_out_at FROM opt_outs ORDER BY client",
    }
    async with database.transaction() as connection:
        return {
            name: [tuple(r) for r in await connection.execute(text(query))]
            for name, query in tables.items()
        }


async def test_the_report_becomes_history(
    business: None, database: Database, postgres_url: str, file: Path
):
    answer = await as_process(postgres_url, *words(file))

    assert answer == (
        0,
        (
            "rows read:          9\n"
            "campaigns:          2, 2 of them new\n"
            "sendouts:           2, 2 of them new\n"
            "rows kept:          8, 8 of them new\n"
            "sent, not again:    6, 6 customers of campaigns new\n"
            "failed, may be:     2\n"
            "not sent, left out: 1\n"
            "opted out:          2, 2 of them new\n"
            "Made as drafts; publish each flow under the same name:\n"
            "  Café\n"
            "  Spring"
        ),
        "",
    )
    kept = await record(database)
    assert kept["campaigns"] == [("Café", "draft"), ("Spring", "draft")]
    assert kept["versions"] == [(ROW["sendout_id"], "import")] * 2
    label = f"Connectly {ROW['sendout_id']}"
    assert {s[1:] for s in kept["sendouts"]} == {("csv", "cancelled", False, label)}
    states = {e[0][-2:]: e[2:4] for e in kept["entries"]}
    assert states == {
        "01": ("completed", None),
        "02": ("completed", None),
        "03": ("failed", "131026"),
        "04": ("completed", None),
        "05": ("failed", "132001"),
        "06": ("unknown", "UNKNOWN"),
        "07": ("completed", None),
        "09": ("completed", None),
    }
    assert [c[0][-2:] for c in kept["claims"]] == [*BLOCKED, "09"]
    assert [o[:3] for o in kept["opt_outs"]] == [
        (f"+160455523{n}", "import", False) for n in ("08", "09")
    ]
    assert {str(o[3]) for o in kept["opt_outs"]} == {"2024-05-10 20:13:50.682000+00:00"}


async def test_the_same_file_again_changes_nothing(
    business: None, database: Database, postgres_url: str, file: Path
):
    await done(postgres_url, *words(file))
    before = await record(database)

    said = (await done(postgres_url, *words(file))).splitlines()

    assert [line for line in said if " new" in line] == [
        "campaigns:          2, 0 of them new",
        "sendouts:           2, 0 of them new",
        "rows kept:          8, 0 of them new",
        "sent, not again:    6, 0 customers of campaigns new",
        "opted out:          2, 0 of them new",
    ]
    assert await record(database) == before


async def test_a_dry_run_counts_and_keeps_nothing(
    business: None, database: Database, postgres_url: str, file: Path
):
    said = await done(postgres_url, *words(file, "--dry-run"))

    assert said.startswith("Nothing was imported: this is what would be.\nrows read:          9\n")
    assert "6, 6 customers of campaigns new" in said
    assert all(rows == [] for rows in (await record(database)).values())


async def test_on_switch_day_nobody_is_sent_to_twice(
    api: httpx.AsyncClient, database: Database, postgres_url: str, file: Path
):
    """The campaign is made of the report, published, and sent to everybody in it."""
    async with database.transaction() as connection:
        # Two numbers of one customer: the second is no way around the first.
        for number in ("+16045552301", "+16045559901"):
            await connection.execute(
                insert(customer_numbers).values(
                    business_id=BUSINESS, number=number, client="+16045559901"
                )
            )
    await done(postgres_url, *words(file))
    listed = (await api.get(f"{HERE}/campaigns")).json()["data"]
    campaigns = {c["campaignName"]: c["campaignId"] for c in listed}
    address = f"{HERE}/campaigns/{campaigns['Spring']}"
    entries = [
        {"client": f"+160455523{n:02}", "campaignName": "Spring"} for n in range(1, 9)
    ] + [{"client": "+16045559901", "campaignName": "Spring"}]  # fmt: skip
    body = {"entries": entries, "options": {"includeEntries": "all"}}
    early = await api.post(f"{HERE}/send/campaigns", json=body)
    assert (early.status_code, early.json()["code"]) == (409, "ERROR_CODE_CAMPAIGN_NOT_FINAL")
    await api.put(f"{address}/draft", json={"flow": greeting()})
    assert (await api.post(f"{address}/publish", json={})).status_code == 200

    answer = await api.post(f"{HERE}/send/campaigns", json=body)

    (sent,) = answer.json()["data"]
    states = {e["client"][-2:]: e["state"] for e in sent["entries"]}
    runs = [n for n, state in states.items() if state != "duplicate"]
    assert runs == ["03", "05", "08"]
    blocked = next(e for e in sent["entries"] if e["client"] == "+16045552302")
    told = await api.get(f"{HERE}/sendouts/{sent['sendoutId']}/entries/{blocked['entryId']}")
    duplicate = told.json()["entity"]["timeline"][1]
    assert duplicate["campaignVersion"] == ROW["sendout_id"]
    assert duplicate["state"] == "completed"
    opted_out = await api.get(f"{HERE}/customers/+16045552308")
    assert opted_out.json()["entity"]["optOut"]["source"] == "import"


async def test_history_can_be_seen_and_nothing_of_it_can_be_sent(
    api: httpx.AsyncClient, database: Database, postgres_url: str, file: Path
):
    async with database.transaction() as connection:
        await add_campaign(connection, "Spring")
    await done(postgres_url, *words(file))

    sendouts = (await api.get(f"{HERE}/sendouts")).json()["data"]
    spring = next(s for s in sendouts if s["campaignName"] == "Spring")
    counts = {name: n for name, n in spring["entries"].items() if n}
    assert counts == {"accepted": 7, "completed": 4, "failed": 2, "unknown": 1}
    assert spring["messages"]["sent"] == 5
    customer = (await api.get(f"{HERE}/customers/+16045552302")).json()["entity"]
    assert customer["messages"][0]["readAt"] == "2024-05-10T20:13:50.682000Z"
    explained = await done(postgres_url, "explain", "--client", "+16045552303")
    assert "failed, error 131026" in explained
    for lever in ("retry", "resume", "pause"):
        answer = await api.post(f"{HERE}/sendouts/{spring['sendoutId']}/{lever}")
        assert answer.status_code == 409, lever
    entry = {"client": "+16045552399", "campaignName": "Spring"}
    asked = {"entries": [entry | {"campaignVersion": ROW["sendout_id"]}]}
    answer = await api.post(f"{HERE}/send/campaigns", json=asked)
    (refused,) = answer.json()["data"]
    assert refused["error"]["code"] == "ERROR_CODE_CAMPAIGN_VERSION_NOT_FOUND"
    answer = await api.post(f"{HERE}/send/campaigns", json={"entries": [entry]})
    assert answer.json()["data"][0]["campaignVersion"] == "v1"


async def test_a_newer_report_adds_what_it_knows(
    business: None, database: Database, postgres_url: str, tmp_path: Path
):
    """What failed and was sent again blocks now; what had blocked goes on blocking."""
    older, newer = tmp_path / "older.csv", tmp_path / "newer.csv"
    failed = {"error_code": "131026", "error_msg": "Message Undeliverable."}
    older.write_text(report([row(16045552301), row(16045552302, **failed)]))
    newer.write_text(
        report([row(16045552301, **failed), row(16045552302, read_at=SENT), row(16045552303)])
    )
    await done(postgres_url, *words(older))

    said = await done(postgres_url, *words(newer))

    assert "rows kept:          3, 1 of them new" in said
    assert "2, 2 customers of campaigns new" in said
    kept = await record(database)
    assert [c[0][-2:] for c in kept["claims"]] == ["01", "02", "03"]
    assert [m[2] for m in kept["messages"]] == ["failed", "sent", "sent"]


async def test_a_customer_who_came_back_stays_if_the_file_is_not_imported_again(
    business: None, database: Database, postgres_url: str, file: Path
):
    """An opt-out here, whatever its source, is kept as it is; one that was lifted comes back."""
    async with database.transaction() as connection:
        await connection.execute(
            text("INSERT INTO opt_outs VALUES (:b, '+16045552308', 'shop', true, now())"),
            {"b": BUSINESS},
        )
    await done(postgres_url, *words(file))
    outs = (await record(database))["opt_outs"]
    assert [o[:3] for o in outs] == [
        ("+16045552308", "shop", True),
        ("+16045552309", "import", False),
    ]
    async with database.transaction() as connection:
        await lift_by_hand(connection, BUSINESS, ["+16045552308"])
    assert "opted out:          2, 1 of them new" in await done(postgres_url, *words(file))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
async def test_files_of_every_kind_are_read(
    business: None,
    database: Database,
    postgres_url: str,
    tmp_path: Path,
    encoding: str,
    delimiter: str,
):
    path = tmp_path / "report.csv"
    rows = [row(16045552301, campaign_name='Café; "ñ",\r\nno') | {"campaign_name": "Café; ñ, à"}]
    path.write_bytes(report(rows, delimiter).encode(encoding))

    await done(postgres_url, *words(path))

    assert (await record(database))["campaigns"] == [("Café; ñ, à", "draft")]


async def refused(url: str, *command: str) -> Answer:
    answer = await sendout(url, *command)
    assert (answer.code, answer.out) == (1, ""), answer
    return answer


async def test_rows_that_cannot_be_read_are_listed_and_nothing_is_imported(
    business: None, database: Database, postgres_url: str, tmp_path: Path
):
    path = tmp_path / "report.csv"
    rows = [
        row(16045552301, input_variables='{\n"name": "Ana"}'),
        row(0, customer_external_id="1.6045558877E+10"),
        row(0, customer_external_id="Ana"),
        row(16045552302, sendout_id="1"),
        row(16045552303, sent_at="5/10/2024 20:13"),
        row(16045552304, campaign_name=" "),
        row(16045552305, input_variables="name=Ana"),
        row(16045552306, output_variables="[1"),
    ]
    path.write_text(report(rows) + "\r\n+16045552307,short\r\n", newline="")

    answer = await refused(postgres_url, *words(path))

    listed = answer.err.splitlines()
    assert [line.partition(":")[0] for line in listed[:-1]] == [
        "line 4, customer_external_id",
        "line 5, customer_external_id",
        "line 6, sendout_id",
        "line 7, sent_at",
        "line 8, campaign_name",
        "line 9, input_variables",
        "line 10, output_variables",
        "line 12, campaign_name",
    ]
    assert "scientific notation" in listed[0]
    assert listed[-1] == (
        f"{path}: nothing was imported: 8 of 9 rows cannot be read; correct them or take them out."
    )
    # What is wrong with a number is told without the number.
    assert "8877" not in answer.err
    assert all(rows == [] for rows in (await record(database)).values())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "its first line does not name the columns customer_external_id, business_id"),
        (
            report([]).replace("error_code,", "").encode(),
            "its first line does not name the column error_code; a campaign report has 15 columns",
        ),
        (report([]).encode() + b'"+16045552331"x,', "the row that begins in line 2 is not CSV"),
        (report([]).encode() + b"\x81", "it is a text neither in UTF-8 nor in UTF-16 nor in"),
    ],
)
async def test_a_file_that_is_no_report_is_one_clear_line(
    business: None, postgres_url: str, tmp_path: Path, content: bytes, said: str
):
    path = tmp_path / "report.csv"
    path.write_bytes(content)
    answer = await refused(postgres_url, *words(path))
    assert answer.err.startswith(f"{path}: nothing was imported: {said}")
    assert "\n" not in answer.err


async def test_a_business_that_cannot_have_history_is_said(
    database: Database, postgres_url: str, file: Path
):
    answer = await refused(postgres_url, *words(file))
    assert answer.err.startswith(f"There is no business {BUSINESS}")
    async with database.transaction() as connection:
        await add_business(connection, sender=None)
    answer = await refused(postgres_url, *words(file))
    assert answer.err.startswith("The business has no channel yet")


async def test_a_report_of_another_business_is_taken_and_said(
    business: None, postgres_url: str, tmp_path: Path
):
    path = tmp_path / "report.csv"
    other = "22222222-2222-4222-8222-222222222222"
    path.write_text(report([row(16045552301, business_id=other)]))
    said = (await done(postgres_url, *words(path))).splitlines()
    assert said[0] == f"note: the report is of business {other}; it was taken for {BUSINESS}"


async def test_a_report_of_this_product_can_be_imported(
    api: httpx.AsyncClient, database: Database, postgres_url: str, tmp_path: Path
):
    """The golden report is what Connectly's would be: an installation can move to another."""
    path = tmp_path / "report.csv"
    golden = Path(__file__).parent.parent / "golden" / "reports" / "sendout.csv"
    path.write_bytes(golden.read_bytes())
    said = await done(postgres_url, *words(path))
    assert "rows kept:          4, 4 of them new" in said
    assert "sent, not again:    2, 2 customers" in said
    # What was reported there is not reported here again.
    async with database.transaction() as connection:
        pages = [page async for page in report_rows(connection, Scope(UUID(str(BUSINESS))))]
    assert not any(pages)


async def test_many_rows_are_kept_in_batches(
    business: None, database: Database, postgres_url: str, tmp_path: Path
):
    """Customers who are there twice, in one batch or in two, are one customer."""
    path = tmp_path / "report.csv"
    numbers = [16_000_000_000 + n % 4_500 for n in range(5_000)]
    path.write_text(report([row(n, output_variables=json.dumps({"n": n})) for n in numbers]))

    for more in (["--dry-run"], []):
        said = await done(postgres_url, *words(path, *more))

        assert "rows kept:          5000, 4500 of them new" in said
        assert "sent, not again:    5000, 4500 customers" in said
