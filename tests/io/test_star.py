"""RELION STAR files, old and new."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import starfile
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cryopick import CryopickError, Picks, Source, Status
from napari_cryopick.errors import CryopickWarning
from napari_cryopick.io import PickSet, match_picks, read_picks, write_picks

NAMES = st.from_regex(r"([\w.-]{1,8}/){0,2}[\w.-]{1,12}( \w)?\.mrc", fullmatch=True)
COORDINATES = st.floats(-1e4, 1e5, allow_nan=False)
SCORES = st.floats(0, 1) | st.just(float("nan"))
ROW = st.tuples(COORDINATES, COORDINATES, SCORES, st.integers(0, 9))
ROWS = st.lists(ROW, min_size=1, max_size=5, unique_by=lambda row: row[:2])

RELION_31 = """
# version 30001

data_optics

loop_
_rlnOpticsGroupName #1
_rlnOpticsGroup #2
_rlnMicrographPixelSize #3
_rlnVoltage #4
opticsGroup1            1     0.885000   200.000000
opticsGroup2            2     0.885000   300.000000


# version 30001

data_particles

loop_
_rlnCoordinateX #1
_rlnCoordinateY #2
_rlnMicrographName #3
_rlnOpticsGroup #4
_rlnCtfImage #5
_rlnAnglePsi #6
  10.500000    20.250000 MotionCorr/job002/Movies/a.mrc            1 "with space.ctf"    -999.000000
  30.000000    40.000000 MotionCorr/job002/Movies/b.mrc            2 b.ctf     1.500000
  50.000000    60.000000 MotionCorr/job002/Movies/a.mrc            1 c.ctf     2.500000

"""

NAMELESS = "loop_\n_rlnCoordinateX\n_rlnCoordinateY\n"


def assert_same(one: Picks, other: Picks) -> None:
    np.testing.assert_allclose(one.positions, other.positions, rtol=1e-9)
    np.testing.assert_allclose(one.scores, other.scores, rtol=1e-9)
    assert one.extra.keys() == other.extra.keys()
    for name, column in one.extra.items():
        np.testing.assert_array_equal(column, other.extra[name])


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(NAMES, ROWS, min_size=1, max_size=4), st.floats(0.1, 20))
@pytest.mark.filterwarnings("ignore::napari_cryopick.errors.CryopickWarning")
def test_what_is_written_is_read(rows: dict[str, list], pixel_size_angstrom: float) -> None:
    by_micrograph = {}
    for name, values in rows.items():
        y, x, scores, numbers = np.array(values).T
        extra = {"rlnClassNumber": numbers.astype(int), "rlnOpticsGroup": np.ones(len(x), int)}
        by_micrograph[name] = Picks.at(np.column_stack([y, x]), scores, extra=extra)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picks.star"
        write_picks(path, PickSet(by_micrograph, pixel_size_angstrom))
        read = read_picks(path)
    assert list(read.by_micrograph) == list(by_micrograph)
    assert read.pixel_size_angstrom == pytest.approx(pixel_size_angstrom, rel=1e-9)
    for name, picks in by_micrograph.items():
        assert_same(read.by_micrograph[name], picks)


def test_relion_31_with_optics(tmp_path: Path) -> None:
    (tmp_path / "particles.star").write_text(RELION_31)
    read = read_picks(tmp_path / "particles.star")
    a, b = read.by_micrograph.values()
    assert list(read.by_micrograph) == [f"MotionCorr/job002/Movies/{x}.mrc" for x in "ab"]
    np.testing.assert_array_equal(a.positions, [[20.25, 10.5], [60, 50]])
    np.testing.assert_array_equal(b.extra["rlnAnglePsi"], [1.5])
    assert read.pixel_size_angstrom == 0.885
    assert np.isnan(a.scores).all()
    assert set(a.sources) == {Source.FILE}
    assert set(a.statuses) == {Status.OK}

    write_picks(tmp_path / "again.star", read)
    again = read_picks(tmp_path / "again.star")
    for name in read.by_micrograph:
        assert_same(again.by_micrograph[name], read.by_micrograph[name])
    assert again.optics.keys() == read.optics.keys()
    np.testing.assert_array_equal(again.optics["rlnVoltage"], [200, 300])


def test_optics_groups_of_different_pixel_size_leave_it_unknown(tmp_path: Path) -> None:
    path = tmp_path / "particles.star"
    path.write_text(RELION_31.replace("0.885000   300", "1.100000   300"))
    assert read_picks(path).pixel_size_angstrom is None


@pytest.mark.parametrize(("particle_size", "known"), [("0.885000", 0.885), ("3.540000", None)])
def test_a_particle_pixel_size_counts_only_if_it_is_the_movies_too(
    tmp_path: Path, particle_size: str, known: float | None
) -> None:
    path = tmp_path / "particles.star"
    text = RELION_31.replace("MicrographPixelSize", "MicrographOriginalPixelSize")
    path.write_text(
        text.replace("Voltage", "ImagePixelSize")
        .replace("200.000000\n", f"{particle_size}\n")
        .replace("300.000000\n", f"{particle_size}\n")
    )
    assert read_picks(path).pixel_size_angstrom == known


def test_relion_30_of_one_micrograph(tmp_path: Path) -> None:
    path = tmp_path / "mic_7.star"
    path.write_text(
        "data_\n\nloop_ \n_rlnCoordinateX #1 \n_rlnCoordinateY #2 \n"
        "_rlnAutopickFigureOfMerit #3 \n  5.0  6.0  -999.0\n  7.0  8.0  0.25\n"
    )
    read = read_picks(path)
    assert list(read.by_micrograph) == ["mic_7"]
    np.testing.assert_array_equal(read.by_micrograph["mic_7"].scores, [np.nan, 0.25])
    assert read.pixel_size_angstrom is None


def test_names_that_look_like_blocks_and_columns(tmp_path: Path) -> None:
    path = tmp_path / "picks.star"
    names = ["data_1.mrc", "_a.mrc", "loop_"]
    write_picks(path, PickSet({name: Picks.at([[1, 2]]) for name in names}))
    assert list(read_picks(path).by_micrograph) == names


def test_names_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "picks.star"
    write_picks(path, PickSet({"0012": Picks.at([[1, 2]]), "1e3": Picks.at([[1, 2]])}))
    assert list(read_picks(path).by_micrograph) == ["0012", "1e3"]


def test_a_star_is_for_extraction_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "picks.star"
    picks = PickSet(
        {"a.mrc": Picks.at([[1, 2], [3, 4], [5, 6]], status=["ok", "deleted", "border"])}
    )
    write_picks(path, picks)
    np.testing.assert_array_equal(read_picks(path).by_micrograph["a.mrc"].positions, [[1, 2]])
    write_picks(path, picks, statuses=["ok", "border"])
    assert len(read_picks(path)) == 2


def test_what_relion_finds_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "picks.star"
    picks = Picks.at([[1, 2]], 0.5)
    write_picks(path, PickSet({"a.mrc": picks}, 1.5, diameter_angstrom=120))
    blocks = starfile.read(path)
    assert list(blocks) == ["optics", "particles"]
    assert blocks["optics"].loc[0].to_dict() == {
        "rlnOpticsGroupName": "opticsGroup1",
        "rlnOpticsGroup": 1,
        "rlnMicrographPixelSize": 1.5,
        "rlnParticleDiameter": 120,
    }
    assert blocks["particles"].loc[0].to_dict() == {
        "rlnMicrographName": "a.mrc",
        "rlnCoordinateX": 2,
        "rlnCoordinateY": 1,
        "rlnAutopickFigureOfMerit": 0.5,
        "rlnOpticsGroup": 1,
    }
    assert read_picks(path).diameter_angstrom == 120


def test_picks_that_lack_a_column_get_relions_word_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "picks.star"
    extra = {"rlnClassNumber": np.array([3]), "rlnCtfImage": np.array(["x.ctf"])}
    extra["rlnOpticsGroup"] = np.array([2])
    optics = {"rlnOpticsGroup": np.array([1, 2])}
    scored, clicked = Picks.at([[1, 2]], 0.5, extra=extra), Picks.at([[3, 4]])
    write_picks(path, PickSet({"a.mrc": scored, "b.mrc": clicked}, optics=optics))
    table = starfile.read(path)["particles"]
    assert table["rlnAutopickFigureOfMerit"].tolist() == [0.5, -999]
    assert table["rlnClassNumber"].tolist() == [3, -999]
    assert table["rlnCtfImage"].tolist() == ["x.ctf", "None"]
    assert table["rlnOpticsGroup"].tolist() == [2, 1]


def test_no_picks(tmp_path: Path) -> None:
    path = tmp_path / "picks.star"
    write_picks(path, PickSet({"a.mrc": Picks.at([])}, 1.5))
    read = read_picks(path)
    assert len(read) == 0
    assert read.pixel_size_angstrom == 1.5


def test_joined_files_keep_their_optics_apart(tmp_path: Path) -> None:
    path = tmp_path / "joined.star"
    path.write_text(RELION_31 + RELION_31.replace("/a.mrc", "/c.mrc").replace("200.0", "100.0"))
    with pytest.warns(CryopickWarning, match="1 picks at the very place of others"):
        read = read_picks(path)
    groups = read.optics["rlnOpticsGroup"].tolist()
    assert dict(zip(groups, read.optics["rlnVoltage"], strict=True)) == {
        1: 200,
        2: 300,
        3: 100,
        4: 300,
    }
    a, _, c = read.by_micrograph.values()
    assert a.extra["rlnOpticsGroup"].tolist() == [1, 1]
    assert c.extra["rlnOpticsGroup"].tolist() == [3, 3]
    path.write_text(RELION_31 + RELION_31.replace("/a.mrc", "/c.mrc").replace("/b.mrc", "/d.mrc"))
    read = read_picks(path)
    assert len(read) == 6
    assert read.optics["rlnOpticsGroup"].tolist() == [1, 2]


@pytest.mark.parametrize(
    "text",
    [
        "data_a\n#c\n\nloop_\n#c\n\n_rlnCoordinateX #1\n;c\n_rlnCoordinateY\n\n#c\n1 2\n\n3 4 #c\n",
        "data_a\nloop_ #c\n_rlnCoordinateX #1 \n _rlnCoordinateY\n\t1 2\n#c\n 3\t4 \ndata_b #c\n",
        f"data_a\n{NAMELESS}1 2\ndata_\n_rlnCoordinateX 3 #c\n_rlnCoordinateY '4'\n",
        'data_a\n_rlnVoltage 300\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n1 2\n3 "4"\n',
    ],
)
def test_what_relion_allows_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.star"
    path.write_text(text)
    (picks,) = read_picks(path).by_micrograph.values()
    assert picks.positions.tolist() == [[2, 1], [4, 3]]


@pytest.mark.parametrize("label", ["rlnTomoName", "rlnCoordinateZ"])
def test_tomograms_are_refused(tmp_path: Path, label: str) -> None:
    path = tmp_path / "a.star"
    path.write_text(RELION_31.replace("rlnAnglePsi", label))
    with pytest.raises(CryopickError, match=rf"particles of tomograms \({label}\)"):
        read_picks(path)


def test_all_tables_of_coordinates_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.star"
    header = "loop_\n_rlnMicrographName\n_rlnCoordinateX\n_rlnCoordinateY\n"
    path.write_text(f"data_a.mrc\n{header}a.mrc 1 2\n\ndata_b.mrc\n{header}b.mrc 3 4\n")
    assert list(read_picks(path).by_micrograph) == ["a.mrc", "b.mrc"]
    path.write_text(f"data_\n{header}a.mrc 1 2\n\ndata_\n{NAMELESS}3 4\n")
    with pytest.raises(CryopickError, match="names no micrograph in line 12"):
        read_picks(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a STAR file"),
        ("x,y\n1,2\n", "is not a STAR file"),
        ("data_\n", "has no columns rlnCoordinateX and"),
        ("data_\n_rlnCoordinateX\n1\n", "is a broken STAR file: line 2 is neither"),
        (RELION_31.replace("40.000000", ""), r"holds 5 values in line \d+, where it has 6"),
        (RELION_31.replace("_rlnVoltage #4\n", ""), "holds 4 values in line 10, where it has 3"),
        (RELION_31.replace("CoordinateY", "CoordinateZ"), "has no columns rlnCoordinateX and"),
        (RELION_31.replace("40.000000", "forty"), r"has y = forty in line 2\d"),
        (RELION_31.replace("0.885000", "?"), "has rlnMicrographPixelSize = . in line 11"),
        (RELION_31.replace("40.000000", "nan"), r"has y = nan in line 2\d"),
    ],
)
def test_a_broken_file_is_reported(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "picks.star"
    path.write_text(text)
    with pytest.raises(CryopickError, match=f"{path} ({message})"):
        read_picks(path)


def test_a_file_of_bytes_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "picks.star"
    path.write_bytes(bytes(range(256)) * 4)
    with pytest.raises(CryopickError, match=f"{path} holds binary data"):
        read_picks(path)


def test_many_picks_are_read_and_written_quickly(tmp_path: Path) -> None:
    path = tmp_path / "picks.star"
    positions = np.random.default_rng(0).uniform(0, 4096, (100, 2))
    start = time.perf_counter()
    write_picks(path, PickSet({f"{i}.mrc": Picks.at(positions, 0.5) for i in range(500)}, 1.5))
    assert len(read_picks(path)) == 50_000
    assert time.perf_counter() - start < 5


def test_real_files(shared_data: Path) -> None:
    assert len(read_picks(shared_data / "apoferritin" / "particles.star")) == 1615
    assert len(read_picks(shared_data / "beta_galactosidase" / "particles.star")) == 6240
    path = shared_data / "contamination" / "Ucsf_stack_1142_DW_autopick.star"
    picks = match_picks(read_picks(path), [path.with_name("Ucsf_stack_1142_DW.mrc")])
    assert [len(found) for found in picks.values()] == [45]


def test_real_files_of_other_pickers(shared_data: Path) -> None:
    paths = list((shared_data / "beta_galactosidase" / "other_picks").rglob("*.star"))
    assert len(paths) == 12
    for path in paths:
        (picks,) = match_picks(
            read_picks(path),
            sorted((shared_data / "beta_galactosidase" / "micrographs").iterdir()),
        ).items()
        assert picks[0].stem == path.stem
        assert np.isnan(picks[1].scores).all()
        assert picks[1].positions.min() > 0
        assert picks[1].positions.max() < 4096
