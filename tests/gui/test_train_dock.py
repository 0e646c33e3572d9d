from __future__ import annotations

import json
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import yaml

from napari_cryopick import Source, Status
from napari_cryopick.cli.main import main
from napari_cryopick.gui.contributions.reader import read_stacks
from napari_cryopick.gui.docks.predict import PredictDock
from napari_cryopick.gui.docks.train import TrainDock
from napari_cryopick.gui.layers.create import ensure_labels, ensure_picks
from napari_cryopick.gui.layers.curation import replace_model_picks
from napari_cryopick.gui.layers.layers import stack_of
from napari_cryopick.picks import Picks

TIMEOUT_MS = 120_000
CLICKS = [(40, 40), (40, 120), (110, 50), (100, 150), (70, 90), (130, 100)]
SMALL = {"batch_size": 1, "patch_px": 64}


def set_value(form, name: str, value) -> None:
    form.fields[name].value = value


@pytest.fixture
def dock(viewer, image, qtbot, tmp_path):
    dock = TrainDock(viewer)
    qtbot.addWidget(dock)
    dock.show()
    dock.parts.micrographs.diameter.value = 40
    dock.parts.folder.value = tmp_path / "runs"
    for name, value in SMALL.items():
        set_value(dock.parts.form, name, value)
    return dock


@pytest.fixture
def predict(viewer, qtbot):
    predict = PredictDock(viewer)
    qtbot.addWidget(predict)
    predict.show()
    return predict


def click(dock, index: int = 0):
    picks = dock.parts.begin_picks()
    picks.add([(index, *position) for position in CLICKS])
    return picks


def finish(dock, qtbot) -> str:
    qtbot.waitUntil(lambda: dock.parts.job.running is None, timeout=TIMEOUT_MS)
    return dock.parts.job.status.text()


def test_without_labels_it_says_what_to_do(dock):
    sentence = "Nothing is labelled yet: click particles, paint labels or choose a structure."
    assert dock.parts.summary.text() == sentence
    dock.parts.job.button.click()
    assert dock.parts.job.running is None
    assert dock.parts.job.status.text() == sentence


def test_it_says_what_will_be_used(dock, qtbot, viewer):
    def says(sentence: str) -> None:
        qtbot.waitUntil(lambda: dock.parts.summary.text() == sentence)

    picks = click(dock)
    assert viewer.layers.selection.active == picks
    assert picks.mode == "add"
    says("Labelled on 1 of 3 micrographs: 6 picks.")
    replace_model_picks(picks, {1: Picks.at([(50, 50)], 0.9, Source.MODEL)}, "run")
    picks.remove([len(picks.data) - 1])
    says("Labelled on 2 of 3 micrographs: 6 picks, 1 rejected.")
    dock.parts.begin_labels().paint((2, 10, 10), 1)
    says("Labelled on 3 of 3 micrographs: 6 picks, 1 rejected, labels painted on 1.")


def test_a_model_s_picks_are_trained_on_only_where_a_person_says_they_are_complete(dock, image):
    picks = click(dock)
    model = Picks.at([(20, 20), (90, 20)], 0.9, Source.MODEL, [Status.OK, Status.BORDER])
    replace_model_picks(picks, {0: model, 1: model}, "run")
    first = stack_of(image).paths[0]
    assert {path: len(table) for path, table in dock.parts.data().picks.items()} == {first: 6}
    set_value(dock.parts.form, "complete", True)
    assert {path: len(table) for path, table in dock.parts.data().picks.items()} == {first: 7}


def test_clicks_in_a_plain_points_layer_count(dock, viewer, image):
    plain = viewer.add_points([(2, 10.0, 20.0)], scale=image.scale, name="clicks")
    dock.parts.picks.choose(plain)
    (table,) = dock.parts.data().picks.values()
    np.testing.assert_allclose(table.positions, [(10, 20)])


def test_layers_that_appear_while_none_is_chosen_are_chosen(dock, viewer, image):
    labels, picks = ensure_labels(viewer, image), ensure_picks(viewer, image)
    assert dock.parts.labels.layer() == labels
    assert dock.parts.picks.layer() == picks
    dock.parts.picks.choose(None)
    assert dock.parts.picks.layer() is None


def test_what_was_trained_is_at_once_chosen_for_predicting(dock, predict, qtbot, tmp_path):
    click(dock)
    set_value(dock.parts.form, "steps", 3)
    dock.parts.job.button.click()
    assert dock.parts.job.button.text() == "Stop"
    assert finish(dock, qtbot).startswith("Trained in")
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "iteration_0_supervised" / "model.safetensors").exists()
    assert predict.models.model() == str(run)
    assert dock.parts.plot.steps("loss") == [1, 2, 3]
    qtbot.waitUntil(dock.parts.plot.isVisible)


def test_what_is_not_measured_is_said_to_be_the_models_own_opinion(dock, qtbot):
    click(dock)
    set_value(dock.parts.form, "steps", 3)
    dock.parts.job.button.click()
    sentence = finish(dock, qtbot)
    assert "F1" not in sentence
    assert "recall" not in sentence or "from the scores" in sentence
    assert dock.parts.plot.steps("F1") == []


def test_stop_keeps_the_best_model(dock, qtbot, tmp_path):
    click(dock)
    set_value(dock.parts.form, "steps", 10_000)
    dock.parts.job.button.click()
    qtbot.waitUntil(lambda: dock.parts.plot.steps("loss") != [], timeout=TIMEOUT_MS)
    dock.parts.job.button.click()
    assert finish(dock, qtbot).startswith("Stopped after")
    assert list((tmp_path / "runs").glob("*/iteration_0_supervised/model.safetensors"))


def test_a_setting_that_makes_no_sense_is_refused_in_a_sentence(dock):
    click(dock)
    set_value(dock.parts.form, "steps", "many")
    dock.parts.job.button.click()
    assert dock.parts.job.running is None
    assert dock.parts.job.status.text().startswith("Steps: Input should be a valid integer")


# structures


@pytest.fixture
def structure(tmp_path) -> Path:
    """A map of a ball, 40 Å wide."""
    z, y, x = np.mgrid[:20, :20, :20] - 10
    ball = (x**2 + y**2 + z**2 <= 5**2).astype(np.float32)
    with mrcfile.new(tmp_path / "ball.mrc", ball) as mrc:
        mrc.voxel_size = 4.0
    return tmp_path / "ball.mrc"


def choose(dock, qtbot, structure) -> None:
    """Enter a structure, and wait until it has been measured."""
    before = dock.parts.job.status.text()
    set_value(dock.parts.form, "structure", structure)
    qtbot.waitUntil(lambda: dock.parts.job.status.text() != before, timeout=TIMEOUT_MS)


def test_the_diameter_becomes_that_of_the_structure(dock, qtbot, structure):
    choose(dock, qtbot, structure)
    assert dock.parts.micrographs.diameter.value == pytest.approx(44, abs=6)
    assert dock.parts.job.status.text().endswith("the size of ball.mrc.")
    dock.parts.micrographs.diameter.value = 60
    set_value(dock.parts.form, "structure", None)
    assert dock.parts.micrographs.diameter.value == 60


def test_a_structure_chosen_before_micrographs_are_open_is_measured_too(
    viewer, folder, qtbot, structure
):
    dock = TrainDock(viewer)
    qtbot.addWidget(dock)
    dock.show()
    set_value(dock.parts.form, "structure", structure)
    pixels, attributes, _ = read_stacks(str(folder))[0]
    viewer.add_image(pixels, **attributes)
    diameter = dock.parts.micrographs.diameter
    qtbot.waitUntil(lambda: diameter.value == pytest.approx(44, abs=6), timeout=TIMEOUT_MS)


def test_a_map_of_nothing_leaves_the_diameter_alone(dock, qtbot, tmp_path):
    with mrcfile.new(tmp_path / "flat.mrc", np.zeros((8, 8, 8), np.float32)) as mrc:
        mrc.voxel_size = 4.0
    choose(dock, qtbot, tmp_path / "flat.mrc")
    assert "flat.mrc" in dock.parts.job.status.text()
    assert dock.parts.micrographs.diameter.value == 40


def test_a_structure_replaces_picks_and_the_summary_says_so(dock, qtbot, structure):
    simulated = dock.parts.form.fields["simulated_micrographs"]
    assert not simulated.enabled
    click(dock)
    choose(dock, qtbot, structure)
    sentence = "Trains on simulated micrographs of ball.mrc, not on picks or labels."
    assert dock.parts.summary.text() == sentence
    assert simulated.enabled
    set_value(dock.parts.form, "structure", None)
    assert dock.parts.summary.text() == "Labelled on 1 of 3 micrographs: 6 picks."
    assert not simulated.enabled


def test_a_simulation_can_be_stopped(dock, qtbot, structure):
    choose(dock, qtbot, structure)
    set_value(dock.parts.form, "simulated_micrographs", 1000)
    dock.parts.job.button.click()
    qtbot.waitUntil(lambda: dock.parts.job.progress.maximum() == 1000, timeout=TIMEOUT_MS)
    assert dock.parts.job.status.text() == "Simulating micrographs of the structure…"
    dock.parts.job.button.click()
    assert finish(dock, qtbot).startswith("Stopped while simulating")


def test_what_is_no_structure_is_refused_in_a_sentence(dock, qtbot, tmp_path):
    set_value(dock.parts.form, "structure", tmp_path / "nothing.pdb")
    dock.parts.job.button.click()
    assert "nothing.pdb does not exist" in finish(dock, qtbot)


def first_loss(run: Path) -> float:
    events = map(json.loads, (run / "events.jsonl").read_text().splitlines())
    return next(event["losses"]["total"] for event in events if event["event"] == "Step")


def test_dock_and_terminal_train_alike_on_a_structure(
    dock, predict, qtbot, structure, tmp_path, folder
):
    choose(dock, qtbot, structure)
    dock.parts.micrographs.diameter.value = 40
    set_value(dock.parts.form, "steps", 2)
    set_value(dock.parts.form, "simulated_micrographs", 10)
    dock.parts.job.button.click()
    assert finish(dock, qtbot).startswith("Trained in")
    run, other = tmp_path / "runs" / "run_1", tmp_path / "terminal"
    words = ["train", folder, "--structure", structure, "--output", other, "--steps", 2]
    words += ["--diameter", 40, "--pixel-size", 2, "--simulated-micrographs", 10]
    words += ["--batch-size", 1, "--patch", 64]
    assert main([*map(str, words)]) == 0
    settings = [yaml.safe_load((one / "settings.yaml").read_text()) for one in (run, other)]
    assert settings[0] == settings[1]
    assert settings[0]["structure"] == str(structure)
    assert first_loss(run) == pytest.approx(first_loss(other), rel=1e-5)
    assert predict.models.model() == str(run)
