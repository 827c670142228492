"""What the Flow Builder's pages ask of this installation."""

from api.schemas.common import Schema


class PageSettings(Schema):
    """`workflows` is the Temporal Web UI's address of a run, up to the run's name."""

    workflows: str
