from __future__ import annotations

import numpy as np
import pytest

from napari_cryopick import Picks, Source
from napari_cryopick.detection.events import Maps, Predicted
from napari_cryopick.gui.layers.metadata import (
    LABELS,
    MAPS,
    PICKS,
    find_layer,
    remember_diameter,
    role_of,
    stack_of,
)
from napari_cryopick.gui.layers.results import ensure_labels, show_prediction
from napari_cryopick.io import read_micrograph

DIAMETER_ANGSTROM = 40.0


def predicted(path, scale: float = 0.5) -> Predicted:
    """An event as the engine yields it."""
    micrograph = read_micrograph(path)
    shape = tuple(int(edge * scale) for edge in micrograph.shape)
    maps = Maps(*(np.full(shape, value, np.float32) for value in (0.9, 0.5, 0.1)), scale=scale)
    picks = Picks.at([(30, 40), (80, 100)], [0.9, 0.4], Source.MODEL)
    return Predicted(0, 1, path, micrograph, picks, maps, threshold=0.5, particles=1.0, seconds=0.1)


def show(viewer, image, event, run="run"):
    remember_diameter(image, DIAMETER_ANGSTROM)
    for _ in show_prediction(viewer, image, event, run):
        pass
    ensure_labels(viewer, image)
    return layer_of(viewer, image, PICKS)


def layer_of(viewer, image, role):
    return find_layer(viewer.layers, stack_of(image), role)


def test_results_land_on_their_own_micrograph_wherever_the_user_looks(viewer, image):
    viewer.dims.set_point(0, 2)
    small = stack_of(image).paths[1]
    picks = show(viewer, image, predicted(small))
    assert picks.data.tolist() == [[1, 30, 40], [1, 80, 100]]
    area = layer_of(viewer, image, "area").data
    assert area.shape == (3, 80, 96)
    np.testing.assert_allclose(area[1, :64, :80], 0.9, atol=1e-3)
    assert not area[1, 64:].any()
    assert not area[[0, 2]].any()
    assert viewer.dims.point[0] == 2


def test_layers_come_in_a_sensible_order_and_leave_the_selection_alone(viewer, image):
    viewer.layers.selection.active = image
    show(viewer, image, predicted(stack_of(image).paths[0]))
    roles = [role_of(layer) for layer in viewer.layers]
    assert roles[0] == "micrographs"
    assert set(roles[1:4]) == set(MAPS)
    assert roles[4:] == [LABELS, PICKS]
    assert viewer.layers.selection.active == image


def test_clicks_made_before_stay_and_nothing_is_made_twice(viewer, image):
    event = predicted(stack_of(image).paths[0])
    show(viewer, image, event).add([0, 10, 10])
    count = len(viewer.layers)
    picks = show(viewer, image, event, run="again")
    assert len(viewer.layers) == count
    assert sorted(picks.features["source"]) == ["model", "model", "person"]


@pytest.mark.parametrize("role", [*MAPS, LABELS, PICKS])
def test_a_layer_removed_meanwhile_is_made_anew(viewer, image, role):
    first, second, _ = stack_of(image).paths
    show(viewer, image, predicted(first))
    viewer.layers.remove(layer_of(viewer, image, role))
    show(viewer, image, predicted(second))
    assert layer_of(viewer, image, role) is not None


def test_another_diameter_replaces_the_maps_but_not_what_is_painted(viewer, image):
    path = stack_of(image).paths[0]
    show(viewer, image, predicted(path))
    layer_of(viewer, image, LABELS).data[0, 5, 5] = 1
    show(viewer, image, predicted(path, scale=0.25))
    assert layer_of(viewer, image, "area").data.shape == (3, 40, 48)
    assert layer_of(viewer, image, LABELS).data.sum() == 1
