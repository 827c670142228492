"""What a flow asks of an entry's variables (flow.md section 1, api.md section 2)."""

from collections.abc import Mapping
from typing import Any

from domain.flow import Flow
from domain.start_message import StartMessage

_REMEMBERED = 512


class FlowInputs:
    """The declared variables of one flow, and whether given values make a message to send."""

    def __init__(self, flow: Flow) -> None:
        self._declared = tuple(
            (name, variable.is_required) for name, variable in flow.variables.items()
        )
        self._start = StartMessage(flow)

    def refusal(self, variables: Mapping[str, Any]) -> str | None:
        """Why an entry with these variables cannot run, naming the variable; None when it can.

        Values are as `domain.json_text.read` gives them: numbers are texts.
        """
        texts: dict[str, str] = {}
        for name, required in self._declared:
            value = variables.get(name)
            if isinstance(value, str):
                text = value
            elif value is None:
                text = ""
            elif isinstance(value, bool):
                text = "true" if value else "false"
            else:
                return f"`variables.{name}` must be text, a number or a boolean"
            if text and not text.isspace():
                texts[name] = text
            elif required:
                return f"`variables.{name}` is required"
        return self._start.refusal(texts)


_inputs: dict[str, FlowInputs] = {}


def inputs_of(flow_hash: str, flow: Flow) -> FlowInputs:
    """The inputs of the flow of that hash, worked out once per flow and process."""
    found = _inputs.get(flow_hash)
    if found is None:
        if len(_inputs) >= _REMEMBERED:
            del _inputs[next(iter(_inputs))]
        found = _inputs[flow_hash] = FlowInputs(flow)
    return found
