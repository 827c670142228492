"""The errors of one entry or one campaign of a send request, in the order of api.md section 2."""

from typing import Final

from domain.documented_codes import ErrorCode, ErrorType
from domain.errors import PartialError


def _error(type_: ErrorType, code: ErrorCode, message: str, advice: str) -> PartialError:
    return PartialError(message, type_, code, message, advice)


CAMPAIGN_NOT_FOUND: Final = _error(
    ErrorType.NOT_FOUND,
    ErrorCode.CAMPAIGN_NOT_FOUND,
    "Campaign not found",
    "Please review the campaign name and/or campaign id.",
)
CAMPAIGN_ARCHIVED: Final = _error(
    ErrorType.CONFLICT,
    ErrorCode.CAMPAIGN_UNSUPPORTED,
    "Campaign is not supported",
    "Please restore the campaign before sending.",
)
CAMPAIGN_NOT_FINAL: Final = _error(
    ErrorType.CONFLICT,
    ErrorCode.CAMPAIGN_NOT_FINAL,
    "Campaign is not final",
    "Please publish the campaign and try again.",
)
VERSION_NOT_FOUND: Final = _error(
    ErrorType.NOT_FOUND,
    ErrorCode.CAMPAIGN_VERSION_NOT_FOUND,
    "Campaign version not found",
    "Please review the campaign version.",
)
NO_CHANNEL: Final = _error(
    ErrorType.FAILED_PRECONDITION,
    ErrorCode.BUSINESS_MISSES_MATCHING_CHANNEL,
    "Business misses matching channel",
    "Please connect a channel or mark one as default.",
)
ENTRY_INVALID: Final = _error(
    ErrorType.INVALID_REQUEST,
    ErrorCode.CAMPAIGN_ENTRY_INVALID,
    "Campaign entry is invalid",
    "Please check the inputs to the campaign entry.",
)
CLIENT_INVALID: Final = _error(
    ErrorType.INVALID_REQUEST,
    ErrorCode.CAMPAIGN_ENTRY_CLIENT_INVALID,
    "Campaign entry client is invalid",
    "Please check the phone number of the client.",
)
SENDER_INVALID: Final = _error(
    ErrorType.INVALID_REQUEST,
    ErrorCode.INVALID_SENDER_ID,
    "Invalid sender id",
    "Please use the phone number of one of your channels.",
)
CLIENT_IS_SENDER: Final = _error(
    ErrorType.INVALID_REQUEST,
    ErrorCode.MESSAGE_SELF_INVALID,
    "Client equals sender",
    "Please send to another number.",
)


def is_of_campaign(error: PartialError) -> bool:
    """Whether the error is the campaign's, not an entry's: such alone make the status 404 or 409."""
    return error.type in {ErrorType.NOT_FOUND, ErrorType.CONFLICT}
