"""Whether a flow's start message, rendered for one customer, is within WhatsApp's limits.

Asked for every entry of a request (api.md section 2), so what can be known once per flow is: up to
which length of its variables the message fits whatever they are.
"""

from collections.abc import Mapping

from domain.flow import Flow, MessageNode
from domain.limits import over_limits
from domain.rendering import render, values_for

_PROBED_LENGTHS = (8192, 4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1)
_ENCODED = "%C3%A9"  # an é inside a URL


class StartMessage:
    """The message a flow starts with, if it starts with one that holds variables."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        node = flow.nodes.get(flow.start)
        self._node = node if isinstance(node, MessageNode) else None
        if self._node is not None and render(self._node, self._values("x")) is self._node:
            self._node = None
        self._surely_fits = self._find_sure_length()
        defaults = values_for(flow, {}, {})
        self._may_be_absent = frozenset(
            name
            for name in flow.variables
            if defaults[name].strip() and len(defaults[name]) <= self._surely_fits
        )

    def refusal(self, texts: Mapping[str, str]) -> str | None:
        """What WhatsApp would refuse, for these values of variables; None when it would not.

        Blank values are to be left out of `texts`; what is not there gets its default.
        """
        if self._node is None or self._fits_surely(texts):
            return None
        values = values_for(self._flow, texts, {})
        issues = over_limits(render(self._node, values), f"nodes.{self._flow.start}", rendered=True)
        return f"`{issues[0].path}`: {issues[0].message}" if issues else None

    def _fits_surely(self, texts: Mapping[str, str]) -> bool:
        most = self._surely_fits
        if most == 0 or not self._may_be_absent.issuperset(self._flow.variables.keys() - texts):
            return False
        return not texts or max(map(len, texts.values())) <= most

    def _values(self, text: str) -> dict[str, str]:
        return values_for(self._flow, dict.fromkeys(self._flow.variables, text), {})

    def _find_sure_length(self) -> int:
        """The longest probed length at which the message fits with any text in every variable.

        Lengths only grow what they fill, so what fits with all variables that long fits with
        shorter ones. Where the text itself counts (URLs are encoded, degrees are numbers, labels
        must differ) a probe of equal letters fails or is not enough, and every entry is rendered.
        """
        if self._node is None:
            return 0
        if _ENCODED in render(self._node, self._values("é")).model_dump_json():
            return 0
        for length in _PROBED_LENGTHS:
            rendered = render(self._node, self._values("x" * length))
            if not over_limits(rendered, "", rendered=True):
                return length
        return 0
