from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from napari_cryopick import Picks
from napari_cryopick.cli.demo import click, commands
from napari_cryopick.cli.main import build_app, main
from napari_cryopick.io import PickSet


def test_clicks_are_some_particles_of_the_first_micrograph_and_the_others_are_unseen():
    truth = PickSet(
        {name: Picks.at(np.random.default_rng(0).random((20, 2))) for name in "abc"}, 2.0
    )
    clicks, unseen = click(truth, 10)
    assert list(clicks.by_micrograph) == ["a"]
    assert list(unseen.by_micrograph) == ["b", "c"]
    chosen = clicks.by_micrograph["a"].positions
    assert len(np.unique(chosen, axis=0)) == 10
    assert set(map(tuple, chosen)) <= set(map(tuple, truth.by_micrograph["a"].positions))
    assert clicks.pixel_size_angstrom == unseen.pixel_size_angstrom == 2.0


def test_what_the_demo_types_is_understood(tmp_path):
    for command in commands(tmp_path, 160).values():
        build_app().parse_args(command)


def test_a_demo_is_not_laid_over_another(tmp_path, capsys):
    (tmp_path / "run").mkdir()
    assert main(["demo", "--output", str(tmp_path)]) == 1
    assert "holds a demo" in capsys.readouterr().err


@pytest.mark.slow
def test_the_demo_picks_most_particles_and_leaves_what_it_promises(tmp_path, capsys):
    folder = tmp_path / "demo"
    assert main(["demo", "--output", str(folder)]) == 0
    capsys.readouterr()
    with Image.open(folder / "picks.png") as picture:
        assert picture.width > 1000
    assert (folder / "run" / "best" / "model.safetensors").is_file()
    picks, unseen = str(folder / "picks.star"), str(folder / "unseen.star")
    assert main(["evaluate", picks, "--truth", unseen, "--diameter", "160", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["macro"]["f1"] > 0.75
