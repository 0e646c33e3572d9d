from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Image

from napari_cryopick.detection.events import Maps
from napari_cryopick.gui.layers.create import fits, labels_layer, map_layer, picks_layer
from napari_cryopick.gui.layers.geometry import frame, pixel_size_angstrom, set_pixel_size
from napari_cryopick.gui.layers.metadata import LABELS, MICROGRAPHS, PICKS, find_layer, metadata
from napari_cryopick.gui.layers.stack import Stack

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
    for layer in (labels_layer(image, 48.0), map_layer(image, "area", half)):
        assert layer.data.shape == (2, 50, 60)
        low, high = layer.extent.world[:, 1:]
        np.testing.assert_allclose(low - layer.scale[1:] / 2, -1.7 / 2)
        np.testing.assert_allclose(high + layer.scale[1:] / 2, np.array([99.5, 119.5]) * 1.7)
        assert [str(unit) for unit in layer.units] == ["pixel", "angstrom", "angstrom"]


def test_circles_have_the_true_diameter_in_angstrom():
    layer = picks_layer(make_image(), diameter_px=80)
    layer.add([0, 10, 10])
    assert layer.size[0] * layer.scale[-1] == pytest.approx(80 * 1.7)


def test_a_plain_image_gets_layers_of_the_same_world():
    image = Image(np.zeros((100, 120)), scale=(2, 2), translate=(10, 20))
    layer = picks_layer(image, 20)
    np.testing.assert_allclose(layer.data_to_world((0, 3, 4))[1:], image.data_to_world((3, 4)))


def test_layers_are_found_by_their_micrographs_not_their_name():
    image = make_image()
    other = Stack((Path("z.mrc"),), ((100, 120),))
    picks, labels = picks_layer(image, 20), labels_layer(image, 20)
    strange = picks_layer(make_image(metadata=metadata(other, MICROGRAPHS)), 20)
    picks.name = "renamed"
    layers = [image, picks, labels, strange]
    assert find_layer(layers, STACK, PICKS) is picks
    assert find_layer(layers, STACK, LABELS) is labels
    assert find_layer(layers, other, LABELS) is None


def test_a_pixel_size_told_later_stretches_all_layers_alike():
    image = make_image(1.0, units=("pixel",) * 3)
    picks, area = picks_layer(image, 20), map_layer(image, "area", make_maps(0.25))
    assert pixel_size_angstrom(image) is None
    set_pixel_size([image, picks, area], image, 1.3)
    assert pixel_size_angstrom(image) == pixel_size_angstrom(picks) == 1.3
    scale, translate = frame(image, 0.25)
    np.testing.assert_allclose(area.scale, scale)
    np.testing.assert_allclose(area.translate, translate)


def test_maps_of_another_scale_need_another_layer():
    image = make_image()
    layer = map_layer(image, "area", make_maps(0.5))
    assert fits(layer, image, make_maps(0.5))
    assert not fits(layer, image, make_maps(0.4))
