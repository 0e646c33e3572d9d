"""Boxes of EMAN and crYOLO: a corner and a size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_cryopick import CryopickError
from napari_cryopick.io import read_picks

CBOX = """
data_global

_cbox_format_version 1.0

data_cryolo

loop_
_CoordinateX #1
_CoordinateY #2
_CoordinateZ #3
_Width #4
_Height #5
_Depth #6
_Confidence #7
_Angle #8
{}

data_cryolo_include

loop_
_slice_index #1
<NA>
"""


def test_a_box_with_a_score_or_eman_s_mark(tmp_path: Path) -> None:
    path = tmp_path / "mic_1.box"
    path.write_text("50\t150\t100\t100\t0.5\r\n\r\n-10 0 100 101 0.25\r\n")
    (picks,) = read_picks(path).by_micrograph.values()
    np.testing.assert_array_equal(picks.positions, [[200, 100], [50.5, 40]])
    np.testing.assert_array_equal(picks.scores, [0.5, 0.25])
    path.write_text("50 150 100 100 -3\n")
    (picks,) = read_picks(path).by_micrograph.values()
    assert np.isnan(picks.scores).all()
    path.write_text("")
    assert len(read_picks(path)) == 0


def test_a_cbox_with_confidences(tmp_path: Path) -> None:
    path = tmp_path / "mic_1.cbox"
    path.write_text(CBOX.format("50 150 <NA> 100 100 1 0.75 <NA>"))
    read = read_picks(path)
    assert list(read.by_micrograph) == ["mic_1"]
    (picks,) = read.by_micrograph.values()
    np.testing.assert_array_equal(picks.positions, [[200, 100]])
    np.testing.assert_array_equal(picks.scores, [0.75])
    assert not picks.extra


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.box", "1 2\n", "has 2 columns; a box has x, y, width, height"),
        ("a.box", "1 2 3 4\n1 2 3\n", "holds 3 values in line 2"),
        ("a.box", "1 2 3 4\n\n1 2 three 4\n", "has width = three in line 3"),
        ("a.cbox", CBOX.format("50 150 7 100 100 1 0.75 <NA>"), "holds particles of a tomogram"),
        ("a.cbox", "data_\nloop_\n_CoordinateX\n1\n", "has no columns CoordinateX, CoordinateY"),
        ("a.coords", "1 2 3 4\n", "has 4 columns and no header"),
        ("a.coords", "1 2\n3 nan\n", "has y = nan in line 2"),
        ("a.txt", "image_name\tx\ta\t1\t2\n", "has no column y"),
    ],
)
def test_a_broken_file_is_reported(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(CryopickError, match=f"{path} {message}"):
        read_picks(path)


@pytest.mark.parametrize("header", ["image_name\tx_coord\ty_coord\tscore", "filename  x y score"])
def test_a_table_of_topaz(tmp_path: Path, header: str) -> None:
    path = tmp_path / "topaz.txt"
    between = "\t" if "\t" in header else " "
    rows = (["#1", "10", "20", "-1.5"], ["b", "30", "40", "6.25"])
    path.write_text("\n".join([header, *map(between.join, rows)]) + "\n")
    read = read_picks(path).by_micrograph
    assert {name: one.positions.tolist() for name, one in read.items()} == {
        "#1": [[20, 10]],
        "b": [[40, 30]],
    }
    assert [one.scores[0] for one in read.values()] == [-1.5, 6.25]


@pytest.mark.parametrize("text", ["# x y\n10 20\n30 40\n", "10,20\r\n30,40\r\n", "10\t20\n30\t40"])
def test_coordinates_without_a_header(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mic_1.coords"
    path.write_text(text, newline="")
    read = read_picks(path).by_micrograph
    assert {name: one.positions.tolist() for name, one in read.items()} == {
        "mic_1": [[20, 10], [40, 30]]
    }


def test_real_boxes_lie_on_particles(shared_data: Path) -> None:
    """REPIC's boxes of Topaz count from the last row; so turned, they are near people's picks."""
    folder = shared_data / "beta_galactosidase"
    boxes = read_picks(folder / "other_picks" / "REPIC_topaz").by_micrograph
    assert len(boxes) == 6
    truth = {
        Path(name).stem: one
        for name, one in read_picks(folder / "particles.star").by_micrograph.items()
    }
    for name, found in boxes.items():
        turned = found.positions * (-1, 1) + (4095, 0)
        apart = np.linalg.norm(turned[:, None] - truth[name].positions, axis=-1).min(axis=1)
        assert np.median(apart) < 20
        assert np.isfinite(found.scores).all()
