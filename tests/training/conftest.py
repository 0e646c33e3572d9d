"""A few small simulated micrographs, all their particles, and settings for a short training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from napari_cryopick.io import match_picks, read_picks
from napari_cryopick.picks import Picks
from napari_cryopick.simulation.settings import SimulationSettings
from napari_cryopick.simulation.simple import simulate_fields, write_fields
from napari_cryopick.training.settings import TrainSettings


@dataclass(frozen=True)
class Project:
    """Micrographs and every particle in them."""

    micrographs: list[Path]
    particles: dict[Path, Picks]

    def clicks(self, count: int = 6) -> dict[Path, Picks]:
        """A few particles of the first micrograph."""
        path = self.micrographs[0]
        return {path: self.particles[path][np.arange(count)]}


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Project:
    settings = SimulationSettings(
        count=4,
        shape=(320, 384),
        pixel_size_angstrom=4,
        particles=16,
        fragments=0,
        ice_balls=0,
        signal_to_noise=0.1,
    )
    micrographs, star = write_fields(tmp_path_factory.mktemp("project"), simulate_fields(settings))
    return Project(micrographs, match_picks(read_picks(star), micrographs))


@pytest.fixture
def quick() -> TrainSettings:
    """Enough to see that everything runs, not to learn anything."""
    return TrainSettings(diameter_angstrom=160, steps=4, batch_size=2, patch_px=32, device="cpu")
