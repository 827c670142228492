"""Properties of the engine: random flows in a world where anything happens at any moment.

What is held true after every step is in `tests.domain.world`.
"""

import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import run
from domain.engine import advance
from domain.run import Limits, MessageRef, Phase, RunState, SendOutcome, Setting
from domain.shape import read_flow
from tests.domain.random_flows import VALUES, VARIABLE, flows
from tests.domain.world import START, World

EXAMPLES = {
    file.stem: read_flow(json.loads(file.read_text(encoding="utf-8")))
    for file in sorted((Path(__file__).parents[2] / "examples" / "flows").glob("*.json"))
}
SEEDS = 40
"""Worlds per example flow: as many as it takes to see everything that can happen to a run."""


@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(st.data(), flows(), st.sampled_from(VALUES), st.integers(1, 6))
def test_whatever_happens_a_run_keeps_its_promises_and_comes_to_rest(data, flow, value, max_sends):
    setting = Setting(flow, "entry", {VARIABLE: value}, Limits(max_sends=max_sends))
    world = World(setting, lambda options: data.draw(st.sampled_from(options)))
    world.step(run.Started())
    world.go_on(40)
    world.come_to_rest()


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    """Worlds around the example flows, each come to rest."""
    made = []
    for flow in EXAMPLES.values():
        for seed in range(SEEDS):
            chance = random.Random(seed)
            limits = Limits(max_sends=chance.choice([2, 100]))
            world = World(Setting(flow, str(seed), {}, limits), chance.choice)
            world.step(run.Started())
            world.go_on(60)
            world.come_to_rest()
            made.append(world)
    return made


def test_the_worlds_see_everything_that_can_happen(worlds):
    """Otherwise the promises would hold for want of trying."""
    stimuli = [stimulus for world in worlds for stimulus, _ in world.happened]
    effects = [effect for world in worlds for _, done in world.happened for effect in done]
    assert {type(s) for s in stimuli} == set(run.Stimulus.__args__)
    assert {type(e) for e in effects} == set(run.Effect.__args__)
    assert {s.outcome for s in stimuli if isinstance(s, run.SendFinished)} == set(SendOutcome)
    assert {s.verdict for s in stimuli if isinstance(s, run.DelayChecked)} == {
        "go_on",
        "end",
        "wait",
    }
    assert {phase for world in worlds for phase in world.phases} == set(Phase)
    assert any(world.reopened for world in worlds)
    assert any(effect.too_many_sends for effect in effects if isinstance(effect, run.Finish))


# --- chosen by hand ----------------------------------------------------------------------------


def test_a_loop_by_button_ends_at_the_hundredth_send():
    template = {"type": "template", "name": "again", "language": "en", "category": "utility"}
    button = {"id": "again", "label": "Again", "next": "again"}
    node = {"type": "message", "message": template, "buttons": [button]}
    flow = read_flow({"format": 1, "start": "again", "nodes": {"again": node}})
    setting = Setting(flow, "entry", {})
    state, effects = advance(setting, RunState(), run.Started(), START)
    sent = 0
    while sends := [effect for effect in effects if isinstance(effect, run.Send)]:
        sent += 1
        accepted = run.SendFinished(sends[0].path, SendOutcome.ACCEPTED, recorded_end=True)
        state, _ = advance(setting, state, accepted, START)
        tap = run.Clicked(sends[0].message, "again", f"wamid.{sent}")
        state, effects = advance(setting, state, tap, START)
    assert sent == 100
    assert effects == [run.Finish(too_many_sends=True)]
    state, effects = advance(setting, state, run.Finished(), START)
    assert effects == [run.StopTimer(100), run.Close()]


def test_what_comes_too_late_or_again_changes_nothing():
    """A closed run hears every kind of news and stays as it is."""
    world = World(Setting(EXAMPLES["feedback"], "entry", {}), lambda options: options[0])
    world.step(run.Started())
    world.come_to_rest()
    before = world.state
    message, ask = MessageRef("rate", 1), MessageRef("what", 1)
    for news in (
        run.SendFinished(1, SendOutcome.REFUSED),
        run.TimerFired(1),
        run.DelayChecked(1, "go_on"),
        run.Clicked(MessageRef("rate", 2), "good", "wamid.x"),
        run.Clicked(message, "nothing of the kind", "wamid.x"),
        run.Clicked(MessageRef("what", 1), "good", "wamid.x"),
        run.Replied(),
        run.Delivered(message),
        run.Failed(message),
        run.Settled(message, accepted=False),
        run.Released(),
        run.AskAnswered(ask, "words", "wamid.x"),
        run.AskClosed(ask, "words", "wamid.x"),
        run.Finished(),
    ):
        assert advance(world.setting, before, news, world.now) == (before, [run.Close()])
