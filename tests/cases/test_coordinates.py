"""Coordinate files that people had trouble with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_cryopick import CryopickError, Picks
from napari_cryopick.cli.main import main
from napari_cryopick.errors import CryopickWarning
from napari_cryopick.io import PickSet, match_picks, read_micrograph, read_picks, write_picks


def positions_in(path: Path) -> dict[str, list[list[float]]]:
    read = read_picks(path).by_micrograph
    return {name: picks.positions.tolist() for name, picks in read.items()}


@pytest.mark.parametrize("name", ["blank.star", "comment.star"])
def test_blank_lines_and_comments_in_a_header(shared_cases: Path, name: str) -> None:
    path = shared_cases / "05_star_blank_or_comment_in_loop_header" / name
    assert positions_in(path) == {"a.mrc": [[20, 10]]}


def test_a_star_is_read_again_once_it_is_corrected(tmp_path: Path) -> None:
    path = tmp_path / "p.star"
    header = "data_\n\nloop_\n_rlnMicrographName #1\n_rlnCoordinateX #2\n_rlnCoordinateY #3\n"
    path.write_text(f"{header}a.mrc 1 2\nb.mrc 3 4 9 9\n")
    with pytest.raises(CryopickError, match="holds 5 values in line 8, where it has 3 columns"):
        read_picks(path)
    path.write_text(f"{header}a.mrc 1 2\nb.mrc 3 4\n")
    assert len(read_picks(path)) == 2


def test_names_of_images_stand_for_their_micrographs(shared_cases: Path) -> None:
    folder = shared_cases / "07_star_without_micrograph_names"
    read = read_picks(folder / "image_names.star")
    found = match_picks(read, [Path("a.mrc"), Path("b.mrc"), Path("image_names.mrc")])
    assert {str(path): len(picks) for path, picks in found.items()} == {"a.mrc": 2, "b.mrc": 1}
    with pytest.raises(CryopickError, match=r"tomo_names\.star holds particles of tomograms"):
        read_picks(folder / "tomo_names.star")


def test_joined_files_are_read_whole(shared_cases: Path, tmp_path: Path, capsys) -> None:
    path = shared_cases / "08_star_files_joined_by_cat" / "joined.star"
    assert positions_in(path) == {"a.mrc": [[2, 1], [4, 3]], "b.mrc": [[6, 5]]}
    assert main(["convert", str(path), str(tmp_path / "o.csv")]) == 0
    assert "holds 3 of the 3 picks" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["run#2", "kim's"])
def test_hashes_and_quotes_in_folders(
    shared_cases: Path, tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = shared_cases / "09_hash_and_apostrophe_in_names" / "m.mrc"
    (tmp_path / folder).mkdir()
    shutil.copy(source, tmp_path / folder)
    arguments = [folder, "--diameter", "120", "--threshold", "0", "--output", "p.star"]
    assert main(["predict", *arguments]) == 0
    assert list(read_picks("p.star").by_micrograph) == [f"{folder}/m.mrc"]


def test_relion_finds_the_same_pixel_of_a_tiff(
    shared_cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(shared_cases / "10_tiff_picks_are_mirrored_in_relion" / "a.tif", tmp_path)
    monkeypatch.chdir(tmp_path)
    pixels = read_micrograph("a.tif").pixels
    y, x = np.unravel_index(np.argmin(pixels), pixels.shape)
    write_picks("p.star", PickSet({"a.tif": Picks.at([[y, x]])}, 1.5))
    *_, row, _name, _group = Path("p.star").read_text().split()
    assert pixels[::-1][int(row), x] == pixels[y, x]
    Path("a.tif").unlink()
    assert positions_in(Path("p.star")) == {"a.tif": [[y, x]]}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a_aligned_mic_DW.mrc", "a.mrc"),
        ("a_EER.mrc", "a.mrc"),
        ("a.eer", "a.mrc"),
        ("a_Fractions.mrc", "a.mrc"),
        ("a_fractions.tiff", "a_Fractions_DW.mrc"),
        ("a_topazpicks", "a.mrc"),
        ("a_automatch", "a.mrc"),
        (f"{'1234567890' * 2}_a_patch_aligned_doseweighted_background_subtracted.mrc", "a.mrc"),
        ("Gr\u00f6.mrc", "Gro\u0308.mrc"),
        ("Gr\u00f6_DW.mrc", "Gro\u0308.tif"),
    ],
)
def test_endings_that_programs_add(name: str, path: str) -> None:
    assert list(match_picks(PickSet({name: Picks.at([[1, 2]])}), [Path(path)])) == [Path(path)]


@pytest.mark.parametrize(
    ("name", "micrograph"),
    [("topaz.txt", "a"), ("a.box", "a"), ("a.cbox", "a"), ("a.coords", "a")],
)
def test_files_of_other_pickers(
    shared_cases: Path, tmp_path: Path, name: str, micrograph: str
) -> None:
    path = shared_cases / "23_formats_of_other_pickers" / name
    assert positions_in(path) == {micrograph: [[200, 100]]}
    assert main(["convert", str(path), str(tmp_path / "o.star")]) == 0
    assert positions_in(tmp_path / "o.star") == {micrograph: [[200, 100]]}


def test_corners_are_not_taken_for_centres(shared_cases: Path) -> None:
    path = shared_cases / "23_formats_of_other_pickers" / "corner.csv"
    with pytest.warns(CryopickWarning, match="x and y are taken for the corners of boxes"):
        assert positions_in(path) == {"a.mrc": [[200, 100]]}


def test_files_do_not_depend_on_the_locale(tmp_path: Path) -> None:
    code = (
        "from napari_cryopick.io import *; from napari_cryopick import Picks\n"
        "for file in ('p.star', 'p.csv'):\n"
        "    write_picks(file, PickSet({'Gr\\u00f6\\u03b2.mrc': Picks.at([[1, 2]])}))\n"
        "    assert list(read_picks(file).by_micrograph) == ['Gr\\u00f6\\u03b2.mrc']\n"
    )
    ascii_only = {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", code]
    subprocess.run(command, cwd=tmp_path, env=os.environ | ascii_only, check=True)
    assert "Gr\u00f6\u03b2.mrc" in (tmp_path / "p.star").read_text("utf-8")
