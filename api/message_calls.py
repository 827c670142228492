"""The two calls for single messages, read: a template with its parameters, or a session message."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.accepting_messages import (
    CampaignEntry,
    Situation,
    TemplatesOutdated,
    refuse_beyond_limits,
)
from api.json_body import given, parse_keeping_numbers
from api.message_fields import (
    Addressed,
    object_of,
    objects_of,
    read_addressed,
    read_number,
    refuse_unstorable,
    text_of,
)
from api.session_content import read_content
from domain.documented_codes import ErrorCode
from domain.errors import ApiError, BadRequest, Conflict, NotFound, PreconditionFailed
from domain.flow_inputs import FlowInputs
from domain.one_message import OneMessage
from domain.start_binding import bound_variables, start_template
from domain.template_call import InputInvalid, Parameter, template_message
from domain.templates import Template, TemplateRegistry
from storage.single_messages import is_window_open
from storage.templates import Languages, languages_of

RECHECK: Final = 20.0
"""Seconds: a template is refused only by a list that is younger. At most 180 questions per hour and
account, of the 200 that WhatsApp allows (reference/whatsapp.md section 6)."""

_SENT_OR_HELD: Final = frozenset({"APPROVED", "PAUSED", ""})
"""A paused template is held like a campaign's until WhatsApp approves it again."""
_INVALID: Final = (ErrorCode.MESSAGE_TEMPLATE_INPUT_INVALID, "Message template input is invalid")


def read_fields(body: bytes) -> Mapping[str, Any]:
    """The body as a JSON object, numbers as they are written. Raises `BadRequest`."""
    fields = parse_keeping_numbers(body) if body.strip() else {}
    if type(fields) is not dict:
        raise BadRequest('The body must be a JSON object, for example {"number": "+16045552331"}.')
    refuse_unstorable(fields)
    return fields


# --- templates -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TemplatedCall:
    """`send/whatsapp_templated_messages`; implements `api.accepting_messages.Call`."""

    addressed: Addressed
    name: str
    language: str | None
    parameters: list[Parameter]

    async def message(self, situation: Situation) -> OneMessage | CampaignEntry:
        known = await languages_of(situation.connection, situation.channel.channel_id, self.name)
        judgeable = situation.templates_are_final or (
            known.age is not None and known.age <= RECHECK
        )
        try:
            made = self._judge(situation, known)
        except ApiError:
            if judgeable:
                raise
            raise TemplatesOutdated(RECHECK) from None
        if known.age is None and not judgeable:
            raise TemplatesOutdated(RECHECK)
        fresh = situation.parts.settings.templates_fresh
        if known.age is not None and known.age > fresh and situation.parts.templates is not None:
            situation.parts.templates.refresh_soon(situation.business_id, older_than=fresh)
        return made

    def _judge(self, situation: Situation, known: Languages) -> OneMessage | CampaignEntry:
        registry = TemplateRegistry.from_graph(known.templates)
        language = self._language(registry)
        template = registry.get(self.name, language)
        try:
            if (entry := self._of_campaign(situation, language, template)) is not None:
                return entry
            if known.age is not None:
                _refuse_unsendable(self.name, language, template, registry)
            message = template_message(self.name, language, self.parameters, template)
        except InputInvalid as error:
            raise _invalid(str(error)) from None
        refuse_beyond_limits(message, {}, *_INVALID)
        return message

    def _language(self, registry: TemplateRegistry) -> str:
        """The language asked for; where none is, the only one there is."""
        if self.language is not None:
            return self.language
        languages = registry.languages(self.name)
        if len(languages) == 1:
            return languages[0]
        there = f": it is there in {', '.join(languages)}" if languages else ", for example en_US"
        raise BadRequest(f"`language` is missing: name the template's language{there}.")

    def _of_campaign(
        self, situation: Situation, language: str, template: Template | None
    ) -> CampaignEntry | None:
        flow = situation.campaign
        start = None if flow is None else start_template(flow)
        if flow is None or start is None or (start.name, start.language) != (self.name, language):
            return None
        variables = bound_variables(flow, self.parameters, template)
        refusal = FlowInputs(flow).refusal(variables)
        if refusal is not None:
            raise InputInvalid(
                f"the campaign's flow cannot run with these parameters: {refusal}; "
                "send/campaigns takes any variables"
            )
        return CampaignEntry(flow, variables)


def read_templated(fields: Mapping[str, Any]) -> TemplatedCall:
    """Read the call. Raises `BadRequest` naming the field at fault."""
    name = text_of(fields, "templateName")
    if not name:
        raise BadRequest("`templateName` is missing: name the template to send.")
    order = object_of(fields, "order")
    strategy = (text_of(order, "strategy", "order.strategy") or "strategy_unspecified").lower()
    if strategy != "strategy_unspecified" or given(order, "parentId"):
        raise BadRequest("`order` cannot be obeyed by this server: leave it out.")
    client = read_number(given(fields, "number"), "number")
    return TemplatedCall(
        read_addressed(fields, client, given(fields, "sender")),
        name,
        text_of(fields, "language") or None,
        [_parameter(p, i) for i, p in enumerate(objects_of(fields, "parameters", "parameters"))],
    )


def _parameter(fields: Mapping[str, Any], i: int) -> Parameter:
    at = f"parameters[{i}]"
    name = text_of(fields, "name", f"{at}.name")
    if not name:
        raise BadRequest(f"`{at}.name` is missing, for example body_1.")
    value = text_of(fields, "value", f"{at}.value")
    if value is None:
        raise _invalid(f"`{at}.value` is missing")
    return Parameter(name, value, text_of(fields, "filename", f"{at}.filename"))


def _refuse_unsendable(
    name: str, language: str, template: Template | None, registry: TemplateRegistry
) -> None:
    if template is None:
        languages = registry.languages(name)
        there = (
            f"it is there in {', '.join(languages)}" if languages else "there is none of the name"
        )
        raise NotFound(
            f"There is no template {name!r} in {language!r}: {there}.",
            code=ErrorCode.MESSAGE_TEMPLATE_NOT_FOUND,
            title="Message template not found",
            advice="Please check the template's name and language.",
        )
    if template.status == "DISABLED":
        raise Conflict(
            f"WhatsApp has disabled the template {name!r} for good: send another.",
            code=ErrorCode.MESSAGE_WABA_TEMPLATE_IS_DISABLED,
            title="Message template is disabled",
        )
    if template.status not in _SENT_OR_HELD:
        raise NotFound(
            f"The template {name!r} is not approved but {template.status.lower()}.",
            code=ErrorCode.APPROVED_WABA_TEMPLATE_NOT_FOUND,
            title="Approved message template not found",
            advice="Please wait for WhatsApp's approval, or send another template.",
        )


def _invalid(message: str) -> BadRequest:
    code, title = _INVALID
    return BadRequest(f"Please check `parameters`: {message}.", code=code, title=title)


# --- session messages ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionCall:
    """`send/messages`; implements `api.accepting_messages.Call`."""

    addressed: Addressed
    content: OneMessage

    async def message(self, situation: Situation) -> OneMessage:
        is_open = await is_window_open(
            situation.connection,
            situation.business_id,
            situation.channel.channel_id,
            situation.client,
        )
        if not is_open:
            raise PreconditionFailed(
                "The customer has not written to this number within the last 24 hours.",
                code=ErrorCode.MESSAGE_OUTSIDE_OF_ELIGIBILITY_WINDOW,
                title="Message is outside of the eligibility window",
                advice="Please send a template instead.",
            )
        return self.content


def read_session(fields: Mapping[str, Any]) -> SessionCall:
    """Read the call. Raises `ApiError` naming the field at fault."""
    recipient = object_of(fields, "recipient")
    sender = object_of(fields, "sender")
    for field, party in (("recipient", recipient), ("sender", sender)):
        _refuse_other_channels(party, field)
    client = read_number(given(recipient, "id"), "recipient.id")
    addressed = read_addressed(fields, client, given(sender, "id"))
    message = given(fields, "message")
    if type(message) is not dict:
        raise BadRequest('`message` must be an object, for example {"text": "Hello"}.')
    content = read_content(message)
    refuse_beyond_limits(content, _SESSION_CODES, ErrorCode.BAD_REQUEST, "Request is invalid")
    return SessionCall(addressed, content)


_SESSION_CODES: Final = {
    "TEXT_TOO_LONG": (ErrorCode.MESSAGE_TOO_LONG, "Message is too long"),
    "INVALID_LINK": (ErrorCode.MESSAGE_ATTACHMENT_INVALID, "Message attachment is invalid"),
}


def _refuse_other_channels(party: Mapping[str, Any], field: str) -> None:
    asked = text_of(party, "channelType", f"{field}.channelType") or "whatsapp"
    kind = asked.lower().removeprefix("channel_type_")
    if kind not in {"whatsapp", "whatsapp_cloud", "unspecified"}:
        raise PreconditionFailed(
            f"`{field}.channelType` is {asked!r}, and this server sends by WhatsApp only.",
            code=ErrorCode.BUSINESS_MISSES_MATCHING_CHANNEL,
            title="Business misses matching channel",
            advice="Please use the channel type `whatsapp`.",
        )
