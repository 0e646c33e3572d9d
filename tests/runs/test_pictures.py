from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from napari_cryopick.errors import CryopickError
from napari_cryopick.micrograph import Micrograph
from napari_cryopick.picks import Picks
from napari_cryopick.runs.pictures import draw_picks

SKY, ORANGE, YELLOW = (86, 180, 233), (230, 111, 0), (240, 228, 66)
MICROGRAPH = Micrograph(np.random.default_rng(0).normal(100, 9, (300, 400)), 2.0)


def read(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def where(path, colour):
    """Mask of a colour, without the caption below."""
    image = read(path)
    return np.abs(image[: round(0.9 * len(image))] - colour).max(axis=2) < 8


def test_right_false_and_missed_have_their_colours(tmp_path):
    picks = Picks.at([[80, 80], [200, 300]])
    draw_picks(tmp_path / "right.png", MICROGRAPH, picks, 60, truth=picks)
    draw_picks(tmp_path / "wrong.png", MICROGRAPH, picks, 60, truth=Picks.at([[200, 80]]))
    assert where(tmp_path / "right.png", SKY).sum() > 500
    assert where(tmp_path / "right.png", YELLOW).sum() == 0
    assert where(tmp_path / "wrong.png", ORANGE).sum() > 500
    assert where(tmp_path / "wrong.png", YELLOW).sum() > 100


def test_circles_have_the_true_diameter_and_place(tmp_path):
    draw_picks(tmp_path / "p.png", MICROGRAPH, Picks.at([[150, 200]]), 100)
    rows, columns = np.nonzero(where(tmp_path / "p.png", SKY))
    scale = 7.5 * 140 / 400
    assert np.ptp(rows) == pytest.approx(100 * scale, abs=5)
    assert np.ptp(columns) == pytest.approx(100 * scale, abs=5)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(150.5 * scale + 0.12 * 140, abs=2)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(200.5 * scale + 0.12 * 140, abs=2)


def test_a_probability_map_stands_beside_the_micrograph(tmp_path):
    picks = Picks.at([])
    draw_picks(tmp_path / "one.png", MICROGRAPH, picks, 60)
    draw_picks(tmp_path / "two.png", MICROGRAPH, picks, 60, probability=np.ones((30, 40)))
    one, two = (read(tmp_path / name).shape for name in ("one.png", "two.png"))
    assert two[0] == one[0]
    assert two[1] > 1.9 * one[1]


@pytest.mark.parametrize("pixels", [np.zeros((64, 64)), np.full((64, 64), np.nan)])
def test_a_picture_of_nothing_is_still_drawn(tmp_path, pixels):
    draw_picks(tmp_path / "p.png", Micrograph(pixels), Picks.at([]), 20)
    assert (tmp_path / "p.png").stat().st_size > 0


def test_pyplot_is_never_asked(tmp_path):
    draw_picks(tmp_path / "p.png", MICROGRAPH, Picks.at([]), 20)
    assert "matplotlib.pyplot" not in sys.modules


def test_no_folder_no_picture(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CryopickError, match="not a folder"):
        draw_picks(tmp_path / "file" / "p.png", MICROGRAPH, Picks.at([]), 20)
