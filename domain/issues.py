"""One finding about a flow, as the API, the Flow Builder and the command line show it."""

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

Severity: TypeAlias = Literal["error", "warning"]


class Issue(BaseModel):
    """What is wrong, where, and what mends it (flow.md section 3)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    severity: Severity
    code: str
    """A stable name in SHOUTING_SNAKE, for programs."""
    path: str
    """The field at fault, for example `nodes.wait.next`; empty for the document as a whole."""
    message: str
    """For people; it names the fix."""
