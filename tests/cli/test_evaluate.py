from __future__ import annotations

import json

import numpy as np
import pytest

from napari_cryopick import Picks
from napari_cryopick.cli.main import main
from napari_cryopick.io import PickSet, write_picks

TRUTH = np.array([(100.0, 100.0), (100.0, 300.0), (300.0, 100.0), (300.0, 300.0)])


@pytest.fixture
def files(tmp_path):
    """Write picks and truth with these by micrograph; give both paths."""

    def write(found, truth, pixel_size_angstrom=2.0):
        paths = []
        for name, sets in (("picks.star", found), ("truth.star", truth)):
            picks = {key: Picks.at(positions, 0.9) for key, positions in sets.items()}
            write_picks(tmp_path / name, PickSet(picks, pixel_size_angstrom))
            paths.append(str(tmp_path / name))
        return paths

    return write


def evaluate(files, *options, diameter="160"):
    picks, truth = files
    return main(["evaluate", picks, "--truth", truth, "--diameter", diameter, *options])


def test_figures_of_picks_that_are_off_by_some_pixels(files, tmp_path):
    found = np.vstack([np.add(TRUTH[:3], (3, 4)), [(500.0, 500.0)]])
    written = tmp_path / "scores.json"
    assert evaluate(files({"a.mrc": found}, {"a.mrc": TRUTH}), "--json", str(written)) == 0
    scores = json.loads(written.read_text())
    assert scores["macro"] == scores["micro"] == {"precision": 0.75, "recall": 0.75, "f1": 0.75}
    assert scores["centre_error_angstrom"] == pytest.approx(10.0)
    assert scores["best_f1"] == pytest.approx(0.75)
    assert scores["calibration_error"] == pytest.approx(0.15)


def test_the_radius_is_half_a_diameter(files, capsys):
    written = files({"a.mrc": np.add(TRUTH, (0, 20))}, {"a.mrc": TRUTH})
    assert evaluate(written, diameter="82") == 0
    assert "4 of them right" in capsys.readouterr().out
    assert evaluate(written, diameter="78") == 0
    assert "0 of them right" in capsys.readouterr().out


def test_micrographs_are_paired_by_the_tail_of_their_paths(files, capsys):
    written = files({"/data/run/a.mrc": TRUTH}, {"micrographs/a.mrc": TRUTH})
    assert evaluate(written) == 0
    assert "4 of them right" in capsys.readouterr().out


def test_picks_without_annotations_are_told_and_do_not_count(files, capsys):
    written = files({"a.mrc": TRUTH, "b.mrc": TRUTH, "c.mrc": TRUTH}, {"a.mrc": TRUTH})
    assert evaluate(written) == 0
    out, err = capsys.readouterr()
    assert "do not count: b.mrc and 1 more." in err
    assert "4 picks, 4 of them right" in out


def test_annotated_micrographs_without_picks_are_told_and_count_as_missed(files, capsys):
    written = files({"a.mrc": TRUTH}, {"a.mrc": TRUTH, "b.mrc": TRUTH})
    assert evaluate(written, "--json", "-") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["macro"]["recall"] == 0.5
    assert "all missed: b.mrc." in err


def test_picks_at_ignored_places_are_neither_right_nor_wrong(files, tmp_path, capsys):
    written = files({"a.mrc": TRUTH}, {"a.mrc": TRUTH[:2]})
    places = tmp_path / "uncertain.star"
    write_picks(places, PickSet({"a.mrc": Picks.at(TRUTH[2:3])}, 2.0))
    assert evaluate(written, "--ignore", str(places), "--json", "-") == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["macro"] == {"precision": 2 / 3, "recall": 1, "f1": 0.8}
    assert (scores["found"], scores["ignored"]) == (3, 1)


def test_the_pixel_size_is_asked_for_where_no_file_says_it(files, capsys):
    written = files({"a.mrc": TRUTH}, {"a.mrc": TRUTH}, pixel_size_angstrom=None)
    assert evaluate(written) == 1
    assert "say the pixel size; give it" in capsys.readouterr().err
    assert evaluate(written, "--pixel-size", "2") == 0


def test_picks_of_other_micrographs_only_are_an_error(files, capsys):
    assert evaluate(files({"x.mrc": TRUTH}, {"a.mrc": TRUTH})) == 1
    assert "other micrographs" in capsys.readouterr().err


def test_a_second_look_at_the_same_particles_scores_high(shared_data, capsys):
    folder = shared_data / "apoferritin"
    star = str(folder / "particles.star")
    assert evaluate((star, star), "--pixel-size", "1.5", "--json", "-", diameter="126") == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["micrographs"] == 10
    assert scores["found"] == scores["truth"] == scores["matched"] == 1615
    assert scores["macro"]["f1"] == 1


def test_an_ending_that_only_the_user_knows(files, capsys):
    written = files({"a_flattened_DW.mrc": TRUTH}, {"a.mrc": TRUTH})
    assert evaluate(written) == 1
    assert "belong to other micrographs" in capsys.readouterr().err
    assert evaluate(written, "--ending", "_flattened") == 0
    assert "4 of them right" in capsys.readouterr().out
