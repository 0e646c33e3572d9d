"""Pictures show picks where they are, at their size, in the colour of what they are."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from napari_cryopick.errors import CryopickError
from napari_cryopick.micrograph import Micrograph
from napari_cryopick.picks import Picks, Status
from napari_cryopick.runs.pictures import draw_picks

BLUE, ORANGE, YELLOW = (86, 180, 233), (230, 111, 0), (240, 228, 66)
MICROGRAPH = Micrograph(np.random.default_rng(0).normal(100, 9, (300, 400)), 2.0)
NONE = Picks.at([])


def read(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def where(path, colour):
    """Mask of a colour, without the legend below."""
    image = read(path)
    return np.abs(image[: round(0.9 * len(image))] - colour).max(axis=2) < 8


def test_right_false_and_missed_have_their_colours(tmp_path):
    picks, truth = Picks.at([[80, 80], [200, 300]]), Picks.at([[200, 80]])
    draw_picks(tmp_path / "right.png", MICROGRAPH, picks, 60, picks)
    draw_picks(tmp_path / "wrong.png", MICROGRAPH, picks, 60, truth)
    assert where(tmp_path / "right.png", BLUE).sum() > 500
    assert where(tmp_path / "right.png", YELLOW).sum() == 0
    assert where(tmp_path / "wrong.png", ORANGE).sum() > 500
    assert where(tmp_path / "wrong.png", YELLOW).sum() > 100


def test_circles_have_the_particle_s_diameter_and_place(tmp_path):
    picks = Picks.at([[150, 200], [20, 20]], status=[Status.OK, Status.DELETED])
    for at, place in (("top", (50, 60)), ("bottom", (250, 340)), ("both", (150, 200))):
        one = Picks.at([place])
        draw_picks(tmp_path / f"{at}.png", MICROGRAPH, one, 60, one)
    centres = {}
    for at in ("top", "bottom"):
        rows, columns = np.nonzero(where(tmp_path / f"{at}.png", BLUE))
        centres[at] = np.array([rows.min() + rows.max(), columns.min() + columns.max()]) / 2
        sizes = np.ptp(rows), np.ptp(columns)
    scale = (centres["bottom"] - centres["top"]) / (200, 280)
    assert scale[0] == pytest.approx(scale[1], rel=0.01)
    assert sizes == pytest.approx(60 * scale, abs=5)
    draw_picks(tmp_path / "p.png", MICROGRAPH, picks, 60, picks)
    np.testing.assert_array_equal(read(tmp_path / "p.png"), read(tmp_path / "both.png"))


def test_a_probability_map_stands_beside_the_micrograph(tmp_path):
    draw_picks(tmp_path / "one.png", MICROGRAPH, NONE, 60, NONE)
    draw_picks(tmp_path / "two.png", MICROGRAPH, NONE, 60, NONE, np.ones((30, 40)))
    one, two = (read(tmp_path / name) for name in ("one.png", "two.png"))
    assert two.shape[1] == 2 * one.shape[1]
    assert where(tmp_path / "two.png", (252, 253, 191)).mean() > 0.4


@pytest.mark.parametrize("pixels", [np.zeros((64, 64)), np.full((64, 64), np.nan)])
def test_a_picture_of_nothing_is_still_drawn(tmp_path, pixels):
    draw_picks(tmp_path / "p.png", Micrograph(pixels), NONE, 20, NONE)
    assert (tmp_path / "p.png").stat().st_size > 0


def test_no_folder_no_picture(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CryopickError, match="not a folder"):
        draw_picks(tmp_path / "file" / "p.png", MICROGRAPH, NONE, 20, NONE)
