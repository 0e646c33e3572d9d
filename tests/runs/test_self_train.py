"""A self-training run: its rounds, what they leave on disk, and how a run is resumed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from threading import Event

import pytest
import torch
from safetensors.torch import load_file

from napari_cryopick import CryopickError, runs
from napari_cryopick.model.registry import load_model
from napari_cryopick.training.events import (
    Iteration,
    PseudoLabelled,
    Step,
    TrainingEvent,
)
from napari_cryopick.training.settings import SelfTrainSettings

from .conftest import SMALL

NAMES = ["iteration_0_supervised", "iteration_1_selftrain", "iteration_2_selftrain"]
FILES = {"model.safetensors", "metrics.json", "picks.star"}


def of(kind: type, events: Iterable[TrainingEvent]) -> list:
    return [event for event in events if type(event) is kind]


def names(events: Iterable[TrainingEvent]) -> str:
    return " ".join(type(event).__name__ for event in events)


@pytest.fixture(scope="module")
def self_trained(project, tmp_path_factory) -> list[TrainingEvent]:
    """The events of a run of two rounds, both kept."""
    run = tmp_path_factory.mktemp("runs") / "run"
    settings = SelfTrainSettings(
        **SMALL, steps=4, round_steps=3, rounds=2, keep_every_round=True, ensemble=True
    )
    return list(runs.train(project.micrographs, project.clicks(), settings, run))


def test_events_come_in_order(self_trained):
    iteration = "(Step )+Validation Iteration"
    pattern = f"Started {iteration}( PseudoLabelled {iteration}){{2}} Validation Iteration Finished"
    assert re.fullmatch(pattern, names(self_trained))
    *rounds, ensemble = of(Iteration, self_trained)
    assert [event.name for event in rounds] == NAMES
    assert ensemble.name == "iteration_3_ensemble"
    steps = of(Step, self_trained)
    assert [step.step for step in steps] == list(range(1, 4 + 3 + 3 + 1))
    assert {step.steps for step in steps} == {10}


def test_each_round_says_what_it_was_trained_on_and_why_it_was_kept(self_trained):
    for event in of(PseudoLabelled, self_trained):
        assert 0 <= event.background_threshold <= event.particle_threshold <= 1
        assert event.micrographs <= 4
        assert "particles per micrograph" in event.reason
    assert all(one.accepted and one.reason.endswith(".") for one in of(Iteration, self_trained))


def test_the_run_folder_holds_each_iteration_and_a_report(self_trained):
    run = self_trained[-1].run
    assert {path.name for path in run.iterdir()} == {
        *(*NAMES, "iteration_3_ensemble"),
        *("settings.yaml", "labels.sha256", "events.jsonl", "report.html", "best"),
    }
    for name in NAMES:
        assert {path.name for path in (run / name).iterdir()} == FILES
    for number, name in enumerate(NAMES):
        metrics = json.loads((run / name / "metrics.json").read_text())
        assert (metrics["number"], metrics["name"]) == (number, name)
        assert (metrics["pseudo_labels"] is None) == (number == 0)


def test_the_ensemble_is_the_mean_of_all_that_were_kept(self_trained):
    ensemble = load_model(self_trained[-1].run / "iteration_3_ensemble")
    assert ensemble.card.members == 3
    image = torch.randn(1, 1, 64, 64)
    members = [load_model(self_trained[-1].run / name).network for name in NAMES]
    with torch.inference_mode():
        mean = torch.stack([member(image).sigmoid() for member in members]).mean(0)
        assert torch.allclose(ensemble.network(image).sigmoid(), mean, atol=1e-5)


def test_without_held_out_labels_no_round_replaces_the_initial_model(begin, tmp_path):
    events = list(begin(tmp_path / "run", keep_every_round=False))
    first, second = of(Iteration, events)
    assert (first.accepted, second.accepted) == (True, False)
    assert "Compare its picks" in second.reason
    assert (tmp_path / "run/best").resolve().name == NAMES[0]
    assert load_model(second.path)
    assert "completely picked" in events[-1].advice


def test_held_out_labels_decide(begin, project, tmp_path):
    """A round is kept exactly if its F1 is higher by more than one particle."""
    picks = project.annotated(2)
    run = begin(tmp_path / "run", picks, keep_every_round=False, complete=True, rounds=1)
    events = list(run)
    first, second = of(Iteration, events)
    held_out = events[0].held_out_picks
    assert held_out > 0
    assert second.accepted == (second.f1 > first.f1 + 1 / held_out)
    assert f"{first.f1:.3f} to {second.f1:.3f}" in second.reason
    assert (tmp_path / "run/best").resolve() == (second if second.accepted else first).path.parent


def test_without_any_label_the_initial_model_is_used_as_it_is(begin, tmp_path):
    events = list(begin(tmp_path / "run", {}, rounds=1))
    first, second = of(Iteration, events)
    assert "no labels" in first.reason
    general, initial = load_model("general"), load_model(first.path)
    weights = (model.network.state_dict() for model in (general, initial))
    assert all(torch.equal(a, b) for a, b in zip(*(w.values() for w in weights), strict=True))
    assert initial.card.calibration == general.card.calibration
    assert of(PseudoLabelled, events)[0].particles > 0
    assert second.count > 0


def test_where_everything_is_labelled_there_is_nothing_to_self_train_on(begin, project, tmp_path):
    events = list(begin(tmp_path / "run", project.particles, complete=True))
    assert [one.name for one in of(Iteration, events)] == NAMES[:1]
    assert "add unlabelled" in events[-1].advice


def test_no_rounds_is_a_supervised_training(begin, tmp_path):
    events = list(begin(tmp_path / "run", rounds=0))
    assert [one.name for one in of(Iteration, events)] == NAMES[:1]


@pytest.mark.parametrize(
    "changed",
    [
        {"pseudo_labels": "pixels", "particle_threshold": 0.95, "background_threshold": 0.05},
        {"initial_model": "scratch"},
        {"round_epochs": 1},
    ],
)
def test_every_setting_trains(changed, begin, tmp_path):
    *_, last = begin(tmp_path / "run", rounds=1, **changed)
    assert all(torch.isfinite(t).all() for t in load_file(last.model).values())


def test_a_stopped_round_is_not_saved_and_the_best_stands(begin, tmp_path):
    stop = Event()
    for event in begin(tmp_path / "run", round_steps=1000, stop=stop):
        if isinstance(event, Step) and event.step == 6:
            stop.set()
    assert event.stopped
    assert event.model.parent.name == NAMES[0]
    assert not (tmp_path / "run" / NAMES[1]).exists()
    assert "resume" in event.advice


# resumed


def test_more_rounds_do_not_repeat_the_finished_ones(begin, tmp_path):
    run = tmp_path / "run"
    list(begin(run, rounds=1))
    before = {name: (run / name / "model.safetensors").read_bytes() for name in NAMES[:2]}
    events = list(begin(run, rounds=2, resume=True))
    assert [one.name for one in of(Iteration, events)] == NAMES[2:]
    assert {name: (run / name / "model.safetensors").read_bytes() for name in before} == before
    assert events[-1].model.parent.name == NAMES[2]
    assert of(Step, events)[0].step == 4 + 3 + 1


@pytest.mark.usefixtures("one_thread")
def test_a_resumed_run_comes_to_what_a_whole_one_does(begin, tmp_path):
    *_, whole = begin(tmp_path / "whole")
    list(begin(tmp_path / "parts", rounds=1))
    *_, parts = begin(tmp_path / "parts", resume=True)
    first, second = (load_file(last.model) for last in (whole, parts))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_an_unfinished_iteration_is_trained_again(begin, tmp_path):
    run = tmp_path / "run"
    list(begin(run))
    (run / NAMES[2] / "metrics.json").unlink()
    events = list(begin(run, resume=True))
    assert [one.name for one in of(Iteration, events)] == NAMES[2:]


def test_a_rolled_back_run_ends_again_at_once(begin, tmp_path):
    run = tmp_path / "run"
    list(begin(run, keep_every_round=False))
    events = list(begin(run, keep_every_round=False, resume=True))
    assert not of(Iteration, events)
    assert events[-1].model.parent.name == NAMES[0]


@pytest.mark.parametrize("changed", [{"seed": 7}, {"picks": "others"}])
def test_a_run_is_not_resumed_with_other_settings_or_picks(changed, begin, project, tmp_path):
    list(begin(tmp_path / "run", rounds=0))
    if "picks" in changed:
        changed = {"picks": project.clicks(5)}
    with pytest.raises(CryopickError, match="was begun with"):
        next(begin(tmp_path / "run", rounds=0, resume=True, **changed))


def test_missing_weights_are_named(begin, tmp_path):
    run = tmp_path / "run"
    list(begin(run, rounds=1))
    (run / NAMES[0] / "model.safetensors").unlink()
    with pytest.raises(CryopickError, match=NAMES[0]):
        next(begin(run, resume=True))


def test_resuming_where_nothing_was_begun_begins(begin, tmp_path):
    *_, last = begin(tmp_path / "run", rounds=0, resume=True)
    assert load_model(last.run)


def test_a_report_that_cannot_be_written_loses_nothing(begin, tmp_path):
    (tmp_path / "run/report.html").mkdir(parents=True)
    *_, last = begin(tmp_path / "run", rounds=0)
    assert load_model(last.run)
    assert "train again" in last.advice
    assert re.search(r"The report could not be written: .*holds a folder", last.advice)


SELF_TRAIN = """
import sys
from pathlib import Path
from napari_cryopick import runs
from napari_cryopick.io import find_micrographs, match_picks, read_picks
from napari_cryopick.training.settings import SelfTrainSettings

micrographs = find_micrographs([sys.argv[1]])
particles = match_picks(read_picks(Path(sys.argv[2])), micrographs)
picks = {micrographs[0]: particles[micrographs[0]]}
settings = SelfTrainSettings(
    diameter_angstrom=160, batch_size=1, patch_px=32, steps=2, round_steps=2, rounds=50,
    keep_every_round=True, device="cpu",
)
for event in runs.train(micrographs, picks, settings, Path(sys.argv[3]), resume=True):
    print(type(event).__name__, flush=True)
"""


def test_a_run_killed_again_and_again_goes_on_with_what_it_has(project, tmp_path):
    folder = project.micrographs[0].parent
    run = tmp_path / "run"
    command = [sys.executable, "-c", SELF_TRAIN, folder, folder.parent / "particles.star", run]
    finished = 0
    for wait_for in (1, 2):
        with subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            seen = 0
            for line in process.stdout:
                seen += line == "Iteration\n"
                if seen == wait_for:
                    break
            process.kill()
        now = len(list(run.glob("iteration_*/metrics.json")))
        assert now >= finished + wait_for
        finished = now
        assert load_model(run)
    log = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    numbers = [line["number"] for line in log if line["event"] == "Iteration"]
    assert numbers == sorted(set(numbers))
