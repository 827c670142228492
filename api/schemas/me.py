"""The answer of `GET /v1/me`."""

from uuid import UUID

from api.schemas.common import Schema


class Me(Schema):
    """A key's business, name and scopes."""

    business_id: UUID
    name: str
    scopes: list[str]
