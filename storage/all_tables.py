"""The metadata with every table in it: each module that describes tables is imported here."""

from storage import (
    customer_tables,
    import_tables,
    inbound_tables,
    report_tables,
    template_tables,
    webhook_tables,
)
from storage.tables import metadata

__all__ = [
    "customer_tables",
    "import_tables",
    "inbound_tables",
    "metadata",
    "report_tables",
    "template_tables",
    "webhook_tables",
]
