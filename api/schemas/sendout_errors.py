"""The answer that breaks a sendout's failures down by code."""

from pydantic import Field

from api.schemas.common import Schema


class SendoutError(Schema):
    """A reason why messages failed: how many, how many entries ended by it, and what to do."""

    code: str = Field(examples=["ERROR_CODE_MESSAGE_UNDELIVERABLE"])
    provider_code: int | None = Field(
        description="WhatsApp's own number; null for reasons of ours."
    )
    title: str
    explanation: str = Field(description="What it means for these messages, and what helps.")
    retryable: bool = Field(description="Whether `…/retry` runs such entries again.")
    messages: int
    entries: int
