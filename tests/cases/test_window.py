"""In the window, inputs that people had trouble with."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer

from napari_cryopick import Picks, Source, Status
from napari_cryopick.gui.contributions.reader import read_stacks
from napari_cryopick.gui.layers.create import ensure_picks
from napari_cryopick.gui.layers.curation import replace_model_picks
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
