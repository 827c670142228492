"""Golden conversations with the engine: how their JSON reads, and how one is gone through.

A case has a `flow` (a document, or the name of one under `tests/golden/flows` or `examples/flows`), a
`setting` (`variables`, `limits` in seconds) and `steps`. A step says `at` how many seconds after the
start a `stimulus` comes, which `effects` follow, and may name parts of the `state` after it. A step
with `"reopened": true` stands for a run that was gone and is taken up from its snapshot. Stimuli and
effects are named as in `domain.run`; messages and asks read `node#visit`, times are seconds after the
start, what is false or empty is left out.

    python -m tests.domain.conversations

writes the effects, and the parts of the state that are named, into the files again as the engine
gives them now: read the difference before you keep it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from domain import run
from domain.engine import advance
from domain.flow import Flow
from domain.run import Limits, MessageRef, RunState, SendOutcome, Setting
from domain.shape import read_flow

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
KINDS = ("nodes", "scenarios")
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
_WIDTH = 100


def type_name(kind: type) -> str:
    """How a stimulus or effect is called in the files: `SendFinished` is `send_finished`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


STIMULI: dict[str, Any] = {type_name(kind): kind for kind in get_args(run.Stimulus)}
EFFECTS: dict[str, Any] = {type_name(kind): kind for kind in get_args(run.Effect)}


def flow_of(case: dict[str, Any]) -> Flow:
    """The flow of a case."""
    document = case["flow"]
    if isinstance(document, str):
        places = (GOLDEN / "flows", ROOT / "examples" / "flows")
        file = next(f for place in places if (f := place / f"{document}.json").exists())
        document = json.loads(file.read_text(encoding="utf-8"))
    return read_flow(document)


def setting_of(case: dict[str, Any]) -> Setting:
    """What surrounds the run of a case."""
    given = case.get("setting", {})
    limits: dict[str, Any] = {
        name: value if name == "max_sends" else timedelta(seconds=value)
        for name, value in given.get("limits", {}).items()
    }
    return Setting(flow_of(case), "entry", given.get("variables", {}), Limits(**limits))


def played(case: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Go through a case: every step as it is written, and as it is.

    Between any two steps the state is written down and read again.
    """
    setting, state = setting_of(case), RunState()
    for step in case["steps"]:
        found: dict[str, Any] = {"at": step["at"]}
        if "reopened" in step:
            assert state.closed
            kept = state.at_rest().model_dump_json(exclude_defaults=True)
            state = RunState.model_validate_json(kept)
            found["reopened"] = True
        else:
            now = START + timedelta(seconds=step["at"])
            state, effects = advance(setting, state, stimulus_of(step["stimulus"]), now)
            state = RunState.model_validate_json(state.model_dump_json())
            found["stimulus"] = step["stimulus"]
            found["effects"] = [_written(effect) for effect in effects]
        if "state" in step:
            found["state"] = {name: _plain(getattr(state, name)) for name in step["state"]}
        yield step, found


def stimulus_of(written: dict[str, Any]) -> run.Stimulus:
    """Read a stimulus."""
    fields = dict(written)
    kind = STIMULI[fields.pop("type")]
    for name, value in fields.items():
        match name:
            case "message" | "ask":
                node, _, visit = value.rpartition("#")
                fields[name] = MessageRef(node, int(visit))
            case "outcome":
                fields[name] = SendOutcome(value)
            case "again_in":
                fields[name] = timedelta(seconds=value)
    stimulus: run.Stimulus = kind(**fields)
    return stimulus


def _written(effect: run.Effect) -> dict[str, Any]:
    values = {name: _plain(value) for name, value in _fields(effect).items()}
    return {"type": type_name(type(effect))} | {
        name: value for name, value in values.items() if value not in (None, False)
    }


def _fields(effect: run.Effect) -> dict[str, Any]:
    return {name: getattr(effect, name) for name in asdict(effect)}


def _plain(value: Any) -> Any:
    """A value as it stands in the files."""
    match value:
        case MessageRef():
            return f"{value.node}#{value.visit}"
        case run.UsedButton():
            return f"{value.node}#{value.visit}:{value.button}"
        case datetime():
            return round((value - START).total_seconds())
        case run.Path():
            return {name: _plain(item) for name, item in value if item not in (None, 0)}
        case list():
            return [_plain(item) for item in value]
        case _:
            return value


# --- writing the files -------------------------------------------------------------------------


def to_text(value: Any, indent: int = 0, used: int = 0) -> str:
    """JSON in which what fits, or holds nothing of its own, stands on one line."""
    line = json.dumps(value, ensure_ascii=False)
    parts = list(
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    )
    deep = any(isinstance(part, dict | list) for part in parts)
    if indent + used + len(line) < _WIDTH or not deep:
        return line
    inner, outer = " " * (indent + 2), " " * indent
    if isinstance(value, list):
        items = [to_text(item, indent + 2) for item in value]
        return "[\n" + ",\n".join(inner + item for item in items) + f"\n{outer}]"
    pairs = [
        f"{key}: {to_text(item, indent + 2, len(key) + 2)}"
        for key, item in ((json.dumps(k, ensure_ascii=False), v) for k, v in value.items())
    ]
    return "{\n" + ",\n".join(inner + pair for pair in pairs) + f"\n{outer}}}"


def rewrite(file: Path) -> None:
    """Write what the engine gives now into the cases of a file."""
    cases = json.loads(file.read_text(encoding="utf-8"))
    for case in cases:
        case["steps"] = [found for _, found in played(case)]
    file.write_text(to_text(cases) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for folder in KINDS:
        for path in sorted((GOLDEN / folder).glob("*.json")):
            rewrite(path)
