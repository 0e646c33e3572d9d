"""A training that is cut off goes on as if nothing had happened, bit for bit."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from napari_cryopick.training import fitting
from napari_cryopick.training.events import Step
from napari_cryopick.training.examples import load_examples
from napari_cryopick.training.fitting import Course, fit
from napari_cryopick.training.sampling import Field
from napari_cryopick.training.settings import TrainSettings
from napari_cryopick.training.trainer import Trainer

STEPS = 8


@pytest.fixture(scope="module")
def fields(project) -> list[Field]:
    settings = TrainSettings(diameter_angstrom=160, device="cpu")
    examples = load_examples(project.micrographs[:2], project.clicks(), {}, settings)
    return [example.field(complete=False) for example in examples]


@pytest.fixture(params=["one-cycle", "cosine"])
def settings(request, quick) -> TrainSettings:
    return quick.model_copy(update={"schedule": request.param, "steps": STEPS})


def new(fields: list[Field], settings: TrainSettings) -> Trainer:
    return Trainer(fields, settings, settings.steps, torch.device("cpu"))


def weights(trainer: Trainer) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in trainer.averaged.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("cut", [1, 3, STEPS - 1])
def test_the_steps_after_a_saved_state_are_the_same_to_the_last_bit(
    cut, fields, settings, tmp_path
):
    whole, first, second = (new(fields, settings) for _ in range(3))
    expected = [whole.step() for _ in range(STEPS)]
    losses = [first.step() for _ in range(cut)]
    save_file(first.state(), tmp_path / "state.safetensors")
    second.restore(load_file(tmp_path / "state.safetensors"))
    assert second.taken == cut
    losses += [second.step() for _ in range(STEPS - cut)]
    assert losses == expected
    assert same(weights(second), weights(whole))
    assert same(second.state(), whole.state())


def test_saving_a_state_changes_nothing(fields, settings):
    watched, alone = new(fields, settings), new(fields, settings)
    for _ in range(3):
        watched.step()
        watched.state()
        alone.step()
    assert same(watched.state(), alone.state())


def steps_of(
    fields: list[Field],
    settings: TrainSettings,
    saved: Path | None = None,
    until: int | None = None,
) -> tuple[list[Step], Trainer]:
    """The events of a training, dropped as soon as one step is told, and its trainer."""
    trainer = new(fields, settings)
    told = []
    for step in fit(trainer, Course(STEPS), Event(), saved):
        told.append(step)
        if step.step == until:
            break
    return told, trainer


@pytest.mark.parametrize(("cut", "again_from"), [(1, 1), (4, 3), (7, 7)])
def test_a_training_cut_off_repeats_only_what_was_not_saved(
    cut, again_from, fields, settings, tmp_path, monkeypatch
):
    monkeypatch.setattr(fitting, "SAVE_EVERY", 2)
    saved = tmp_path / ".part"
    _, whole = steps_of(fields, settings)
    steps_of(fields, settings, saved, until=cut)
    told, trainer = steps_of(fields, settings, saved)
    assert [step.step for step in told] == list(range(again_from, STEPS + 1))
    assert same(weights(trainer), weights(whole))


def test_a_training_that_was_done_takes_no_step_more(fields, settings, tmp_path):
    saved = tmp_path / ".part"
    _, whole = steps_of(fields, settings, saved)
    told, trainer = steps_of(fields, settings, saved)
    assert told == []
    assert same(weights(trainer), weights(whole))


def test_a_stop_is_saved_at_once(fields, settings, tmp_path):
    saved, stop = tmp_path / ".part", Event()
    for step in fit(new(fields, settings), Course(STEPS), stop, saved):
        if step.step == 3:
            stop.set()
    told, trainer = steps_of(fields, settings, saved)
    assert [step.step for step in told] == list(range(4, STEPS + 1))
    assert same(weights(trainer), weights(steps_of(fields, settings)[1]))


def test_a_stop_before_the_first_step_still_leaves_a_network(fields, settings, tmp_path):
    stop = Event()
    stop.set()
    trainer = new(fields, settings)
    assert len(list(fit(trainer, Course(STEPS), stop, tmp_path / ".part"))) == 1
    assert all(tensor.isfinite().all() for tensor in weights(trainer).values())


def test_a_course_counts_over_all_trainings():
    course = Course(10)
    course.skip(4)
    told = [course.advance(loss) for loss in (3.0, 1.0)]
    assert [(step.step, step.steps) for step in told] == [(5, 10), (6, 10)]
    assert all(step.seconds_left >= 0 for step in told)
    assert told[0].losses["total"] == pytest.approx(3.0)
    assert 1 < told[1].losses["total"] < 3
    course.new_loss()
    assert course.advance(7.0).losses["total"] == pytest.approx(7.0)


def test_the_time_left_is_told_by_steps_really_taken():
    course = Course(1000)
    course.skip(990)
    left = course.advance(0.0).seconds_left
    assert np.isfinite(left)
    assert left < 5
