"""What lies in the beam, as maps that the parts of a specimen are laid into one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Scene:
    """One area of a grid, larger than the micrograph cut out of it.

    Attributes
    ----------
    pixel_size_angstrom
        Edge of a pixel.
    protein
        (h, w) projected potential of particles and their remains over ice, in V·Å, before the
        shape of atoms.
    debris
        The same of small and unfolded protein, one point for each chain.
    solid
        (h, w) projected potential of everything else over a field of even ice, in V·Å.
    carbon
        (h, w) thickness of carbon in Å.
    opacity
        (h, w) how much is taken out of the beam: minus the logarithm of the share that is left.
    shadow, contamination
        (h, w) where whole particles and where contamination would be seen.
    """

    pixel_size_angstrom: float
    protein: NDArray[np.float32]
    debris: NDArray[np.float32]
    solid: NDArray[np.float32]
    carbon: NDArray[np.float32]
    opacity: NDArray[np.float32]
    shadow: NDArray[np.bool_]
    contamination: NDArray[np.bool_]

    @classmethod
    def empty(cls, shape: tuple[int, int], pixel_size_angstrom: float) -> Scene:
        protein, debris, solid, carbon, opacity = (np.zeros(shape, np.float32) for _ in range(5))
        shadow, contamination = (np.zeros(shape, bool) for _ in range(2))
        return cls(
            pixel_size_angstrom, protein, debris, solid, carbon, opacity, shadow, contamination
        )

    @property
    def shape(self) -> tuple[int, int]:
        return self.solid.shape
