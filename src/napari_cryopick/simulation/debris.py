"""Small and unfolded protein between the particles: what makes their surroundings uneven."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .potential import CONTRAST_PER_DALTON
from .scene import Scene

_MEAN_DALTON = 10_000.0
_SHAPE = 4.0  # of the gamma distribution of masses: half of them within a third of the mean
_WIDTH_ANGSTROM = 13.0  # each axis of a chain of this mass, between folded and unfolded


def add_debris(scene: Scene, dalton_per_square_angstrom: float, rng: np.random.Generator) -> None:
    """Strew chains of random mass, 10 kDa on average, evenly.

    Most complexes reach the air-water interface, and many unfold there (D'Imprima et al. 2019,
    eLife 8, e42747); a full layer of protein has about 2 mg/m² or 12 Da/Å², and ice has
    two sides. Each chain is a point until `debris_filter`.
    """
    area = scene.shape[0] * scene.shape[1] * scene.pixel_size_angstrom**2
    count = rng.poisson(dalton_per_square_angstrom * area / _MEAN_DALTON)
    y, x = (rng.integers(0, edge, count) for edge in scene.shape)
    weights = rng.gamma(_SHAPE, _MEAN_DALTON * CONTRAST_PER_DALTON / _SHAPE, count)
    np.add.at(scene.debris, (y, x), (weights / scene.pixel_size_angstrom**2).astype(np.float32))


def debris_filter(frequency: NDArray) -> NDArray:
    """Amplitude of a chain at a frequency in 1/Å."""
    return np.asarray(np.exp(-2 * np.square(np.pi * _WIDTH_ANGSTROM * frequency)))
