"""What a run that is started by hand begins with: a test, or a simulation (api.md section 3)."""

from datetime import timedelta
from typing import Any

from domain import json_text
from domain.documented_codes import ErrorCode
from domain.entry import given_texts
from domain.errors import BadRequest
from domain.flow import Flow
from domain.rendering import missing_variables
from domain.run import Limits
from domain.simulation import Circumstances
from settings import Settings


def variables_text(flow: Flow, given: dict[str, Any]) -> str:
    """The variables as JSON text, numbers as `domain.json_text.read` keeps them.

    Raises `BadRequest` (CAMPAIGN_ENTRY_INVALID) when some hold what nobody can store, naming those
    that are nested, or required by the flow and missing.
    """
    if not json_text.is_storable(given):
        raise entry_invalid("`variables` holds a NUL character or half of a surrogate pair.")
    nested = [n for n in flow.variables if isinstance(given.get(n), dict | list)]
    if nested:
        raise entry_invalid(f"`variables.{nested[0]}` must be a string, a number or a boolean.")
    try:
        text = json_text.write(given)
    except json_text.NestedTooDeeply as error:
        raise entry_invalid(f"Please check `variables`: {error}.") from None
    missing = missing_variables(flow, given_texts(text))
    if missing:
        names = ", ".join(f"`variables.{name}`" for name in missing)
        raise entry_invalid(
            f"{names} {'is' if len(missing) == 1 else 'are'} required by the flow.",
            details={"missingVariables": missing},
        )
    return text


def circumstances(settings: Settings, variables: str) -> Circumstances:
    """What surrounds every simulation here."""
    return Circumstances(
        variables=variables,
        stop_words=settings.stop_words,
        start_words=settings.start_words,
        limits=Limits(
            click_window=timedelta(seconds=settings.click_window), max_sends=settings.max_sends
        ),
    )


def entry_invalid(
    message: str,
    code: ErrorCode = ErrorCode.CAMPAIGN_ENTRY_INVALID,
    title: str = "Campaign entry is invalid",
    *,
    details: dict[str, Any] | None = None,
) -> BadRequest:
    """The refusal of what no entry could be."""
    return BadRequest(message, code=code, title=title, details=details)
