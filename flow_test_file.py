"""`sendout flow test`: saved tests of flows, read from files and run without any network."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer
import yaml
from pydantic import ValidationError

from api.run_variables import circumstances, variables_text
from domain import json_text
from domain.checks import check
from domain.durations import in_words
from domain.errors import BadRequest
from domain.flow import Flow
from domain.flow_tests import Failure, FlowTest, Step, play
from domain.issues import Issue
from domain.shape import FlowShapeError, explain_value, read_flow
from settings import Settings

_MOST_VALUES = 1_000_000
"""In one file, what YAML's aliases stand for counted where they stand."""


class Unusable(Exception):
    """A file that is no test, or whose flow cannot run; the message says why, in a line or more."""


def run(files: list[Path]) -> None:
    """Run each file's test and tell how it went; ends the command with 1 unless all pass."""
    settings = Settings()
    passed = sum([_passes(file, settings) for file in files])
    typer.echo(f"{passed} of {len(files)} passed")
    if passed < len(files):
        raise typer.Exit(1)


def _passes(file: Path, settings: Settings) -> bool:
    try:
        test = read_test(file)
        flow = _flow(test, file)
        variables = variables_text(flow, test.variables)
    except (Unusable, BadRequest) as error:
        said = error.error.message if isinstance(error, BadRequest) else str(error)
        typer.echo("\n  ".join([f"{file}: cannot run", *said.splitlines()]))
        return False
    failure = play(test, flow, circumstances(settings, variables))
    if failure is None:
        typer.echo(f"{file}: passed: {test.name}")
        return True
    lines = [f"{file}: FAILED: {test.name}", *_told(failure, test.steps)]
    typer.echo("\n  ".join(lines))
    return False


# --- reading -----------------------------------------------------------------------------------


def read_test(file: Path) -> FlowTest:
    """The test in a file, JSON if it is called so, else YAML. Raises `Unusable`."""
    document = read_document(file)
    if not isinstance(document, dict):
        raise Unusable("a flow test is an object with `name`, `flow` and `steps`")
    try:
        return FlowTest.model_validate(document)
    except ValidationError as error:
        raise Unusable("\n".join(_mistakes(error))) from None


def read_document(file: Path) -> Any:
    """A file's JSON or YAML, numbers as `domain.json_text.read` keeps them. Raises `Unusable`."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        return json_text.read(text) if file.suffix == ".json" else _read_yaml(text)
    except OSError as error:
        raise Unusable(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        kind = "JSON" if file.suffix == ".json" else "YAML"
        raise Unusable(f"{file} is not {kind}: {error}") from None


def _read_yaml(text: str) -> Any:
    document = yaml.load(text, _Loader)  # noqa: S506
    pending, count = [document], 0
    while pending:
        value = pending.pop()
        count += 1
        if count > _MOST_VALUES:
            raise ValueError(f"its aliases make more than {_MOST_VALUES:,} values of it")
        pending += value.values() if isinstance(value, dict) else ()
        pending += value if isinstance(value, list) else ()
    return document


class _Loader(yaml.SafeLoader):
    """YAML with the values of JSON only: `Yes`, `2026-01-05` and `0049` are texts."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 so it is called there
    yaml_constructors = {  # noqa: RUF012
        tag: make
        for tag, make in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in {"map", "seq", "str", "bool", "null"}
    }

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.deep_construct = True  # refuses what holds itself

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep)
        if len(mapping) < len(node.value) or not all(isinstance(name, str) for name in mapping):
            said = "each name must be a text and stand once"
            raise yaml.constructor.ConstructorError(None, None, said, node.start_mark)
        return mapping


_NUMBER = "tag:yaml.org,2002:float"
for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:null", r"null|~|", ["n", "~", ""]),
    ("tag:yaml.org,2002:bool", r"true|false", ["t", "f"]),
    (_NUMBER, r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?", list("-0123456789")),
):
    _Loader.add_implicit_resolver(_tag, re.compile(f"(?:{_pattern})\\Z"), _first)
_Loader.add_constructor(_NUMBER, lambda _, node: json_text.NumberLiteral(node.value))


def _mistakes(error: ValidationError) -> Iterator[str]:
    for mistake in error.errors(include_url=False):
        place = ".".join(str(part) for part in mistake["loc"])
        match mistake["type"]:
            case "too_short" if mistake["input"]:
                continue  # a list is also called too short when all it holds is wrong
            case "missing":
                said = "it is required"
            case "extra_forbidden":
                said = "there is no such field"
            case "value_error":
                said = str(mistake["ctx"]["error"])
            case kind:
                _, said = explain_value(kind, mistake["msg"])
        yield f"{place}: {said}"


def _flow(test: FlowTest, file: Path) -> Flow:
    """The flow a test is of. Raises `Unusable` unless it could be published."""
    document = test.flow
    if isinstance(document, str):
        document = read_document(file.parent / document)
    try:
        # With ordinary numbers, as the API reads it.
        document = json.loads(json_text.write(document))
    except ValueError as error:
        raise Unusable(f"its flow cannot be read: {error}") from None
    flow, issues = checked(document)
    errors = [issue for issue in issues if issue.severity == "error"]
    if flow is None or errors:
        raise Unusable("\n".join(["its flow cannot be published:", *map(issue_line, errors)]))
    return flow


def checked(document: object) -> tuple[Flow | None, list[Issue]]:
    """A document as a flow, None if it has not the shape of one, and its issues."""
    try:
        flow = read_flow(document)
    except FlowShapeError as error:
        return None, error.issues
    return flow, check(flow)


def issue_line(issue: Issue) -> str:
    """An issue as the commands print it."""
    return f"{issue.severity}: {issue.path or '(flow)'}: {issue.message} [{issue.code}]"


# --- telling -----------------------------------------------------------------------------------


def _told(failure: Failure, steps: Sequence[Step]) -> Iterator[str]:
    after = f"{in_words(failure.at)} after the start"
    if failure.step is None:
        yield f"after the last step, {after}"
    else:
        yield f"step {failure.step} ({_in_words(steps[failure.step - 1])}), {after}"
    yield f"  expected: {failure.expected}"
    yield f"  seen:     {failure.seen}"
    for decision in failure.decisions:
        where = "" if decision.node is None else f"{decision.node} "
        yield f"  {in_words(decision.at)}: {where}{decision.verdict}: {decision.reason}"


def _in_words(step: Step) -> str:
    said = [] if step.after is None else [f"after {in_words(step.after)}"]
    if step.click is not None:
        of = "" if step.click.message is None else f" of {step.click.message}"
        said.append(f"click “{step.click.button}”{of}")
    if step.reply is not None:
        said.append(f"reply “{step.reply}”")
    return " ".join(said) or "the start"
