"""Labels: classes of pixels that a person has painted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class LabelClass(IntEnum):
    """The painted classes; unknown is never taken for background."""

    UNKNOWN = 0
    PARTICLE = 1
    BACKGROUND = 2
    CONTAMINATION = 3


@dataclass(frozen=True, eq=False)
class Labels:
    """Painted classes of one micrograph.

    Attributes
    ----------
    classes
        (h, w) uint8 array of `LabelClass` values.
    scale
        Labels pixels per micrograph pixel: painting may be coarser than the micrograph.
        A micrograph point p lies at ``(p + 0.5) * scale - 0.5``.
    """

    classes: NDArray[np.uint8]
    scale: float = 1.0

    def at(self, positions: NDArray) -> NDArray[np.uint8]:
        """Return the classes at (n, 2) positions (y, x) in micrograph pixels."""
        pixels = np.rint((np.asarray(positions) + 0.5) * self.scale - 0.5).astype(int)
        y, x = np.clip(pixels, 0, np.array(self.classes.shape) - 1).T
        return np.asarray(self.classes[y, x])
