from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from napari_cryopick.cli.main import main
from napari_cryopick.io import read_picks
from napari_cryopick.io.class_folder import CLASS, read_classes


def words(project, output, *options) -> list[str]:
    given = ["classify", project.micrographs, "--picks", project.particles, "--diameter", 160]
    return [*map(str, given), "--output", str(output), *options]


@pytest.fixture(scope="module")
def classified(project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("classes")
    assert main(words(project, folder, "--classes", "2", "--json", str(folder / "out.json"))) == 0
    return folder


def test_a_folder_of_classes_is_written(project, classified):
    classes = read_classes(classified)
    assert classes.averages.shape == (len(classes), 42, 42)
    assert 1 <= len(classes) <= 2
    members = np.concatenate([one.extra[CLASS] for one in classes.picks.by_micrograph.values()])
    assert len(members) == len(read_picks(project.particles))
    np.testing.assert_array_equal(np.bincount(members)[1:], classes.members)
    with Image.open(classified / "classes.png") as picture:
        assert picture.width > 100 * len(classes)


def test_its_figures_are_written_as_json(classified):
    data = json.loads((classified / "out.json").read_text())
    classes = read_classes(classified)
    assert [one["number"] - 1 for one in data["classes"]] == classes.ranking.tolist()
    assert sum(one["particles"] for one in data["micrographs"]) == classes.members.sum()
    assert data["failed"] == []


def test_picks_without_scores_promise_nothing(classified):
    classes = read_classes(classified)
    assert np.isnan(classes.expected_shares).all()
    assert set(classes.verdicts) == {"unsure"}


def test_the_same_seed_gives_the_same_files(project, classified, tmp_path):
    assert main(words(project, tmp_path, "--classes", "2", "--seed", "0")) == 0
    first, again = read_classes(classified), read_classes(tmp_path)
    np.testing.assert_array_equal(first.averages, again.averages)


def test_a_broken_micrograph_is_told_and_the_others_are_classified(project, tmp_path, capsys):
    shutil.copytree(project.micrographs, tmp_path / "micrographs")
    (tmp_path / "micrographs" / "simulated_0002.mrc").write_bytes(b"not an image")
    given = words(project, tmp_path / "classes")
    given[1] = str(tmp_path / "micrographs")
    assert main(given) == 3
    assert "1 micrograph could not be used:" in capsys.readouterr().err
    picks = read_classes(tmp_path / "classes").picks.by_micrograph
    assert len(picks) == 3
    broken = next(one for name, one in picks.items() if "0002" in name)
    assert (broken.extra[CLASS] == 0).all()


def test_an_impossible_diameter_is_one_sentence(project, tmp_path, capsys):
    given = words(project, tmp_path / "classes")
    given[given.index("160")] = "5000"
    assert main(given) == 1
    assert "No particle can be cut out of the micrographs" in capsys.readouterr().err
