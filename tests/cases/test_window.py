"""In the window, inputs that people had trouble with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_cryopick.gui.contributions.reader import read_stacks
from napari_cryopick.gui.layers.contrast import follow_contrast

CASES = Path(__file__).parents[3] / "shared" / "cases"


def case(number: int) -> Path:
    """Return the folder of a case."""
    found = sorted(CASES.glob(f"{number:02d}_*"))
    if not found:
        pytest.skip(f"the inputs that people had trouble with are not at {CASES}")
    return found[0]


def open_folder(viewer: ViewerModel, folder: Path):
    follow_contrast(viewer)
    pixels, attributes, _ = read_stacks(str(folder))[0]
    return viewer.add_image(pixels, **attributes)


def test_contrast_suits_the_others_where_the_first_micrograph_is_blank():
    viewer = ViewerModel()
    image = open_folder(viewer, case(14) / "micrographs")
    for index in (0, 1, 2):
        viewer.dims.set_point(0, index)
        low, high = image.contrast_limits
        assert 2 < low < 8
        assert 12 < high < 18
        assert np.isfinite([low, high]).all()
