"""Templates as Connectly lists and makes them: WhatsApp's own, and the record's copy of them."""

from typing import Any, Final

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.bodies import documented, fitted, parse_object
from api.deps import AppParts, Caller, CanOperate, CanRead
from api.json_body import given, parse
from api.repeatable import repeatable
from api.schemas.common import Entity
from api.schemas.templates import (
    ExternalTemplate,
    LanguageCode,
    ListedTemplate,
    MadeGroup,
    MadeTemplate,
    NewTemplate,
    TemplateChannel,
    TemplateGroup,
    TemplateGroups,
    WhatsAppTemplate,
)
from domain.documented_codes import ErrorCode
from domain.errors import BadRequest, PreconditionFailed, Unavailable
from domain.json_text import is_storable
from domain.template_shapes import (
    CATEGORIES,
    CATEGORY,
    CHANNEL_TYPE,
    LANGUAGE,
    NAME,
    STATUS,
    ComponentInvalid,
    connectly_components,
    graph_components,
    is_named,
)
from storage.templates import (
    AccountChannel,
    KnownTemplate,
    account_channels,
    add_template,
    templates_of,
    was_read,
)

router = APIRouter(prefix="/v1/businesses/{businessId}", tags=["templates"])

LISTED_FOR: Final = 10.0
"""Seconds for which a list that was read from WhatsApp is answered again."""


@router.post("/get/templates", operation_id="listTemplates")
async def list_templates(caller: CanRead, parts: AppParts) -> Entity[TemplateGroups]:
    """All templates of the business's WhatsApp accounts, by name."""
    told = parts.templates is None or await parts.templates.refresh(
        caller.business_id, older_than=LISTED_FOR
    )
    async with parts.database.transaction() as connection:
        accounts = await account_channels(connection, caller.business_id)
        known = await templates_of(connection, caller.business_id)
        is_known = await was_read(connection, caller.business_id)
    if not told and not is_known:
        raise Unavailable("WhatsApp does not tell the templates, and they were never read before.")
    channels = {account.waba_id: account for account in accounts}
    groups: dict[str, list[KnownTemplate]] = {}
    for template in known:
        groups.setdefault(template.definition["name"], []).append(template)
    return Entity(
        entity=TemplateGroups(
            template_groups=[
                TemplateGroup(
                    id=name,
                    name=name,
                    category=templates[0].definition["category"],
                    templates=[_listed(t, channels[t.waba_id]) for t in templates],
                )
                for name, templates in groups.items()
            ]
        )
    )


def _listed(template: KnownTemplate, account: AccountChannel) -> ListedTemplate:
    definition = template.definition
    whatsapp = WhatsAppTemplate(
        id=_id(definition),
        name=definition["name"],
        language=definition["language"],
        status=definition["status"],
        category=definition["category"],
        components=_components(definition),
    )
    channel = TemplateChannel(
        id=account.channel_id, external_id=account.phone_number, channel_type=CHANNEL_TYPE
    )
    return ListedTemplate(
        channel=channel,
        external_template=ExternalTemplate(whatsapp=whatsapp),
        **_made(template).model_dump(),
    )


def _made(template: KnownTemplate) -> MadeTemplate:
    definition = template.definition
    reason = definition.get("rejected_reason")
    return MadeTemplate(
        id=_id(definition),
        language=LanguageCode(code=definition["language"]),
        status=STATUS + (definition["status"] or "UNSPECIFIED"),
        created_at=template.created_at,
        updated_at=template.updated_at,
        template_components=connectly_components(definition.get("components")),
        rejection_reason=reason if isinstance(reason, str) and reason not in {"", "NONE"} else None,
    )


def _id(definition: dict[str, Any]) -> str:
    return str(definition.get("id") or "")


def _components(definition: dict[str, Any]) -> list[dict[str, Any]]:
    listed = definition.get("components")
    return [c for c in listed if isinstance(c, dict)] if isinstance(listed, list) else []


# --- making one ----------------------------------------------------------------------------------


@router.post(
    "/create/template",
    operation_id="createTemplate",
    response_model=Entity[MadeGroup],
    openapi_extra=documented(NewTemplate, creates=True),
)
async def create_template(request: Request, caller: CanOperate, parts: AppParts) -> Response:
    """Make a template at WhatsApp, in the account of the default channel; WhatsApp reviews it."""
    call = await repeatable(request, caller, parts.settings.max_body_bytes)
    definition = _definition(call.body)
    async with parts.database.transaction() as connection:
        if (kept := await call.first_answer(connection)) is not None:
            return kept
        account = await _account(connection, caller)
    if parts.templates is None:
        raise Unavailable("This server is not connected to WhatsApp.")
    answered = await parts.templates.create(account.waba_id, account.access_token, definition)
    stored = definition | {
        "id": str(answered.get("id") or ""),
        "status": str(answered.get("status") or "PENDING").upper(),
        "category": str(answered.get("category") or definition["category"]).upper(),
    }
    async with parts.database.transaction() as connection:
        made = await add_template(connection, caller.business_id, account.waba_id, stored)
        group = MadeGroup(
            id=made.definition["name"],
            name=made.definition["name"],
            category=made.definition["category"],
            templates=[_made(made)],
        )
        return await call.answer(connection, Entity(entity=group))


async def _account(connection: AsyncConnection, caller: Caller) -> AccountChannel:
    accounts = await account_channels(connection, caller.business_id)
    if not accounts or (len(accounts) > 1 and not accounts[0].is_default):
        raise PreconditionFailed(
            "No channel is the default, so there is no account to make the template in.",
            code=ErrorCode.BUSINESS_MISSES_MATCHING_CHANNEL,
            title="Business misses matching channel",
            advice="Please connect a channel or mark one as default.",
        )
    return accounts[0]


def _definition(body: bytes) -> dict[str, Any]:
    """Graph's definition of what is asked for. Raises `BadRequest` with the documented code."""
    fields = parse_object(body, parse)
    if not is_storable(fields):
        raise BadRequest("The body holds a NUL character or half of a surrogate pair.")
    _check_name(given(fields, "name"))
    language = _check_language(given(fields, "language"))
    category = given(fields, "category")
    if isinstance(category, str) and category.upper() in CATEGORIES:
        fields = fields | {"category": CATEGORY + category.upper()}
    order = fitted(NewTemplate, fields)
    try:
        components = graph_components(order.template_components)
    except ComponentInvalid as error:
        raise BadRequest(
            f"The template cannot be made: {error}.",
            code=ErrorCode.MESSAGE_TEMPLATE_INPUT_INVALID,
            title="Template is invalid",
        ) from None
    return {
        "name": order.name,
        "language": language,
        "category": order.category.removeprefix(CATEGORY),
        "parameter_format": "NAMED" if is_named(components) else "POSITIONAL",
        "components": components,
    }


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        raise BadRequest(
            "`name` must be 1 to 512 lower-case letters, digits and underscores.",
            code=ErrorCode.MESSAGE_TEMPLATE_INVALID_NAME,
            title="Template name is invalid",
        )


def _check_language(language: Any) -> str:
    code = given(language, "code") if isinstance(language, dict) else None
    if not isinstance(code, str) or LANGUAGE.fullmatch(code) is None:
        raise BadRequest(
            '`language` must be an object with a code, for example {"code": "en_US"}.',
            code=ErrorCode.MESSAGE_TEMPLATE_INVALID_LANGUAGE,
            title="Template language is invalid",
        )
    return code
