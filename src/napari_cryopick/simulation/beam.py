"""How the beam lights the field."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def illumination(
    shape: tuple[int, int], falloff: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Relative brightness (h, w) of a gaussian beam off centre, 1 on average.

    Parameters
    ----------
    falloff
        How much darker the darkest corner is than the middle of the beam; less than 1.
    """
    away_y, away_x = (
        np.square(np.linspace(-1, 1, edge) - rng.uniform(-1, 1), dtype=np.float32) for edge in shape
    )
    steepness = np.log1p(-falloff) / (away_y.max() + away_x.max())
    beam = np.outer(np.exp(steepness * away_y), np.exp(steepness * away_x))
    return np.asarray(beam / beam.mean(), dtype=np.float32)
