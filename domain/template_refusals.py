"""Why WhatsApp did not make a template, as documented errors (api.md section 1)."""

from collections.abc import Mapping
from typing import Final

from domain import error_codes
from domain.delivery import NotSent, Refused, Remedy, Unclear
from domain.documented_codes import ErrorCode
from domain.errors import ApiError, BadRequest, Conflict, Unavailable

_STATES: Final[Mapping[int, tuple[ErrorCode, str]]] = {
    2388019: (
        ErrorCode.MESSAGE_WABA_TEMPLATES_LIMIT_REACHED,
        "The WhatsApp account has as many templates as it may have: delete one first.",
    ),
    2388023: (
        ErrorCode.MESSAGE_TEMPLATE_DELETED,
        "This language of the template is being deleted: use another name, or wait four weeks.",
    ),
    2388024: (
        ErrorCode.MESSAGE_TEMPLATE_DUPLICATED_LANGUAGE,
        "The template has this language already: use another name or language.",
    ),
}
"""Graph's subcodes that are about the account's present state."""


def template_refusal(answer: Refused | NotSent | Unclear) -> ApiError:
    """The error to answer with. WhatsApp's own words are told, without secrets."""
    match answer:
        case NotSent():
            return Unavailable("WhatsApp cannot be reached; no template was made. Please repeat.")
        case Unclear():
            return Unavailable(
                "WhatsApp did not answer; the template may or may not have been made. Look at the "
                "list before you repeat."
            )
    code, said = _STATES.get(answer.subcode or 0, (None, ""))
    if code is not None:
        return Conflict(said, code=code, title="Template cannot be made")
    known = error_codes.lookup(answer.code, subcode=answer.subcode)
    told = f"{known.title}: {answer.details}" if answer.details else known.title
    if known.remedy is Remedy.PERMANENT:
        return BadRequest(
            f"WhatsApp refused the template. {told}",
            code=ErrorCode.MESSAGE_TEMPLATE_INPUT_INVALID,
            title="Template is invalid",
        )
    return Conflict(
        f"WhatsApp makes no template for this account now. {told}",
        code=ErrorCode(known.connectly),
        title="Template cannot be made",
    )
