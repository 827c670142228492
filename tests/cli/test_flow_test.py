"""`sendout flow test`: files in, a report and an exit status out."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.command import ROOT, Answer, as_process, sendout

DEMO = ROOT / "examples" / "flows" / "demo.json"
EXAMPLES = sorted((ROOT / "examples" / "flow-tests").iterdir())


async def run(*files: Path) -> Answer:
    return await sendout("", "flow", "test", *map(str, files))


def written(folder: Path, text: str, name: str = "test.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


async def test_the_examples_pass_without_any_server():
    answer = await as_process("", "flow", "test", *map(str, EXAMPLES))
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[-1] == f"{len(EXAMPLES)} of {len(EXAMPLES)} passed"
    for file, line in zip(EXAMPLES, lines, strict=False):
        assert line.startswith(f"{file}: passed: ")


async def test_a_failure_names_the_step_and_says_what_was_seen_and_why(tmp_path: Path):
    good, bad = EXAMPLES[0], written(tmp_path, f"""
name: Who says yes is left alone
flow: {DEMO}
variables: {{name: Ana, event: 19.90}}
steps:
  - expect: invite
  - after: 2 s
    click: Yes
    expect: []
""")  # fmt: skip
    answer = await run(bad, good)
    assert answer.code == 1
    assert answer.out.splitlines()[:-2] == [
        f"{bad}: FAILED: Who says yes is left alone",
        "  step 2 (after 2 s click “Yes”), 2 s after the start",
        "    expected: nothing",
        "    seen:     confirmed “Great, Ana! See you at 19.90.”",
        "    2 s: wait end: a button of invite was tapped",
    ]
    assert answer.out.splitlines()[-1] == "1 of 2 passed"


async def test_words_and_numbers_of_yaml_are_taken_as_they_are_written(tmp_path: Path):
    """What YAML 1.1 makes booleans, dates and octal numbers of stays what a person typed."""
    text = """
name: 2026-01-05
flow: demo.json
variables: {name: no, event: 0049}
steps:
  - {click: Yes, expect: {message: confirmed, contains: "no! See you at 0049."}}
  - {reply: 5, expect: []}
"""
    written(tmp_path, DEMO.read_text(encoding="utf-8"), "demo.json")
    answer = await run(written(tmp_path, text))
    assert answer.out.splitlines() == [f"{tmp_path}/test.yaml: passed: 2026-01-05", "1 of 1 passed"]


async def test_a_test_may_hold_its_flow(tmp_path: Path):
    document = {
        "name": "own flow",
        "flow": json.loads(DEMO.read_bytes()),
        "variables": {"name": "Zoë 🎉"},
        "steps": [{"expect": {"message": "invite", "contains": "Hi Zoë 🎉"}}],
    }
    as_json = written(tmp_path, json.dumps(document), "test.json")
    as_yaml = written(tmp_path, yaml.safe_dump(document))
    assert (await run(as_json, as_yaml)).out.splitlines()[-1] == "2 of 2 passed"


GROWING = "a0: &a0 []\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 20)
)
NESTED: dict[str, Any] = json.loads('{"a": ' * 150 + "1" + "}" * 150)
WHOLE: dict[str, Any] = {"name": "x", "flow": str(DEMO), "steps": [{"expect": "invite"}]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "a flow test is an object with `name`, `flow` and `steps`"),
        ("name: x\nname: y", "each name must be a text and stand once"),
        ("1: x", "flow: it is required"),
        ("true: x", "each name must be a text and stand once"),
        ("name: !!python/object:os.system x", "could not determine a constructor"),
        ("name: &a [*a]", "recursive"),
        ("name: [", "is not YAML"),
        (GROWING, "its aliases make more than 1,000,000 values of it"),
        (json.dumps(WHOLE | {"flow": NESTED}), "its flow cannot be read: more than 100 levels"),
        (
            f'{{"name": "x", "flow": {{"a": {"9" * 5000}}}, "steps": [{{"after": 1}}]}}',
            "4300 digits",
        ),
        (json.dumps(WHOLE | {"flow": "gone.json"}), "gone.json cannot be read: No such file"),
        (json.dumps(WHOLE), "`variables.name` is required by the flow."),
        (
            json.dumps(WHOLE | {"flow": {"format": 1, "start": "a", "nodes": {}}}),
            "its flow cannot be published:\n  error: nodes: this cannot be empty",
        ),
        (
            json.dumps(WHOLE | {"steps": [{"clik": "Yes", "after": "soon"}]}),
            "or PT2H\n  steps.0.clik: there is no such field",
        ),
    ],
)
async def test_what_cannot_run_says_why(tmp_path: Path, text: str, said: str):
    file = written(tmp_path, text)
    answer = await run(file)
    assert answer.code == 1
    assert answer.out.startswith(f"{file}: cannot run\n  ")
    assert said in answer.out
    assert answer.out.endswith("0 of 1 passed")


async def test_a_flow_is_checked(tmp_path: Path):
    flow = json.loads(DEMO.read_bytes())
    good = written(tmp_path, json.dumps(flow), "good.json")
    flow["nodes"]["wait"]["next"] = "gone"
    bad, none = written(tmp_path, json.dumps(flow)), written(tmp_path, "{", "none.json")
    assert (await sendout("", "flow", "check", str(good))).code == 0
    answer = await sendout("", "flow", "check", str(bad))
    assert (answer.code, answer.out.partition(": ")[0]) == (1, "error")
    assert "nodes.wait.next" in answer.out
    answer = await sendout("", "flow", "check", str(none))
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith(f"{none}: not JSON: ")
    deep = written(tmp_path, "[" * 100_000, "deep.json")
    answer = await sendout("", "flow", "check", str(deep))
    assert (answer.code, answer.err.partition(": maximum")[0]) == (1, f"{deep}: not JSON")
