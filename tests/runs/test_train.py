"""A training from picks to a run folder, as a user starts, stops and kills it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from napari_cryopick import CryopickError
from napari_cryopick.detection import PredictSettings
from napari_cryopick.detection.events import Predicted
from napari_cryopick.detection.predict import predict_many
from napari_cryopick.io import read_picks
from napari_cryopick.labels import LabelClass, Labels
from napari_cryopick.metrics.particles import score_particles
from napari_cryopick.model.registry import load_model
from napari_cryopick.picks import Picks
from napari_cryopick.runs import train
from napari_cryopick.training.events import (
    Finished,
    Iteration,
    LeftOut,
    Started,
    Step,
    TrainingEvent,
    Validation,
)
from napari_cryopick.training.settings import TrainSettings

from .conftest import SMALL

WEIGHTS = "iteration_0_supervised/model.safetensors"


@pytest.fixture(scope="module")
def finished(project, tmp_path_factory) -> list[TrainingEvent]:
    """The events of a training on six clicks."""
    run = tmp_path_factory.mktemp("runs") / "run"
    return list(train(project.micrographs, project.clicks(), TrainSettings(**SMALL, steps=7), run))


def strict(text: str) -> dict:
    """JSON as every other program reads it, without NaN."""

    def refuse(constant: str) -> float:
        raise ValueError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_events_come_in_order(finished):
    kinds = [type(event) for event in finished]
    assert kinds == [Started, *[Step] * 7, Validation, Iteration, Finished]
    assert [event.step for event in finished if isinstance(event, Step)] == list(range(1, 8))
    steps = finished[1:8]
    assert all(np.isfinite(step.losses["total"]) and step.seconds_left >= 0 for step in steps)


def test_the_start_says_what_is_used(finished):
    started = finished[0]
    assert "CPU" in started.device
    assert started.parameters > 1e5
    assert (started.labelled_micrographs, started.training_picks) == (1, 6)
    assert (started.held_out_picks, started.steps) == (0, 7)


def test_unusable_micrographs_without_labels_are_reported_and_trained_without(
    project, quick, tmp_path
):
    bad = tmp_path / "half.tif"
    bad.write_bytes(b"II*\0" + bytes(500))
    first, *_ = train([bad, *project.micrographs], project.clicks(), quick, tmp_path / "run")
    assert isinstance(first, LeftOut)
    (message,) = first.messages
    assert message.startswith(f"{bad} cannot be read")


def test_without_held_out_labels_there_is_no_f1(finished):
    """Nor is anything expected from the scores, which clicks leave in doubt."""
    validation, iteration = finished[-3:-1]
    assert np.isnan([validation.f1, validation.average_precision, iteration.f1]).all()
    assert np.isnan([validation.expected_precision, validation.expected_recall]).all()
    assert load_model(finished[-1].run).card.metrics["f1"] is None
    metrics = strict((iteration.path.parent / "metrics.json").read_text())
    assert metrics["f1"] is None
    assert metrics["expected"] == {"precision": None, "recall": None}


def test_complete_labels_are_held_out_and_measure(project, quick, tmp_path):
    settings = quick.model_copy(update={"complete": True})
    events = list(train(project.micrographs, project.annotated(2), settings, tmp_path / "run"))
    assert events[0].held_out_picks > 0
    assert 0 <= events[-2].f1 <= 1
    metrics = strict((tmp_path / "run/iteration_0_supervised/metrics.json").read_text())
    assert metrics["held_out_picks"] == events[0].held_out_picks
    assert 0 <= metrics["pixels"]["f1"] <= 1


def test_the_run_folder_holds_what_was_reported(finished, project):
    last = finished[-1]
    assert last.model == last.run / WEIGHTS
    names = {str(path.relative_to(last.run)) for path in last.run.rglob("*") if path.is_file()}
    iteration = {f"iteration_0_supervised/{name}" for name in ("metrics.json", "picks.star")}
    assert names >= {"settings.yaml", "events.jsonl", WEIGHTS} | iteration
    assert (last.run / "best").resolve() == last.model.parent.resolve()
    lines = [strict(line) for line in (last.run / "events.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == [type(event).__name__ for event in finished]
    settings = TrainSettings(**yaml.safe_load((last.run / "settings.yaml").read_text()))
    assert settings == TrainSettings(**SMALL, steps=7)
    picks = read_picks(last.model.parent / "picks.star")
    assert picks.pixel_size_angstrom == 4
    assert picks.diameter_angstrom == 160
    assert set(picks.by_micrograph) <= set(map(str, project.micrographs))


def test_the_card_says_how_the_model_came_about(finished):
    card = load_model(finished[-1].run).card
    assert card.settings["diameter_angstrom"] == 160
    assert card.settings["steps"] == 7
    assert card.threshold == finished[-1].metrics["threshold"]


def test_best_works_where_links_do_not(finished, tmp_path):
    """As on Windows, where it is a file that holds a name."""
    run = tmp_path / "run"
    (run / "iteration_0_supervised").mkdir(parents=True)
    (run / WEIGHTS).write_bytes((finished[-1].run / WEIGHTS).read_bytes())
    (run / "best").write_text("iteration_0_supervised\n")
    assert load_model(run).card == load_model(finished[-1].run).card


@pytest.mark.usefixtures("one_thread")
def test_a_seed_repeats_a_run_exactly(project, quick, tmp_path):
    def weights(name: str, seed: int) -> dict[str, torch.Tensor]:
        settings = quick.model_copy(update={"seed": seed})
        torch.randn(len(name))  # what else the program has drawn does not matter
        *_, last = train(project.micrographs, project.clicks(), settings, tmp_path / name)
        return load_file(last.model)

    first, again, other = weights("first", 3), weights("again!", 3), weights("other", 4)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_training_leaves_the_programs_random_numbers_alone(project, quick, tmp_path):
    torch.manual_seed(0)
    expected = torch.randn(3)
    torch.manual_seed(0)
    list(train(project.micrographs, project.clicks(), quick, tmp_path / "run"))
    assert torch.equal(torch.randn(3), expected)


@pytest.mark.parametrize("complete", [False, True])
def test_stop_keeps_what_was_learned(complete, project, quick, tmp_path):
    stop = Event()
    settings = quick.model_copy(update={"steps": 1000, "complete": complete})
    run, picks = tmp_path / "run", project.annotated(1)
    events = []
    for event in train(project.micrographs, picks, settings, run, stop=stop):
        events.append(event)
        if isinstance(event, Step) and event.step == 3:
            stop.set()
    assert events[-1].stopped
    assert sum(isinstance(event, Step) for event in events) <= 4
    assert load_model(run)
    assert strict((run / "iteration_0_supervised/metrics.json").read_text())["stopped"]


@pytest.mark.parametrize(
    "changed",
    [
        {"complete": True},
        {"loss": "bce"},
        {"augmentation": 0.0},
        {"relabel_unlabelled": False},
        {"initial_model": "scratch"},
        {"steps": 1},
    ],
)
def test_every_setting_trains(changed, project, quick, tmp_path):
    settings = quick.model_copy(update=changed)
    *_, last = train(project.micrographs, project.particles, settings, tmp_path / "run")
    assert isinstance(last, Finished)
    assert all(torch.isfinite(t).all() for t in load_file(last.model).values())


def test_painted_labels_help_picks_but_do_not_replace_them(project, quick, tmp_path):
    classes = np.zeros((160, 192), np.uint8)
    classes[20:40, 20:40] = LabelClass.PARTICLE
    classes[60:80, 60:80] = LabelClass.CONTAMINATION
    labels = {project.micrographs[1]: Labels(classes, scale=0.5)}
    *_, last = train(project.micrographs, project.clicks(), quick, tmp_path / "a", labels)
    assert isinstance(last, Finished)
    with pytest.raises(CryopickError, match="pick at least one particle"):
        list(train(project.micrographs, {}, quick, tmp_path / "b", labels))


def refused(project, settings: TrainSettings, run: Path, picks=None) -> str:
    """Return what a training says that cannot begin."""
    with pytest.raises(CryopickError) as caught:
        next(iter(train(project.micrographs, picks or project.clicks(), settings, run)))
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


def test_a_mistake_leaves_no_run_behind(project, quick, tmp_path):
    run = tmp_path / "run"
    outside = {project.micrographs[0]: Picks.at([(5000, 5000)])}
    assert "lie outside" in refused(project, quick, run, outside)
    nothing = {project.micrographs[0]: Picks.at([])}
    assert "no picks" in refused(project, quick, run, nothing)
    assert "abacus" in refused(project, quick.model_copy(update={"device": "abacus"}), run)
    structure = quick.model_copy(update={"structure": tmp_path / "particle.pdb"})
    assert "picks or on a structure, not both" in refused(project, structure, run)
    assert not run.exists()


def test_a_run_is_never_laid_over_another(finished, project, quick):
    run = finished[-1].run
    before = (run / WEIGHTS).read_bytes()
    assert f"{run} already holds a run" in refused(project, quick, run)
    assert (run / WEIGHTS).read_bytes() == before


def test_folders_that_a_run_did_not_make_are_left_alone(project, quick, tmp_path):
    mine = tmp_path / "run/iteration_9_mine"
    mine.mkdir(parents=True)
    list(train(project.micrographs, project.clicks(), quick, tmp_path / "run"))
    assert mine.is_dir()


def test_an_output_that_is_a_file_is_reported(project, quick, tmp_path):
    (tmp_path / "run").write_text("a file")
    assert "run is not a folder" in refused(project, quick, tmp_path / "run")
    assert (tmp_path / "run").read_text() == "a file"


def test_a_short_training_finds_particles_it_has_never_seen(project, tmp_path):
    """From scratch; on a micrograph that took no part, far better than as many random picks."""
    *known, unseen = project.micrographs
    settings = TrainSettings(
        diameter_angstrom=160,
        complete=True,
        initial_model="scratch",
        steps=100,
        batch_size=4,
        patch_px=64,
        device="cpu",
    )
    picks = {path: project.particles[path] for path in known}
    *_, last = train(known, picks, settings, tmp_path / "run")
    (event,) = predict_many(
        [unseen], PredictSettings(diameter_angstrom=160, model=str(last.run), device="cpu")
    )
    assert isinstance(event, Predicted)

    def f1(found: Picks) -> float:
        truth = {unseen: project.particles[unseen]}
        return score_particles({unseen: found}, truth, diameter_px=40).micro.f1

    rng = np.random.default_rng(0)
    chance = np.mean([f1(Picks.at(rng.uniform(0, 320, (len(event.picks), 2)))) for _ in range(20)])
    assert f1(event.picks) > 0.5
    assert f1(event.picks) > 3 * chance


TRAIN_FOR_EVER = """
import sys
from pathlib import Path
from napari_cryopick.picks import Picks
from napari_cryopick.runs import train
from napari_cryopick.training.settings import TrainSettings

micrograph, runs = Path(sys.argv[1]), Path(sys.argv[2])
picks = {micrograph: Picks.at([[50, 60]])}
settings = TrainSettings(diameter_angstrom=160, steps=3, batch_size=1, patch_px=32, device="cpu")
for number in range(10_000):
    for event in train([micrograph], picks, settings, runs / str(number)):
        print(number, type(event).__name__, flush=True)
"""


@pytest.fixture
def training_for_ever(project, tmp_path) -> Iterator[subprocess.Popen[str]]:
    """A process that begins one run after the other in `runs`."""
    command = [sys.executable, "-c", TRAIN_FOR_EVER, project.micrographs[0], tmp_path / "runs"]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_a_killed_training_leaves_a_whole_model_or_none(training_for_ever, tmp_path):
    process = training_for_ever
    assert process.stdout is not None
    for line in process.stdout:
        if line == "0 Iteration\n":
            break
    time.sleep(0.4)
    process.kill()
    process.wait()
    runs = list((tmp_path / "runs").iterdir())
    assert runs
    for run in runs:
        log = (run / "events.jsonl").read_text() if (run / "events.jsonl").exists() else ""
        if "Iteration" in log or (run / "best").is_symlink():
            assert load_model(run).card.architecture == "compact"


def test_the_folder_of_a_run_that_came_to_nothing_can_be_used_again(project, quick, tmp_path):
    events = train(project.micrographs, project.clicks(), quick, tmp_path / "run")
    next(events)
    events.close()
    *_, last = train(project.micrographs, project.clicks(), quick, tmp_path / "run")
    assert load_model(last.run)
