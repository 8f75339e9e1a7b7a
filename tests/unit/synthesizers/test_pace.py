"""What a training says of itself, where it was interrupted before."""

import math
import weakref
from dataclasses import replace

import numpy as np
import pytest
from torch import nn

from synthgen_ray.domain.entities import Progress
from synthgen_ray.domain.errors import JobError
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.training.checkpoint import Checkpoint
from synthgen_ray.synthesizers.training.pace import Pace
from synthgen_ray.synthesizers.training.training_state import TrainingState
from tests.unit.synthesizers.conftest import given_model


class Earlier:
    """What earlier attempts left: their time, and perhaps a checkpoint. Keeps what comes new."""

    def __init__(self, seconds_used: float = 0.0, latest: Checkpoint | None = None) -> None:
        self.seconds_used, self._latest = seconds_used, latest
        self.kept: list[Checkpoint] = []

    def latest(self) -> Checkpoint | None:
        return self._latest

    def is_due(self) -> bool:
        return True

    def save(self, checkpoint: Checkpoint) -> None:
        self.kept.append(checkpoint)


@pytest.fixture
def now(monkeypatch) -> list[float]:
    """A time that goes on when the test says so."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_the_time_of_work_that_is_gone_on_with_counts_and_that_of_work_that_was_lost_is_told_alone(now):
    state = TrainingState(network=nn.Linear(2, 1))
    state.watch(np.empty(0))
    kept = Checkpoint(1, 3, state.tensors(), seconds=50)
    paces = [Pace(None, 60, Earlier(70, latest)) for latest in (None, kept)]

    for pace in paces:
        next(pace.steps(3, 1, state))
    before = [pace.is_over for pace in paces]
    now[0] += 20

    assert (before, [pace.is_over for pace in paces]) == ([False, False], [False, True])
    assert [pace.seconds for pace in paces] == [90, 90]


@pytest.mark.parametrize(("fits", "lost"), [(True, 20), (False, 70)])
def test_work_in_vain_is_told_apart_from_the_beginning_and_a_checkpoint_that_does_not_fit_is_such(fits, lost):
    state = TrainingState(network=nn.Linear(2, 1))
    state.watch(np.empty(0))
    told: list[Progress] = []
    pace = Pace(told.append, None, Earlier(70, Checkpoint(1, 3 if fits else 4, state.tensors(), seconds=50)))

    pace.say(0.0, "learning the columns")
    next(pace.steps(3, 1, state))
    pace.say(0.5, "epoch 2 of 3")

    assert [progress.seconds_lost for progress in (told[0], told[-1])] == [20, lost]


def test_a_training_whose_time_was_used_up_before_ends_at_its_next_step():
    first = Earlier()
    given_model(ModelType.TVAE, epochs=2, refine=False, checkpoints=first)
    later = Earlier(latest=replace(first.kept[0], seconds=3600))

    given_model(ModelType.TVAE, epochs=2, max_training_seconds=3600, refine=False, checkpoints=later)

    assert not later.kept


def test_a_checkpoint_tells_the_time_of_all_that_led_to_it(now):
    state = TrainingState(network=nn.Linear(2, 1))
    state.watch(np.empty(0))
    later = Earlier(70, Checkpoint(1, 3, state.tensors(), seconds=50))
    pace = Pace(None, None, later)

    for _ in pace.steps(3, 1, state):
        now[0] += 5

    assert [checkpoint.seconds for checkpoint in later.kept] == [55, 60]


def test_progress_never_falls_behind_the_checkpoint():
    said: list[Progress] = []
    pace = Pace(said.append, None, Earlier(latest=Checkpoint(4, 10, {})))

    pace.say(0.0, "learning the columns")

    assert said[0].fraction == 0.4


def test_all_is_done_once_the_second_part_is(now):
    said: list[Progress] = []
    pace = Pace(said.append, None, Earlier(latest=Checkpoint(2, 10, {})), first_part=0.5)

    with pace.part(0.7):
        for fraction in (0.0, 0.4, 1.0):
            pace.say(fraction, "training")
    now[0] += 2
    pace.breathe()
    for fraction in (0.0, 0.5, 1.0):
        pace.say(fraction, "refining")

    assert [progress.fraction for progress in said] == [0.1, 0.2, 0.5, 0.5, 0.5, 0.75, 1.0]


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 41},
        {"tensors": {}},
        {"tensors": {"more": np.zeros(3)}},
    ],
)
def test_what_does_not_fit_is_left_aside(change):
    first = Earlier()
    whole = given_model(ModelType.TVAE, epochs=8, refine=False, checkpoints=first)._tensors()
    latest = first.kept[5]
    tensors = (
        {**latest.tensors, **change["tensors"]} if change.get("tensors") else change.get("tensors", latest.tensors)
    )
    said: list[Progress] = []

    again = given_model(
        ModelType.TVAE,
        epochs=8,
        refine=False,
        checkpoints=Earlier(latest=Checkpoint(latest.step, change.get("steps", latest.steps), tensors)),
        on_progress=said.append,
    )

    assert "epoch 1 of 8" in [progress.message for progress in said]
    assert all((again._tensors()[name] == whole[name]).all() for name in whole)


def test_a_checkpoint_is_let_go_once_a_training_goes_on_from_it():
    class Once(Earlier):
        def latest(self) -> Checkpoint | None:
            latest, self._latest = self._latest, None
            return latest

    state = TrainingState(network=nn.Linear(2, 1))
    state.watch(np.empty(0))
    checkpoint = Checkpoint(1, 3, state.tensors())
    pace, kept = Pace(None, None, Once(latest=checkpoint)), weakref.ref(checkpoint)
    del checkpoint

    steps = pace.steps(3, 1, state)

    assert next(steps) == (1, 0)
    assert kept() is None


def test_it_breathes_at_most_every_second(now):
    said: list[Progress] = []
    pace = Pace(said.append, None)
    pace.say(0.5, "calibrating")

    pace.breathe()
    now[0] += 2
    pace.breathe()
    pace.breathe()

    assert [progress.message for progress in said] == ["calibrating"] * 2


def test_each_epoch_is_told_once_and_not_before_it_is_over(now):
    said: list[Progress] = []
    pace = Pace(said.append, None)

    for step in range(4):
        now[0] += 2
        pace.after_step(0, step, epochs=1, steps=4, losses={})
    now[0] += 2
    pace.breathe()

    assert [progress.epochs for progress in said] == [0, 0, 0, 1, 0]


def test_losses_that_are_infinite_are_not_shown():
    told = []
    pace = Pace(told.append, max_seconds=None)

    pace.after_step(0, 0, epochs=1, steps=1, losses={"generator": -math.inf, "discriminator": 0.5, "kl": math.inf})

    assert [progress.losses for progress in told] == [{"discriminator": 0.5}]


@pytest.mark.parametrize(("step", "max_seconds", "settles"), [(1, 0.5, False), (2, None, True)])
def test_where_a_training_is_over_before_its_end_its_last_losses_are_told_as_those(now, step, max_seconds, settles):
    told: list[Progress] = []
    pace = Pace(told.append, max_seconds)
    now[0] += 0.5

    with pace.watched(lambda _: settles, np.empty(0)):
        pace.after_step(4, step, epochs=9, steps=3, losses={"kl": 1.5})

    assert [(progress.fraction, progress.message[:7], progress.losses) for progress in told] == [
        (1.0, "epoch 5", {"kl": 1.5})
    ]


@pytest.mark.parametrize("steps_done", [7, 10])
def test_a_training_whose_weights_are_no_numbers_any_more_fails_at_its_next_look_or_in_the_end(steps_done):
    training = {"epochs": 2, "refine": False, "calibrate": False}
    first = Earlier()
    given_model(ModelType.TVAE, checkpoints=first, **training)
    latest = first.kept[steps_done - 1]
    lost = {name: np.full_like(tensor, np.nan) for name, tensor in latest.tensors.items()}

    with pytest.raises(JobError) as failed:
        given_model(ModelType.TVAE, checkpoints=Earlier(latest=replace(latest, tensors=lost)), **training)

    assert failed.value.code == "training_diverged"


def test_what_ended_in_the_middle_leaves_the_pace_as_it_was(now):
    pace = Pace(None, 60)
    now[0] += 50

    with pytest.raises(KeyboardInterrupt), pace.part(0.5), pace.watched(lambda _: True, np.empty(0)):
        pace.after_step(0, 0, 1, 1, {})
        assert pace.is_over
        raise KeyboardInterrupt

    assert not pace.is_over
    assert pace.is_limited
