"""Every setting of every process: read from the environment as `SENDOUT_<NAME>`.

All durations are seconds. `docs/settings.md` is made from this class (`make docs`), and a test holds
the two together.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The configuration of one process.

    Raises `pydantic.ValidationError`, naming the setting, when a value is unusable.
    """

    model_config = SettingsConfigDict(env_prefix="SENDOUT_", frozen=True, extra="ignore")

    # --- where the parts are ---------------------------------------------------------------
    database_url: str = Field(
        default="",
        description="PostgreSQL, as `postgresql+asyncpg://user:password@host/database`; "
        "the embedded stack sets it to its own.",
    )
    temporal_address: str = Field(
        default="127.0.0.1:7233", description="Host and port of the Temporal frontend."
    )
    temporal_namespace: str = Field(default="default", description="Temporal namespace.")
    temporal_ui_url: str = Field(
        default="http://127.0.0.1:8233",
        description="Address of the Temporal Web UI, for links to a run.",
    )
    task_queue: str = Field(default="sendout", description="Task queue of the workflows.")
    graph_url: str = Field(
        default="https://graph.facebook.com",
        pattern=r"^https?://[^\s?#]+$",
        description="Base address of the WhatsApp Cloud API; the embedded stack names its simulator.",
    )
    graph_version: str = Field(default="v25.0", description="Graph API version.")
    api_host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    api_port: int = Field(
        default=8000, ge=1, le=65535, description="Port of the API and the Flow Builder."
    )

    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="Address under which others reach this API, for the links of reports, for instance "
        "`https://sendout.example.com`; empty: that of the request, and in webhooks host and port.",
    )

    # --- the embedded stack ----------------------------------------------------------------
    data_dir: Path = Field(
        default=Path(".sendout"), description="Data folder of the embedded stack."
    )
    simulator_port: int = Field(
        default=8090, ge=1, le=65535, description="Port of the WhatsApp simulator."
    )
    simulator_url: str | None = Field(
        default=None,
        description="Address of the simulator when this is the embedded stack: publishing then "
        "creates a flow's missing templates there.",
    )
    temporal_port: int = Field(
        default=7233, ge=1, le=65535, description="Port of the embedded Temporal server."
    )
    temporal_ui_port: int = Field(
        default=8233, ge=1, le=65535, description="Port of the embedded Web UI."
    )

    # --- what a run does -------------------------------------------------------------------
    click_window: int = Field(
        default=86_400, ge=0, description="How long a run stays open for clicks (flow.md 2.6)."
    )
    late_delivery: int = Field(
        default=86_400, ge=0, description="How long a due delay waits for delivery (flow.md 2.4)."
    )
    max_sends: int = Field(default=100, ge=1, description="Sends per run (flow.md 2.9).")
    templates_fresh: float = Field(
        default=300.0,
        ge=0,
        description="How long a list of WhatsApp's templates is good for single messages before it is "
        "read again behind them; events keep it up to date meanwhile (embedded: 1).",
    )
    scheduled_at: bool = Field(
        default=True, description="Whether `scheduledAt` is honoured; `false` ignores it."
    )

    # --- delivery --------------------------------------------------------------------------
    unknown_outcome: Literal["give_up", "resend"] = Field(
        default="give_up",
        description="What happens to a send whose outcome stays unknown after the grace.",
    )
    unknown_grace: int = Field(
        default=600,
        ge=1,
        description="How long an unknown outcome waits for a status (embedded: 15).",
    )
    http_timeout: float = Field(
        default=30.0, gt=0, description="Longest wait for WhatsApp's answer to one call."
    )
    send_slots: int = Field(
        default=50, ge=1, description="Sends in flight at once per worker process."
    )
    start_ahead: int = Field(
        default=20, ge=1, description="How far ahead of a sender's rate runs are started."
    )
    sweep_every: int = Field(
        default=30,
        ge=1,
        description="Pause between two sweeps that repair crash gaps (embedded: 10).",
    )

    # --- limits and secrets of the API -----------------------------------------------------
    max_entries: int = Field(default=10_000, ge=1, description="Entries per request.")
    max_body_bytes: int = Field(default=10 * 1024 * 1024, ge=1, description="Size of a request.")
    max_import_rows: int = Field(
        default=100_000,
        ge=1,
        le=250_000,
        description="Rows of a CSV import, at most 250,000: its start is one transaction.",
    )
    max_import_bytes: int = Field(
        default=32 * 1024 * 1024, ge=1, description="Size of the file of a CSV import."
    )
    webhook_allow: tuple[str, ...] = Field(
        default=(),
        description="Hosts and networks a business's webhook may be at though they are private "
        "(JSON list of names and CIDRs); the embedded stack allows loopback.",
    )
    requests_per_second: int = Field(
        default=200, ge=1, description="Send requests per second, business and API process."
    )
    meta_verify_token: SecretStr = Field(
        default=SecretStr(""), description="Token of Meta's webhook verification; empty refuses it."
    )
    stop_words: tuple[str, ...] = Field(
        default=("STOP", "UNSUBSCRIBE", "BAJA", "CANCELAR", "SAIR", "PARAR"),
        description="Whole-message words that record an opt-out (JSON list).",
    )
    start_words: tuple[str, ...] = Field(
        default=("START", "UNSTOP", "ALTA"),
        description="Whole-message words that lift an opt-out (JSON list).",
    )
    log_format: Literal["json", "text"] = Field(default="json", description="How logs are written.")
    worker_metrics_address: str = Field(
        default="",
        pattern=r"^([^\s:]+:\d{1,5})?$",
        description="Host and port at which a worker serves Temporal's SDK metrics to Prometheus, for "
        "instance `127.0.0.1:9464`; empty serves none.",
    )
    workflow_sandbox: Literal["full", "passthrough"] = Field(
        default="passthrough",
        description="`full` re-imports workflow code per run (tests); `passthrough` shares it.",
    )

    @property
    def api_url(self) -> str:
        """Where others reach the API, as far as is known: without a slash at the end."""
        host = "127.0.0.1" if self.api_host in {"0.0.0.0", "::"} else self.api_host  # noqa: S104
        host = f"[{host}]" if ":" in host else host
        return self.public_url.rstrip("/") or f"http://{host}:{self.api_port}"

    @property
    def lease_seconds(self) -> float:
        """How long a claimed send may still be posted: the call's own time and a little more."""
        return self.http_timeout + 2.0

    @model_validator(mode="after")
    def _resend_waits_longer_than_a_send(self) -> Self:
        if self.unknown_outcome == "resend" and self.unknown_grace <= self.lease_seconds:
            raise ValueError(
                f"SENDOUT_UNKNOWN_GRACE ({self.unknown_grace}) must be longer than "
                f"SENDOUT_HTTP_TIMEOUT + 2 ({self.lease_seconds:g}) when SENDOUT_UNKNOWN_OUTCOME "
                "is resend, or a send still on the wire could be repeated"
            )
        return self
