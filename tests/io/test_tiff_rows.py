"""RELION counts the rows of a TIFF from the last one, we from the first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cryopick import Picks
from napari_cryopick.cli.main import main
from napari_cryopick.errors import CryopickWarning
from napari_cryopick.io import PickSet, read_picks, write_picks
from napari_cryopick.io.star_blocks import read_blocks

HEIGHT = 96
RELION = "data_\n\nloop_\n_rlnMicrographName #1\n_rlnCoordinateX #2\n_rlnCoordinateY #3\n{}\n"
NAMELESS = "data_\n\nloop_\n_rlnCoordinateX #1\n_rlnCoordinateY #2\n{}\n"


@pytest.fixture
def tiff(tmp_path: Path) -> Path:
    path = tmp_path / "Movies" / "a.tif"
    path.parent.mkdir()
    tifffile.imwrite(path, np.zeros((HEIGHT, 64), np.uint8))
    return path


def rows_in(path: Path) -> list[float]:
    """Return y as it stands in a STAR file."""
    return read_blocks(path)[-1][1]["rlnCoordinateY"].tolist()


def positions(picks: PickSet) -> dict[str, list]:
    return {name: one.positions.tolist() for name, one in picks.by_micrograph.items()}


@pytest.mark.parametrize("output", ["picks.star", "."])
def test_what_is_written_is_flipped_and_read_back(tiff: Path, output: str) -> None:
    path = tiff.parent / output
    picks = {str(tiff): Picks.at([[0, 7], [12, 8]]), "b.mrc": Picks.at([[1, 2]])}
    write_picks(path, PickSet(picks))
    assert rows_in(next(tiff.parent.rglob("[ap]*.star")))[:2] == [95, 83]
    tiff.unlink()
    read = read_picks(path)
    assert positions(read) == {str(tiff): [[0, 7], [12, 8]], "b.mrc": [[1, 2]]}
    assert not read.by_micrograph["b.mrc"].extra
    write_picks(tiff.parent / "picks.csv", read)
    write_picks(tiff.parent / "again.star", read_picks(tiff.parent / "picks.csv"))
    assert rows_in(tiff.parent / "again.star") == [95, 83, 1]
    assert positions(read_picks(tiff.parent / "again.star")) == positions(read)


def test_a_star_of_relion_is_flipped_where_its_project_holds_the_tiff(tiff: Path) -> None:
    path = tiff.parents[1] / "Select" / "job005" / "particles.star"
    path.parent.mkdir(parents=True)
    path.write_text(RELION.format("Movies/a.tif 7 95"))
    assert positions(read_picks(path)) == {"Movies/a.tif": [[0, 7]]}
    assert positions(read_picks(path, flip_tiff=False)) == {"Movies/a.tif": [[95, 7]]}


def test_the_micrographs_say_what_names_do_not(tiff: Path, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "a.star").write_text(NAMELESS.format("7 95"))
    (folder / "b.star").write_text(RELION.format("MotionCorr/b.tif 7 95"))
    mrc = tiff.with_name("b.mrc")
    read = read_picks(folder, [tiff, mrc])
    assert positions(read) == {"a": [[0, 7]], "MotionCorr/b.tif": [[95, 7]]}


def test_an_unknown_height_is_said(tmp_path: Path) -> None:
    path = tmp_path / "picks.star"
    path.write_text(RELION.format("x/a.tif 7 95\nx/b.tiff 7 95\nx/c.mrc 7 95"))
    with pytest.warns(CryopickWarning, match=r"height of x/a\.tif and 1 more is not known, so y"):
        read = read_picks(path)
    assert list(positions(read).values()) == [[[95, 7]]] * 3
    with pytest.warns(CryopickWarning, match="y is written from its first row"):
        write_picks(path, read)
    assert positions(read_picks(path)) == positions(read)


def test_flipping_can_be_left_out(tiff: Path, tmp_path: Path) -> None:
    source, plain = tmp_path / "in.star", tmp_path / "out.star"
    write_picks(source, PickSet({str(tiff): Picks.at([[12, 8]])}))
    assert main(["convert", str(source), str(plain), "--no-tiff-flip"]) == 0
    assert rows_in(plain) == [12]
    assert positions(read_picks(plain)) == {str(tiff): [[12, 8]]}


def test_convert_is_told_where_micrographs_are(tiff: Path, tmp_path: Path, capsys) -> None:
    csv, star = tmp_path / "in.csv", tmp_path / "out.star"
    csv.write_text("micrograph,x,y\nelsewhere/a.tif,8,12\n")
    assert main(["convert", str(csv), str(star)]) == 0
    assert "The height of elsewhere/a.tif is not known" in capsys.readouterr().err
    assert main(["convert", str(csv), str(star), "--micrographs", str(tiff.parent)]) == 0
    assert capsys.readouterr().err == f"{star} holds 1 of the 1 picks in {csv}.\n"
    assert rows_in(star) == [83]
