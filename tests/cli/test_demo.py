from __future__ import annotations

import numpy as np

from napari_cryopick import Picks
from napari_cryopick.cli.demo import click, commands
from napari_cryopick.cli.main import build_app
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
    for _, command in commands(tmp_path, "160"):
        build_app().parse_args(command)
