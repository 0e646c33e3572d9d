"""Entries of CryoPPP as they come out of its archives."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from napari_cryopick import CryopickError, Picks
from napari_cryopick.cli.main import main
from napari_cryopick.errors import CryopickWarning
from napari_cryopick.io import (
    PickSet,
    find_micrographs,
    flip_y,
    match_picks,
    read_micrograph,
    read_picks,
)
from napari_cryopick.picks import Status

HEADER = "X-Coordinate,Y-Coordinate,Diameter,Angle-Psi,Origin X (Ang),Origin Y (Ang)"
SPOTS = ((10, 20), (70, 31))
"""Bright pixels (row, column) of every micrograph."""


def write_micrograph(path: Path, pixel_size: float = 1.5, shape=(96, 80)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros(shape, dtype=np.float32)
    pixels[tuple(np.transpose(SPOTS))] = 1
    if path.suffix == ".jpg":
        Image.fromarray((255 * pixels[::-1]).astype(np.uint8)).save(path, quality=100)
        return path
    with mrcfile.new(path) as mrc:
        mrc.set_data(pixels)
        mrc.voxel_size = pixel_size
    return path


def write_coordinates(path: Path, height: int = 96, diameter: float = 16) -> Path:
    """Where the spots are once the MRC is turned upside down."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{x},{height - 1 - y},{diameter},0.5,1,2" for y, x in SPOTS]
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    folder = tmp_path / "10017"
    for name in ("a_0", "a_1"):
        write_micrograph(folder / "micrographs" / f"{name}.mrc")
        write_coordinates(folder / "ground_truth" / "particle_coordinates" / f"{name}.csv")
    return folder


@pytest.mark.parametrize("below", ["", "ground_truth", "ground_truth/particle_coordinates"])
def test_picks_lie_where_the_particles_are(entry: Path, below: str) -> None:
    picks = read_picks(entry / below)
    micrographs = find_micrographs([entry])
    assert [path.name for path in micrographs] == ["a_0.mrc", "a_1.mrc"]
    matched = match_picks(picks, micrographs)
    assert list(matched) == micrographs
    for path, table in matched.items():
        np.testing.assert_array_equal(table.positions, SPOTS)
        y, x = table.positions.astype(int).T
        assert (read_micrograph(path).pixels[y, x] == 1).all()
        assert not table.extra
    assert picks.pixel_size_angstrom == 1.5
    assert picks.diameter_angstrom == 24


def test_a_single_file_is_turned_too(entry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(entry / "ground_truth" / "particle_coordinates")
    for given_path in (Path("a_1.csv"), Path("a_1.csv").absolute()):
        (table,) = read_picks(given_path).by_micrograph.values()
        np.testing.assert_array_equal(table.positions, SPOTS)
    assert len(read_picks(Path())) == 4


def test_the_star_beside_the_tables_is_turned_too(entry: Path) -> None:
    path = entry / "ground_truth" / "empiar-10017_particles_selected.star"
    name = ">J1/imported/000371230000000000371_a_1_patch_aligned_doseweighted.mrc"
    path.write_text(
        "data_particles\n\nloop_\n_rlnMicrographName #1\n_rlnCoordinateX #2\n_rlnCoordinateY #3\n"
        + "".join(f"{name} {x} {95 - y}\n" for y, x in SPOTS)
    )
    ((found, table),) = read_picks(path).by_micrograph.items()
    assert Path(found).name == "a_1.mrc"
    np.testing.assert_array_equal(table.positions, SPOTS)


def test_jpegs_are_stored_turned(tmp_path: Path) -> None:
    path = write_micrograph(tmp_path / "10017" / "micrographs" / "a.jpg")
    write_coordinates(tmp_path / "10017" / "ground_truth" / "particle_coordinates" / "a.csv")
    picks = read_picks(tmp_path / "10017")
    (table,) = picks.by_micrograph.values()
    y, x = table.positions.astype(int).T
    assert (read_micrograph(path).pixels[y, x] > 128).all()
    assert picks.pixel_size_angstrom is None
    assert picks.diameter_angstrom is None


def test_names_with_the_marks_of_programs(tmp_path: Path) -> None:
    coordinates = tmp_path / "11056" / "ground_truth" / "particle_coordinates"
    names = {
        "000000000000000000123_b_patch_aligned_doseweighted.mrc": "b.csv",
        "c.frames.mrc": "c.csv",
        "20210903_106_d.mrc": "20210903_106_d.csv",
    }
    for micrograph, table in names.items():
        write_micrograph(tmp_path / "11056" / "micrographs" / micrograph)
        write_coordinates(coordinates / table)
    found = read_picks(tmp_path / "11056").by_micrograph
    assert sorted(Path(name).name for name in found) == sorted(names)


def test_micrographs_of_different_heights(entry: Path) -> None:
    write_micrograph(entry / "micrographs" / "b.mrc", shape=(128, 80))
    write_coordinates(entry / "ground_truth" / "particle_coordinates" / "b.csv", height=128)
    for table in read_picks(entry).by_micrograph.values():
        np.testing.assert_array_equal(table.positions, SPOTS)


def test_false_positives_are_deleted_picks(entry: Path) -> None:
    folder = entry / "ground_truth" / "false_positives"
    write_coordinates(folder / "a_0_false_positives.csv")
    ((name, table),) = read_picks(folder).by_micrograph.items()
    assert Path(name).name == "a_0.mrc"
    np.testing.assert_array_equal(table.positions, SPOTS)
    assert set(table.statuses) == {Status.DELETED}
    assert len(read_picks(entry).with_status([Status.OK])) == 4


def test_an_empty_table_says_that_nothing_is_there(entry: Path) -> None:
    write_micrograph(entry / "micrographs" / "empty.mrc")
    (entry / "ground_truth" / "particle_coordinates" / "empty.csv").write_text(HEADER + "\n")
    found = {Path(name).name: len(t) for name, t in read_picks(entry).by_micrograph.items()}
    assert found == {"a_0.mrc": 2, "a_1.mrc": 2, "empty.mrc": 0}


def test_only_what_is_unpacked_is_read(entry: Path) -> None:
    write_coordinates(entry / "ground_truth" / "particle_coordinates" / "later.csv")
    write_micrograph(entry / "micrographs" / "unlabelled.mrc")
    found = read_picks(entry).by_micrograph
    assert [Path(name).name for name in found] == ["a_0.mrc", "a_1.mrc"]


def test_micrographs_that_are_elsewhere_are_reported(tmp_path: Path) -> None:
    folder = tmp_path / "10017" / "ground_truth" / "particle_coordinates"
    write_coordinates(folder / "a.csv")
    with pytest.raises(CryopickError, match=r"that are not in .*10017/micrographs; unpack them"):
        read_picks(folder)


def test_another_micrograph_of_that_name_is_reported(entry: Path) -> None:
    (entry / "micrographs" / "a_0.mrc").unlink()
    write_micrograph(entry / "micrographs" / "a_0.mrc", shape=(80, 96))
    with pytest.raises(CryopickError, match=r"picks beyond row 80 of .*a_0\.mrc; it must be"):
        read_picks(entry)


def test_an_entry_without_coordinates_is_reported(entry: Path) -> None:
    for path in (entry / "ground_truth" / "particle_coordinates").iterdir():
        path.unlink()
    with pytest.raises(CryopickError, match="holds no picks; name an entry of CryoPPP"):
        read_picks(entry)


def test_a_broken_table_is_reported(entry: Path) -> None:
    path = entry / "ground_truth" / "particle_coordinates" / "a_0.csv"
    path.write_text("X-Coordinate,Y-Coordinate\n1,two\n")
    with pytest.raises(CryopickError, match=r"a_0\.csv has y = two in line 2"):
        read_picks(path)
    with pytest.warns(CryopickWarning, match=r"1 file is left out of .*a_0\.csv has y = two"):
        assert len(read_picks(entry).by_micrograph) == 1


def test_the_commands_take_an_entry(entry: Path, tmp_path: Path) -> None:
    star = tmp_path / "picks.star"
    assert main(["convert", str(entry), str(star)]) == 0
    assert main(["evaluate", str(star), "--truth", str(entry), "--diameter", "24"]) == 0


@given(
    height=st.integers(64, 8192),
    shares=st.lists(st.floats(0, 1, allow_subnormal=False), max_size=5),
)
def test_turning_is_that_of_the_array(height: int, shares: list[float]) -> None:
    rows = np.array(shares) * (height - 1)
    picks = PickSet({"a": Picks.at([(row, 7) for row in rows])})
    turned = flip_y(picks, height)
    y, x = turned.by_micrograph["a"].positions.T
    assert (x == 7).all()
    np.testing.assert_allclose(y, np.interp(rows, np.arange(height), np.arange(height)[::-1]))
    back = flip_y(turned, height).by_micrograph["a"].positions
    np.testing.assert_allclose(back[:, 0], rows, atol=1e-9)
