from __future__ import annotations

import mrcfile
import numpy as np
import pytest

from napari_cryopick import Picks, Source
from napari_cryopick.gui.contributions.reader import read_stacks
from napari_cryopick.gui.docks.predict import PredictDock
from napari_cryopick.gui.docks.train import TrainDock
from napari_cryopick.gui.layers.curation import replace_model_picks
from napari_cryopick.gui.layers.layers import (
    LABELS,
    OFFSET_SD,
    PICKS,
    diameter_angstrom,
    find_layer,
    pixel_size_angstrom,
    remember_diameter,
    slice_in_view,
)
from napari_cryopick.gui.layers.stack import ensure_stack
from napari_cryopick.gui.widgets.models import add_session_model
from napari_cryopick.io import read_picks
from napari_cryopick.model.registry import DEFAULT
from napari_cryopick.simulation.simulate import simulate_example

TIMEOUT_MS = 60_000


@pytest.fixture
def dock(viewer, qtbot, model):
    dock = PredictDock(viewer)
    qtbot.addWidget(dock)
    dock.show()
    add_session_model(model)
    return dock


@pytest.fixture
def image(image):
    """With particles that fit into such small micrographs."""
    remember_diameter(image, 40.0)
    return image


def run(dock, qtbot) -> str:
    dock.job.button.click()
    qtbot.waitUntil(lambda: dock.job.running is None, timeout=TIMEOUT_MS)
    return dock.job.status.text()


def test_without_micrographs_it_says_what_to_do(dock):
    assert dock.micrographs.hint.text() == "Open a folder of micrographs to begin."
    dock.job.button.click()
    assert dock.job.running is None
    assert dock.job.status.text() == "There are no micrographs; open a folder of them."


def test_the_whole_stack_is_predicted_shown_and_exported(image, dock, qtbot, viewer, tmp_path):
    dock.scope.setCurrentIndex(1)
    assert "3 of 3 micrographs predicted" in run(dock, qtbot)
    picks = dock.micrographs.picks
    assert dock.threshold.value() == pytest.approx(0.3)
    dock.threshold.setValue(0)
    assert set(picks.data[:, 0]) == {0, 1, 2}
    assert picks.shown.any()
    assert find_layer(viewer.layers, image, LABELS).data.shape[0] == 3
    dock.export_to(tmp_path / "picks.star")
    assert len(read_picks(tmp_path / "picks.star")) == picks.shown.sum()
    dock.threshold.setValue(1)
    assert not picks.shown.any()


def test_precision_and_recall_are_expected_from_the_scores(image, dock, qtbot):
    assert not dock.expected.isVisible()
    run(dock, qtbot)
    scores = [0.9, 0.8, 0.4]
    found = Picks.at([(40, 40), (80, 80), (120, 120)], scores, Source.MODEL)
    index = slice_in_view(dock.viewer, image)
    replace_model_picks(dock.micrographs.picks, {index: found}, "a run of known scores")
    dock.micrographs.picks.metadata[OFFSET_SD] = 0.0
    for threshold, sentence in (
        (0.5, "Expected precision 0.85, recall 0.81."),
        (0.3, "Expected precision 0.70, recall 1.00."),
        (0.95, "Precision and recall are not known."),
    ):
        dock.threshold.setValue(threshold)
        qtbot.waitUntil(lambda sentence=sentence: dock.expected.text() == sentence)
    assert dock.expected.isVisible()


def test_without_micrographs_the_diameter_is_the_default(dock):
    assert dock.micrographs.diameter.value == 150


@pytest.fixture
def particles(viewer, tmp_path):
    """Two micrographs of particles of 160 Å."""
    how = {"shape": (400, 400), "pixel_size_angstrom": 3.2, "ice_balls": 0}
    simulate_example(tmp_path / "large", count=2, particles=20, **how)
    pixels, attributes, _ = read_stacks(str(tmp_path / "large" / "micrographs"))[0]
    return viewer.add_image(pixels, **attributes)


def estimate(dock, qtbot) -> str:
    dock.estimate.click()
    assert dock.job.button.text() == "Stop"
    assert not dock.estimate.isEnabled()
    qtbot.waitUntil(lambda: dock.job.running is None, timeout=TIMEOUT_MS)
    assert dock.estimate.isEnabled()
    return dock.job.status.text()


def test_the_diameter_is_estimated_entered_and_drawn(particles, dock, qtbot, viewer):
    dock.models.choose(DEFAULT)
    sentence = estimate(dock, qtbot)
    diameter = dock.micrographs.diameter.value
    assert diameter == pytest.approx(160, rel=0.25)
    assert sentence == (
        f"Particles seem to be about {diameter:.0f} Å across, estimated on 2 micrographs."
    )
    assert diameter_angstrom(particles) == diameter
    assert viewer.layers["diameter"].size[0] == diameter


def test_an_estimate_that_comes_to_nothing_says_so(image, dock, qtbot):
    dock.models.choose(DEFAULT)
    assert "No particles of any size were found" in estimate(dock, qtbot)
    assert dock.micrographs.diameter.value == 40


def test_an_estimate_that_is_stopped_leaves_the_diameter(particles, dock, qtbot):
    dock.models.choose(DEFAULT)
    dock.micrographs.diameter.value = 99
    dock.estimate.click()
    dock.job.button.click()
    qtbot.waitUntil(lambda: dock.job.running is None, timeout=TIMEOUT_MS)
    assert dock.job.status.text() == "Stopped. Diameter unchanged."
    assert dock.micrographs.diameter.value == 99


def test_an_estimate_holds_for_the_micrographs_it_was_made_of(particles, image, dock):
    assert dock.micrographs.image == image
    dock.micrographs.set_diameter(particles, 160)
    assert dock.micrographs.diameter.value == 40
    dock.micrographs.layers.choose(particles)
    assert dock.micrographs.diameter.value == 160


def test_only_the_micrograph_in_view_is_predicted_even_if_the_user_moves_on(
    image, dock, qtbot, viewer
):
    viewer.dims.set_point(0, 1)
    dock.job.button.click()
    viewer.dims.set_point(0, 2)
    qtbot.waitUntil(lambda: dock.job.running is None, timeout=TIMEOUT_MS)
    assert "1 of 1 micrograph predicted" in dock.job.status.text()
    assert set(dock.micrographs.picks.data[:, 0]) <= {1}
    assert find_layer(viewer.layers, image, "area").data[1].any()


def test_margins_without_image_are_told(image, folder, dock, qtbot):
    with mrcfile.open(folder / "a.mrc", "r+") as mrc:
        mrc.data[:20] = mrc.data[20]
    dock.scope.setCurrentIndex(1)
    assert "1 of 3 micrographs have margins without image (2" in run(dock, qtbot)


def test_one_bad_micrograph_is_told_and_the_others_go_on(image, folder, dock, qtbot):
    (folder / "b.mrc").write_bytes(b"")
    dock.scope.setCurrentIndex(1)
    sentence = run(dock, qtbot)
    assert sentence.startswith("2 of 3 micrographs predicted, 1 left out")
    assert "b.mrc is empty" in sentence


def test_a_run_without_a_model_is_refused_in_a_sentence(viewer, image, qtbot, tmp_path, dock):
    add_session_model(tmp_path / "nothing.safetensors")
    assert "nothing.safetensors does not exist" in run(dock, qtbot)


def test_an_unknown_pixel_size_is_asked_for_and_then_holds_for_all_layers(
    viewer, dock, qtbot, folder
):
    plain = viewer.add_image(np.random.default_rng(0).normal(size=(96, 128)), name="plain")
    assert "pixel size" in dock.micrographs.hint.text()
    dock.job.button.click()
    assert dock.job.running is None
    assert dock.job.status.text() == "The pixel size is unknown; enter it above."
    dock.micrographs.pixel_size.value = 2
    dock.micrographs.diameter.value = 40
    assert pixel_size_angstrom(plain) == 2
    assert "1 of 1 micrograph predicted" in run(dock, qtbot)
    assert pixel_size_angstrom(dock.micrographs.picks) == 2
    assert ensure_stack(plain).paths[0].exists()


def test_the_diameter_is_drawn_for_a_moment_resizes_circles_and_is_remembered(
    image, viewer, dock, qtbot
):
    dock.micrographs.diameter.value = 60
    circle = viewer.layers["diameter"]
    assert circle.size[0] == 60
    assert len(dock.micrographs.layers) == 1
    dock.micrographs.diameter.value = 70
    assert viewer.layers["diameter"].size[0] == 70
    qtbot.waitUntil(lambda: "diameter" not in viewer.layers, timeout=5000)
    second = PredictDock(viewer)
    qtbot.addWidget(second)
    second.show()
    assert second.micrographs.diameter.value == 70


def test_sizes_entered_in_one_dock_are_shown_in_all(viewer, image, dock, qtbot):
    other = TrainDock(viewer)
    qtbot.addWidget(other)
    other.show()
    dock.micrographs.diameter.value = 63
    dock.micrographs.pixel_size.value = 1.7
    assert other.parts.micrographs.diameter.value == 63
    assert other.parts.micrographs.pixel_size.value == 1.7


def test_an_unknown_pixel_size_entered_in_one_dock_is_known_in_all(viewer, dock, qtbot):
    viewer.add_image(np.random.default_rng(0).normal(size=(96, 128)), name="plain")
    other = TrainDock(viewer)
    qtbot.addWidget(other)
    other.show()
    dock.micrographs.pixel_size.value = 1.7
    assert other.parts.micrographs.pixel_size.value == 1.7
    assert not other.parts.micrographs.hint.isVisible()


def test_stop_ends_a_run_and_keeps_what_was_found(image, dock, qtbot, viewer):
    dock.scope.setCurrentIndex(1)
    dock.job.button.click()
    assert dock.job.button.text() == "Stop"
    qtbot.waitUntil(lambda: find_layer(viewer.layers, image, PICKS) is not None)
    dock.job.button.click()
    qtbot.waitUntil(lambda: dock.job.running is None, timeout=TIMEOUT_MS)
    assert dock.job.button.text() == "Predict"
    assert dock.job.button.isEnabled()


def test_micrographs_removed_in_the_middle_stop_the_run(image, dock, qtbot, viewer):
    dock.scope.setCurrentIndex(1)
    dock.job.button.click()
    viewer.layers.remove(image)
    qtbot.waitUntil(lambda: dock.job.running is None, timeout=TIMEOUT_MS)
    assert len(viewer.layers) == 0
