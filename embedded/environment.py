"""The settings of the embedded stack and the environment its parts get from them."""

import ipaddress
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from embedded import credentials
from embedded.errors import StackError
from embedded.postgres import database_url
from settings import Settings

PREFIX = "SENDOUT_"

_DEFAULTS: dict[str, Any] = {
    "unknown_grace": 15,
    "sweep_every": 10,
    "templates_fresh": 1,
    "log_format": "text",
    "meta_verify_token": SecretStr(credentials.VERIFY_TOKEN),
    "webhook_allow": ("localhost", "127.0.0.0/8", "::1/128"),
}
_HTTP_TIMEOUT = 10.0


def embedded_settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """The settings of `sendout dev`: the environment over the embedded stack's own defaults.

    Without `SENDOUT_HTTP_TIMEOUT` a short `SENDOUT_UNKNOWN_GRACE` shortens the timeout too, so
    that `SENDOUT_UNKNOWN_OUTCOME=resend` stays safe and usable with any grace above 2 s.
    Raises `StackError` naming the setting when a value is unusable.
    """
    source = os.environ if environ is None else environ
    given = {key.upper() for key in source if key.upper().startswith(PREFIX)}
    values = {
        name: value
        for name, value in _DEFAULTS.items()
        if name in Settings.model_fields and PREFIX + name.upper() not in given
    } | overrides
    if "http_timeout" not in values and f"{PREFIX}HTTP_TIMEOUT" not in given:
        grace = values.get("unknown_grace", source.get(f"{PREFIX}UNKNOWN_GRACE", ""))
        values["http_timeout"] = _http_timeout(grace)
    try:
        settings = Settings(**values)
        data_dir = settings.data_dir.expanduser().absolute()
        return Settings(**values | {"data_dir": data_dir} | _addresses(settings, data_dir))
    except ValidationError as error:
        raise StackError(f"a setting is unusable: {error}") from error


def _http_timeout(grace: int | str) -> float:
    try:
        seconds = int(grace)
    except ValueError:
        return _HTTP_TIMEOUT  # Settings names the unusable grace
    return max(0.1, min(_HTTP_TIMEOUT, (seconds - 2) * 0.8))


def _addresses(settings: Settings, data_dir: Path) -> dict[str, Any]:
    """Where the parts find each other; never taken from outside, the stack is one piece."""
    simulator = f"http://127.0.0.1:{settings.simulator_port}"
    return {
        "database_url": database_url(data_dir / "postgres"),
        "temporal_address": f"127.0.0.1:{settings.temporal_port}",
        "temporal_ui_url": f"http://127.0.0.1:{settings.temporal_ui_port}",
        "graph_url": simulator,
        "simulator_url": simulator,
    }


def part_environment(settings: Settings) -> dict[str, str]:
    """Every setting as `SENDOUT_<NAME>`, over the rest of this process's environment."""
    ours = {PREFIX + name.upper() for name in Settings.model_fields}
    env = {key: value for key, value in os.environ.items() if key.upper() not in ours}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if value is not None:
            env[PREFIX + name.upper()] = _encoded(value)
    # Log lines of a part must be in its file before the part is killed.
    return env | {"PYTHONUNBUFFERED": "1"}


def _encoded(value: Any) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case bool():
            return "true" if value else "false"
        case tuple() | list() | dict():
            return json.dumps(value)
        case _:
            return str(value)


def refuse_beyond_loopback(settings: Settings) -> None:
    """Raise `StackError` unless the API listens on loopback: everyone knows the embedded key."""
    host = settings.api_host
    if host == "localhost":
        return
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise StackError(
            f"SENDOUT_API_HOST is {host!r}, but the embedded stack has well-known credentials "
            f"(API key {credentials.API_KEY!r}) and listens on loopback only: set "
            "SENDOUT_API_HOST=127.0.0.1, or use docker-compose.yml for a reachable installation"
        )
