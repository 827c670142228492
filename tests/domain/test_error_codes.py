import pytest

from domain.delivery import Remedy
from domain.error_codes import (
    ERRORS,
    NOT_TAKEN_IN_5XX,
    OWN_CODES,
    ProviderError,
    Seen,
    connectly_code,
    lookup,
)

_NAMES = """
UNSPECIFIED BAD_REQUEST NOT_FOUND UNAUTHENTICATED PERMISSION_DENIED CONFLICT CONTEXT_CANCELED
DEADLINE_EXCEEDED THROTTLED DEPRECATED UNCONFIRMED_USER NONCOMPLIANT_PASSWORD CREATE_USER_CONFLICT
CREATE_BUSINESS_CONFLICT ASSOCIATE_SMS_CONFLICT ASSOCIATE_EMAIL_CONFLICT BUSINESS_NOT_FOUND
CUSTOMER_NOT_FOUND INVALID_BUSINESS_CHANNEL INVALID_CUSTOMER_CHANNEL EVENT_ALREADY_MARKED_MAPPED
EVENT_ALREADY_MARKED_SENT MESSAGE_TOO_LONG APPROVED_WABA_TEMPLATE_NOT_FOUND
WABA_TEMPLATED_MESSAGE_INPUT_INVALID MISSING_BUSINESS_CHANNEL PLATFORM_INVOCATION_ERROR
BAD_FACEBOOK_VERIFICATION_REQUEST PLATFORM_EXTERNAL_WEBHOOK_DELIVERY_TIMEOUT
CAMPAIGN_CONFIG_NAME_CONFLICT INVALID_CAMPAIGN_CONFIG_NAME ANOTHER_SENDOUT_RUNNING
CAMPAIGN_NO_LONGER_EDITABLE CAMPAIGN_NOT_FOUND CAMPAIGN_NOT_FINAL CAMPAIGN_UNSUPPORTED
CAMPAIGN_ENTRY_INVALID CAMPAIGN_VERSION_NOT_FOUND CAMPAIGN_VERSION_NOT_FINAL
CAMPAIGN_VERSION_FINAL CAMPAIGN_VERSION_UNSUPPORTED CAMPAIGN_ENTRY_CLIENT_INVALID
CAMPAIGN_TOO_MANY_ENTRIES CAMPAIGN_LARGE_REQUEST ASSET_FETCHING_ERROR ASSET_STAGING_ERROR
ASSET_EXCEEDS_SIZE_LIMIT INVALID_SENDER_ID FAILED_TO_DELIVER_WEBHOOK_EVENT PHONE_NUMBER_BAD_FORMAT
MESSAGE_ATTACHMENTS_NUMBER_INVALID MESSAGE_TEXT_EMPTY MESSAGE_TEMPLATE_NOT_FOUND
MESSAGE_TEMPLATE_INPUT_INVALID MESSAGE_ATTACHMENT_EMPTY MESSAGE_ATTACHMENT_INVALID
BUSINESS_MISSES_MATCHING_CHANNEL MESSAGE_OUTSIDE_OF_ELIGIBILITY_WINDOW BUSINESS_REACHED_LIMITS
MESSAGE_SELF_INVALID MESSAGE_PHONE_NUMBER_INVALID MESSAGE_CUSTOMER_OPTED_OUT
MESSAGE_CUSTOMER_NO_CONVERSATION_INITIATION BUSINESS_KEY_SECRET_ABSENT MESSAGE_TEMPLATE_DELETED
MESSAGE_PHONE_NUMBER_NOT_ON_WHATSAPP MESSAGE_UNDELIVERABLE META_CHOSE_NOT_TO_DELIVER
MESSAGE_TEMPLATE_DUPLICATED_LANGUAGE MESSAGE_TEMPLATE_INVALID_NAME
MESSAGE_TEMPLATE_INVALID_LANGUAGE MESSAGE_TEMPLATE_DELETE_NOT_FOUND MESSAGE_TEMPLATE_INVALID_PARAM
MESSAGE_TEMPLATE_CATEGORY_NOT_MATCH BUSINESS_RATE_LIMIT_REACHED
MESSAGE_WABA_TEMPLATE_INVALID_BUTTON_PARAM MESSAGE_WABA_TEMPLATE_INVALID_HEADER_PARAM
MESSAGE_WABA_TEMPLATES_LIMIT_REACHED MESSAGE_TEMPLATE_DUPLICATED_CONTENT
MESSAGE_TEMPLATE_VARIABLE_LENGTH_EXCEEDS MISSING_PERMISSIONS MESSAGE_TEMPLATE_FAILED_TO_PERSIST
MESSAGE_WABA_TEMPLATE_STATUS_IS_NOT_EDITABLE MESSAGE_WABA_TEMPLATE_EDIT_REJECTED
MESSAGE_WABA_TEMPLATE_CAN_ONLY_EDIT_ONCE_IN_24_HOURS WA_API_SERVICE_TEMPORARILY_UNAVAILABLE
MESSAGE_WABA_TEMPLATE_IS_PAUSED MESSAGE_WABA_TEMPLATE_IS_DISABLED WA_PHONE_NUMBER_IN_EXPERIMENT
WA_SERVER_TEMPORARILY_UNAVAILABLE WA_PHONE_NUMBER_NOT_REGISTERED WA_ACCOUNT_LOCKED
WA_SOMETHING_WENT_WRONG WA_REQUIRED_PARAMETER_IS_MISSING WA_TEXT_TOO_LONG WA_API_UNKNOWN
WA_PAIR_RATE_LIMIT_HIT WA_GENERIC_USER_ERROR WA_ACCESS_DENIED WA_API_PERMISSION_DENIED
WABA_IN_MAINTENANCE WA_PERMISSION_DENIED WA_BIZ_ELIGIBILITY_PAYMENT_ISSUE
WA_UNABLE_TO_DELIVER_THE_MESSAGE WA_TEMPLATE_PARAM_COUNT_MISMATCH ETA_ACTION_FAILED
ETA_RATE_LIMIT_REACHED NOT_ELIGIBLE_FOR_DELIVERY ETA_USAGE_LIMIT_REACHED
VTEX_CONNECTLY_WABA_PROXY_SLEEPS
"""
DOCUMENTED = frozenset(f"ERROR_CODE_{name}" for name in _NAMES.split())
"""The `errorErrorCode` enum of the documented campaign API."""


def test_every_name_is_one_of_the_documented_enum():
    used = {error.connectly for error in ERRORS.values()} | set(OWN_CODES.values())
    used |= {lookup(999).connectly, lookup(999, 429).connectly, lookup(100, 400, 33).connectly}
    assert used <= DOCUMENTED


@pytest.mark.parametrize(
    ("code", "remedy", "name"),
    [
        (0, Remedy.HOLD_CHANNEL, "UNAUTHENTICATED"),
        (190, Remedy.HOLD_CHANNEL, "UNAUTHENTICATED"),
        (100, Remedy.PERMANENT, "BAD_REQUEST"),
        (80007, Remedy.RETRY_AFTER, "BUSINESS_RATE_LIMIT_REACHED"),
        (130429, Remedy.BACKOFF, "THROTTLED"),
        (131026, Remedy.PERMANENT, "MESSAGE_UNDELIVERABLE"),
        (131042, Remedy.HOLD_CHANNEL, "WA_BIZ_ELIGIBILITY_PAYMENT_ISSUE"),
        (131047, Remedy.PERMANENT, "MESSAGE_OUTSIDE_OF_ELIGIBILITY_WINDOW"),
        (131049, Remedy.SUPPRESS, "META_CHOSE_NOT_TO_DELIVER"),
        (131050, Remedy.PERMANENT, "MESSAGE_CUSTOMER_OPTED_OUT"),
        (132001, Remedy.HOLD_TEMPLATE, "APPROVED_WABA_TEMPLATE_NOT_FOUND"),
        (132015, Remedy.HOLD_TEMPLATE, "MESSAGE_WABA_TEMPLATE_IS_PAUSED"),
    ],
)
def test_what_the_important_codes_call_for(code: int, remedy: Remedy, name: str):
    assert (lookup(code).remedy, connectly_code(code)) == (remedy, f"ERROR_CODE_{name}")


@pytest.mark.parametrize("error", ERRORS.values(), ids=lambda error: str(error.code))
def test_exactly_the_repeatable_codes_have_pauses(error: ProviderError):
    repeatable = error.remedy in {Remedy.BACKOFF, Remedy.RETRY_AFTER}
    assert (error.pause(1) is not None) == repeatable
    assert list(error.pauses) == sorted(error.pauses)


def test_what_may_be_said_in_a_5xx_is_repeatable():
    assert all(lookup(code).pause(1) for code in NOT_TAKEN_IN_5XX)


@pytest.mark.parametrize(
    ("code", "pauses"),
    [
        (131056, [1, 4, 16, 64, 64, 64]),
        (131057, [20, 20, 20, 20, 20, None]),
        (80007, [60, 120, 240, 480, 960, 1800]),
        (131000, [1, 4, None, None, None, None]),
        (131026, [None] * 6),
    ],
)
def test_the_pauses_before_each_repetition(code: int, pauses: list[float | None]):
    assert [lookup(code).pause(repetition) for repetition in range(1, 7)] == pauses


@pytest.mark.parametrize("code", [200, 250, 299])
def test_200_to_299_are_permissions(code: int):
    assert (lookup(code).code, lookup(code).remedy) == (code, Remedy.HOLD_CHANNEL)
    assert connectly_code(code) == "ERROR_CODE_WA_API_PERMISSION_DENIED"


@pytest.mark.parametrize("code", [199, 300, 131999, -1])
def test_an_unknown_code_refuses_the_message_for_good(code: int):
    error = lookup(code, 400)
    assert (error.code, error.remedy, error.connectly) == (
        code, Remedy.PERMANENT, "ERROR_CODE_WA_API_UNKNOWN",
    )  # fmt: skip


def test_an_unknown_code_with_http_429_is_a_limit():
    error = lookup(131999, 429)
    assert (error.code, error.remedy, error.pause(1)) == (131999, Remedy.RETRY_AFTER, 60)
    assert lookup(132000, 429).remedy is Remedy.PERMANENT


def test_code_100_with_subcode_33_is_about_the_number():
    assert lookup(100, 400, 33).remedy is Remedy.HOLD_CHANNEL
    assert lookup(100, 400, 34).remedy is Remedy.PERMANENT
    assert lookup(131008, 400, 33).remedy is Remedy.PERMANENT


def test_refusals_of_the_moment_or_the_account_are_worth_another_run():
    assert {code for code in (4, 190, 131026, 131049, 132015) if lookup(code).worth_retrying} == {
        4, 190, 132015,
    }  # fmt: skip


def test_our_own_endings_have_documented_codes():
    assert [connectly_code(own) for own in ("TOO_MANY_SENDS", "EXPIRED", "UNKNOWN")] == [
        "ERROR_CODE_BUSINESS_REACHED_LIMITS",
        "ERROR_CODE_DEADLINE_EXCEEDED",
        "ERROR_CODE_WA_SOMETHING_WENT_WRONG",
    ]
    with pytest.raises(KeyError):
        connectly_code("SOMETHING")


def test_codes_that_mostly_come_late_say_so():
    late = {131026, 131042, 131047, 131049, 131050, 131053}
    assert not {code for code in late if lookup(code).seen is Seen.ANSWER}
