"""A whole ablation, with trainings of a few steps."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from threading import Event

import pytest

from napari_cryopick import CryopickError
from napari_cryopick.training.ablation.events import Scored, Tabulated, Training
from napari_cryopick.training.ablation.plan import SELF_TRAINING, plan
from napari_cryopick.training.ablation.run import ablate
from napari_cryopick.training.ablation.settings import AblationSettings


@pytest.fixture(scope="module")
def settings(small_steps) -> AblationSettings:
    return AblationSettings(
        **small_steps, steps=2, round_steps=2, rounds=1, seeds=1, test_share=0.5
    )


@pytest.fixture(scope="module")
def done(project, settings, tmp_path_factory) -> tuple[Path, list]:
    folder = tmp_path_factory.mktemp("ablation")
    return folder, list(ablate(project.micrographs, project.annotated(3), settings, folder))


def test_every_row_is_trained_and_scored(done) -> None:
    folder, events = done
    scored = [event for event in events if isinstance(event, Scored)]
    assert [event.row for event in scored] == plan(1)
    assert all(event.pixel_f1 is not None and not event.reused for event in scored)
    steps = [event for event in events if isinstance(event, Training)]
    assert {event.jobs for event in steps} == {4}
    assert [event.job for event in steps] == sorted(event.job for event in steps)
    assert isinstance(events[-1], Tabulated)
    assert not events[-1].stopped
    assert (folder / "ablation.md").read_text().count("\n| ") == 2 + 5 + 1


def test_the_figures_of_every_row_lie_on_disk(done) -> None:
    folder, _ = done
    figures = json.loads((folder / "results/seed_0/thresholds.json").read_text())["scores"]
    assert 0 <= figures["pixel_roc_auc"] <= 1
    loss = json.loads((folder / "results/seed_0/loss.json").read_text())["scores"]
    assert loss["pixel_roc_auc"] == figures["pixel_roc_auc"]
    assert loss["pixel_threshold"] == 0.5 != figures["pixel_threshold"]
    assert not list((folder / "runs").rglob("*.part"))


def test_the_same_ablation_goes_on_where_it_was(project, settings, done) -> None:
    folder, before = done
    events = list(ablate(project.micrographs, project.annotated(3), settings, folder))
    assert not any(isinstance(event, Training) for event in events)
    assert all(event.reused for event in events if isinstance(event, Scored))
    assert events[-1] == before[-1]
    (folder / "results/seed_0/loss.json").unlink()
    events = list(ablate(project.micrographs, project.annotated(3), settings, folder))
    assert not any(isinstance(event, Training) for event in events)
    assert sum(event.reused for event in events if isinstance(event, Scored)) == 3
    assert events[-1] == before[-1]


def test_another_ablation_is_not_laid_over_it(project, settings, done) -> None:
    folder, _ = done
    other = settings.model_copy(update={"test_share": 0.4})
    with pytest.raises(CryopickError, match="holds an ablation with another test share; go on"):
        next(ablate(project.micrographs, project.annotated(3), other, folder))
    with pytest.raises(CryopickError, match="with another data"):
        next(ablate(project.micrographs, project.particles, settings, folder))


def test_a_stop_leaves_a_table_of_what_is_known(project, settings, tmp_path) -> None:
    stop, events = Event(), []
    for event in ablate(project.micrographs, project.particles, settings, tmp_path, stop):
        events.append(event)
        if isinstance(event, Scored):
            stop.set()
    assert events[-1].stopped
    assert events[-1].lines[0].seeds == 1
    assert events[-1].lines[1].seeds == 0
    events = list(ablate(project.micrographs, project.particles, settings, tmp_path))
    assert [e.reused for e in events if isinstance(e, Scored)] == [True] + [False] * 4
    assert [line.seeds for line in events[-1].lines] == [1] * 5 + [0]


def test_an_unknown_recipe_is_told_before_any_work(project, settings, tmp_path) -> None:
    wrong = settings.model_copy(update={"recipe": "cake"})
    with pytest.raises(CryopickError, match="no recipe"):
        next(ablate(project.micrographs, project.particles, wrong, tmp_path))
    assert not list(tmp_path.iterdir())


def test_self_training_goes_on_within_a_run(project, settings, tmp_path) -> None:
    stop = Event()
    for event in ablate(project.micrographs, project.particles, settings, tmp_path, stop):
        if isinstance(event, Training) and event.training == SELF_TRAINING and event.step == 7:
            stop.set()
    assert (tmp_path / "runs/seed_0/self-training.part/iteration_0_supervised").is_dir()
    events = list(ablate(project.micrographs, project.particles, settings, tmp_path))
    steps = [event.step for event in events if isinstance(event, Training)]
    assert steps[0] > 6
    assert [line.seeds for line in events[-1].lines] == [1] * 5 + [0]


def test_a_model_that_never_came_to_be_leaves_its_row_empty(
    project, settings, done, tmp_path
) -> None:
    folder = shutil.copytree(done[0], tmp_path / "copy", symlinks=True)
    (folder / "results/seed_0/iteration-1.json").unlink()
    shutil.rmtree(folder / "runs/seed_0/self-training/iteration_1_selftrain")
    *_, scored, end = ablate(project.micrographs, project.annotated(3), settings, folder)
    assert scored.pixel_f1 is None
    assert end.lines[-2].figures == {}
