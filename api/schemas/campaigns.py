"""Requests and answers of the campaign resource (api.md section 3)."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from api.bodies import RequestBody
from api.schemas.common import Schema
from api.schemas.texts import Line
from domain.issues import Issue


class NewCampaign(RequestBody):
    """A campaign's name, and its first draft."""

    name: str = ""
    flow: Any = None


class NewName(RequestBody):
    """Another name of a campaign."""

    name: str = ""


class NewDraft(RequestBody):
    """A flow, and the revision it was made from (left out: whatever is stored is replaced)."""

    flow: Any
    revision: int | None = None


class PublishOrder(RequestBody):
    """The version's label; left out, the version is a ULID printed as a UUID."""

    campaign_version: Line = ""


class UnpublishOrder(RequestBody):
    """Whether runs in flight end as well."""

    cancel: bool = False


class DraftTest(RequestBody):
    """A test number, what its run takes, and the longest delay: ISO 8601, or seconds."""

    client: str | None = None
    variables: dict[str, Any] | None = None
    sender: str = ""
    max_delay: str | None = None


class Draft(Schema):
    """The flow that publishing would freeze; `revision` grows with every save."""

    flow: dict[str, Any] | None
    revision: int
    issues: list[Issue]


class Campaign(Schema):
    """A campaign; `campaignVersion` is its newest version."""

    campaign_id: UUID
    campaign_name: str
    state: Literal["draft", "published", "unpublished", "archived"]
    campaign_version: str | None
    created_at: datetime
    updated_at: datetime
    draft: Draft


class Published(Schema):
    """What publishing made, and the warnings that remain."""

    campaign_id: UUID
    campaign_name: str
    campaign_version: str
    issues: list[Issue]


class SendoutOfVersion(Schema):
    """A sendout in the list of versions."""

    sendout_id: UUID
    label: str | None
    source: Literal["api", "csv", "test"]
    state: Literal["running", "paused", "cancelled"]
    current: bool
    created_at: datetime


class Version(Schema):
    """A version; `kind` alias is one made by `create_new`, from the flow of another version."""

    campaign_version: str
    kind: Literal["published", "alias", "import", "test"]
    newest: bool
    created_at: datetime
    sendouts: list[SendoutOfVersion]


class FrozenFlow(Schema):
    """A version with its flow, which never changes."""

    campaign_id: UUID
    campaign_version: str
    kind: Literal["published", "alias", "import", "test"]
    created_at: datetime
    flow: dict[str, Any]


class StartedTest(Schema):
    """The entry and sendout of a test."""

    entry_id: UUID
    sendout_id: UUID
