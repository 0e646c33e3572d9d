"""A run of self-training: what it tells, what it leaves on disk, and how it goes on."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from napari_cryopick.io import read_picks
from napari_cryopick.labels import LabelClass, Labels
from napari_cryopick.model.registry import load_model
from napari_cryopick.picks import Picks, Status
from napari_cryopick.training.events import (
    Checkpoint,
    Finished,
    Iteration,
    PseudoLabelled,
    Step,
    TrainingEvent,
    Validation,
)
from napari_cryopick.training.evidence import FEWEST_CLICKS
from napari_cryopick.training.self_training import self_train
from napari_cryopick.training.settings import SelfTrainSettings

NAMES = ["iteration_0_supervised", "iteration_1_selftrain", "iteration_2_selftrain"]
FILES = {"model.safetensors", "metrics.json", "picks.star"}
JURORS = {"juror_1.safetensors", "juror_2.safetensors"}
FIGURES = {"f1", "precision", "recall", "average_precision", "threshold"}


def of(kind: type, events: Iterable[TrainingEvent]) -> list:
    return [event for event in events if type(event) is kind]


def names(events: Iterable[TrainingEvent]) -> str:
    return " ".join(type(event).__name__ for event in events)


# what is told


def test_events_come_in_order(self_trained):
    iteration = "(Step )+Validation (Checkpoint )?Iteration"
    pattern = f"Started {iteration}( PseudoLabelled {iteration}){{2}} Finished"
    assert re.fullmatch(pattern, names(self_trained))
    assert [event.number for event in of(Iteration, self_trained)] == [0, 1, 2]
    assert [event.name for event in of(Iteration, self_trained)] == NAMES
    assert [event.iteration for event in of(PseudoLabelled, self_trained)] == [1, 2]


def test_steps_count_over_the_whole_run(self_trained):
    steps = of(Step, self_trained)
    assert [step.step for step in steps] == list(range(1, self_trained[0].steps + 1))
    assert {step.steps for step in steps} == {self_trained[0].steps}
    assert steps[-1].seconds_left == 0
    assert all(np.isfinite(step.losses["total"]) for step in steps)
    assert of(Validation, self_trained)[-1].step == self_trained[0].steps


def test_all_clicks_teach_the_model_itself(self_trained):
    started = self_trained[0]
    assert (started.labelled_micrographs, started.training_picks) == (1, 6)
    assert started.held_out_picks == 0


def test_each_round_says_what_it_was_taught_and_what_came_of_it(self_trained):
    for told in of(PseudoLabelled, self_trained):
        assert 0 <= told.background_threshold <= told.particle_threshold <= 1
        assert told.micrographs <= 4
        assert "you expect about 8 particles per micrograph" in told.reason
    for one in of(Iteration, self_trained):
        assert one.accepted
        assert one.reason.endswith(".")
        assert 0 <= one.f1 <= 1
        assert 0 <= one.average_precision <= 1


def test_the_end_tells_of_the_last_accepted_model(self_trained):
    last = self_trained[-1]
    assert not last.stopped
    assert last.model == last.run / NAMES[2] / "model.safetensors"
    assert last.metrics.keys() == FIGURES
    assert last.advice.endswith(".")


def test_weights_are_on_disk_before_they_are_told_of(begin, tmp_path):
    for event in begin(tmp_path / "run", rounds=1):
        if isinstance(event, Checkpoint | Iteration):
            assert load_model(event.path).card.threshold > 0
            assert (event.path.parent / "metrics.json").exists()
            assert (tmp_path / "run/best").resolve() == event.path.parent.resolve()


# what is left on disk


def test_the_run_folder_holds_each_iteration_and_nothing_else(self_trained):
    run = self_trained[-1].run
    assert {path.name for path in run.iterdir()} == {
        *NAMES,
        *("settings.yaml", "labels.sha256", "events.jsonl", "report.html", "best"),
    }
    for name in NAMES:
        assert {path.name for path in (run / name).iterdir()} == FILES | JURORS


def test_best_leads_to_the_last_accepted_iteration(self_trained):
    run = self_trained[-1].run
    assert (run / "best").is_symlink()
    assert (run / "best").resolve() == (run / NAMES[2]).resolve()
    assert load_model(run).card.threshold == self_trained[-1].metrics["threshold"]


def test_settings_and_events_can_be_read_back(self_trained, two_rounds):
    run = self_trained[-1].run
    assert SelfTrainSettings(**yaml.safe_load((run / "settings.yaml").read_text())) == two_rounds
    lines = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    assert " ".join(line["event"] for line in lines) == names(self_trained)
    assert lines[-1]["advice"] == self_trained[-1].advice


def test_metrics_say_all_there_is_to_say(self_trained):
    run = self_trained[-1].run
    taught = [None, *of(PseudoLabelled, self_trained)]
    for told, lesson in zip(of(Iteration, self_trained), taught, strict=True):
        metrics = json.loads((run / told.name / "metrics.json").read_text())
        for name in ("number", "name", "accepted", "reason", "f1", "threshold", "count"):
            assert metrics[name] == getattr(told, name)
        assert metrics.keys() >= FIGURES
        assert metrics["complete"] is False
        assert metrics["pixels"] is None
        assert metrics["calibration"].keys() == {"slope", "offset", "density_prior"}
        assert metrics["seconds"] > 0
        assert metrics["held_out_picks"] == 6
        assert metrics["pseudo_labels"] == (lesson and lesson.as_figures())


def test_picks_of_all_micrographs_lie_beside_the_weights(self_trained, small_project):
    for told in of(Iteration, self_trained):
        picks = read_picks(told.path.parent / "picks.star")
        assert len(picks) == told.count
        assert set(picks.by_micrograph) <= set(map(str, small_project.micrographs))
        assert picks.pixel_size_angstrom == 4
        for table in picks.by_micrograph.values():
            assert (table.scores >= told.threshold - 1e-6).all()


def test_the_report_tells_of_all_iterations(self_trained):
    page = (self_trained[-1].run / "report.html").read_text()
    assert "iteration 2" in page
    assert self_trained[-1].advice in page
    assert "could not be drawn" not in page


# a broken report


def test_a_report_that_cannot_be_written_loses_nothing(begin, tmp_path):
    (tmp_path / "run/report.html/in the way").mkdir(parents=True)
    *_, last = begin(tmp_path / "run", rounds=0)
    assert isinstance(last, Finished)
    assert load_model(tmp_path / "run")


def test_a_figure_that_cannot_be_drawn_costs_itself_alone(begin, tmp_path):
    for event in begin(tmp_path / "run", rounds=0):
        if isinstance(event, Iteration):
            (event.path.parent / "picks.star").write_text("no picks")
    assert isinstance(event, Finished)
    page = (tmp_path / "run/report.html").read_text()
    assert "could not be drawn" in page
    assert "<svg" in page


PLOTLESS = """
import sys
from pathlib import Path
from napari_cryopick.picks import Picks
from napari_cryopick.training.settings import SelfTrainSettings
from napari_cryopick.training.self_training import self_train

settings = SelfTrainSettings(
    diameter_angstrom=160, steps=1, rounds=0, batch_size=1, patch_px=32, device="cpu"
)
micrograph = Path(sys.argv[1])
*_, last = self_train([micrograph], {micrograph: Picks.at([[50, 60]])}, settings, Path(sys.argv[2]))
print(type(last).__name__)
"""


def test_a_plotting_library_that_does_not_start_loses_nothing(small_project, tmp_path):
    command = [
        sys.executable,
        "-c",
        PLOTLESS,
        str(small_project.micrographs[0]),
        str(tmp_path / "run"),
    ]
    environment = {"MPLBACKEND": "nonsense", "OMP_NUM_THREADS": "1", "PATH": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "Finished\n"
    assert load_model(tmp_path / "run")
    assert not (tmp_path / "run/report.html").exists()


# who judges


def test_with_too_few_clicks_there_is_a_start_only_and_advice(begin, small_project, tmp_path):
    run = tmp_path / "run"
    few = small_project.clicks(FEWEST_CLICKS - 1)
    events = list(begin(run, few, always_accept=False))
    assert [event.number for event in of(Iteration, events)] == [0]
    assert not of(PseudoLabelled, events)
    assert not events[-1].stopped
    assert f"fewer than {FEWEST_CLICKS} clicks" in events[-1].advice
    assert {path.name for path in (run / NAMES[0]).iterdir()} == FILES
    assert events[-1].advice in (run / "report.html").read_text()
    assert load_model(run)


def test_deleted_picks_are_no_clicks(begin, small_project, tmp_path):
    ((path, picks),) = small_project.clicks(8).items()
    deleted = np.where(np.arange(8) < 3, Status.DELETED, Status.OK)
    few = {path: Picks.at(picks.positions, status=deleted)}
    events = list(begin(tmp_path / "run", few, always_accept=False))
    assert "clicks" in events[-1].advice
    assert len(of(Iteration, events)) == 1


def test_a_teacher_that_finds_nothing_does_not_teach(begin, tmp_path):
    """Five steps teach a network nothing."""
    changed = {"always_accept": False, "expected_count": None, "start": "scratch"}
    events = list(begin(tmp_path / "run", **changed))
    assert len(of(Iteration, events)) == 1
    assert not of(PseudoLabelled, events)
    assert events[-1].model.parent.name == NAMES[0]
    assert any(word in events[-1].advice for word in ("click", "check", "delete"))
    assert events[-1].advice in (tmp_path / "run/report.html").read_text()


def test_no_rounds_is_a_supervised_run(begin, tmp_path):
    events = list(begin(tmp_path / "run", rounds=0))
    assert len(of(Iteration, events)) == 1
    assert events[-1].model.parent.name == NAMES[0]


@pytest.fixture(scope="module")
def measured(project, tmp_path_factory) -> list[TrainingEvent]:
    """A decent start on complete labels, and rounds of a single step that cannot help."""
    torch.set_num_threads(1)
    settings = SelfTrainSettings(
        diameter_angstrom=160,
        complete=True,
        steps=60,
        round_steps=1,
        rounds=3,
        batch_size=4,
        patch_px=64,
        device="cpu",
    )
    run = tmp_path_factory.mktemp("runs") / "measured"
    picks = project.annotated(3)
    return list(self_train(project.micrographs, picks, settings, run))


def test_of_complete_labels_held_out_ones_judge(measured):
    run = measured[-1].run
    assert measured[0].held_out_picks > 0
    for told in of(Iteration, measured):
        assert "juror" not in " ".join(path.name for path in told.path.parent.iterdir())
        metrics = json.loads((told.path.parent / "metrics.json").read_text())
        assert metrics["complete"] is True
        assert metrics["pixels"].keys() >= {"precision", "recall", "f1", "iou", "roc_auc"}
        assert metrics["held_out_picks"] == measured[0].held_out_picks
    assert of(Iteration, measured)[0].f1 > 0.5
    assert "measured" in (run / "report.html").read_text()


def test_a_round_that_is_no_better_is_rolled_back(measured):
    start, *rounds = of(Iteration, measured)
    assert start.accepted
    assert rounds
    for told in rounds:
        assert not told.accepted
        assert told.reason.startswith("Rolled back")
        assert f"F1 {start.f1:.3f} to {told.f1:.3f}" in told.reason
        assert told.path.exists()
    assert len(of(Checkpoint, measured)) == 1
    assert measured[-1].model == start.path
    assert measured[-1].metrics["f1"] == start.f1
    assert (measured[-1].run / "best").resolve() == start.path.parent.resolve()
    assert load_model(measured[-1].run).card.threshold == start.threshold


def test_where_nothing_is_gained_the_run_gives_up(measured):
    assert len(of(Iteration, measured)) == 2
    assert "gained nothing" in measured[-1].advice
    assert not measured[-1].stopped


@pytest.fixture
def gone_on(measured, project, tmp_path) -> Callable[[], list[TrainingEvent]]:
    """Go on with a copy of that run, which has given up."""
    run = Path(shutil.copytree(measured[-1].run, tmp_path / "run", symlinks=True))
    settings = SelfTrainSettings(**yaml.safe_load((run / "settings.yaml").read_text()))
    picks = project.annotated(3)
    return lambda: list(self_train(project.micrographs, picks, settings, run, resume=True))


def test_a_run_that_has_given_up_goes_on_if_it_is_told_to(measured, gone_on, tmp_path):
    """And repeats nothing."""
    again = gone_on()
    *earlier, third = [(told.accepted, told.reason) for told in of(Iteration, again)]
    assert earlier == [(told.accepted, told.reason) for told in of(Iteration, measured)]
    assert not third[0]
    assert len(of(Step, again)) == 1
    assert again[-1].model == tmp_path / "run" / NAMES[0] / "model.safetensors"


def test_a_run_that_was_killed_when_it_gave_up_again_does_not_go_on(gone_on, tmp_path):
    """Its new round had been rolled back, and the end was all that it had left to tell."""
    gone_on()
    log = tmp_path / "run/events.jsonl"
    *lines, end = log.read_text().splitlines(keepends=True)
    assert json.loads(end)["event"] == "Finished"
    log.write_text("".join(lines))
    again = gone_on()
    assert len(of(Iteration, again)) == 3
    assert not of(Step, again)
    assert len(of(Step, gone_on())) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"pseudo_labels": "pixels", "particle_threshold": 0.6, "background_threshold": 0.3},
        {"round_epochs": 1, "patch_px": 128},
        {"schedule": "cosine", "loss": "bce"},
        {"complete": True},
        {"blocks": True},
    ],
)
def test_every_setting_trains(changed, begin, small_project, tmp_path):
    first = small_project.micrographs[0]
    picks = {first: small_project.particles[first]}
    *_, last = begin(tmp_path / "run", picks, **{"rounds": 1} | changed)
    assert last.model.parent.name == NAMES[1]
    assert all(torch.isfinite(tensor).all() for tensor in load_file(last.model).values())


@pytest.mark.usefixtures("exactly")
def test_blocks_are_hidden_from_successors_alone(begin, self_trained, tmp_path):
    run, usual = tmp_path / "run", self_trained[-1].run
    list(begin(run, blocks=True, rounds=1))

    def same(name: str) -> bool:
        one, two = (load_file(each / name / "model.safetensors") for each in (run, usual))
        return all(torch.equal(one[tensor], two[tensor]) for tensor in one)

    assert same(NAMES[0])
    assert not same(NAMES[1])


def test_painted_labels_take_part(begin, small_project, tmp_path):
    classes = np.zeros((160, 192), np.uint8)
    classes[20:60, 20:60] = LabelClass.CONTAMINATION
    labels = {small_project.micrographs[1]: Labels(classes, scale=0.5)}
    run = tmp_path / "run"
    events = list(begin(run, labels=labels, rounds=1))
    assert events[0].labelled_micrographs == 2
    assert events[-1].model.parent.name == NAMES[1]


def test_painted_micrographs_are_still_to_be_learnt_from(begin, small_project, tmp_path):
    """Of complete labels those without a pick tell no centres; a teacher may."""
    first, second = small_project.micrographs
    labels = {second: Labels(np.full((96, 112), LabelClass.PARTICLE, np.uint8), scale=0.5)}
    picks = {first: small_project.particles[first]}
    events = list(begin(tmp_path / "run", picks, labels, complete=True, rounds=1))
    assert len(of(PseudoLabelled, events)) == 1


def test_where_everything_is_labelled_there_is_nothing_to_learn_from(
    begin, small_project, tmp_path
):
    events = list(begin(tmp_path / "run", small_project.particles, complete=True))
    assert len(of(Iteration, events)) == 1
    assert "no micrographs without labels" in events[-1].advice
