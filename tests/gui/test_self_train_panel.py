from __future__ import annotations

import numpy as np
import pytest

from napari_cryopick import Picks, Source
from napari_cryopick.gui.docks.predict import PredictPanel
from napari_cryopick.gui.docks.self_train import SelfTrainPanel
from napari_cryopick.gui.layers.curation import curated_picks, replace_model_picks
from napari_cryopick.gui.layers.layers import DIFFERENCES, find_layer, stack_of

TIMEOUT_MS = 120_000
CLICKS = [(40, 40), (40, 120), (110, 50), (100, 150), (70, 90), (130, 100)]
TINY = {"steps": 3, "round_steps": 3, "batch_size": 1, "patch_px": 64, "rounds": 1}


@pytest.fixture
def panel(viewer, image, qtbot, tmp_path):
    image.metadata["cryopick_diameter_angstrom"] = 40.0
    panel = SelfTrainPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    panel.folder.setText(str(tmp_path / "runs"))
    for name, value in TINY.items():
        panel.form.set_value(name, value)
    return panel


@pytest.fixture
def predict(viewer, qtbot):
    predict = PredictPanel(viewer)
    qtbot.addWidget(predict)
    predict.show()
    return predict


def click(panel):
    picks = panel.begin_picks()
    picks.add([(0, *position) for position in CLICKS])
    return picks


def rows(panel) -> list[list[str]]:
    table = panel.outcomes.table
    columns = range(table.columnCount())
    return [[table.item(row, c).text() for c in columns] for row in range(table.rowCount())]


def finish(panel, qtbot) -> str:
    qtbot.waitUntil(lambda: panel.control.job is None, timeout=TIMEOUT_MS)
    return panel.control.status.text()


@pytest.fixture
def run(begin_run, panel, image, tmp_path):
    """A finished run of three iterations, the last of them rolled back."""
    first, second, _ = stack_of(image).paths
    run = begin_run(tmp_path / "runs" / "run_1")
    start = Picks.at([(20, 20), (60, 60)], [0.9, 0.4])
    run.judge(0, {first: start}, f1=0.71, reason="The supervised start.")
    better = {first: Picks.at([(21, 20), (90, 30)], [0.9, 0.5]), second: Picks.at([(50, 50)], 0.6)}
    run.judge(1, better, f1=0.8, average_precision=0.75, complete=True, threshold=0.45)
    run.judge(2, {}, best=False, f1=None, threshold=None, reason="F1 fell.")
    panel.outcomes.show_run(image, run.path)
    return run


def choose(panel, qtbot, row: int) -> None:
    with qtbot.waitSignal(panel.outcomes.shown, timeout=5000):
        panel.outcomes.table.selectRow(row)


def test_it_says_what_is_labelled_and_what_is_not(panel, qtbot):
    click(panel)
    expected = "6 picks on 1 of 3 micrographs, 2 without labels"
    qtbot.waitUntil(lambda: panel.summary.text() == expected)


def test_without_labels_it_says_what_to_do(panel):
    panel.control.button.click()
    assert panel.control.job is None
    assert panel.control.status.text() == "Nothing is labelled yet; click some particles first."


def test_a_run_shows_its_iterations_and_what_the_best_has_found(panel, predict, qtbot, tmp_path):
    picks = click(panel)
    panel.form.set_value("always_accept", True)
    panel.control.button.click()
    with qtbot.waitSignal(panel.outcomes.shown, timeout=TIMEOUT_MS):
        assert finish(panel, qtbot).startswith("Trained after")
    run = tmp_path / "runs" / "run_1"
    assert predict.models.model() == str(run)
    assert panel.plot.steps("loss")
    assert [row[0] for row in rows(panel)] == ["0", "1"]
    best = panel.outcomes.table.selected()
    assert best is not None
    assert best.path == (run / "best").resolve()
    assert (picks.features["source"] == Source.MODEL).sum() <= best.count
    assert curated_picks(picks, 0)[0].sources.tolist().count(Source.PERSON) == len(CLICKS)


def test_a_run_that_was_stopped_can_be_resumed(panel, qtbot, tmp_path):
    click(panel)
    panel.form.set_value("steps", 10_000)
    panel.control.button.click()
    assert panel.control.button.text() == "Stop"
    qtbot.waitUntil(lambda: panel.plot.steps("loss") != [], timeout=TIMEOUT_MS)
    assert not panel.resume.isEnabled()
    panel.control.button.click()
    assert finish(panel, qtbot).startswith("Stopped after")
    qtbot.waitUntil(lambda: panel.resume.isVisible() and panel.resume.isEnabled())
    assert panel.resume.text() == "Resume run_1"
    panel.resume.click()
    assert panel.control.job is not None
    qtbot.waitUntil(lambda: panel.plot.steps("loss") != [], timeout=TIMEOUT_MS)
    panel.control.button.click()
    finish(panel, qtbot)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["run_1"]


def test_a_finished_run_goes_on_only_with_more_rounds(panel, run, qtbot):
    panel.form.set_value("rounds", 2)
    panel.offer_resume()
    assert not panel.resume.isVisible()
    panel.form.set_value("rounds", 4)
    qtbot.waitUntil(panel.resume.isVisible)
    assert panel.resume.toolTip() == "It has had 2 rounds; go on until there are 4."


def test_an_interrupted_run_is_offered_whatever_the_rounds(panel, begin_run, tmp_path, qtbot):
    begin_run(tmp_path / "runs" / "run_1", rounds=2, finished=False)
    panel.form.set_value("rounds", 0)
    qtbot.waitUntil(panel.resume.isVisible)
    assert "interrupted" in panel.resume.toolTip()


def test_the_table_says_how_each_iteration_did(panel, run):
    assert rows(panel) == [
        ["0", "≈0.71", "–", "2", "0.30", "accepted"],
        ["1", "0.80", "0.75", "3", "0.45", "★ best"],
        ["2", "–", "–", "0", "–", "rolled back"],
    ]
    assert panel.outcomes.table.item(2, 5).toolTip() == "F1 fell."


def test_an_ensemble_is_called_so(panel, run, image, qtbot):
    run.judge(3, {stack_of(image).paths[0]: Picks.at([(90, 30)], 0.9)}, kind="ensemble")
    run.judge(4, {})
    panel.outcomes.show_run(image, run.path)
    assert rows(panel)[3] == ["ensemble", "≈0.80", "–", "1", "0.30", "accepted"]
    choose(panel, qtbot, 4)
    assert panel.outcomes.difference.text().endswith("against the ensemble")


def test_a_row_shows_its_picks_and_what_was_gained_and_lost(panel, run, qtbot, viewer, image):
    assert not panel.outcomes.use.isEnabled()
    choose(panel, qtbot, 1)
    picks = panel.picks_layer()
    assert sorted(map(tuple, picks.data)) == [(0, 21, 20), (0, 90, 30), (1, 50, 50)]
    assert set(picks.features["source"]) == {Source.MODEL}
    assert picks.shown.all()
    difference = find_layer(viewer.layers, stack_of(image), DIFFERENCES)
    assert difference.features["change"].tolist() == ["gained", "gained", "lost"]
    assert "2 gained" in panel.outcomes.difference.text()
    assert panel.outcomes.difference.text().endswith("against the initial model")
    choose(panel, qtbot, 0)
    assert sorted(map(tuple, picks.data)) == [(0, 20, 20), (0, 60, 60)]
    assert len(difference.data) == 0
    assert not panel.outcomes.difference.isVisible()


def test_what_a_person_has_placed_or_deleted_stays(panel, run, qtbot):
    picks = panel.begin_picks()
    replace_model_picks(picks, 1, Picks.at([(50, 50)], 0.9, Source.MODEL), 10, "old")
    picks.remove([0])
    picks.add([(0, 22, 22)])
    labels = panel.begin_labels()
    labels.paint((2, 10, 10), 1)
    painted = labels.data.copy()
    for row in (0, 1, 2, 1):
        choose(panel, qtbot, row)
    assert sorted(map(tuple, picks.data)) == [(0, 22, 22)]
    assert len(curated_picks(picks, 1)[1]) == 1
    np.testing.assert_array_equal(labels.data, painted)
    panel.outcomes.review.next.click()
    assert "You deleted this pick" in panel.outcomes.review.sentence.text()


def test_the_model_of_any_row_can_be_used(panel, run, predict, qtbot):
    choose(panel, qtbot, 0)
    panel.outcomes.use.click()
    assert predict.models.model() == str(run.path / "iteration_0_supervised")
    assert "run_1 / iteration_0_supervised" in panel.control.status.text()


def test_picks_that_cannot_be_read_are_told(panel, run, qtbot):
    (run.path / "iteration_1_selftrain" / "picks.star").unlink()
    panel.outcomes.table.selectRow(1)
    qtbot.waitUntil(lambda: "picks.star does not exist" in panel.control.status.text())


def test_the_latest_run_is_listed_when_the_dock_opens(panel, viewer, image, qtbot, begin_run):
    begin_run(stack_of(image).paths[0].parents[1] / "cryopick_runs" / "run_7").judge(0, {})
    second = SelfTrainPanel(viewer)
    qtbot.addWidget(second)
    second.show()
    assert len(rows(second)) == 1
    assert second.outcomes.isVisible()


def test_an_output_folder_that_was_chosen_is_kept_while_the_dock_is_out_of_view(panel, tmp_path):
    panel.hide()
    panel.show()
    assert panel.folder.text() == str(tmp_path / "runs")
