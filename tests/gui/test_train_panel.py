from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np
import pytest
import yaml

from napari_cryopick import Source, Status
from napari_cryopick.gui.contributions.reader import read_stacks
from napari_cryopick.gui.docks.predict import PredictPanel
from napari_cryopick.gui.docks.train import TrainPanel
from napari_cryopick.gui.layers.curation import replace_model_picks
from napari_cryopick.gui.layers.layers import stack_of
from napari_cryopick.gui.layers.results import ensure_labels, ensure_picks
from napari_cryopick.picks import Picks
from napari_cryopick.runs.read import latest_self_training

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


@pytest.fixture
def structure(tmp_path) -> Path:
    """A map of a ball, 40 Å wide."""
    z, y, x = np.mgrid[:20, :20, :20] - 10
    ball = (x**2 + y**2 + z**2 <= 5**2).astype(np.float32)
    with mrcfile.new(tmp_path / "ball.mrc", ball) as mrc:
        mrc.voxel_size = 4.0
    return tmp_path / "ball.mrc"


def choose(panel, qtbot, structure) -> None:
    """Enter a structure, and wait until it is measured."""
    panel.structure.setText(str(structure))
    qtbot.waitUntil(lambda: panel.control.job is None, timeout=TIMEOUT_MS)


def test_the_diameter_becomes_that_of_the_structure(panel, qtbot, structure):
    choose(panel, qtbot, structure)
    assert panel.form.value("diameter_angstrom") == pytest.approx(44, abs=6)
    assert panel.control.status.text().startswith("ball.mrc is ")
    panel.form.set_value("diameter_angstrom", 60)
    panel.structure.clear()
    assert panel.form.value("diameter_angstrom") == 60


def test_of_micrographs_opened_after_the_structure_it_is_measured_too(
    viewer, folder, qtbot, structure
):
    panel = TrainPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    panel.structure.setText(str(structure))
    pixels, attributes, _ = read_stacks(str(folder))[0]
    viewer.add_image(pixels, **attributes)
    qtbot.waitUntil(lambda: panel.form.value("diameter_angstrom") == pytest.approx(44, abs=6))
    qtbot.waitUntil(lambda: panel.control.job is None, timeout=TIMEOUT_MS)


def test_a_map_of_nothing_leaves_the_diameter_alone(panel, qtbot, tmp_path):
    before = panel.form.value("diameter_angstrom")
    with mrcfile.new(tmp_path / "flat.mrc", np.zeros((8, 8, 8), np.float32)) as mrc:
        mrc.voxel_size = 4.0
    choose(panel, qtbot, tmp_path / "flat.mrc")
    assert "flat.mrc" in panel.control.status.text()
    assert panel.form.value("diameter_angstrom") == before


def test_a_structure_goes_before_picks_and_the_summary_says_so(panel, qtbot, structure):
    lessons = panel.form.editor("lessons")
    assert not lessons.isEnabled()
    choose(panel, qtbot, structure)
    expected = "Learns from simulated micrographs of ball.mrc"
    assert panel.summary.text() == expected
    assert lessons.isEnabled()
    click(panel)
    expected += "; picks and labels are not used"
    qtbot.waitUntil(lambda: panel.summary.text() == expected)
    panel.structure.clear()
    assert panel.summary.text() == "6 picks on 1 of 3 micrographs"
    assert not lessons.isEnabled()


def train_on(panel, qtbot, structure, tmp_path, **settings) -> None:
    for name, value in {"batch_size": 1, "patch_px": 64, "lessons": 10, **settings}.items():
        panel.form.set_value(name, value)
    choose(panel, qtbot, structure)
    panel.folder.setText(str(tmp_path / "runs"))
    panel.control.button.click()


def test_a_structure_teaches_without_any_pick(panel, viewer, qtbot, structure, tmp_path):
    predict = PredictPanel(viewer)
    qtbot.addWidget(predict)
    predict.show()
    train_on(panel, qtbot, structure, tmp_path, steps=50, defocus_angstrom=(9_000, 15_000))
    qtbot.waitUntil(lambda: panel.plot.steps("loss") != [], timeout=TIMEOUT_MS)
    assert "simulated particles" in panel.control.status.text()
    panel.control.button.click()
    qtbot.waitUntil(lambda: panel.control.job is None, timeout=TIMEOUT_MS)
    assert panel.control.status.text().startswith("Stopped after")
    run = tmp_path / "runs" / "run_1"
    settings = yaml.safe_load((run / "settings.yaml").read_text())
    assert settings["structure"] == str(structure)
    assert settings["defocus_angstrom"] == [9_000, 15_000]
    assert predict.models.model() == str(run)
    self_train = latest_self_training(tmp_path / "runs")
    assert self_train is not None
    assert not self_train.can_resume(rounds=99)


def test_a_simulation_can_be_stopped(panel, qtbot, structure, tmp_path):
    train_on(panel, qtbot, structure, tmp_path, lessons=1000)
    qtbot.waitUntil(lambda: panel.control.progress.maximum() == 1000, timeout=TIMEOUT_MS)
    assert panel.control.status.text() == "Simulating micrographs of the structure."
    panel.control.button.click()
    qtbot.waitUntil(lambda: panel.control.job is None, timeout=TIMEOUT_MS)
    assert panel.control.status.text().startswith("Stopped while simulating")


def test_what_is_no_structure_is_told(panel, qtbot, tmp_path):
    train_on(panel, qtbot, tmp_path / "nothing.pdb", tmp_path)
    qtbot.waitUntil(lambda: panel.control.job is None, timeout=TIMEOUT_MS)
    assert "nothing.pdb does not exist" in panel.control.status.text()


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
