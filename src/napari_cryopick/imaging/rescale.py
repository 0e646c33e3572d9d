"""The particle is the ruler: every micrograph is brought to one particle size in pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Rescaling:
    """Between micrograph pixels and the pixels a network sees.

    Attributes
    ----------
    factor
        Network pixels per micrograph pixel. Pixel centres are at integers in both, so that a
        micrograph coordinate p lies at ``(p + 0.5) * factor - 0.5``.
    """

    factor: float

    @classmethod
    def to_particle(cls, diameter_px: float, particle_px: float) -> Rescaling:
        """Bring a particle of `diameter_px` micrograph pixels to `particle_px` pixels."""
        return cls(particle_px / diameter_px)

    def shrink(self, image: Tensor) -> Tensor:
        """Resample a (h, w) float image, anti-aliased."""
        return F.interpolate(
            image[None, None],
            scale_factor=self.factor,
            mode="bicubic",
            antialias=True,
            recompute_scale_factor=False,
        )[0, 0]

    def to_network(self, positions: NDArray) -> NDArray[np.float64]:
        """(n, 2) positions in micrograph pixels to network pixels."""
        return (np.asarray(positions, dtype=float) + 0.5) * self.factor - 0.5

    def to_micrograph(self, positions: NDArray) -> NDArray[np.float64]:
        """(n, 2) positions in network pixels to micrograph pixels."""
        return (np.asarray(positions, dtype=float) + 0.5) / self.factor - 0.5
