"""What the beam destroys."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def intact(
    frequency: NDArray, electrons_per_square_angstrom: float, voltage_kilovolt: float
) -> NDArray:
    """Mean amplitude left of protein at a frequency in 1/Å, over an unweighted exposure.

    It decays by e in twice the critical exposure 0.245 s^-1.665 + 2.81 e/Å² at 300 kV, and in
    four fifths of that at 200 kV (Grant & Grigorieff 2015, eLife 4, e06980).
    """
    harm = 1.0 if voltage_kilovolt > 250 else 0.8
    critical = harm * (0.245 * np.maximum(frequency, 1e-3) ** -1.665 + 2.81)
    decays = electrons_per_square_angstrom / (2 * critical)
    return np.asarray(-np.expm1(-decays) / decays)
