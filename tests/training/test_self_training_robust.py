"""Micrographs that might lead self-training astray do not make its model worse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from napari_cryopick.evaluation.particles import score_particles
from napari_cryopick.io import match_picks, read_picks
from napari_cryopick.micrograph import Micrograph
from napari_cryopick.picks import Picks
from napari_cryopick.simulation.settings import SimulationSettings
from napari_cryopick.simulation.simple import SimulatedField, simulate_fields, write_fields
from napari_cryopick.training.events import PseudoLabelled
from napari_cryopick.training.self_training import self_train
from napari_cryopick.training.settings import SelfTrainSettings

TOLERANCE = 0.05
"""Two particles of some forty."""

USUAL = SimulationSettings(
    count=1,
    shape=(320, 384),
    pixel_size_angstrom=4,
    particles=16,
    fragments=0,
    ice_balls=0,
    signal_to_noise=0.1,
)


def fields(count: int = 1, **changed: object) -> list[SimulatedField]:
    return list(simulate_fields(USUAL.model_copy(update={"count": count, "seed": 1} | changed)))


def together(one: SimulatedField, other: SimulatedField) -> SimulatedField:
    """Both in one field, as if it had been exposed twice."""
    pixels = one.micrograph.pixels + other.micrograph.pixels
    tables = one.picks, other.picks
    picks = Picks.at(
        np.concatenate([table.positions for table in tables]),
        status=np.concatenate([table.statuses for table in tables]),
    )
    return SimulatedField(Micrograph(pixels, 4.0), picks, one.labels)


def empty() -> list[SimulatedField]:
    return fields() + fields(3, particles=0, seed=2)


def ice() -> list[SimulatedField]:
    return fields(2) + fields(1, particles=4, ice_balls=30, seed=2)


def dense() -> list[SimulatedField]:
    return fields(3, particles=60)


def two_kinds() -> list[SimulatedField]:
    one, other = (
        fields(3, particles=9, symmetry=symmetry, seed=seed, signal_to_noise=0.2)
        for symmetry, seed in (("D7", 1), ("C2", 2))
    )
    return [together(*pair) for pair in zip(one, other, strict=True)]


@pytest.mark.parametrize("simulated", [empty, ice, dense, two_kinds])
def test_the_final_model_is_no_worse_than_the_start(
    simulated: Callable[[], list[SimulatedField]], tmp_path
):
    """One micrograph is labelled, the others mislead; the truth is all particles of all."""
    micrographs, star = write_fields(tmp_path, simulated())
    particles = match_picks(read_picks(star), micrographs)
    truth = {path: particles.get(path, Picks.at([])) for path in micrographs}
    settings = SelfTrainSettings(
        diameter_angstrom=160,
        complete=True,
        steps=50,
        learning_rate=5e-3,
        round_steps=100,
        rounds=1,
        batch_size=4,
        patch_px=64,
        device="cpu",
    )
    labelled = {micrographs[0]: truth[micrographs[0]]}
    events = list(self_train(micrographs, labelled, settings, tmp_path / "run"))

    def f1(iteration: str) -> float:
        picks = read_picks(tmp_path / "run" / iteration / "picks.star")
        return score_particles(match_picks(picks, micrographs), truth, diameter_px=40).micro.f1

    assert [event.iteration for event in events if isinstance(event, PseudoLabelled)] == [1]
    assert f1("iteration_0_supervised") > 0.6
    assert f1("best") >= f1("iteration_0_supervised") - TOLERANCE
