from __future__ import annotations

import numpy as np
import pytest

from napari_cryopick import Picks, Status
from napari_cryopick.cli.main import main
from napari_cryopick.io import PickSet, read_picks, write_picks


@pytest.fixture
def star(tmp_path):
    """A STAR of three picks on two micrographs."""
    path = tmp_path / "picks.star"
    picks = {
        "a.mrc": Picks.at([(0, 1.5), (99, 20)], [0.25, 0.5]),
        "b.mrc": Picks.at([(10, 11)], [0.75]),
    }
    write_picks(path, PickSet(picks, 1.5))
    return path


def test_star_to_csv_and_back_keeps_everything(star, tmp_path, capsys):
    csv, back = tmp_path / "picks.csv", tmp_path / "back.star"
    assert main(["convert", str(star), str(csv)]) == 0
    assert main(["convert", str(csv), str(back)]) == 0
    assert "holds 3 of the 3 picks" in capsys.readouterr().err
    before, after = read_picks(star), read_picks(back)
    assert after.pixel_size_angstrom == 1.5
    assert list(after.by_micrograph) == ["a.mrc", "b.mrc"]
    for name, picks in before.by_micrograph.items():
        np.testing.assert_allclose(after.by_micrograph[name].positions, picks.positions)
        np.testing.assert_allclose(after.by_micrograph[name].scores, picks.scores)


def test_flip_y_turns_the_first_row_into_the_last(star, tmp_path):
    flipped = tmp_path / "flipped.star"
    assert main(["convert", str(star), str(flipped), "--flip-y", "100"]) == 0
    picks = read_picks(flipped).by_micrograph["a.mrc"]
    np.testing.assert_allclose(picks.positions, [(99, 1.5), (0, 20)])


def test_a_height_that_cannot_be_is_told(star, tmp_path, capsys):
    flipped = tmp_path / "flipped.star"
    assert main(["convert", str(star), str(flipped), "--flip-y", "50"]) == 1
    assert "has picks below row 50" in capsys.readouterr().err
    assert not flipped.exists()


def test_picks_that_a_star_leaves_out_are_counted(tmp_path, capsys):
    csv = tmp_path / "picks.csv"
    picks = Picks.at([(5, 5), (50, 50)], status=[Status.BORDER, Status.OK])
    write_picks(csv, PickSet({"a.mrc": picks}))
    assert main(["convert", str(csv), str(tmp_path / "picks.star")]) == 0
    assert "holds 1 of the 2 picks" in capsys.readouterr().err


def test_what_is_unusual_is_said_by_every_command(tmp_path, capsys):
    csv = tmp_path / "picks.csv"
    csv.write_text("micrograph,x,y\nmy a.mrc,1,2\nmy a.mrc,1,2\n")
    for _ in range(2):
        assert main(["convert", str(csv), str(tmp_path / "picks.star")]) == 0
        err = capsys.readouterr().err
        assert err.count("RELION reads no spaces in names of micrographs, as in my a.mrc;") == 1
        assert err.count("says 1 picks again (line 3)") == 1
