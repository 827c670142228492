"""Every code of the publish checks: the one table that reports, tests and the docs read."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from domain.issues import Severity


class Code(NamedTuple):
    """How grave an issue of this code is, and what it means."""

    severity: Severity
    meaning: str


def _errors(**meanings: str) -> dict[str, Code]:
    return {code: Code("error", meaning) for code, meaning in meanings.items()}


def _warnings(**meanings: str) -> dict[str, Code]:
    return {code: Code("warning", meaning) for code, meaning in meanings.items()}


CODES: Final[Mapping[str, Code]] = MappingProxyType(
    _errors(
        TOO_MANY_NODES="The flow has more than 1,000 nodes.",
        UNKNOWN_TARGET="`start` or a `next` names a node that does not exist.",
        UNREACHABLE_NODE="No path from `start` leads to this node.",
        ENDLESS_LOOP="A cycle holds neither a delay, an ask nor a click, so it would never rest.",
        DELAY_WITHOUT_MESSAGE="On some path nothing was sent before this delay.",
        NO_CLICK_WITHOUT_BUTTONS="`no_click` waits on a message that has nothing to tap.",
        NO_CLICK_AFTER_CLICK="`no_click` waits on a message whose tap has already led here.",
        DURATION_TOO_LONG="A delay or an ask lasts longer than 20 hours.",
        WINDOW_CLOSED="A free-form message where the customer may not have tapped or written for 24 hours.",
        UNDECLARED_VARIABLE="A variable is used that is neither declared nor filled by an ask.",
        UNKNOWN_TIMEZONE="The sending window's time zone is not in the IANA database.",
        EMPTY_WINDOW="The sending window opens and closes at the same minute.",
        # One message on its own (`domain.limits`).
        TEXT_TOO_LONG="A text is longer than WhatsApp takes, whatever the variables hold.",
        TEXT_EMPTY="A text that WhatsApp needs is empty.",
        MEDIA_SOURCE="A medium has neither a link nor an id, or both.",
        INVALID_LINK="A link is no http or https address.",
        INVALID_COORDINATES="A latitude or longitude is no number of degrees in its range.",
        FIELD_NOT_ALLOWED="A field that this type of message cannot have.",
        BUTTONS_NOT_ALLOWED="Buttons on a message of a type that has none.",
        NO_BUTTONS="A buttons or list message without any.",
        TOO_MANY_BUTTONS="More buttons or rows than WhatsApp shows.",
        DUPLICATE_BUTTON_ID="Two buttons of one message have the same id.",
        DUPLICATE_BUTTON_LABEL="Two reply buttons of one message have the same label.",
        SECTION_MISSING="A list row without a section beside rows that have one.",
        BUTTON_INDEX_TAKEN="Two buttons stand at the same place of the template.",
        # Against the channel's templates, where they are known.
        TEMPLATE_UNKNOWN="The channel has no template of this name and language.",
        TEMPLATE_NOT_APPROVED="The template is not approved, or is paused or disabled.",
        TEMPLATE_PARAMETERS="The body's parameters are not those of the template.",
        TEMPLATE_HEADER="The header is not of the template's kind.",
        TEMPLATE_BUTTONS="The buttons are not those of the template.",
    )
    | _warnings(
        BUTTON_LEADS_NOWHERE="A button has no `next`: a tap on it is recorded, and that is all.",
        ALL_AFTER_BUTTONS="After an `all` delay, customers who tapped a button may get both ways on.",
        UNUSED_VARIABLE="A variable is declared and never used.",
        NO_CLICK_URL_BUTTONS="WhatsApp does not report taps on URL buttons, so they count as no click.",
        MARKETING_TOO_CLOSE="Two marketing templates less than a minute apart on one path.",
        NOT_TESTED="The draft was never tested.",
    )
)
"""The publish checks of flow.md section 3 by their code."""
