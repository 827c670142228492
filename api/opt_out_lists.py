"""Lists of opt-outs as they come in and go out: JSON or CSV (api.md section 6)."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any
from uuid import UUID

from api.bodies import fitted
from api.json_body import parse
from api.schemas.opt_outs import ListedOptOut
from domain.csv_text import CsvText, NotCsv
from domain.errors import BadRequest
from domain.inbound import parse_user_id
from domain.phone import parse_phone
from storage.opt_outs import OptOut, list_opt_outs
from storage.session import Database

_COLUMNS = ("client", "source", "byHand", "at")
_MOST_ISSUES = 100
_PER_PAGE = 5_000


def read_list(body: bytes, *, is_csv: bool) -> list[tuple[str, str]]:
    """The names (E.164 or user id) and sources of a list.

    Raises `BadRequest`, with the rows at fault as `details.issues`, unless all of it is good.
    """
    rows = _csv_rows(body) if is_csv else _json_rows(body)
    good: list[tuple[str, str]] = []
    issues: list[dict[str, Any]] = []
    for row, fields in rows:
        try:
            listed = fitted(ListedOptOut, fields)
        except BadRequest as error:
            issues.append({"row": row, "message": error.error.message})
            continue
        name = parse_phone(listed.client) or parse_user_id(listed.client)
        if name is None:
            issues.append({"row": row, "message": "`client` must be a phone number or a user id."})
        else:
            good.append((name, listed.source))
    if issues:
        raise BadRequest(
            f"Nothing was entered: {len(issues)} of the rows cannot be read. "
            f"Row {issues[0]['row']}: {issues[0]['message']}",
            details={"issues": issues[:_MOST_ISSUES]},
        )
    return good


def _json_rows(body: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    listed = parse(body)
    if not isinstance(listed, list):
        raise BadRequest('The body must be a JSON list, for example ["+16045552331"].')
    for row, item in enumerate(listed, 1):
        yield row, item if isinstance(item, dict) else {"client": item}


def _csv_rows(body: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows below the header; without a header the first column is `client`."""
    try:
        listed = CsvText(io.BytesIO(body))
        rows = [listed.names, *(cells for _, cells in listed)]
    except NotCsv as error:
        raise BadRequest(f"The body is not CSV: {error}.") from None
    names = [name.lower() for name in listed.names]
    has_header = "client" in names
    for row, cells in enumerate(rows, 1):
        if not any(cells) or (has_header and row == 1):
            continue
        named = dict(zip(names if has_header else ["client"], cells, strict=False))
        yield row, {k: v.strip() for k, v in named.items() if k in _COLUMNS[:2] and v.strip()}


async def csv_list(database: Database, business_id: UUID, page: list[OptOut]) -> AsyncIterator[str]:
    """All opt-outs as CSV, page by page; `page` is the first, of `first_page`."""
    yield _csv([_COLUMNS])
    while page:
        yield _csv((o.client, o.source, str(o.by_hand).lower(), o.at.isoformat()) for o in page)
        if len(page) < _PER_PAGE:
            return
        page = await first_page(database, business_id, after=page[-1].client)


async def first_page(
    database: Database, business_id: UUID, after: str | None = None
) -> list[OptOut]:
    """The opt-outs of one page of CSV."""
    async with database.transaction() as connection:
        return await list_opt_outs(connection, business_id, limit=_PER_PAGE, after=after)


def _csv(rows: Iterable[Iterable[str]]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue()
