"""Plain CSV: our own table, and other people's."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cryopick import CryopickError, Picks, Source, Status
from napari_cryopick.io import PickSet, read_picks, write_picks

PRINTABLE = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"])
NAMES = st.text(PRINTABLE, min_size=1, max_size=12)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ROWS = st.lists(
    st.tuples(
        NUMBERS,
        NUMBERS,
        st.floats(0, 1) | st.just(float("nan")),
        st.sampled_from(list(Source)),
        st.sampled_from(list(Status)),
        NUMBERS,
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda row: row[:2],
)


@pytest.mark.filterwarnings("ignore::napari_cryopick.errors.CryopickWarning")
@settings(deadline=None, max_examples=50)
@given(st.dictionaries(NAMES, ROWS, max_size=4), st.floats(0.1, 20))
def test_our_table_comes_back_whole(rows: dict[str, list], pixel_size_angstrom: float) -> None:
    by_micrograph = {}
    for name, values in rows.items():
        x, y, scores, sources, statuses, defocus = zip(*values, strict=True)
        by_micrograph[name] = Picks.at(
            np.column_stack([y, x]), scores, sources, statuses, {"Defocus (Å)": np.array(defocus)}
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picks.csv"
        write_picks(path, PickSet(by_micrograph, pixel_size_angstrom, diameter_angstrom=120))
        read = read_picks(path)
    assert list(read.by_micrograph) == list(by_micrograph)
    if rows:
        assert read.pixel_size_angstrom == pixel_size_angstrom
        assert read.diameter_angstrom == 120
    for name, picks in by_micrograph.items():
        again = read.by_micrograph[name]
        np.testing.assert_array_equal(again.positions, picks.positions)
        np.testing.assert_array_equal(again.scores, picks.scores)
        np.testing.assert_array_equal(again.sources, picks.sources)
        np.testing.assert_array_equal(again.statuses, picks.statuses)
        np.testing.assert_array_equal(again.extra["Defocus (Å)"], picks.extra["Defocus (Å)"])


@pytest.mark.parametrize(
    "text",
    [
        "x,y\n1,2\n3,4.5\n",
        "X-Coordinate,Y-Coordinate,Class 2D\n1,2,a\n3,4.5,b\n",
        "y_coord,x_coord\n2,1\n4.5,3\n",
        "\ufeffX;Y\n1;2\n3;4.5\n",
        "x\ty\r\n1\t2\r\n3\t4.5\r\n",
        '"x", "y"\n1, 2\n3, 4.5\n',
    ],
)
def test_headers_of_other_people(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mic_1.csv"
    path.write_text(text, encoding="utf-8", newline="")
    read = read_picks(path)
    assert list(read.by_micrograph) == ["mic_1"]
    np.testing.assert_array_equal(read.by_micrograph["mic_1"].positions, [[2, 1], [4.5, 3]])


def test_many_micrographs_of_other_people(tmp_path: Path) -> None:
    path = tmp_path / "picks.csv"
    path.write_text("filename,x,y,confidence\n002,1,2,0.5\nNA,3,4,\n002,5,6,0.25\n")
    read = read_picks(path).by_micrograph
    assert list(read) == ["002", "NA"]
    np.testing.assert_array_equal(read["002"].scores, [0.5, 0.25])
    assert np.isnan(read["NA"].scores).all()
    assert set(read["002"].sources) == {Source.FILE}


def test_a_status_nobody_knows_is_ok(tmp_path: Path) -> None:
    path = tmp_path / "picks.csv"
    path.write_text("x,y,status\n1,2,deleted\n3,4,splendid\n5,6,\n")
    (picks,) = read_picks(path).by_micrograph.values()
    assert picks.statuses.tolist() == ["deleted", "ok", "ok"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column x and y"),
        ("a,b\n1,2\n", "has no column x and y"),
        ("12,13\n14,15\n", "has no column x and y"),
        ("x,y\n1,2\n3\n", "holds 1 values in line 3, where it has 2 columns"),
        ("x,y\n1,2\n3,inf\n", "has y = inf in line 3"),
        ("x,y\n1,2,3\n4,5,7\n", "holds 3 values in line 2, where it has 2 columns"),
        ("x,y\n\n1,2\n3,4,5\n", "holds 3 values in line 4"),
        ("x,y\n1,2\n3,NaN\n", "has y = nan in line 3"),
        ("micrograph,x,y\na,1,2\n,3,4\n", "names no micrograph in line 3"),
        ("x,y,X-Coordinate\n1,2,3\n", "names x more than once: x, X-Coordinate;"),
        ("x,y,diameter_angstrom\n1,2,\n3,4,big\n", "has diameter_angstrom = big in line 3"),
        ("x,y,a,a\n1,2,3,4\n", "names the column a 2 times"),
    ],
)
def test_a_broken_file_is_reported(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "picks.csv"
    path.write_text(text)
    with pytest.raises(CryopickError, match=f"{path} {message}"):
        read_picks(path)


def test_a_file_of_bytes_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "picks.csv"
    path.write_bytes(bytes(range(256)) * 4)
    with pytest.raises(CryopickError, match=f"{path} holds binary data"):
        read_picks(path)
