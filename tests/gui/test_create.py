from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Image

from napari_cryopick import Picks, Source
from napari_cryopick.detection.events import Maps, Predicted
from napari_cryopick.gui.layers.create import (
    ensure_labels,
    ensure_picks,
    labels_layer,
    map_layer,
    over,
    picks_layer,
    show_maps,
)
from napari_cryopick.gui.layers.curation import replace_model_picks
from napari_cryopick.gui.layers.layers import (
    LABELS,
    MAPS,
    MICROGRAPHS,
    PICKS,
    find_layer,
    frame,
    metadata,
    pixel_size_angstrom,
    remember_diameter,
    role_of,
    set_pixel_size,
    stack_of,
)
from napari_cryopick.gui.layers.stack import Stack
from napari_cryopick.io import read_micrograph

STACK = Stack((Path("a.mrc"), Path("b.mrc")), ((100, 120), (90, 120)))


def make_image(size: float = 1.7, **attributes) -> Image:
    angstrom = {"scale": (1, size, size), "units": ("pixel", "angstrom", "angstrom")}
    angstrom["metadata"] = metadata(STACK, MICROGRAPHS)
    return Image(np.zeros((2, 100, 120), np.float32), **(angstrom | attributes))


def make_maps(scale: float) -> Maps:
    shape = int(100 * scale), int(120 * scale)
    return Maps(*np.zeros((3, *shape), np.float32), scale=scale)


@settings(deadline=None, max_examples=30)
@given(
    factor=st.floats(0.02, 2),
    size=st.floats(0.2, 10),
    point=st.tuples(st.floats(0, 100), st.floats(0, 120)),
)
def test_a_coarse_layer_lies_exactly_over_its_image(factor, size, point):
    image = make_image(size, translate=(0, 5.0, -3.0))
    scale, translate = frame(image, factor)
    coarse = np.array([1, *((p + 0.5) * factor - 0.5 for p in point)])
    np.testing.assert_allclose(coarse * scale + translate, image.data_to_world((1, *point)))


def test_labels_and_maps_cover_the_same_ice_as_the_image():
    image, half = make_image(), make_maps(0.5)
    remember_diameter(image, 48 * 1.7)
    for layer in (labels_layer(image), map_layer(image, "area", half)):
        assert layer.data.shape == (2, 50, 60)
        low, high = layer.extent.world[:, 1:]
        np.testing.assert_allclose(low - layer.scale[1:] / 2, -1.7 / 2)
        np.testing.assert_allclose(high + layer.scale[1:] / 2, np.array([99.5, 119.5]) * 1.7)
        assert [str(unit) for unit in layer.units] == ["pixel", "angstrom", "angstrom"]


def test_circles_have_the_true_diameter_in_angstrom():
    layer = picks_layer(over(make_image(), PICKS), diameter_px=80)
    layer.add([0, 10, 10])
    assert layer.size[0] * layer.scale[-1] == pytest.approx(80 * 1.7)


def test_a_plain_image_gets_layers_of_the_same_world():
    image = Image(np.zeros((100, 120)), scale=(2, 2), translate=(10, 20))
    layer = picks_layer(over(image, PICKS), 20)
    np.testing.assert_allclose(layer.data_to_world((0, 3, 4))[1:], image.data_to_world((3, 4)))


def test_layers_are_found_by_their_micrographs_not_their_name():
    image = make_image()
    other = Stack((Path("z.mrc"),), ((100, 120),))
    picks, labels = picks_layer(over(image, PICKS), 20), labels_layer(image)
    stranger = make_image(metadata=metadata(other, MICROGRAPHS))
    strange = picks_layer(over(stranger, PICKS), 20)
    picks.name = "renamed"
    layers = [image, picks, labels, strange]
    assert find_layer(layers, image, PICKS) is picks
    assert find_layer(layers, image, LABELS) is labels
    assert find_layer(layers, stranger, LABELS) is None


def test_a_pixel_size_told_later_stretches_all_layers_alike():
    image = make_image(1.0, units=("pixel",) * 3)
    picks, area = picks_layer(over(image, PICKS), 20), map_layer(image, "area", make_maps(0.25))
    assert pixel_size_angstrom(image) is None
    set_pixel_size([image, picks, area], image, 1.3)
    assert pixel_size_angstrom(image) == pixel_size_angstrom(picks) == 1.3
    scale, translate = frame(image, 0.25)
    np.testing.assert_allclose(area.scale, scale)
    np.testing.assert_allclose(area.translate, translate)


# what a prediction fills

DIAMETER_ANGSTROM = 40.0


def predicted(path, scale: float = 0.5) -> Predicted:
    """An event as the engine yields it."""
    micrograph = read_micrograph(path)
    shape = tuple(int(edge * scale) for edge in micrograph.shape)
    maps = Maps(*(np.full(shape, value, np.float32) for value in (0.9, 0.5, 0.1)), scale=scale)
    picks = Picks.at([(30, 40), (80, 100)], [0.9, 0.4], Source.MODEL)
    return Predicted(
        0, 1, path, micrograph, picks, maps, 0.5, picks.scores, offset_sd=0.1, seconds=1
    )


def show(viewer, image, event, run="run"):
    remember_diameter(image, DIAMETER_ANGSTROM)
    for _ in show_maps(viewer, image, event):
        pass
    found = {stack_of(image).index(event.path): event.picks}
    replace_model_picks(ensure_picks(viewer, image), found, run)
    ensure_labels(viewer, image)
    return layer_of(viewer, image, PICKS)


def layer_of(viewer, image, role):
    return find_layer(viewer.layers, image, role)


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
    assert np.sum(layer_of(viewer, image, LABELS).data) == 1
