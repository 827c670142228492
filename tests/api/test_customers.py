"""A customer across all sendouts (api.md section 4)."""

from sqlalchemy import insert

from storage.customer_tables import customer_user_ids, opt_outs
from storage.session import Database
from tests.api.sent import FLOW, NOW, add_entry, add_inbound, add_message, add_sendout, after
from tests.record import BUSINESS, SENDER

V1 = f"/v1/businesses/{BUSINESS}"
CLIENT = "+16045552331"


class TestCustomer:
    async def test_everything_known_is_told_newest_first(self, api, database: Database):
        async with database.transaction() as connection:
            ids = []
            for n in range(2):
                entry_id = await add_entry(connection, await add_sendout(connection, flow=FLOW))
                message_id = await add_message(
                    connection, entry_id, accepted_at=NOW, created_at=after(hours=n)
                )
                ids.append((str(entry_id), message_id))
            await add_entry(connection, await add_sendout(connection), "+16045550009")
            await connection.execute(
                insert(opt_outs).values(
                    business_id=BUSINESS, client=CLIENT, source="text", opted_out_at=NOW
                )
            )
            await connection.execute(
                insert(customer_user_ids).values(
                    business_id=BUSINESS, user_id="CA.1", client=CLIENT
                )
            )
            for n, said in enumerate(("hello", "STOP")):
                await add_inbound(
                    connection, CLIENT, user_id="CA.1", text=said, received_at=after(hours=n)
                )

        answer = await api.get(f"{V1}/customers/1 (604) 555-2331")

        customer = answer.json()["entity"]
        assert (customer["client"], customer["names"]) == (CLIENT, [CLIENT, "CA.1"])
        assert customer["optOut"] == {
            "source": "text",
            "byHand": False,
            "at": "2026-05-04T12:00:00Z",
        }
        assert customer["lastInbound"]["text"] == "STOP"
        assert [entry["entryId"] for entry in customer["entries"]] == [ids[1][0], ids[0][0]]
        assert [message["messageId"] for message in customer["messages"]] == [ids[1][1], ids[0][1]]
        assert customer["entries"][0]["campaignVersion"] == "v1"
        assert customer["messages"][0]["sender"] == SENDER

    async def test_a_customer_of_whom_nothing_is_known_is_not_found(self, api):
        for name in (CLIENT, "CA.1"):
            assert (await api.get(f"{V1}/customers/{name}")).status_code == 404

    async def test_what_is_no_number_is_refused(self, api):
        assert (await api.get(f"{V1}/customers/anna")).status_code == 400
