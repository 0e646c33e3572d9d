"""Copies of layers, as napari's *Duplicate Layer* makes them, and layers of any name."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers._layer_actions import _duplicate_layer, _project

from napari_cryopick import Picks, Source
from napari_cryopick.gui.contributions.coordinates import write_layer
from napari_cryopick.gui.docks.train import TrainDock
from napari_cryopick.gui.layers.create import ensure_labels, ensure_picks
from napari_cryopick.gui.layers.curation import curated_picks, replace_model_picks, undo
from napari_cryopick.gui.layers.layers import LABELS, PICKS, find_layer, remember_diameter, stack_of
from napari_cryopick.gui.layers.stack import ensure_stack, write_files
from napari_cryopick.gui.layers.training_data import training_data
from napari_cryopick.gui.layers.watch import watch
from napari_cryopick.io import read_micrograph, read_picks

NAMES = [
    *("", " ", "picks", "micrographs", "cryopick", "a/b\\c:d*?<b>&amp;", "ribosomé 核糖体 🧬"),
    "long" * 100,
]


@pytest.fixture
def viewer(viewer):
    watch(viewer)
    return viewer


def duplicate(viewer, layer):
    viewer.layers.selection = {layer}
    _duplicate_layer(viewer.layers)
    return viewer.layers[viewer.layers.index(layer) + 1]


def clicked(layer) -> int:
    return int((layer.features["source"] == Source.PERSON).sum())


def predict(viewer, image) -> None:
    found = {0: Picks.at([[100, 100]], 0.9, Source.MODEL)}
    replace_model_picks(ensure_picks(viewer, image), found, "run")


@pytest.fixture
def picks(viewer, image):
    """A picks layer with three clicks, one pick of a model and one that was deleted."""
    remember_diameter(image, 20.0)
    layer = ensure_picks(viewer, image)
    layer.add([[0, 10 + 30 * k, 40] for k in range(3)])
    found = Picks.at([[100, 100], [20, 120]], [0.9, 0.8], Source.MODEL)
    replace_model_picks(layer, {0: found}, "run")
    layer.selected_data = {4}
    layer.remove_selected()
    return layer


def test_clicks_on_a_copy_count_and_nothing_overwrites_them(viewer, image, picks):
    copy = duplicate(viewer, picks)
    copy.add([[1, 10 + 30 * k, 60] for k in range(2)])
    assert len(training_data(image, copy, None, complete=False).picks) == 2
    predict(viewer, image)
    assert clicked(copy) == 5
    assert clicked(picks) == 3
    assert len(copy.data) == 6


def test_a_copy_has_a_history_of_its_own(viewer, picks):
    copy = duplicate(viewer, picks)
    before = copy.data.copy()
    undo(picks)
    undo(copy)
    np.testing.assert_array_equal(copy.data, before)
    copy.add([1, 5, 5])
    undo(picks)
    assert len(copy.data) == len(before) + 1
    undo(copy)
    np.testing.assert_array_equal(copy.data, before)
    assert copy.keymap.keys() == picks.keymap.keys()


@pytest.mark.parametrize("clicks", [0, 3])
def test_circles_on_a_copy_are_as_large(viewer, image, clicks):
    remember_diameter(image, 60.0)
    picks = ensure_picks(viewer, image)
    for k in range(clicks):
        picks.add([0, 10 + 30 * k, 40])
    copy = duplicate(viewer, picks)
    copy.add([1, 50, 50])
    undo(copy)
    copy.add([1, 60, 60])
    assert set(copy.size) == {30}


def test_what_was_deleted_before_stays_deleted_in_a_copy_and_no_more(viewer, picks):
    copy = duplicate(viewer, picks)
    _, deleted = curated_picks(copy)[0]
    assert deleted.positions.tolist() == [[20, 120]]
    copy.selected_data = {3}
    copy.remove_selected()
    assert len(curated_picks(copy)[0][1]) == 2
    assert len(curated_picks(picks)[0][1]) == 1


def test_docks_work_on_the_layer_that_was_copied_until_it_is_removed(viewer, image, picks):
    copy = duplicate(viewer, picks)
    assert find_layer(viewer.layers, image, PICKS) == picks
    viewer.layers.remove(picks)
    assert find_layer(viewer.layers, image, PICKS) == copy


def test_a_copy_can_be_chosen_for_training(viewer, image, picks, qtbot):
    dock = TrainDock(viewer)
    qtbot.addWidget(dock)
    copy = duplicate(viewer, picks)
    copy.add([1, 50, 50])
    assert dock.parts.picks.layer() == picks
    dock.parts.picks.choose(copy)
    assert dock.parts.data().labelled == 2


def test_painted_labels_are_not_shared(viewer, image):
    labels = ensure_labels(viewer, image)
    copy = duplicate(viewer, labels)
    copy.data[0, 5, 5] = 1
    assert not np.any(labels.data)
    assert find_layer(viewer.layers, image, LABELS) == labels


def test_a_copy_of_pixels_without_a_file_has_files_of_its_own(viewer):
    image = viewer.add_image(np.zeros((96, 96)), name="one")
    first = ensure_stack(image)
    copy = duplicate(viewer, image)
    copy.data = np.ones((96, 96))
    second = ensure_stack(copy)
    for layer, stack, value in ((image, first, 0), (copy, second, 1)):
        write_files(layer, stack)
        assert (read_micrograph(stack.paths[0]).pixels == value).all()
    assert ensure_stack(copy) is second


def test_a_copy_of_micrographs_is_of_the_same_files(viewer, image):
    assert ensure_stack(duplicate(viewer, image)) == stack_of(image)


def test_a_projection_is_not_taken_for_the_micrographs(viewer, image):
    viewer.layers.selection.active = image
    _project(viewer.layers)
    (projection,) = (layer for layer in viewer.layers if layer != image)
    stack = ensure_stack(projection)
    assert len(stack) == 1
    assert stack.paths[0] not in stack_of(image).paths


@pytest.mark.parametrize("name", NAMES)
def test_layers_may_have_any_name(viewer, image, picks, name, tmp_path):
    plain = viewer.add_image(np.zeros((96, 96)), name=name)
    picks.name = image.name = name
    predict(viewer, image)
    assert find_layer(viewer.layers, image, PICKS) == picks
    assert write_layer(tmp_path / "picks.star", picks) == len(read_picks(tmp_path / "picks.star"))
    stack = ensure_stack(plain)
    write_files(plain, stack)
    assert stack.paths[0].exists()
    ensure_picks(viewer, plain)


def test_a_layer_moved_to_another_viewer_keeps_its_history(viewer, image, picks):
    other = ViewerModel()
    for layer in (image, picks):
        viewer.layers.remove(layer)
        other.layers.append(layer)
    assert ensure_picks(other, image) == picks
    before = len(picks.data)
    picks.add([0, 5, 5])
    undo(picks)
    assert len(picks.data) == before
