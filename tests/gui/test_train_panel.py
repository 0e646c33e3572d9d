from __future__ import annotations

import numpy as np
import pytest

from napari_cryopick import Source, Status
from napari_cryopick.gui.curation import replace_model_picks
from napari_cryopick.gui.layers import stack_of
from napari_cryopick.gui.predict_panel import PredictPanel
from napari_cryopick.gui.results import ensure_labels, ensure_picks
from napari_cryopick.gui.train_panel import TrainPanel
from napari_cryopick.picks import Picks

TIMEOUT_MS = 120_000
CLICKS = [(40, 40), (40, 120), (110, 50), (100, 150), (70, 90), (130, 100)]


@pytest.fixture
def panel(viewer, image, qtbot):
    panel = TrainPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    panel.form.set_value("diameter_angstrom", 40)
    return panel


def click(panel, index: int = 0):
    picks = panel.begin_picks()
    picks.add([(index, *position) for position in CLICKS])
    return picks


def test_without_labels_it_says_what_to_do(panel):
    panel.control.button.click()
    assert panel.control.job is None
    assert panel.control.status.text() == "Nothing is labelled yet; click some particles first."


def test_it_says_what_will_be_used(panel, qtbot, viewer, image):
    picks = click(panel)
    assert viewer.layers.selection.active == picks
    assert picks.mode == "add"
    qtbot.waitUntil(lambda: panel.summary.text() == "6 picks on 1 of 3 micrographs")
    replace_model_picks(picks, 1, Picks.at([(50, 50)], 0.9, Source.MODEL), 10, "run")
    picks.remove([len(picks.data) - 1])
    qtbot.waitUntil(lambda: "6 picks on 2 of 3 micrographs, 1 deleted" in panel.summary.text())
    labels = panel.begin_labels()
    labels.paint((2, 10, 10), 1)
    qtbot.waitUntil(lambda: panel.summary.text().endswith("paint on 1"))


def test_a_model_s_picks_are_learnt_from_only_where_a_person_says_they_are_complete(panel, image):
    picks = click(panel)
    model = Picks.at([(20, 20), (90, 20)], 0.9, Source.MODEL, [Status.OK, Status.BORDER])
    for index in (0, 1):
        replace_model_picks(picks, index, model, 10, "run")
    first = stack_of(image).paths[0]
    assert {path: len(table) for path, table in panel.data().picks.items()} == {first: 6}
    panel.form.set_value("complete", True)
    assert {path: len(table) for path, table in panel.data().picks.items()} == {first: 7}


def test_clicks_in_a_plain_points_layer_count(panel, viewer, image):
    plain = viewer.add_points([(2, 10.0, 20.0)], scale=image.scale, name="clicks")
    panel.picks.choose(plain)
    (table,) = panel.data().picks.values()
    np.testing.assert_allclose(table.positions, [(10, 20)])


def test_what_was_trained_is_at_once_chosen_for_predicting(panel, viewer, qtbot, tmp_path):
    predict = PredictPanel(viewer)
    qtbot.addWidget(predict)
    predict.show()
    click(panel)
    panel.form.set_value("steps", 3)
    panel.form.set_value("batch_size", 1)
    panel.form.set_value("patch_px", 64)
    panel.folder.setText(str(tmp_path / "runs"))
    panel.control.button.click()
    assert panel.control.button.text() == "Stop"
    qtbot.waitUntil(lambda: panel.control.job is None, timeout=TIMEOUT_MS)
    assert panel.control.status.text().startswith("Trained after")
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "iteration_0_supervised" / "model.safetensors").exists()
    assert predict.models.model() == str(run)
    assert panel.plot.steps("loss") == [1, 2, 3]
    qtbot.waitUntil(panel.plot.isVisible)


def test_stop_keeps_the_best_model(panel, qtbot, tmp_path):
    click(panel)
    panel.form.set_value("steps", 10_000)
    panel.form.set_value("batch_size", 1)
    panel.form.set_value("patch_px", 64)
    panel.folder.setText(str(tmp_path / "runs"))
    panel.control.button.click()
    qtbot.waitUntil(lambda: panel.plot.steps("loss") != [], timeout=TIMEOUT_MS)
    panel.control.button.click()
    qtbot.waitUntil(lambda: panel.control.job is None, timeout=TIMEOUT_MS)
    assert panel.control.status.text().startswith("Stopped after")
    assert list((tmp_path / "runs").glob("*/iteration_0_supervised/model.safetensors"))


def test_layers_that_appear_while_none_is_chosen_are_chosen(panel, viewer, image):
    labels = ensure_labels(viewer, image, 20)
    picks = ensure_picks(viewer, image, 20)
    assert panel.labels.layer() == labels
    assert panel.picks.layer() == picks
    panel.picks.choose(None)
    assert panel.picks.layer() is None
