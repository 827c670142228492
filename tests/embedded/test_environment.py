"""The settings of the embedded stack and what its parts are told."""

import pytest

from embedded import credentials
from embedded.environment import embedded_settings, part_environment, refuse_beyond_loopback
from embedded.errors import StackError
from settings import Settings


def test_the_defaults_are_those_of_the_embedded_stack():
    """Short waits, the simulator as WhatsApp, and credentials that everyone knows."""
    settings = embedded_settings({})
    assert settings.unknown_grace == 15
    assert settings.http_timeout == 10
    assert settings.sweep_every == 10
    assert settings.log_format == "text"
    assert settings.graph_url == settings.simulator_url == "http://127.0.0.1:8090"
    assert settings.temporal_address == "127.0.0.1:7233"
    assert settings.meta_verify_token.get_secret_value() == credentials.VERIFY_TOKEN
    assert settings.data_dir.is_absolute()


def test_what_the_environment_says_goes_first(monkeypatch: pytest.MonkeyPatch):
    """A given setting replaces the embedded default, in any case of letters."""
    monkeypatch.setenv("SENDOUT_UNKNOWN_GRACE", "40")
    monkeypatch.setenv("sendout_sweep_every", "3")
    settings = embedded_settings()
    assert settings.unknown_grace == 40
    assert settings.sweep_every == 3


@pytest.mark.parametrize("grace", ["3", "5", "15", "600"])
def test_resend_is_usable_with_the_defaults(monkeypatch: pytest.MonkeyPatch, grace: str):
    """The HTTP timeout stays short enough for the grace that was asked for."""
    monkeypatch.setenv("SENDOUT_UNKNOWN_OUTCOME", "resend")
    monkeypatch.setenv("SENDOUT_UNKNOWN_GRACE", grace)
    settings = embedded_settings()
    assert settings.lease_seconds < settings.unknown_grace
    assert settings.http_timeout <= 10


def test_an_unusable_setting_is_named(monkeypatch: pytest.MonkeyPatch):
    """A value of the wrong shape ends in one error that names the setting."""
    monkeypatch.setenv("SENDOUT_UNKNOWN_GRACE", "soon")
    with pytest.raises(StackError, match="unknown_grace"):
        embedded_settings()


def test_a_part_reads_back_the_very_same_settings(monkeypatch: pytest.MonkeyPatch):
    """Every setting survives the way through the environment, secrets and lists included."""
    settings = embedded_settings({}, stop_words=("STOP", "¡ALTO!"), scheduled_at=False)
    for key, value in part_environment(settings).items():
        monkeypatch.setenv(key, value)
    assert Settings() == settings


def test_other_variables_reach_the_parts_and_old_settings_do_not(monkeypatch: pytest.MonkeyPatch):
    """PATH and the like pass; a setting left in the environment does not win over ours."""
    monkeypatch.setenv("SENDOUT_GRAPH_URL", "https://elsewhere.example")
    monkeypatch.setenv("sendout_graph_url", "https://elsewhere.example")
    monkeypatch.setenv("UNRELATED", "yes")
    env = part_environment(embedded_settings())
    assert env["SENDOUT_GRAPH_URL"] == "http://127.0.0.1:8090"
    assert "sendout_graph_url" not in env
    assert env["UNRELATED"] == "yes"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_accepted(host: str):
    """Every way to say loopback is good."""
    refuse_beyond_loopback(embedded_settings({}, api_host=host))
