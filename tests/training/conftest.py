"""A few small simulated micrographs, all their particles, and settings for a short training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_cryopick.io import match_picks, read_picks
from napari_cryopick.picks import Picks
from napari_cryopick.simulation.simulate import simulate_example
from napari_cryopick.simulation.synthetic import example_particle
from napari_cryopick.training.settings import TrainSettings


@dataclass(frozen=True)
class Project:
    """Micrographs and every particle in them."""

    micrographs: list[Path]
    particles: dict[Path, Picks]

    def annotated(self, count: int) -> dict[Path, Picks]:
        """Every particle of the first few micrographs."""
        return {path: self.particles[path] for path in self.micrographs[:count]}

    def clicks(self, count: int = 6) -> dict[Path, Picks]:
        """A few particles of the first micrograph."""
        path = self.micrographs[0]
        return {path: self.particles[path][np.arange(count)]}


def simulated(folder: Path, **settings: object) -> Project:
    """Clean micrographs of particles that stand out."""
    usual = {"pixel_size_angstrom": 4, "fragments": 0, "ice_balls": 0, "aggregates": 0}
    micrographs, star = simulate_example(folder, example_particle().scaled(2), **usual | settings)
    return Project(micrographs, match_picks(read_picks(star), micrographs))


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Project:
    return simulated(tmp_path_factory.mktemp("project"), count=4, shape=(320, 384), particles=16)


@pytest.fixture(scope="session")
def small_steps() -> dict[str, Any]:
    """Settings of trainings that are to run, not to learn anything."""
    return {"diameter_angstrom": 160, "batch_size": 2, "patch_px": 32, "device": "cpu"}


@pytest.fixture
def quick(small_steps) -> TrainSettings:
    """Enough to see that everything runs."""
    return TrainSettings(**small_steps, steps=4)


@pytest.fixture(scope="session")
def small_project(tmp_path_factory) -> Project:
    """Two micrographs of a dozen particles, for runs that are not to learn anything."""
    return simulated(tmp_path_factory.mktemp("small"), count=2, shape=(192, 224), particles=14)


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums of several threads may differ in their last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
