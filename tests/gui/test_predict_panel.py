from __future__ import annotations

import numpy as np
import pytest

from napari_cryopick import Picks, Source
from napari_cryopick.gui.contributions.reader import read_stacks
from napari_cryopick.gui.docks.panel import remembered_diameter
from napari_cryopick.gui.docks.predict import PredictPanel
from napari_cryopick.gui.layers.curation import replace_all_model_picks
from napari_cryopick.gui.layers.layers import (
    LABELS,
    PICKS,
    find_layer,
    pixel_size_angstrom,
    stack_of,
)
from napari_cryopick.gui.layers.scratch import adopt
from napari_cryopick.gui.widgets.model_combo import offer
from napari_cryopick.io import read_picks
from napari_cryopick.model.registry import DEFAULT
from napari_cryopick.simulation.simulate import simulate_example

TIMEOUT_MS = 60_000


@pytest.fixture
def panel(viewer, qtbot, model):
    panel = PredictPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    offer(model)
    return panel


@pytest.fixture
def image(image):
    """With particles that fit into such small micrographs."""
    image.metadata["cryopick_diameter_angstrom"] = 40.0
    return image


def run(panel, qtbot) -> str:
    panel.control.button.click()
    qtbot.waitUntil(lambda: panel.control.job is None, timeout=TIMEOUT_MS)
    return panel.control.status.text()


def test_without_micrographs_it_says_what_to_do(panel):
    assert panel.control.status.text() == "Open a folder of micrographs to begin."
    panel.control.button.click()
    assert panel.control.job is None
    assert panel.control.status.text() == "There are no micrographs; open a folder of them."


def test_the_whole_stack_is_predicted_shown_and_exported(image, panel, qtbot, viewer, tmp_path):
    panel.scope.setCurrentIndex(1)
    assert "3 of 3 micrographs predicted" in run(panel, qtbot)
    picks = panel.picks_layer()
    assert panel.threshold.value() == pytest.approx(0.3)
    panel.threshold.setValue(0)
    assert set(picks.data[:, 0]) == {0, 1, 2}
    assert picks.shown.any()
    assert find_layer(viewer.layers, stack_of(image), LABELS).data.shape[0] == 3
    panel.export_to(tmp_path / "picks.star")
    assert len(read_picks(tmp_path / "picks.star")) == picks.shown.sum()
    panel.threshold.setValue(1)
    assert not picks.shown.any()


def test_the_scores_promise_precision_and_recall_at_the_threshold(image, panel, qtbot):
    assert not panel.promise.isVisible()
    run(panel, qtbot)
    picks = panel.picks_layer()
    scores = [0.9, 0.8, 0.4]
    found = Picks.at([(40, 40), (80, 80), (120, 120)], scores, Source.MODEL)
    replace_all_model_picks(picks, {panel.slice_in_view(): found}, 5, "a run of known scores")
    for threshold, sentence in (
        (0.5, "Expected precision 0.85, recall 0.81"),
        (0.3, "Expected precision 0.70, recall 1.00"),
        (0.95, "No estimate of precision and recall"),
    ):
        panel.threshold.setValue(threshold)
        qtbot.waitUntil(lambda sentence=sentence: panel.promise.text() == sentence)
    assert panel.promise.isVisible()


def test_without_micrographs_the_diameter_is_the_usual_one(panel):
    assert panel.form.value("diameter_angstrom") == 150


@pytest.fixture
def particles(viewer, tmp_path):
    """Two micrographs of particles of 160 Å."""
    how = {"shape": (400, 400), "pixel_size_angstrom": 3.2, "ice_balls": 0}
    simulate_example(tmp_path / "large", count=2, particles=20, **how)
    pixels, attributes, _ = read_stacks(str(tmp_path / "large" / "micrographs"))[0]
    return viewer.add_image(pixels, **attributes)


def estimate(panel, qtbot) -> str:
    panel.estimate.click()
    assert panel.control.button.text() == "Stop"
    assert not panel.estimate.isEnabled()
    qtbot.waitUntil(lambda: panel.control.job is None, timeout=TIMEOUT_MS)
    assert panel.estimate.isEnabled()
    return panel.control.status.text()


def test_the_diameter_is_estimated_entered_and_drawn(particles, panel, qtbot, viewer):
    panel.models.choose(DEFAULT)
    sentence = estimate(panel, qtbot)
    diameter = panel.form.value("diameter_angstrom")
    assert diameter == pytest.approx(160, rel=0.25)
    assert sentence == (
        f"Particles seem to be about {diameter:.0f} Å across, judged by 2 micrographs."
    )
    assert remembered_diameter(particles) == diameter
    assert viewer.layers["diameter"].size[0] == diameter


def test_an_estimate_that_comes_to_nothing_says_so(image, panel, qtbot):
    panel.models.choose(DEFAULT)
    assert "No particles of any size were found" in estimate(panel, qtbot)
    assert panel.form.value("diameter_angstrom") == 40


def test_an_estimate_that_is_stopped_leaves_the_diameter(particles, panel, qtbot):
    panel.models.choose(DEFAULT)
    panel.form.set_value("diameter_angstrom", 99)
    panel.estimate.click()
    panel.control.button.click()
    qtbot.waitUntil(lambda: panel.control.job is None, timeout=TIMEOUT_MS)
    assert panel.control.status.text() == "Stopped; the diameter is as it was."
    assert panel.form.value("diameter_angstrom") == 99


def test_an_estimate_holds_for_the_micrographs_it_was_made_of(particles, image, panel):
    assert panel.images.layer() == image
    panel.set_diameter(particles, 160)
    assert panel.form.value("diameter_angstrom") == 40
    panel.images.choose(particles)
    assert panel.form.value("diameter_angstrom") == 160


def test_only_the_micrograph_in_view_is_predicted_even_if_the_user_moves_on(
    image, panel, qtbot, viewer
):
    viewer.dims.set_point(0, 1)
    panel.control.button.click()
    viewer.dims.set_point(0, 2)
    qtbot.waitUntil(lambda: panel.control.job is None, timeout=TIMEOUT_MS)
    assert "1 of 1 micrograph predicted" in panel.control.status.text()
    assert set(panel.picks_layer().data[:, 0]) <= {1}
    assert find_layer(viewer.layers, stack_of(image), "area").data[1].any()


def test_one_bad_micrograph_is_told_and_the_others_go_on(image, folder, panel, qtbot):
    (folder / "b.mrc").write_bytes(b"")
    panel.scope.setCurrentIndex(1)
    sentence = run(panel, qtbot)
    assert sentence.startswith("2 of 3 micrographs predicted, 1 failed")
    assert "b.mrc is empty" in sentence


def test_a_run_without_a_model_is_refused_in_a_sentence(viewer, image, qtbot, tmp_path, panel):
    offer(tmp_path / "nothing.safetensors")
    assert "nothing.safetensors does not exist" in run(panel, qtbot)


def test_an_unknown_pixel_size_is_asked_for_and_then_holds_for_all_layers(
    viewer, panel, qtbot, folder
):
    plain = viewer.add_image(np.random.default_rng(0).normal(size=(96, 128)), name="plain")
    assert "pixel size" in panel.control.status.text()
    panel.control.button.click()
    assert panel.control.job is None
    assert panel.control.status.text() == "The pixel size is unknown; enter it above."
    panel.form.set_value("pixel_size_angstrom", 2)
    panel.form.set_value("diameter_angstrom", 40)
    assert pixel_size_angstrom(plain) == 2
    assert "1 of 1 micrograph predicted" in run(panel, qtbot)
    assert pixel_size_angstrom(panel.picks_layer()) == 2
    assert adopt(plain).paths[0].exists()


def test_the_diameter_is_drawn_for_a_moment_resizes_circles_and_is_remembered(
    image, viewer, panel, qtbot
):
    panel.form.set_value("diameter_angstrom", 60)
    circle = viewer.layers["diameter"]
    assert circle.size[0] == 60
    assert len(panel.images) == 1
    panel.form.set_value("diameter_angstrom", 70)
    assert viewer.layers["diameter"].size[0] == 70
    qtbot.waitUntil(lambda: "diameter" not in viewer.layers, timeout=5000)
    second = PredictPanel(viewer)
    qtbot.addWidget(second)
    second.show()
    assert second.form.value("diameter_angstrom") == 70


def test_stop_ends_a_run_and_keeps_what_was_found(image, panel, qtbot, viewer):
    panel.scope.setCurrentIndex(1)
    panel.control.button.click()
    assert panel.control.button.text() == "Stop"
    qtbot.waitUntil(lambda: find_layer(viewer.layers, stack_of(image), PICKS) is not None)
    panel.control.button.click()
    qtbot.waitUntil(lambda: panel.control.job is None, timeout=TIMEOUT_MS)
    assert panel.control.button.text() == "Predict"
    assert panel.control.button.isEnabled()


def test_micrographs_removed_in_the_middle_stop_the_run(image, panel, qtbot, viewer):
    panel.scope.setCurrentIndex(1)
    panel.control.button.click()
    viewer.layers.remove(image)
    qtbot.waitUntil(lambda: panel.control.job is None, timeout=TIMEOUT_MS)
    assert len(viewer.layers) == 0
