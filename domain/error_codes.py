"""What each WhatsApp error code means for a send: one table (reference/whatsapp.md section 4.2).

The code decides, never the text: WhatsApp translates the details and puts the title into the
message. `connectly` is the nearest name of the documented `errorErrorCode` enum.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from domain.delivery import Remedy


class Seen(StrEnum):
    """Where a code turns up."""

    ANSWER = "answer"
    """In the answer to the call: nothing was sent."""
    WEBHOOK = "webhook"
    """In a `failed` status after the message was accepted."""
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class ProviderError:
    """What one code means and calls for."""

    code: int
    title: str
    remedy: Remedy
    connectly: str
    http_status: int = 400
    """The usual HTTP status of the answer; of those only seen by webhook, what the simulator gives."""
    seen: Seen = Seen.ANSWER
    pauses: tuple[float, ...] = ()
    """Seconds before the first, second, … repetition; the last one goes on being used."""
    attempts: int | None = 1
    """Calls in all, the first included; None repeats for as long as the message may still be sent."""

    def pause(self, repetition: int) -> float | None:
        """Seconds to wait before the given repetition (1 is the second call).

        None when there is none: the refusal is final. Without jitter, which is the caller's.
        """
        if not self.pauses or (self.attempts is not None and repetition >= self.attempts):
            return None
        return self.pauses[min(repetition, len(self.pauses)) - 1]

    @property
    def worth_retrying(self) -> bool:
        """Whether an entry that failed with it may be run again (api.md, `…/retry`)."""
        return self.remedy not in {Remedy.PERMANENT, Remedy.SUPPRESS}


WINDOW_CLOSED = 131047
"""Free-form message with the 24-hour window closed (flow.md 2.2)."""
EMPTY_PARAMETER = 131008
"""A template parameter that renders empty (flow.md 2.5)."""
WITHHELD = 131049
"""WhatsApp's cap on marketing per person: no marketing template for 24 hours (flow.md 2.8)."""
OPTED_OUT = 131050
"""The person stopped this business's marketing inside WhatsApp."""
MARKETING_OFF = 131063
"""Marketing templates are switched off: concerns every one of the account, not the one sent."""
ACCOUNT_LOCKED = 131031
"""The account is locked or restricted."""
TEMPLATE_MISSING, TEMPLATE_PAUSED, TEMPLATE_DISABLED = 132001, 132015, 132016
"""What speaks against a template as such: it is not approved, paused, or disabled for good."""
UNAUTHENTICATED = 190
"""The access token is not, or no longer, good."""
ACCOUNT_LIMITS = frozenset({4, 613, 80007})
"""Limits on the app's or account's calls: the answer's headers may say when they end."""

NOT_TAKEN_IN_5XX = frozenset({2, 4, 130429, 131016, 131057, 133004})
"""Codes that say "not taken" even in a 5xx answer; with any other, a 5xx proves nothing."""

_P, _B, _R = Remedy.PERMANENT, Remedy.BACKOFF, Remedy.RETRY_AFTER
_A, _T, _U = Remedy.HOLD_CHANNEL, Remedy.HOLD_TEMPLATE, Remedy.SUPPRESS

_GROWING = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
_DOUBLING_MINUTES = (60.0, 120.0, 240.0, 480.0, 960.0, 1800.0)

_FOREVER = (_GROWING, None)
_BY_THE_MINUTE = (_DOUBLING_MINUTES, None)
_REPEATS: dict[int, tuple[tuple[float, ...], int | None]] = {
    1: ((1.0,), 2),
    2: _FOREVER,
    4: _BY_THE_MINUTE,
    613: _BY_THE_MINUTE,
    80007: _BY_THE_MINUTE,
    130429: _FOREVER,
    131000: ((1.0, 4.0), 3),
    131016: _FOREVER,
    131053: ((5.0,), 2),
    131056: ((1.0, 4.0, 16.0, 64.0), None),
    131057: ((20.0,), 6),
    132069: ((3600.0,), None),
    133004: _FOREVER,
    133015: ((300.0,), None),
    134101: ((600.0,), None),
}
"""How the codes of class "backoff" and "retry after" are repeated.

Limits and outages are repeated until the message expires: they are about the moment, and nothing
is thrown away for them. What may be the message's own fault is given up after a few calls.
"""

# fmt: off
_ROWS: tuple[tuple[int, int, Seen, Remedy, str, str], ...] = (
    # code, usual HTTP status, where it is seen, remedy, Connectly name, title
    (0, 401, Seen.ANSWER, _A, "UNAUTHENTICATED", "WhatsApp could not authenticate the app"),
    (1, 400, Seen.ANSWER, _B, "WA_API_UNKNOWN", "WhatsApp had a problem it does not name"),
    (2, 503, Seen.ANSWER, _B, "WA_API_SERVICE_TEMPORARILY_UNAVAILABLE", "WhatsApp is down or overloaded"),
    (3, 500, Seen.ANSWER, _A, "MISSING_PERMISSIONS", "The app lacks a capability or permission"),
    (4, 429, Seen.ANSWER, _R, "THROTTLED", "The app has reached its call limit"),
    (10, 403, Seen.ANSWER, _A, "WA_PERMISSION_DENIED", "The permission was not granted or was taken away"),
    (33, 400, Seen.ANSWER, _A, "INVALID_BUSINESS_CHANNEL", "The business number was deleted"),
    (100, 400, Seen.ANSWER, _P, "BAD_REQUEST", "A parameter is invalid or unknown"),
    (104, 401, Seen.ANSWER, _A, "UNAUTHENTICATED", "The call carried no access token"),
    (190, 401, Seen.ANSWER, _A, "UNAUTHENTICATED", "The access token is invalid or expired"),
    (200, 403, Seen.ANSWER, _A, "WA_API_PERMISSION_DENIED", "The app may not do this for the account"),
    (368, 403, Seen.ANSWER, _A, "WA_ACCOUNT_LOCKED", "The account is blocked for breaking a policy"),
    (613, 400, Seen.ANSWER, _R, "THROTTLED", "A call limit set for the app was reached"),
    (2500, 400, Seen.ANSWER, _A, "UNAUTHENTICATED", "The call carried no active access token"),
    (80007, 400, Seen.ANSWER, _R, "BUSINESS_RATE_LIMIT_REACHED", "The WhatsApp account has reached its call limit"),
    (130403, 400, Seen.ANSWER, _P, "NOT_ELIGIBLE_FOR_DELIVERY", "The business has blocked this person"),
    (130429, 429, Seen.ANSWER, _B, "THROTTLED", "The number sends faster than it may"),
    (130472, 400, Seen.BOTH, _P, "WA_PHONE_NUMBER_IN_EXPERIMENT", "Not sent: this person is in a WhatsApp experiment without marketing"),
    (130497, 403, Seen.ANSWER, _P, "NOT_ELIGIBLE_FOR_DELIVERY", "The account may not message this country"),
    (131000, 500, Seen.BOTH, _B, "WA_SOMETHING_WENT_WRONG", "The send failed for an unknown reason"),
    (131002, 400, Seen.ANSWER, _P, "BAD_REQUEST", "The kind of recipient is invalid"),
    (131005, 403, Seen.ANSWER, _A, "WA_ACCESS_DENIED", "Access denied: the permission is missing"),
    (131008, 400, Seen.ANSWER, _P, "WA_REQUIRED_PARAMETER_IS_MISSING", "A required parameter is missing or empty"),
    (131009, 400, Seen.ANSWER, _P, "BAD_REQUEST", "A parameter's value is invalid"),
    (131014, 400, Seen.WEBHOOK, _P, "ASSET_FETCHING_ERROR", "The media could not be fetched from its link"),
    (131016, 503, Seen.ANSWER, _B, "WA_API_SERVICE_TEMPORARILY_UNAVAILABLE", "A WhatsApp service is unavailable for now"),
    (131021, 400, Seen.ANSWER, _P, "MESSAGE_SELF_INVALID", "Sender and recipient are the same number"),
    (131026, 400, Seen.BOTH, _P, "MESSAGE_UNDELIVERABLE", "The message cannot be delivered to this number"),
    (131030, 400, Seen.ANSWER, _P, "PERMISSION_DENIED", "The recipient is not on the test number's list"),
    (131031, 403, Seen.BOTH, _A, "WA_ACCOUNT_LOCKED", "The account is locked or restricted"),
    (131037, 400, Seen.ANSWER, _A, "INVALID_BUSINESS_CHANNEL", "The number has no approved display name"),
    (131042, 400, Seen.BOTH, _A, "WA_BIZ_ELIGIBILITY_PAYMENT_ISSUE", "The account has a payment problem"),
    (131045, 500, Seen.BOTH, _A, "WA_PHONE_NUMBER_NOT_REGISTERED", "The number's registration is not in order"),
    (131047, 400, Seen.BOTH, _P, "MESSAGE_OUTSIDE_OF_ELIGIBILITY_WINDOW", "The customer last wrote more than 24 hours ago: only templates may be sent"),
    (131048, 429, Seen.BOTH, _A, "BUSINESS_REACHED_LIMITS", "The number is restricted because people reported it"),
    (131049, 400, Seen.BOTH, _U, "META_CHOSE_NOT_TO_DELIVER", "Withheld: this person gets too much marketing at present"),
    (131050, 400, Seen.BOTH, _P, "MESSAGE_CUSTOMER_OPTED_OUT", "The person stopped marketing from this business"),
    (131051, 400, Seen.BOTH, _P, "BAD_REQUEST", "This type of message is not supported"),
    (131052, 500, Seen.WEBHOOK, _P, "ASSET_FETCHING_ERROR", "Media the person sent could not be downloaded"),
    (131053, 500, Seen.WEBHOOK, _B, "ASSET_STAGING_ERROR", "The message's media could not be fetched or taken in"),
    (131055, 400, Seen.ANSWER, _P, "MESSAGE_TEMPLATE_CATEGORY_NOT_MATCH", "Only marketing templates may be sent this way"),
    (131056, 429, Seen.ANSWER, _R, "WA_PAIR_RATE_LIMIT_HIT", "Too many messages to this person in a short time"),
    (131057, 500, Seen.ANSWER, _R, "WABA_IN_MAINTENANCE", "The account is in maintenance for a minute"),
    (131062, 400, Seen.ANSWER, _P, "INVALID_CUSTOMER_CHANNEL", "This message needs the person's phone number"),
    (131063, 400, Seen.ANSWER, _T, "MESSAGE_TEMPLATE_CATEGORY_NOT_MATCH", "Marketing templates are switched off for this account"),
    (131064, 400, Seen.ANSWER, _A, "BUSINESS_REACHED_LIMITS", "The account is limited for misused template categories"),
    (132000, 400, Seen.ANSWER, _P, "WA_TEMPLATE_PARAM_COUNT_MISMATCH", "The template takes another number of parameters"),
    (132001, 404, Seen.ANSWER, _T, "APPROVED_WABA_TEMPLATE_NOT_FOUND", "No approved template of that name and language"),
    (132005, 400, Seen.ANSWER, _P, "WA_TEXT_TOO_LONG", "The template is too long with its parameters in place"),
    (132007, 400, Seen.ANSWER, _T, "WABA_TEMPLATED_MESSAGE_INPUT_INVALID", "The template breaks a content rule"),
    (132008, 400, Seen.ANSWER, _P, "MESSAGE_TEMPLATE_INVALID_PARAM", "A template parameter's value is invalid"),
    (132012, 400, Seen.ANSWER, _P, "MESSAGE_TEMPLATE_INVALID_PARAM", "A template parameter is of another kind than the template's"),
    (132015, 400, Seen.BOTH, _T, "MESSAGE_WABA_TEMPLATE_IS_PAUSED", "The template is paused for low quality"),
    (132016, 400, Seen.BOTH, _T, "MESSAGE_WABA_TEMPLATE_IS_DISABLED", "The template is disabled for good"),
    (132018, 400, Seen.ANSWER, _P, "MESSAGE_TEMPLATE_INVALID_PARAM", "A template parameter was refused"),
    (132068, 400, Seen.ANSWER, _T, "NOT_ELIGIBLE_FOR_DELIVERY", "The form in the template is blocked"),
    (132069, 400, Seen.ANSWER, _R, "THROTTLED", "The form in the template is throttled"),
    (133000, 500, Seen.ANSWER, _A, "WA_PHONE_NUMBER_NOT_REGISTERED", "The number was not taken off its account completely"),
    (133004, 503, Seen.ANSWER, _B, "WA_SERVER_TEMPORARILY_UNAVAILABLE", "WhatsApp's server is unavailable for now"),
    (133005, 400, Seen.ANSWER, _A, "BAD_REQUEST", "Registration: the PIN is wrong"),
    (133006, 400, Seen.ANSWER, _A, "BAD_REQUEST", "Registration: the number must be verified first"),
    (133008, 400, Seen.ANSWER, _A, "BAD_REQUEST", "Registration: too many wrong PINs"),
    (133009, 400, Seen.ANSWER, _A, "BAD_REQUEST", "Registration: the PIN was entered too fast"),
    (133010, 400, Seen.ANSWER, _A, "WA_PHONE_NUMBER_NOT_REGISTERED", "The number is not registered with WhatsApp"),
    (133015, 400, Seen.ANSWER, _R, "WA_PHONE_NUMBER_NOT_REGISTERED", "The number was deleted a moment ago"),
    (133016, 429, Seen.ANSWER, _A, "THROTTLED", "The number was registered too often"),
    (134011, 400, Seen.ANSWER, _A, "WA_BIZ_ELIGIBILITY_PAYMENT_ISSUE", "The terms of WhatsApp payments are not accepted"),
    (134100, 400, Seen.ANSWER, _P, "MESSAGE_TEMPLATE_CATEGORY_NOT_MATCH", "The marketing API takes marketing templates only"),
    (134101, 400, Seen.ANSWER, _R, "THROTTLED", "The template is still being made ready"),
    (134102, 500, Seen.ANSWER, _T, "NOT_ELIGIBLE_FOR_DELIVERY", "The template cannot be sent by the marketing API"),
    (135000, 400, Seen.BOTH, _P, "WA_GENERIC_USER_ERROR", "WhatsApp refused the request's parameters"),
    (137000, 400, Seen.ANSWER, _P, "INVALID_CUSTOMER_CHANNEL", "The person's identity has changed"),
)
# fmt: on


ERRORS: Mapping[int, ProviderError] = MappingProxyType(
    {
        code: ProviderError(
            code, title, remedy, f"ERROR_CODE_{name}", http, seen, *_REPEATS.get(code, ((), 1))
        )
        for code, http, seen, remedy, name, title in _ROWS
    }
)
"""Every known code."""

_UNKNOWN = ProviderError(
    0, "WhatsApp refused it with a code that is not known here", _P, "ERROR_CODE_WA_API_UNKNOWN"
)
_UNKNOWN_LIMIT = ProviderError(
    0,
    "WhatsApp is called too often",
    _R,
    "ERROR_CODE_THROTTLED",
    429,
    pauses=_DOUBLING_MINUTES,
    attempts=None,
)
_NO_ACCESS = replace(
    ERRORS[100],
    title="The business number does not exist, or the token has no access to it",
    remedy=_A,
    connectly="ERROR_CODE_INVALID_BUSINESS_CHANNEL",
)


def lookup(code: int, http_status: int | None = None, subcode: int | None = None) -> ProviderError:
    """What a code means; `http_status` only decides about codes that are not in the table.

    Unknown codes: 200 to 299 are permissions; with HTTP 429 it is a limit of some kind; any other
    refuses this message for good. Code 100 with subcode 33 is about the number, not the message.
    """
    if code == 100 and subcode == 33:
        return _NO_ACCESS
    known = ERRORS.get(code)
    if known is not None:
        return known
    if 200 <= code <= 299:
        return replace(ERRORS[200], code=code)
    return replace(_UNKNOWN_LIMIT if http_status == 429 else _UNKNOWN, code=code)


OWN_CODES: Mapping[str, str] = MappingProxyType(
    {
        "TOO_MANY_SENDS": "ERROR_CODE_BUSINESS_REACHED_LIMITS",
        "EXPIRED": "ERROR_CODE_DEADLINE_EXCEEDED",
        "UNKNOWN": "ERROR_CODE_WA_SOMETHING_WENT_WRONG",
    }
)
"""The outcomes of our own that end a run or message, as the documented enum's (flow.md section 2)."""
