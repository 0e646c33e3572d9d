"""Micrographs that might lead self-training astray do not make its model worse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from napari_cryopick.io import match_picks, read_picks
from napari_cryopick.metrics.particles import score_particles
from napari_cryopick.picks import Picks
from napari_cryopick.simulation.particle_model import ParticleModel
from napari_cryopick.simulation.settings import SimulationSettings
from napari_cryopick.simulation.simulate import EXAMPLE_SETTINGS, simulate
from napari_cryopick.simulation.synthetic import example_particle
from napari_cryopick.training.events import PseudoLabelled
from napari_cryopick.training.self_training import self_train
from napari_cryopick.training.settings import SelfTrainSettings

TOLERANCE = 0.05
"""Two particles of some forty."""

PARTICLE = example_particle().scaled(2)

USUAL = {
    "shape": (320, 384),
    "pixel_size_angstrom": 4,
    "particles": 16,
    "fragments": 0,
    "ice_balls": 0,
    "aggregates": 0,
    "seed": 1,
}

Truth = dict[Path, Picks]


def micrographs(folder: Path, *particles: ParticleModel, **changed: object) -> Truth:
    """Micrographs with all their particles, of some kinds at once."""
    settings = SimulationSettings(**EXAMPLE_SETTINGS | USUAL | changed, mixed=True)
    paths = [event.path for event in simulate(particles or [PARTICLE], settings, folder)]
    found = match_picks(read_picks(folder / "particles.star"), paths)
    return {path: found.get(path, Picks.at([])) for path in paths}


def empty(folder: Path) -> Truth:
    return micrographs(folder / "a", count=1) | micrographs(
        folder / "b", count=3, particles=0, seed=2
    )


def ice(folder: Path) -> Truth:
    return micrographs(folder / "a", count=2) | micrographs(
        folder / "b", count=1, particles=4, ice_balls=30, seed=2
    )


def dense(folder: Path) -> Truth:
    return micrographs(folder, count=3, particles=60, spacing=0.6)


def two_kinds(folder: Path) -> Truth:
    return micrographs(
        folder, PARTICLE, example_particle(symmetry="C2").scaled(2), count=3, particles=18
    )


@pytest.mark.parametrize("simulated", [empty, ice, dense, two_kinds])
def test_the_final_model_is_no_worse_than_the_start(simulated: Callable[[Path], Truth], tmp_path):
    """One micrograph is labelled, the others mislead; the truth is all particles of all."""
    truth = simulated(tmp_path / "simulated")
    micrographs = list(truth)
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
