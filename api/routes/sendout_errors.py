"""Why messages of a sendout failed, with explanations (api.md section 4)."""

from types import MappingProxyType

from fastapi import APIRouter

from api.deps import AppDatabase, CanRead
from api.entry_answers import named_error
from api.routes.sendouts import RETRYABLE, SendoutId, found
from api.schemas.common import Page
from api.schemas.sendout_errors import SendoutError
from domain.delivery import Remedy
from domain.error_codes import lookup
from storage.error_counts import ErrorCount, count_errors

router = APIRouter(prefix="/v1/businesses/{businessId}", tags=["sendouts"])

_EXPLAINED = MappingProxyType(
    {
        Remedy.PERMANENT: "Final for these messages: the same call again would be refused again.",
        Remedy.BACKOFF: "Trouble of the moment. It was called again with growing pauses; when it "
        "has passed, a retry runs these entries again.",
        Remedy.RETRY_AFTER: "A limit was reached. It was called again after pauses; a retry later "
        "runs these entries again.",
        Remedy.SUPPRESS: "WhatsApp withholds marketing from these people for now: they get no "
        "marketing template for 24 hours.",
        Remedy.HOLD_CHANNEL: "The account or the number is the trouble, so its channel is held. "
        "Mend it, release the channel, then retry.",
        Remedy.HOLD_TEMPLATE: "The template is the trouble, so it is held. Mend it at WhatsApp, "
        "release the template, then retry.",
    }
)
_OURS = MappingProxyType(
    {
        "TOO_MANY_SENDS": "Look for a loop in the flow that nothing ends.",
        "EXPIRED": "The flow's `expireAfter` was over before the message could go out: a window, "
        "a hold, a pause or an outage kept it.",
        "UNKNOWN": "WhatsApp may still have delivered it, so nothing is sent again. A status or "
        "tap that comes later settles it.",
    }
)


@router.get("/sendouts/{sendoutId}/errors", operation_id="listSendoutErrors")
async def list_errors(
    caller: CanRead, database: AppDatabase, sendout_id: SendoutId
) -> Page[SendoutError]:
    """The reasons why messages and entries failed, the most frequent first."""
    async with database.transaction() as connection:
        await found(connection, caller.business_id, sendout_id)
        counted = await count_errors(connection, sendout_id)
    return Page(data=[_shown(count) for count in counted])


def _shown(count: ErrorCount) -> SendoutError:
    code, provider_code, title = named_error(count.code)
    explanation = (
        _OURS.get(count.code, "")
        if provider_code is None
        else _EXPLAINED[lookup(provider_code).remedy]
    )
    return SendoutError(
        code=code,
        provider_code=provider_code,
        title=title,
        explanation=explanation,
        retryable=count.code in RETRYABLE,
        messages=count.messages,
        entries=count.entries,
    )
