"""The whole stack by `Stack`: the real servers, and stand-ins for our own processes."""

import sys
from pathlib import Path

import httpx
import psutil
import pytest

from embedded.dev import PARTS
from embedded.errors import StackError
from embedded.processes import alive
from embedded.stack import Stack
from embedded.temporal_server import SEARCH_ATTRIBUTES
from tests.embedded.conftest import eventually

# Our own processes, as small as they can be: the API answers for a worker that is up.
_CLI = """
import os, signal, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
name = sys.argv[1]
worker = Path(os.environ["SENDOUT_DATA_DIR"]) / "worker.up"


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        whole = "all=1" in self.path
        self.send_response(200 if worker.exists() or not whole else 503)
        self.end_headers()


match name:
    case "migrate" | "seed":
        print(name, os.environ["SENDOUT_DATABASE_URL"])
        worker.unlink(missing_ok=True)
    case "worker":
        worker.touch()
        time.sleep(600)
    case _:
        port = os.environ[f"SENDOUT_{name.upper()}_PORT"]
        HTTPServer(("127.0.0.1", int(port)), Answer).serve_forever()
"""
_DEV = """
import sys
from pathlib import Path
from embedded import dev
from embedded.environment import embedded_settings

dev._ROOT = Path(sys.argv[1])
dev.run(embedded_settings())
"""


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    root = tmp_path_factory.mktemp("project")
    (root / "cli.py").write_text(_CLI)
    return [sys.executable, "-c", _DEV, str(root)]


def namespace(stack: Stack) -> httpx.Response:
    url = f"{stack.temporal_ui_url}/api/v1/namespaces/default"
    return httpx.get(url, trust_env=False, timeout=60)


def test_parts_and_the_whole_come_back_after_being_killed(tmp_path: Path, command: list[str]):
    """Each part is a process of its own that is restarted; so is all of it on the same folder."""
    stack = Stack.start(tmp_path / "data", command=command)
    before = {part: stack.pid(part) for part in PARTS}
    assert len(set(before.values())) == len(PARTS)
    for part in ("postgres", "temporal"):
        assert psutil.Process(before[part]).name() == part
    assert stack.database_url in stack.log("migrate")
    for part in PARTS:
        assert stack.kill(part) == before[part]
    eventually(lambda: all(stack.pid(part) != before[part] for part in PARTS))
    stack.wait_ready()
    stack.process.kill()
    stack.process.wait()

    with Stack.start(tmp_path / "data", command=command, **stack.ports) as again:
        assert again.api_url == stack.api_url
        config = namespace(again).json()["config"]
        assert config["workflowExecutionRetentionTtl"] == "604800s"
        assert set(config["customSearchAttributeAliases"].values()) == set(SEARCH_ATTRIBUTES)
        last = [again.pid(part) for part in PARTS]
    assert again.process.returncode == 0
    assert not any(alive(pid) for pid in last)


def test_a_stack_that_does_not_come_up_says_why(command: list[str]):
    """The error holds what the supervisor said, with the log of the part that failed."""
    broken = Path(command[-1]) / "broken" / "cli.py"
    broken.parent.mkdir()
    broken.write_text("import sys; sys.exit(f'no {sys.argv[1]} today')\n")
    with pytest.raises(StackError, match="no migrate today"):
        Stack.start(command=[*command[:-1], str(broken.parent)])
