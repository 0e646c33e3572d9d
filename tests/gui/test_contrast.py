"""The contrast suits the micrograph in view, until a user sets it."""

from __future__ import annotations

import mrcfile
import numpy as np
import pytest

from napari_cryopick.gui.contributions.reader import read_stacks
from napari_cryopick.gui.layers.watch import watch

MEANS = (10, 500, -3)


@pytest.fixture
def image(viewer, folder):
    """Three micrographs of different gain, whose contrast follows the viewer."""
    rng = np.random.default_rng(0)
    for path, mean in zip(sorted(folder.iterdir()), MEANS, strict=True):
        with mrcfile.open(path, "r+") as mrc:
            mrc.data[:] = rng.normal(mean, abs(mean) / 5, mrc.data.shape)
    return open_folder(viewer, folder)


def open_folder(viewer, folder):
    pixels, attributes, _ = read_stacks(str(folder))[0]
    watch(viewer)
    return viewer.add_image(pixels, **attributes)


def suits(image, mean: float) -> bool:
    low, high = image.contrast_limits
    return mean - abs(mean) < low < mean < high < mean + abs(mean)


def test_each_micrograph_has_the_contrast_that_suits_it(viewer, image):
    for index in (0, 1, 2, 0):
        viewer.dims.set_point(0, index)
        assert suits(image, MEANS[index])


def test_limits_that_a_user_has_set_stay(viewer, image):
    image.contrast_limits = (0, 7)
    viewer.dims.set_point(0, 1)
    assert image.contrast_limits == [0, 7]


@pytest.mark.parametrize("value", [0, 7, np.nan])
def test_a_blank_micrograph_leaves_the_contrast_as_it_is(viewer, image, folder, value):
    viewer.layers.clear()
    with mrcfile.open(folder / "a.mrc", "r+") as mrc:
        mrc.data[:] = value
    image = open_folder(viewer, folder)
    assert suits(image, MEANS[1])
    viewer.dims.set_point(0, 2)
    assert suits(image, MEANS[2])
    viewer.dims.set_point(0, 0)
    assert suits(image, MEANS[2])


def test_micrographs_that_are_all_blank_open(viewer, image, folder):
    viewer.layers.clear()
    for path in folder.iterdir():
        with mrcfile.open(path, "r+") as mrc:
            mrc.data[:] = 7
    assert open_folder(viewer, folder).contrast_limits == [0, 1]


def test_a_copy_follows_too_and_other_images_are_left_alone(viewer, image):
    plain = viewer.add_image(np.zeros((3, 64, 64)), contrast_limits=(0, 9))
    copy = viewer.add_image(*image.as_layer_data_tuple()[:1], **image.as_layer_data_tuple()[1])
    viewer.dims.set_point(0, 1)
    assert suits(copy, MEANS[1])
    assert plain.contrast_limits == [0, 9]


@pytest.mark.viewer
def test_in_the_window_no_dock_is_needed(make_napari_viewer, image, folder):
    viewer = make_napari_viewer()
    for index in (1, 2):
        (image,) = viewer.open(str(folder), plugin="napari-cryopick")
        viewer.dims.set_point(0, index)
        assert all(suits(layer, MEANS[index]) for layer in viewer.layers)
    (image,) = viewer.open(str(folder), plugin="napari-cryopick")
    assert suits(image, MEANS[2])
    viewer.layers.clear()
