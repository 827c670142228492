"""Parsed flows of this process, by content hash: read once, parsed once, shared by every run."""

from collections import OrderedDict
from typing import Protocol

from pydantic import TypeAdapter

from domain.flow import Flow

_FLOW = TypeAdapter(Flow)


class FlowSource(Protocol):
    """Where flow documents are kept by hash."""

    async def flow_document(self, flow_hash: str) -> str | None:
        """The document as JSON text, or None if there is none of that hash."""


class FlowNotStored(LookupError):
    """No flow of that hash is stored: it was deleted while runs still need it."""


class FlowCache:
    """The `size` flows used last. What a hash names never changes, so nothing goes stale."""

    def __init__(self, size: int = 512) -> None:
        self._size = size
        self._flows: OrderedDict[str, Flow] = OrderedDict()

    def get(self, flow_hash: str) -> Flow | None:
        """The flow if this process has it at hand."""
        flow = self._flows.get(flow_hash)
        if flow is not None:
            self._flows.move_to_end(flow_hash)
        return flow

    def put(self, flow_hash: str, flow: Flow) -> None:
        """Keep a flow, and let go of the one unused longest when there are too many."""
        self._flows[flow_hash] = flow
        self._flows.move_to_end(flow_hash)
        while len(self._flows) > self._size:
            self._flows.popitem(last=False)

    async def load(self, flow_hash: str, source: FlowSource) -> Flow:
        """The flow of that hash, read from `source` if it is not at hand.

        Raises `FlowNotStored` if the source has none, and whatever the source raises.
        """
        flow = self.get(flow_hash)
        if flow is None:
            document = await source.flow_document(flow_hash)
            if document is None:
                raise FlowNotStored(f"no flow {flow_hash} is stored")
            flow = _FLOW.validate_json(document)
            self.put(flow_hash, flow)
        return flow


FLOWS = FlowCache()
"""The cache of this process. One is enough: flows are named by their content."""
