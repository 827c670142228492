"""What the Graph API tells of a business phone number, read into words."""

from pathlib import Path

import httpx
import pytest

from tests.whatsapp.simulator import harness
from whatsapp.client import CallError, CloudApi
from whatsapp.phone_number import FIELDS, read_number
from whatsapp.simulator.app import create_server

BLOCKED = {
    "display_phone_number": "+1 555-000-1111",
    "verified_name": "Lucky Shrub",
    "quality_rating": "RED",
    "health_status": {
        "can_send_message": "BLOCKED",
        "entities": [
            {
                "entity_type": "PHONE_NUMBER",
                "id": "1",
                "can_send_message": "LIMITED",
                "additional_info": ["Your display name has not been approved yet."],
            },
            {
                "entity_type": "WABA",
                "id": "2",
                "can_send_message": "BLOCKED",
                "errors": [
                    {
                        "error_code": 141006,
                        "error_description": "There is an error with the payment method.",
                        "possible_solution": "Fix it in your account settings.",
                    }
                ],
            },
            {"entity_type": "APP", "id": "3", "can_send_message": "AVAILABLE"},
        ],
    },
}


def test_a_blocked_number_says_what_blocks_it():
    number = read_number(BLOCKED)

    assert (number.digits, number.name, number.quality) == ("15550001111", "Lucky Shrub", "RED")
    assert number.can_send is False
    assert number.remarks == (
        "the phone number: Your display name has not been approved yet.",
        (
            "the WhatsApp account: There is an error with the payment method. "
            "Fix it in your account settings. [141006]"
        ),
    )


@pytest.mark.parametrize(("said", "can_send"), [("AVAILABLE", True), ("LIMITED", True)])
def test_a_limited_number_can_send(said: str, can_send: bool):
    assert read_number({"health_status": {"can_send_message": said}}).can_send is can_send


@pytest.mark.parametrize(
    "document",
    [{}, {"health_status": None}, {"health_status": {"entities": [7, {"errors": "no"}]}}],
)
def test_what_is_not_told_is_not_made_up(document: dict[str, object]):
    number = read_number(document)

    assert (number.digits, number.can_send, number.remarks) == ("", None, ())


async def test_the_simulator_answers_as_the_graph_api(tmp_path: Path):
    server = create_server(harness.config(tmp_path, "http://127.0.0.1:1/"))
    async with harness.serving(server) as port:
        url = f"http://127.0.0.1:{port}"
        async with CloudApi(url, "v25.0") as api:
            asked = {"access_token": harness.TOKEN, "fields": FIELDS}
            document = await api.read_phone_number(phone_number_id=harness.SENDER_ID, **asked)
            with pytest.raises(CallError, match="does not exist"):
                await api.read_phone_number(phone_number_id="1", **asked)
            with pytest.raises(CallError, match="nonexisting field"):
                await api.read_phone_number(
                    phone_number_id=harness.SENDER_ID, access_token=harness.TOKEN, fields="mood"
                )
        headers = {"Authorization": f"Bearer {harness.TOKEN}"}
        async with httpx.AsyncClient(
            base_url=url, headers=headers, trust_env=False, timeout=60
        ) as http:
            plain = (await http.get(f"/v25.0/{harness.SENDER_ID}")).json()

    assert set(document) == {*FIELDS.split(","), "id"}
    assert read_number(document).can_send is True
    assert "health_status" not in plain
    assert plain["display_phone_number"] == harness.SENDER
