"""How simulated customers, phones and the platform behave: api.md section 8, `/_sim/behaviour`."""

import hashlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from whatsapp.simulator.graph_error import kind_of
from whatsapp.simulator.phone import only_digits

Rate = Annotated[float, Field(ge=0, le=1)]
Via = Literal["answer", "status"]

# The code of failures that `failRate` alone asks for: an unreachable customer.
UNDELIVERABLE = 131026


class Failure(BaseModel):
    """A failure to act out: by which way it reaches the sender, and how often (None: always)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    code: int
    via: Via | None = None
    times: int | None = Field(default=None, ge=0)

    @property
    def by_status(self) -> bool:
        if self.via is not None:
            return self.via == "status"
        return kind_of(self.code).by_status


class Knobs(BaseModel):
    """What happens to a message. Rates are 0 to 1; durations milliseconds."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        populate_by_name=True,
    )

    deliver: bool = True
    read: bool = False
    delay_ms: float = Field(default=200, ge=0)
    duplicate_statuses: bool = False
    shuffle_statuses: bool = False
    latency_ms: float = Field(default=0, ge=0)
    fail_with: int | Failure | None = None
    fail_rate: Rate = 0
    drop_after_accept_rate: Rate = 0
    http500_after_accept_rate: Rate = Field(default=0, alias="http500AfterAcceptRate")
    http500_before_accept_rate: Rate = Field(default=0, alias="http500BeforeAcceptRate")
    throughput_per_second: float | None = Field(default=None, gt=0)
    pair_rate_limit: bool = False
    closed_window_via: Via = "status"
    rewrite_wa_id: bool = False
    hide_phone: bool = False
    seed: int | str = 0

    @property
    def failure(self) -> Failure | None:
        """What fails when something does; None when nothing is asked to fail."""
        if isinstance(self.fail_with, int):
            return Failure(code=self.fail_with)
        if self.fail_with is None and self.fail_rate:
            return Failure(code=UNDELIVERABLE)
        return self.fail_with

    @property
    def failure_rate(self) -> float:
        """How often `failure` happens; without a `failRate` it always does."""
        return self.fail_rate or 1.0

    def chance(self, rate: float, knob: str, customer: str, request: int) -> bool:
        """Whether a rate strikes the `request`th request for `customer`.

        The same seed, customer and number always give the same answer, whatever else is sent.
        """
        if rate <= 0:
            return False
        drawn = hashlib.sha256(f"{self.seed}:{knob}:{customer}:{request}".encode()).digest()
        return int.from_bytes(drawn[:8]) < rate * 2**64


class Behaviour(Knobs):
    """The defaults, and per recipient what differs from them."""

    recipients: dict[str, Knobs] = {}

    def document(self) -> dict[str, Any]:
        """As it is written to `/_sim/behaviour`: every default, and only what recipients change."""
        document = self.model_dump(by_alias=True, exclude={"recipients"})
        document["recipients"] = {
            number: knobs.model_dump(by_alias=True, exclude_unset=True)
            for number, knobs in self.recipients.items()
        }
        return document


class BehaviourByCustomer:
    """The knobs that hold for one customer: a recipient's own laid over the defaults."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.defaults = behaviour
        self._defaults = Knobs(**{name: getattr(behaviour, name) for name in Knobs.model_fields})
        self._overrides = {only_digits(to): knobs for to, knobs in behaviour.recipients.items()}
        self._merged: dict[str, Knobs] = {}

    def of(self, customer: str) -> Knobs:
        override = self._overrides.get(customer)
        if override is None:
            return self._defaults
        if customer not in self._merged:
            own = {name: getattr(override, name) for name in override.model_fields_set}
            self._merged[customer] = self._defaults.model_copy(update=own)
        return self._merged[customer]

    def failure_scope(self, customer: str) -> str:
        """Whose count of `times` a failure of this customer's message uses up."""
        override = self._overrides.get(customer)
        return customer if override and "fail_with" in override.model_fields_set else ""
