"""The three probability maps a network makes of a micrograph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Maps:
    """Probabilities at the network's scale.

    Attributes
    ----------
    area, centre, contamination
        (h, w) float32 arrays in [0, 1]: lies on a particle, is a particle's centre, lies on
        contamination.
    scale
        Map pixels per micrograph pixel. A micrograph point p lies at ``(p + 0.5) * scale - 0.5``.
    """

    area: NDArray[np.float32]
    centre: NDArray[np.float32]
    contamination: NDArray[np.float32]
    scale: float
