"""In the window, inputs that people had trouble with."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer
from napari.utils.notifications import notification_manager

from napari_cryopick import CryopickError, Picks, PickSet, Source, Status
from napari_cryopick.gui.contributions.coordinates import points_layers
from napari_cryopick.gui.contributions.reader import read_stacks
from napari_cryopick.gui.layers.create import ensure_picks
from napari_cryopick.gui.layers.curation import replace_model_picks
from napari_cryopick.gui.layers.layers import stack_of
from napari_cryopick.gui.layers.training_data import training_data
from napari_cryopick.gui.layers.watch import watch


@pytest.fixture
def viewer() -> ViewerModel:
    viewer = ViewerModel()
    watch(viewer)
    return viewer


def open_folder(viewer: ViewerModel, folder: Path):
    pixels, attributes, _ = read_stacks(str(folder))[0]
    return viewer.add_image(pixels, **attributes)


def test_contrast_suits_the_others_where_the_first_micrograph_is_blank(viewer, shared_cases):
    image = open_folder(viewer, shared_cases / "14_first_micrograph_blank" / "micrographs")
    for index in (0, 1, 2):
        viewer.dims.set_point(0, index)
        low, high = image.contrast_limits
        assert 2 < low < 8
        assert 12 < high < 18
        assert np.isfinite([low, high]).all()


def test_clicks_on_a_duplicated_picks_layer_are_learnt_from_and_stay(viewer, tmp_path):
    rng = np.random.default_rng(0)
    for name in "ab":
        mrcfile.write(tmp_path / f"{name}.mrc", rng.normal(size=(128, 128)).astype("f4"))
    image = open_folder(viewer, tmp_path)
    picks = ensure_picks(viewer, image)
    picks.add([[0, 10 + 8 * k, 40] for k in range(12)])
    data, state, kind = picks.as_layer_data_tuple()  # what napari's Duplicate Layer does
    copy = viewer.layers.append(Layer.create(deepcopy(data), state, kind)) or viewer.layers[-1]
    copy.add([[1, 10 + 8 * k, 60] for k in range(8)])
    assert training_data(image, copy, None, complete=False).count(Status.OK) == 20
    found = {0: Picks.at([[100, 100]], 0.9, Source.MODEL)}
    replace_model_picks(ensure_picks(viewer, image), found, "run")
    assert (copy.features["source"] == Source.PERSON).sum() == 20


@pytest.mark.parametrize("name", ["01_half_copied_tiff/micrographs", "12_tiff_compressions"])
def test_a_folder_opens_whatever_is_in_it(viewer, shared_cases, name):
    with notification_manager:
        image = open_folder(viewer, shared_cases / name)
    for index, path in enumerate(stack_of(image).paths):
        viewer.dims.set_point(0, index)
        assert np.asarray(image.data[index]).any() or path.name == "m_1b.tif"


def test_picks_of_a_name_that_programs_make_lie_over_their_micrograph(viewer, tmp_path):
    rng = np.random.default_rng(0)
    for name in "abc":
        mrcfile.write(tmp_path / f"{name}.mrc", rng.normal(size=(96, 96)).astype("f4"))
    open_folder(viewer, tmp_path)
    (layer,) = points_layers(PickSet({"c_topazpicks": Picks.at([[20, 20]])}), viewer.layers)
    assert layer.data.tolist() == [[2, 20, 20]]
    with pytest.raises(CryopickError, match="belong to other micrographs"):
        points_layers(PickSet({"d": Picks.at([[20, 20]])}), viewer.layers)
