from __future__ import annotations

import numpy as np
import pytest

from napari_cryopick import Picks, Source
from napari_cryopick.gui.docks.predict import PredictDock
from napari_cryopick.gui.docks.self_train import SelfTrainDock
from napari_cryopick.gui.layers.curation import curated_picks, replace_model_picks
from napari_cryopick.gui.layers.layers import (
    DIFFERENCES,
    find_layer,
    remember_diameter,
    stack_of,
)

TIMEOUT_MS = 120_000
CLICKS = [(40, 40), (40, 120), (110, 50), (100, 150), (70, 90), (130, 100)]
TINY = {"steps": 3, "round_steps": 3, "batch_size": 1, "patch_px": 64, "rounds": 1}


def set_value(form, name: str, value) -> None:
    form.fields[name].value = value


@pytest.fixture
def dock(viewer, image, qtbot, tmp_path):
    remember_diameter(image, 40.0)
    dock = SelfTrainDock(viewer)
    qtbot.addWidget(dock)
    dock.show()
    dock.parts.folder.value = tmp_path / "runs"
    for name, value in TINY.items():
        set_value(dock.parts.form, name, value)
    return dock


@pytest.fixture
def predict(viewer, qtbot):
    predict = PredictDock(viewer)
    qtbot.addWidget(predict)
    predict.show()
    return predict


def click(dock):
    picks = dock.parts.begin_picks()
    picks.add([(0, *position) for position in CLICKS])
    return picks


def lines(dock) -> list[str]:
    listed = dock.outcomes.iterations
    return [listed.item(row).text() for row in range(listed.count())]


def finish(dock, qtbot) -> str:
    qtbot.waitUntil(lambda: dock.parts.job.running is None, timeout=TIMEOUT_MS)
    return dock.parts.job.status.text()


@pytest.fixture
def run(begin_run, dock, image, tmp_path):
    """A finished run of three iterations, the last of them rolled back."""
    first, second, _ = stack_of(image).paths
    run = begin_run(tmp_path / "runs" / "run_1")
    start = Picks.at([(20, 20), (60, 60)], [0.9, 0.4])
    run.judge(0, {first: start}, f1=None, reason="The initial model.")
    better = {first: Picks.at([(21, 20), (90, 30)], [0.9, 0.5]), second: Picks.at([(50, 50)], 0.6)}
    run.judge(1, better, f1=0.8, average_precision=0.75, complete=True, threshold=0.45)
    run.judge(2, {}, best=False, f1=None, threshold=None, reason="F1 fell.")
    dock.outcomes.show_run(image, run.path)
    return run


def choose(dock, qtbot, row: int) -> None:
    with qtbot.waitSignal(dock.outcomes.shown, timeout=5000):
        dock.outcomes.iterations.setCurrentRow(row)


def test_a_run_shows_its_iterations_and_what_the_best_has_found(dock, predict, qtbot, tmp_path):
    picks = click(dock)
    set_value(dock.parts.form, "keep_every_round", True)
    dock.parts.job.button.click()
    with qtbot.waitSignal(dock.outcomes.shown, timeout=TIMEOUT_MS):
        assert finish(dock, qtbot).startswith("Trained in")
    run = tmp_path / "runs" / "run_1"
    assert predict.models.model() == str(run)
    assert dock.parts.plot.steps("loss")
    assert [line.split(":")[0] for line in lines(dock)] == ["Initial model", "★ Round 1"]
    best = dock.outcomes.iterations.selected()
    assert best is not None
    assert best.path == (run / "best").resolve()
    assert (picks.features["source"] == Source.MODEL).sum() <= best.count
    assert curated_picks(picks)[0][0].sources.tolist().count(Source.PERSON) == len(CLICKS)


def test_without_labels_the_rounds_begin_with_the_initial_model(dock, qtbot, tmp_path):
    assert "begin with the initial model" in dock.parts.summary.text()
    dock.parts.job.button.click()
    finish(dock, qtbot)
    assert (tmp_path / "runs" / "run_1" / "settings.yaml").exists()


def test_a_run_that_was_stopped_can_be_resumed(dock, qtbot, tmp_path):
    click(dock)
    set_value(dock.parts.form, "steps", 10_000)
    dock.parts.job.button.click()
    assert dock.parts.job.button.text() == "Stop"
    qtbot.waitUntil(lambda: dock.parts.plot.steps("loss") != [], timeout=TIMEOUT_MS)
    assert not dock.resume.isEnabled()
    dock.parts.job.button.click()
    assert finish(dock, qtbot).startswith("Stopped after")
    qtbot.waitUntil(lambda: dock.resume.isVisible() and dock.resume.isEnabled())
    assert dock.resume.text() == "Resume run_1"
    dock.resume.click()
    assert dock.parts.job.running is not None
    qtbot.waitUntil(lambda: dock.parts.plot.steps("loss") != [], timeout=TIMEOUT_MS)
    dock.parts.job.button.click()
    finish(dock, qtbot)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["run_1"]


def test_a_finished_run_goes_on_only_with_more_rounds(dock, run, qtbot):
    set_value(dock.parts.form, "rounds", 2)
    dock.offer_resume()
    assert not dock.resume.isVisible()
    set_value(dock.parts.form, "rounds", 4)
    qtbot.waitUntil(dock.resume.isVisible)
    assert dock.resume.toolTip() == "It has had 2 rounds; add more until there are 4."


def test_an_interrupted_run_is_offered_whatever_the_rounds(dock, begin_run, tmp_path, qtbot):
    begin_run(tmp_path / "runs" / "run_1", rounds=2, finished=False)
    set_value(dock.parts.form, "rounds", 0)
    qtbot.waitUntil(dock.resume.isVisible)
    assert "interrupted" in dock.resume.toolTip()


def test_a_line_says_how_each_iteration_did(dock, run):
    assert lines(dock) == [
        "Initial model: 2 picks above 0.30",
        "★ Round 1: F1 0.80, AP 0.75, 3 picks above 0.45",
        "Round 2: 0 picks, not kept",
    ]
    assert dock.outcomes.iterations.item(2).toolTip() == "F1 fell."


def test_an_ensemble_is_called_so(dock, run, image, qtbot):
    run.judge(3, {stack_of(image).paths[0]: Picks.at([(90, 30)], 0.9)}, kind="ensemble", f1=None)
    run.judge(4, {})
    dock.outcomes.show_run(image, run.path)
    assert lines(dock)[3] == "Ensemble: 1 pick above 0.30"
    choose(dock, qtbot, 4)
    assert dock.outcomes.difference.text().endswith("compared with the ensemble")


def test_a_row_shows_its_picks_and_what_was_gained_and_lost(dock, run, qtbot, viewer, image):
    assert not dock.outcomes.use.isEnabled()
    choose(dock, qtbot, 1)
    picks = dock.parts.micrographs.picks
    assert sorted(map(tuple, picks.data)) == [(0, 21, 20), (0, 90, 30), (1, 50, 50)]
    assert set(picks.features["source"]) == {Source.MODEL}
    assert picks.shown.all()
    difference = find_layer(viewer.layers, image, DIFFERENCES)
    assert difference.features["change"].tolist() == ["gained", "gained", "lost"]
    assert "2 gained" in dock.outcomes.difference.text()
    assert dock.outcomes.difference.text().endswith("compared with the initial model")
    choose(dock, qtbot, 0)
    assert sorted(map(tuple, picks.data)) == [(0, 20, 20), (0, 60, 60)]
    assert len(difference.data) == 0
    assert not dock.outcomes.difference.isVisible()


def test_what_a_person_has_placed_or_deleted_stays(dock, run, qtbot):
    picks = dock.parts.begin_picks()
    replace_model_picks(picks, {1: Picks.at([(50, 50)], 0.9, Source.MODEL)}, "old")
    picks.remove([0])
    picks.add([(0, 22, 22)])
    labels = dock.parts.begin_labels()
    labels.paint((2, 10, 10), 1)
    painted = np.array(labels.data)
    for row in (0, 1, 2, 1):
        choose(dock, qtbot, row)
    assert sorted(map(tuple, picks.data)) == [(0, 22, 22)]
    assert len(curated_picks(picks)[1][1]) == 1
    np.testing.assert_array_equal(labels.data, painted)
    dock.outcomes.review.next.click()
    assert "You rejected this pick" in dock.outcomes.review.sentence.text()


def test_the_model_of_any_row_can_be_used(dock, run, predict, qtbot):
    choose(dock, qtbot, 0)
    dock.outcomes.use.click()
    assert predict.models.model() == str(run.path / "iteration_0_supervised")
    assert "run_1 / iteration_0_supervised" in dock.parts.job.status.text()


def test_picks_that_cannot_be_read_are_told(dock, run, qtbot):
    (run.path / "iteration_1_selftrain" / "picks.star").unlink()
    dock.outcomes.iterations.setCurrentRow(1)
    qtbot.waitUntil(lambda: "picks.star does not exist" in dock.parts.job.status.text())


def test_the_latest_run_is_listed_when_the_dock_opens(dock, viewer, image, qtbot, begin_run):
    begin_run(stack_of(image).paths[0].parents[1] / "cryopick_runs" / "run_7").judge(0, {})
    second = SelfTrainDock(viewer)
    qtbot.addWidget(second)
    second.show()
    assert len(lines(second)) == 1
    assert second.outcomes.isVisible()


def test_an_output_folder_that_was_chosen_is_kept_while_the_dock_is_out_of_view(dock, tmp_path):
    dock.hide()
    dock.show()
    assert dock.parts.runs == tmp_path / "runs"
