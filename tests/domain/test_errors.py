"""The documented error enums and the one table that covers them."""

import json
from pathlib import Path

from domain import error_codes
from domain.documented_codes import DELIVERY, NEVER_HERE, RETURNED, ErrorCode, ErrorType


def test_every_documented_code_is_either_returned_somewhere_or_never_here():
    assert set(RETURNED) | set(NEVER_HERE) == set(ErrorCode)
    assert not set(RETURNED) & set(NEVER_HERE)


def test_every_code_that_stands_for_an_error_of_whatsapp_is_said_to_be_returned():
    for error in error_codes.ERRORS.values():
        assert ErrorCode(error.connectly) in RETURNED, error


def test_codes_said_to_come_from_whatsapp_alone_do_come_from_it():
    alone = {code.value for code, returned in RETURNED.items() if returned.where == DELIVERY}
    assert alone <= {error.connectly for error in error_codes.ERRORS.values()}


def test_the_enums_are_the_documents():
    document = json.loads((Path(__file__).parent / "connectly-enums.json").read_text())
    assert [e.value for e in ErrorType] == document["errorErrorType"]
    assert [e.value for e in ErrorCode] == document["errorErrorCode"]
