"""Trying a flow without sending anything (api.md section 3)."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request

from api.bodies import documented, fitted, parse_object
from api.deps import AppParts, CanRead, Parts
from api.flow_documents import flow_without_errors
from api.json_body import given, parse, parse_keeping_numbers, read_bytes
from api.routes.campaigns import CampaignId, found
from api.routes.templates import LISTED_FOR
from api.run_variables import circumstances, variables_text
from api.schemas.common import Entity
from api.schemas.simulate import (
    ButtonShown,
    SimulatedDecision,
    SimulatedMessage,
    SimulatedVisit,
    SimulatedWait,
    SimulationOrder,
    SimulationOrderDocument,
    SimulationResult,
    bad_step,
    read_steps,
)
from domain.simulated import SentMessage, Simulation
from domain.simulation import ImpossibleStep, simulate
from domain.templates import TemplateRegistry
from storage import businesses

_PATIENCE = 2.0
"""Seconds a preview waits for WhatsApp."""

router = APIRouter(prefix="/v1/businesses/{businessId}", tags=["campaigns"])


@router.post("/campaigns/{campaignId}/simulate", openapi_extra=documented(SimulationOrderDocument))
async def simulate_flow(
    request: Request, caller: CanRead, parts: AppParts, campaign_id: CampaignId
) -> Entity[SimulationResult]:
    """Walk the flow with the engine that sends, for a customer who does what `steps` say.

    Nothing is sent or stored. A flow with publish errors is refused as publishing does (409
    CAMPAIGN_NOT_FINAL). Templates are shown, and their categories count, as WhatsApp has them; one
    that it does not have shows its `preview`. The run starts now, which matters for a sending
    `window`; the zone of `recipient` is taken to be the business's.
    """
    body = await read_bytes(request, parts.settings.max_body_bytes)
    order = fitted(SimulationOrder, parse_object(body, parse))
    steps = read_steps(order.steps or [])
    async with parts.database.transaction() as connection:
        campaign = await found(connection, caller.business_id, campaign_id)
        zone = await businesses.business_zone(connection, caller.business_id)
        now = await businesses.database_time(connection)
    flow = await flow_without_errors(campaign.draft if order.flow is None else order.flow)
    variables = variables_text(flow, _variables_as_written(body))
    around = circumstances(parts.settings, variables)
    around = replace(
        around,
        start=now,
        business_zone=zone,
        templates=await _templates(parts, caller.business_id),
        entry_id=order.entry_id or around.entry_id,
    )
    try:
        # Thousands of steps take a while: other requests need not wait for them.
        simulation = await asyncio.to_thread(simulate, flow, steps, around)
    except ImpossibleStep as error:
        raise bad_step(error.position, str(error)) from None
    return Entity(entity=_shown(simulation))


async def _templates(parts: Parts, business_id: UUID) -> TemplateRegistry:
    """WhatsApp's templates as they are, or as they were last told where it takes its time."""
    known = parts.templates and await parts.templates.registry(
        business_id, older_than=LISTED_FOR, patience=_PATIENCE
    )
    return known or TemplateRegistry()


def _variables_as_written(body: bytes) -> dict[str, Any]:
    """The variables with every number as it was written, as in the entries of send/campaigns."""
    variables = given(parse_object(body, parse_keeping_numbers), "variables")
    return variables if isinstance(variables, dict) else {}


def _shown(simulation: Simulation) -> SimulationResult:
    return SimulationResult(
        messages=[_message(message) for message in simulation.messages],
        path=[
            SimulatedVisit(node=visit.node, visit=visit.visit, at=visit.at.total_seconds())
            for visit in simulation.path
        ],
        decisions=[
            SimulatedDecision.model_validate(
                {
                    "node": decision.node,
                    "at": decision.at.total_seconds(),
                    "inputs": decision.inputs,
                    "verdict": decision.verdict,
                    "reason": decision.reason,
                }
            )
            for decision in simulation.decisions
        ],
        waiting_for=[
            SimulatedWait(
                node=waiting.node,
                visit=waiting.visit,
                kind=waiting.kind,
                until=waiting.until.total_seconds() if waiting.until is not None else None,
                buttons=waiting.buttons,
            )
            for waiting in simulation.waiting_for
        ],
        outcome=simulation.outcome,
        output_variables=simulation.output_variables,
    )


def _message(message: SentMessage) -> SimulatedMessage:
    return SimulatedMessage(
        node=message.node,
        visit=message.visit,
        at=message.at.total_seconds(),
        type=message.type,
        template=message.template,
        text=message.text,
        buttons=[ButtonShown(id=button, label=label) for button, label in message.buttons],
    )
