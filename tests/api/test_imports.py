"""CSV files are read and checked, every row as an entry of a send (api.md section 4)."""

from typing import Any

import pytest
from sqlalchemy import func, select

from domain.grouping import REPEATED_CLIENT
from domain.import_rows import REPEATED_ROW
from storage.import_tables import imports
from storage.session import Database
from storage.tables import entries
from tests.api.calls import code_of
from tests.api.importing import (
    FLOW,
    IMPORTS,
    OTHER,
    add_spring,
    checked,
    customers,
    problems,
    start,
    stored,
    table,
    upload,
)
from tests.api.sending import send
from tests.record import SENDER, add_campaign


@pytest.fixture(autouse=True)
async def spring(business: None, database: Database) -> None:
    await add_spring(database)


# --- reading -------------------------------------------------------------------------------------


class TestFile:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    @pytest.mark.parametrize(
        ("codec", "encoding"),
        [
            ("utf-8", "UTF-8"),
            ("utf-8-sig", "UTF-8"),
            ("utf-16", "UTF-16"),
            ("utf-16-be", "UTF-16"),
            ("cp1252", "Windows-1252"),
        ],
    )
    async def test_spreadsheets_encodings_and_separators_are_found(
        self, api, database: Database, codec: str, encoding: str, delimiter: str
    ):
        file = f"client,name\n+16045552331,Añn €\n+16045552332,B{'ö'}\n".replace(",", delimiter)

        made = await checked(api, file.encode(codec))
        await start(api, made)

        assert (made["encoding"], made["delimiter"]) == (encoding, delimiter)
        assert [row[2] for row in await stored(database)] == [{"name": "Añn €"}, {"name": "Bö"}]

    async def test_quoted_cells_blank_rows_and_short_rows_are_read(self, api, database: Database):
        file = 'client,name,product\n"+1 (604) 555-2331","Ana\nMaría",\n\n,,\n\'16045552332,Bo\n'

        made = await checked(api, file)
        await start(api, made)

        assert (made["rows"], made["valid"]) == (2, 2)
        assert [row[::2] for row in await stored(database)] == [
            ("+16045552331", {"name": "Ana\nMaría"}),
            ("+16045552332", {"name": "Bo"}),
        ]

    @pytest.mark.parametrize(
        ("file", "said"),
        [
            (b"", "it is empty"),
            (b"\r\n", "it is empty"),
            (b"client,name\r\n\r\n", "no rows"),
            (b"\xff\xfea", "neither in UTF-8"),
            (b"client\n\x81\n", "neither in UTF-8"),
            (b'client,name\n+16045552331,Ana\n"+16045552332"x,Bo\n', "begins in line 3"),
            (b'client,name\n+16045552331,Ana\n"+1', "begins in line 3"),
            (b"client,name,name\n+16045552331,Ana,Bo\n", "Two columns have the name `name`"),
            (b"client,a\0\n+16045552331,Ana\n", "column 2 holds a NUL"),
            (("," * 1000).encode() + b"client\n", "1,001 columns; 1,000 are the most"),
            (b"client,name\n+16045552331," + b"x" * 200_000, "field larger than"),
        ],
    )
    async def test_what_is_no_table_is_refused_with_the_place(
        self, api, database: Database, file: bytes, said: str
    ):
        answer = await upload(api, file)

        assert code_of(answer) == (400, "BAD_REQUEST")
        assert said in answer.json()["message"]
        async with database.transaction() as connection:
            assert await connection.scalar(select(func.count()).select_from(imports)) == 0

    @pytest.mark.parametrize(
        ("file", "column", "row"),
        [
            ("client,name\n+16045552331,Ana\n1.60456E+10,Bo\n", "client", 3),
            ("client;name\n1,60456e+10;Bo\n", "client", 2),
            ("client,name\n+16045552331,4.71E+12\n", "name", 2),
        ],
    )
    async def test_numbers_in_scientific_notation_are_refused_by_column(
        self, api, file: str, column: str, row: int
    ):
        answer = await upload(api, file)

        assert code_of(answer) == (400, "BAD_REQUEST")
        assert f"Column `{column}`" in answer.json()["message"]
        assert f"in row {row}: " in answer.json()["message"]
        assert "Format the column as text" in answer.json()["message"]
        assert answer.json()["details"] == {"column": column, "row": row}

    async def test_an_ignored_column_may_hold_anything(self, api):
        made = await checked(api, "client,name,order\n+16045552331,12E5,4.71E+12\n")

        assert made["valid"] == 1


class TestColumns:
    async def test_headers_name_what_they_give_and_others_are_ignored(
        self, api, database: Database
    ):
        file = (
            "Phone Number,NAME,Notes,callback_data,variables.city,Sender\n"
            f"+16045552331,Ana,x,7,Lima,{OTHER}\n+16045552332,Bo,,,,\n"
        )
        made = await checked(api, file)
        await start(api, made)

        assert {column["name"]: column["target"] for column in made["columns"]} == {
            "Phone Number": "client",
            "NAME": "variables.name",
            "Notes": None,
            "callback_data": "callbackData",
            "variables.city": "variables.city",
            "Sender": "sender",
        }
        assert await stored(database) == [
            ("+16045552331", "queued", {"name": "Ana", "city": "Lima"}, OTHER),
            ("+16045552332", "queued", {"name": "Bo"}, SENDER),
        ]
        async with database.transaction() as connection:
            kept = await connection.scalars(
                select(entries.c.callback_data).order_by(entries.c.position)
            )
            assert kept.all() == ["7", None]

    async def test_the_better_name_wins(self, api):
        made = await checked(api, "Phone,Name,client,name\nx,y,+16045552331,Ana\n")

        assert [column["target"] for column in made["columns"]] == [
            None,
            None,
            "client",
            "variables.name",
        ]

    async def test_a_mapping_is_the_whole_truth(self, api, database: Database):
        mapping = {"Handy": "client", "Vorname": "variables.name", "client": None}
        made = await checked(
            api, "client,Handy,Vorname,product\nx,+16045552331,Ana,ring\n", mapping=mapping
        )
        await start(api, made)

        assert [column["target"] for column in made["columns"]] == [
            None,
            "client",
            "variables.name",
            None,
        ]
        assert [row[2] for row in await stored(database)] == [{"name": "Ana"}]

    @pytest.mark.parametrize(
        ("mapping", "said"),
        [
            ({"Vorname": "variables.name"}, "No column gives the customers' phone numbers"),
            ({}, "No column gives the customers' phone numbers"),
            (None, "No column gives the customers' phone numbers"),
            ({"Mobil": "client"}, "the column `Mobil`, which is not in the file"),
            ({"Handy": "phone"}, "must map the column `Handy` to `client`, `sender`"),
            ({"Handy": ["client"]}, "must map the column `Handy`"),
            ({"Handy": "variables."}, "must map the column `Handy`"),
            ({"Handy": "variables.\0"}, "must map the column `Handy`"),
            ({"Handy": "client", "Vorname": "client"}, "maps both `Handy` and `Vorname`"),
        ],
    )
    async def test_a_mapping_that_does_not_fit_is_refused_with_the_columns(
        self, api, mapping: Any, said: str
    ):
        answer = await upload(api, "Handy,Vorname\n+16045552331,Ana\n", mapping=mapping)

        assert code_of(answer) == (400, "BAD_REQUEST")
        assert said in answer.json()["message"]
        assert answer.json()["details"] == {"columns": ["Handy", "Vorname"]}

    @pytest.mark.parametrize("mapping", ["[]", "{", "1", '"client"'])
    async def test_a_mapping_that_is_no_object_is_refused(self, api, mapping: str):
        query = {"campaignName": "spring", "mapping": mapping}
        answer = await api.post(IMPORTS, content=table(), params=query)

        assert code_of(answer) == (400, "BAD_REQUEST")
        assert "`mapping`" in answer.json()["message"]


# --- checking ------------------------------------------------------------------------------------


class TestChecks:
    async def test_each_bad_row_is_told_with_its_column_and_code(self, api):
        file = (
            "client,name,product,scheduledAt,sender\n"
            "anna,Ana\n"
            "+16045552331,\n"
            ",Ana\n"
            "+16045552331,Ana,,tomorrow\n"
            "+16045552331,Ana,,,+15550009999\n"
            f"{SENDER},Ana\n"
            "+16045552331,Ana,,,,more\n"
            "+16045552331,Ana\n"
            "+1 604 555 2331,Ana again\n"
        )
        made = await checked(api, file)

        assert (made["rows"], made["valid"], made["invalid"]) == (9, 1, 8)
        assert problems(made) == [
            (2, "client", "CAMPAIGN_ENTRY_CLIENT_INVALID"),
            (3, "name", "CAMPAIGN_ENTRY_INVALID"),
            (4, "client", "CAMPAIGN_ENTRY_INVALID"),
            (5, "scheduledAt", "CAMPAIGN_ENTRY_INVALID"),
            (6, "sender", "INVALID_SENDER_ID"),
            (7, "client", "MESSAGE_SELF_INVALID"),
            (8, None, "CAMPAIGN_ENTRY_INVALID"),
            (10, "client", "CAMPAIGN_ENTRY_INVALID"),
        ]
        assert made["errors"][1]["message"] == "`variables.name` is required"
        assert made["duplicates"] == {"inFile": 1, "sentBefore": 0}

    async def test_of_many_bad_rows_a_hundred_are_told(self, api):
        made = await checked(api, table(*["x,Ana"] * 250))

        assert (made["invalid"], len(made["errors"])) == (250, 100)

    async def test_what_no_column_gives_is_told_without_a_column(self, api):
        made = await checked(api, "client\n+16045552331\n")

        assert problems(made) == [(2, None, "CAMPAIGN_ENTRY_INVALID")]

    async def test_rows_are_refused_and_kept_as_a_send_of_them_would(self, api, database: Database):
        """The same rows, once sent and once imported, to two campaigns of one flow."""
        async with database.transaction() as connection:
            await add_campaign(connection, "autumn", versions={"v1": FLOW})
        fields = ["client", "name", "product", "sender", "scheduledAt"]
        rows = [
            ["+16045552331", "Ana", "ring", "", ""],
            ["1-604-555-2331", "Ana", "", "", ""],
            ["+16045552332", "Bo", "", OTHER, "2126-05-04T09:30:00Z"],
            ["+16045552333", "B" * 40_000, "", "", ""],
            ["+16045552334", "Di", "", "+1555", ""],
            ["0016045552335", "Ed", "", OTHER, ""],
            ["16045552336.0", "Fi", "", "", ""],
            [OTHER, "Gu", "", OTHER, ""],
            ["", "Hu", "", "", ""],
        ]
        sent = []
        for row in rows:
            given = {name: cell for name, cell in zip(fields, row, strict=True) if cell}
            named = {n: given.pop(n) for n in ("name", "product") if n in given}
            sent.append({"campaignName": "autumn", "variables": named, **given})
        report = (await send(api, *sent, includeEntries="all"))["data"]
        of_send = await stored(database)

        made = await checked(api, "\n".join(",".join(row) for row in [fields, *rows]))
        await start(api, made)

        refused = sorted(
            (
                refused["index"] + 2,
                row["error"]["code"],
                refused["reason"].replace(REPEATED_CLIENT, REPEATED_ROW),
            )
            for row in report
            if row["error"]
            for refused in row["entries"]
        )
        assert refused == [(e["row"], e["code"], e["message"]) for e in made["errors"]]
        assert len(refused) == 7, refused
        assert (await stored(database))[len(of_send) :] == of_send

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"campaignName": "autumn"}, (404, "CAMPAIGN_NOT_FOUND")),
            ({"campaignName": "\0"}, (404, "CAMPAIGN_NOT_FOUND")),
            ({"campaignVersion": "v9"}, (404, "CAMPAIGN_VERSION_NOT_FOUND")),
            ({"campaignName": ""}, (400, "BAD_REQUEST")),
            ({"label": "a\nb"}, (400, "BAD_REQUEST")),
            ({"ifDuplicateCheckUnspecified": "none"}, (400, "BAD_REQUEST")),
        ],
    )
    async def test_a_campaign_or_option_that_is_not_there_is_refused(self, api, change, code):
        assert code_of(await upload(api, customers(1), **change)) == code

    async def test_a_time_and_a_sender_for_all_rows(self, api, database: Database):
        file = f"client,name,sender\n+16045552331,Ana,\n+16045552332,Bo,{SENDER}\n"
        query = {"sender": OTHER, "scheduledAt": "2026-01-01T00:00:00Z"}
        too_late = await checked(api, file, **query)
        soon = await checked(api, file, sender=OTHER)
        await start(api, soon)

        assert problems(too_late) == [(row, None, "CAMPAIGN_ENTRY_INVALID") for row in (2, 3)]
        assert [row[3] for row in await stored(database)] == [OTHER, SENDER]
