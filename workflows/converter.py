"""How Sendout's values are written into Temporal histories: as JSON, and flows by hash only.

A run's input names its flow by SHA-256. Before anything that carries such a name is decoded, the
codec (async, outside the workflow) makes sure the flow is in the process's cache; the payload
converter (sync) then hands out the one shared object. Content-addressed, so a replay sees the same.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter, ToJsonOptions
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
    PayloadCodec,
)

from domain.flow import Flow
from domain.flow_cache import FLOWS, FlowSource

_FLOW_HASH = "sendout-flow"
"""Payload metadata that names the flow a payload carries."""


class PinnedFlow:
    """A flow that is written as its hash."""

    __slots__ = ("flow", "hash")

    def __init__(self, flow_hash: str, flow: Flow) -> None:
        self.hash = flow_hash
        self.flow = flow

    @classmethod
    def _read(cls, value: object) -> "PinnedFlow":
        if isinstance(value, cls):
            return value
        flow = FLOWS.get(value) if isinstance(value, str) else None
        if flow is None:
            # Not a ValueError, which pydantic would swallow: the task must fail and be retried.
            raise RuntimeError(
                f"flow {value!r} is not at hand; was the payload decoded by FlowCodec?"
            )
        return cls(str(value), flow)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._read,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda pin: pin.hash),
        )


class CarriesFlow(BaseModel):
    """Base of the messages to workflows that carry a flow, by hash."""

    model_config = ConfigDict(frozen=True)

    flow: PinnedFlow


class _JsonConverter(PydanticJSONPlainPayloadConverter):
    """Pydantic JSON; what was never set is left out, and a carried flow is named in the metadata."""

    def to_payload(self, value: Any) -> Payload | None:
        payload = super().to_payload(value)
        if payload is not None and isinstance(value, CarriesFlow):
            payload.metadata[_FLOW_HASH] = value.flow.hash.encode()
        return payload


# One for the process: the SDK makes a payload converter per run, and a cold type cache costs more
# than the decoding.
_JSON = _JsonConverter(ToJsonOptions(exclude_unset=True))


class SendoutPayloadConverter(CompositePayloadConverter):
    """The default converters with our JSON in the place of the stock one."""

    def __init__(self) -> None:
        super().__init__(
            *(
                _JSON if isinstance(converter, JSONPlainPayloadConverter) else converter
                for converter in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )


class FlowCodec(PayloadCodec):
    """Fetches the flows that payloads name; changes nothing in them."""

    def __init__(self, source: FlowSource) -> None:
        self._source = source

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        for payload in payloads:
            flow_hash = payload.metadata.get(_FLOW_HASH)
            if flow_hash is not None:
                await FLOWS.load(flow_hash.decode(), self._source)
        return list(payloads)


def data_converter(source: FlowSource) -> DataConverter:
    """The data converter of every client, worker and replayer."""
    return DataConverter(
        payload_converter_class=SendoutPayloadConverter, payload_codec=FlowCodec(source)
    )
