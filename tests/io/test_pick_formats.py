"""Picks in a format that the suffix says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import starfile

from napari_cryopick import CryopickError, Picks
from napari_cryopick.errors import CryopickWarning
from napari_cryopick.io import PickSet, read_picks, write_picks


def test_an_unknown_suffix_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "picks.xyz"
    with pytest.raises(CryopickError, match=rf"{path} is not of a known .* \(\.star, \.csv"):
        write_picks(path, PickSet({}))
    with pytest.raises(CryopickError, match=rf"{path} is not of a known"):
        read_picks(path)


@pytest.mark.parametrize("suffix", [".star", ".csv"])
def test_missing_files_and_empty_folders_are_reported(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picks{suffix}"
    with pytest.raises(CryopickError, match=f"{path} does not exist"):
        read_picks(path)
    path.mkdir()
    with pytest.raises(CryopickError, match=f"{path} holds no picks"):
        read_picks(path)


@pytest.mark.parametrize("suffix", [".star", ".csv"])
def test_a_failed_write_leaves_the_old_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picks{suffix}"
    write_picks(path, PickSet({"a": Picks.at([[1, 2]])}))
    old = path.read_bytes()
    extra = {"class": np.array(["\ud800"])}
    with pytest.raises(UnicodeEncodeError):
        write_picks(path, PickSet({"a": Picks.at([[3, 4]], extra=extra)}))
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_of_one_file_per_micrograph(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_picks(tmp_path / f"{name}.csv", PickSet({f"{name}.mrc": Picks.at([[1, 2]])}, 1.5))
    (tmp_path / "notes.md").write_text("not picks")
    read = read_picks(tmp_path)
    assert list(read.by_micrograph) == ["a.mrc", "b.mrc"]
    assert read.pixel_size_angstrom == 1.5
    write_picks(tmp_path / "a.star", PickSet({"a.mrc": Picks.at([[1, 2]])}))
    with pytest.raises(CryopickError, match=r"holds picks of a\.mrc, as does"):
        read_picks(tmp_path)


def test_a_folder_for_relion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("Picks")
    folder.mkdir()
    names = ["MotionCorr/job002/one/a.mrc", "MotionCorr/job002/two/a.mrc", "/a.mrc", "a.jpg"]
    picks = {name: Picks.at([[i, 2]]) for i, name in enumerate(names)}
    write_picks(folder, PickSet(picks, 1.5))
    listed = starfile.read(folder / "coordinates.star", always_dict=True)["coordinate_files"]
    assert listed["rlnMicrographName"].tolist() == names
    for file in listed["rlnMicrographCoordinates"]:
        assert file.startswith("Picks/Micrographs/")
        assert len(starfile.read(file)) == 1
    for source in (folder, folder / "coordinates.star", tmp_path / folder):
        read = read_picks(source)
        assert list(read.by_micrograph) == names
        assert [one.positions[0, 0] for one in read.by_micrograph.values()] == [0, 1, 2, 3]


def test_a_list_is_followed_from_anywhere(tmp_path: Path) -> None:
    job = tmp_path / "ManualPick" / "job005"
    write_picks(job / "Movies" / "a_manualpick.star", PickSet({"x": Picks.at([[1, 2]])}))
    text = "data_coordinate_files\n\nloop_\n_rlnMicrographName\n_rlnMicrographCoordinates\n{}\n"
    path = job / "manualpick.star"
    path.write_text(text.format("Movies/a.mrc ManualPick/job005/Movies/a_manualpick.star"))
    assert list(read_picks(path).by_micrograph) == ["Movies/a.mrc"]
    path.write_text(text.format("Movies/a.mrc ManualPick/job005/Movies/b_manualpick.star"))
    with pytest.raises(CryopickError, match=f"{path} lists .*b_manualpick.star, which is not"):
        read_picks(path)
    path.write_text(text.replace("_rlnMicrographCoordinates", "").format("Movies/a.mrc"))
    with pytest.raises(CryopickError, match=f"{path} has no columns rlnCoordinateX"):
        read_picks(path)


def test_real_folders_of_other_pickers(shared_data: Path) -> None:
    others = shared_data / "beta_galactosidase" / "other_picks"
    assert len(read_picks(others / "human2_sebseager").by_micrograph) == 2
    assert len(read_picks(others / "CASSPERpaper_Bgal_crYOLo").by_micrograph) == 10


def test_csv_to_star_and_back_keeps_further_columns(tmp_path: Path) -> None:
    csv, star = tmp_path / "a.csv", tmp_path / "a.star"
    extra = {"rlnAnglePsi": np.array([1.5, 2.5]), "class name": np.array(["good", "very good"])}
    write_picks(csv, PickSet({"m/a.mrc": Picks.at([[1, 2], [3, 4]], extra=extra)}, 1.5))
    write_picks(star, read_picks(csv))
    (picks,) = read_picks(star).by_micrograph.values()
    np.testing.assert_array_equal(picks.positions, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(picks.extra["rlnAnglePsi"], [1.5, 2.5])
    np.testing.assert_array_equal(picks.extra["class_name"], ["good", "very good"])
    assert read_picks(star).pixel_size_angstrom == 1.5


def test_importing_costs_no_heavy_library() -> None:
    code = (
        "import sys, napari_cryopick.io; print({'torch', 'pandas', 'napari'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_one_bad_file_costs_no_other(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_picks(tmp_path / f"{name}.star", PickSet({f"{name}.mrc": Picks.at([[1, 2]])}))
    (tmp_path / "c.box").write_text("1 2 3 4\n")
    (tmp_path / "b.star").write_text("data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n1 2 3\n")
    with pytest.warns(CryopickWarning, match=r"1 file is left out of .*: .*b\.star holds 3 values"):
        assert list(read_picks(tmp_path).by_micrograph) == ["a.mrc", "c"]


def test_a_list_is_read_without_its_bad_files(tmp_path: Path) -> None:
    names = [f"{letter}.mrc" for letter in "abcd"]
    picks = {name: Picks.at([[1, 2]] if name < "d" else []) for name in names}
    write_picks(tmp_path, PickSet(picks))
    (tmp_path / "Micrographs" / "a.mrc.star").unlink()
    (tmp_path / "Micrographs" / "b.mrc.star").write_text("data_\n")
    with pytest.warns(CryopickWarning, match=r"2 files are left out of .*\.star: .*a\.mrc"):
        read = read_picks(tmp_path / "coordinates.star")
    assert {name: len(one) for name, one in read.by_micrograph.items()} == {"c.mrc": 1, "d.mrc": 0}
    listed = (tmp_path / "coordinates.star").read_text()
    (tmp_path / "coordinates.star").write_text(listed + listed)
    with pytest.raises(CryopickError, match=r"lists c\.mrc twice"):
        read_picks(tmp_path / "coordinates.star")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["a.star", "a.csv", "a.txt", "a.box"])
def test_encodings_and_line_ends_of_other_programs(
    tmp_path: Path, name: str, ends: str, encoding: str
) -> None:
    texts = {
        ".star": "data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n\n1\t2 \n",
        ".csv": "x,y\n1,2\n",
        ".txt": "x\ty\n1\t2\n",
        ".box": "0 1 2 2\n",
    }
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path = tmp_path / name
    path.write_text(mark + texts[path.suffix], encoding=encoding, newline=ends)
    (picks,) = read_picks(path).by_micrograph.values()
    assert picks.positions.tolist() == [[2, 1]]


def test_text_that_is_not_in_unicode_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("micrograph,x,y\na,1,2\nGr\u00f6,1,2\n", encoding="latin-1")
    with pytest.raises(CryopickError, match=r"is no text in UTF-8 \(line 3\); save it as UTF-8"):
        read_picks(path)


def test_repeated_picks_count_once(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y,score\n1,2,0.5\n3,4,0.5\n1,2,0.5\n1,2,0.75\n")
    with pytest.warns(CryopickWarning) as said:
        assert len(read_picks(path)) == 3
    again, shared = (str(one.message) for one in said)
    assert "says 1 picks again (line 4); each is taken once" in again
    assert "has 1 picks at the very place of others (line 5); they are kept" in shared
