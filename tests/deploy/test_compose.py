"""The deployment files against what they name: the schema, the images, the code, each other.

No container is started here: what runs inside is tried by other tests or by hand.
"""

import importlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.main import get_command

from embedded.temporal_server import SEARCH_ATTRIBUTES, program, running_temporal
from settings import Settings
from workflows.messages import send_queue

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
OURS = {"migrate", "api", "worker"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return document


def services(compose: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from compose["services"].items()


def dockerfile() -> list[tuple[str, str]]:
    """(instruction, the rest) of every instruction."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_it_follows_the_compose_specification(compose: dict[str, Any]):
    """The specification's own schema accepts the file."""
    schema = json.loads(Path(__file__).with_name("compose-spec.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(compose)


def test_every_image_is_pinned(compose: dict[str, Any]):
    """Each image names one version down to the patch."""
    images = [service["image"] for _, service in services(compose)]
    images += [rest for word, rest in dockerfile() if word == "FROM"]
    for image in images:
        assert re.fullmatch(r"[a-z/-]+:\d+\.\d+(\.\d+)?(-[a-z-]+)?", image), image


def test_one_temporal_version_in_all_jobs(compose: dict[str, Any]):
    """The schema that the admin tools make is the server's."""
    found = {
        service["image"].split(":")[1]
        for _, service in services(compose)
        if service["image"].startswith(("temporalio/server", "temporalio/admin-tools"))
    }
    assert len(found) == 1


def test_dependencies_name_services_and_what_they_reach(compose: dict[str, Any]):
    """Jobs are waited for until they succeed, servers until their health check says so."""
    jobs = {"temporal-schema", "temporal-namespace", "migrate"}
    for name, service in services(compose):
        for other, how in service.get("depends_on", {}).items():
            assert other in compose["services"], f"{name} depends on {other}"
            if other in jobs:
                assert how["condition"] == "service_completed_successfully"
            else:
                assert how["condition"] == "service_healthy"
                assert "healthcheck" in compose["services"][other]


def test_every_mounted_file_and_volume_exists(compose: dict[str, Any]):
    """A missing file would silently become an empty folder in the container."""
    for name, service in services(compose):
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), f"{name} mounts {source}"
            else:
                assert source in compose["volumes"], f"{name} mounts {source}"


def test_the_scripts_of_the_jobs_exist(compose: dict[str, Any]):
    """What runs in a job is among the mounted files."""
    for name in ("temporal-schema", "temporal-namespace"):
        script = compose["services"][name]["entrypoint"][1]
        assert (DEPLOY / "temporal" / Path(script).name).is_file()


def test_our_settings_are_real_settings(compose: dict[str, Any]):
    """No variable is a misspelt or a forgotten setting."""
    known = {f"SENDOUT_{name.upper()}" for name in Settings.model_fields}
    for name, service in services(compose):
        ours = {key for key in service.get("environment", {}) if key.startswith("SENDOUT_")}
        assert ours <= known, f"{name}: {sorted(ours - known)}"


def test_no_secret_has_a_default(compose: dict[str, Any]):
    """Passwords and tokens must be given, and their absence is explained."""
    for name, service in services(compose):
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|PWD|TOKEN|DATABASE_URL", key):
                assert re.search(r"\$\{[A-Z_]+:\?[^}]+\}", value), f"{name}: {key}"


def test_only_loopback_is_published(compose: dict[str, Any]):
    """Nothing is reachable from outside before somebody decides so."""
    for name, service in services(compose):
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} publishes {port}"


def test_our_commands_exist(compose: dict[str, Any]):
    """Every command of our services is one of the command line's."""
    app = importlib.import_module("cli").app
    known = set(getattr(get_command(app), "commands", {}))
    for name in OURS:
        program, command = compose["services"][name]["command"]
        assert program == "sendout"
        assert command in known


def test_the_image_has_everything_the_wheel_has():
    """What the package is made of and what the image copies are the same."""
    pyproject = (ROOT / "pyproject.toml").read_text()
    listed = re.search(r"only-include = \[(.*?)\]", pyproject, re.DOTALL)
    assert listed is not None
    names = set(re.findall(r'"([^"]+)"', listed.group(1)))
    assert {module.name for module in ROOT.glob("*.py")} <= names
    packaged = {"*.py" if name.endswith(".py") else name for name in names}
    copied = {
        source
        for word, rest in dockerfile()
        if word == "COPY" and not rest.startswith("--") and "/tmp" not in rest
        for source in rest.split()[:-1]
    }
    assert copied == packaged


def test_the_image_copies_only_files_that_exist_and_are_sent():
    """Each source is in the project, and the ignore file lets it through."""
    ignore = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    let_through = {line[1:] for line in ignore if line.startswith("!")}
    for word, rest in dockerfile():
        if word == "COPY":
            for source in [part for part in rest.split() if not part.startswith("--")][:-1]:
                assert list(ROOT.glob(source)), source
                assert source in let_through


def test_the_image_runs_as_an_ordinary_user():
    """The last word on the user is not root."""
    users = [rest for word, rest in dockerfile() if word == "USER"]
    assert users
    assert users[-1] not in {"root", "0"}


@pytest.mark.parametrize(
    "script", sorted([*DEPLOY.rglob("*.sh"), DEPLOY / "sendout"]), ids=lambda path: path.name
)
def test_scripts_parse(script: Path):
    """A script that doesn't parse would only be noticed at the first start."""
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert script.read_text().startswith("#!/bin/sh\n")


def test_the_send_queue_of_the_dynamic_configuration_is_ours():
    """The queue whose limits hold per partition has one partition."""
    config = yaml.safe_load((DEPLOY / "temporal" / "dynamic-config.yaml").read_text())
    queue = send_queue(Settings.model_fields["task_queue"].default)
    assert config["matching.enableFairness"] == [{"value": True}]
    for key in ("matching.numTaskqueueReadPartitions", "matching.numTaskqueueWritePartitions"):
        assert config[key] == [{"value": 1, "constraints": {"taskQueueName": queue}}]


def test_the_namespace_script_works_on_a_server_and_can_be_repeated(tmp_path: Path):
    """Run twice on a real server, it leaves the namespace, its retention and our attributes."""
    script = DEPLOY / "temporal" / "create-namespace.sh"
    with running_temporal(tmp_path / "temporal") as address:
        env = {
            "PATH": f"{program().parent}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "TEMPORAL_ADDRESS": address,
            "TEMPORAL_NAMESPACE": "sendout",
            "RETENTION": "168h",
        }
        for _ in range(2):
            subprocess.run(["sh", str(script)], env=env, check=True, capture_output=True)
        described, attributes = (
            subprocess.run(
                ["temporal", "operator", *command.split()],
                env=env,
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            for command in ("namespace describe -n sendout", "search-attribute list -n sendout")
        )
    assert "168h0m0s" in described
    assert all(re.search(rf"\b{name}\b", attributes) for name in SEARCH_ATTRIBUTES)
