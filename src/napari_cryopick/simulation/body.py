"""A particle before it is turned: points that scatter electrons."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Body:
    """Points around the origin, their weighted mean.

    Attributes
    ----------
    name
        What it is called.
    positions
        (n, 3) float32 array of (x, y, z) in Å.
    weights
        (n,) float32 array: potential over that of the ice displaced, integrated over each point's
        volume, in V·Å³.
    blur_angstrom
        Width (standard deviation) of the gaussian that every point stands for; 0 for atoms.
    """

    name: str
    positions: NDArray[np.float32]
    weights: NDArray[np.float32]
    blur_angstrom: float = 0.0

    @classmethod
    def around_its_centre(
        cls, name: str, positions: NDArray, weights: NDArray, blur_angstrom: float = 0.0
    ) -> Body:
        """Points wherever they are, moved so that their weighted mean is the origin."""
        centred = positions - np.average(positions, axis=0, weights=weights)
        return cls(name, centred.astype(np.float32), weights.astype(np.float32), blur_angstrom)

    @property
    def radius_angstrom(self) -> float:
        """Of the smallest sphere around the origin that holds everything."""
        return float(np.linalg.norm(self.positions, axis=1).max()) + 2 * self.blur_angstrom

    @property
    def diameter_angstrom(self) -> float:
        return 2 * self.radius_angstrom

    def scaled(self, factor: float) -> Body:
        """The same with all weights multiplied."""
        return replace(self, weights=self.weights * np.float32(factor))

    def coarser(self, spacing_angstrom: float) -> Body:
        """The same weight at the centres of small cubes, blurred as much as those are wide."""
        cubes = np.floor(self.positions / spacing_angstrom).astype(np.int32)
        _, cube = np.unique(cubes, axis=0, return_inverse=True)
        weights = np.bincount(cube.ravel(), self.weights)
        moments = [np.bincount(cube.ravel(), self.weights * axis) for axis in self.positions.T]
        solid = weights > 0
        positions = np.stack(moments, axis=1)[solid] / weights[solid, None]
        blur = float(np.hypot(self.blur_angstrom, spacing_angstrom / np.sqrt(12)))
        return replace(
            self,
            positions=positions.astype(np.float32),
            weights=weights[solid].astype(np.float32),
            blur_angstrom=blur,
        )

    def broken(self, rng: np.random.Generator) -> Body:
        """What a random plane leaves of it, around a centre of its own."""
        normal = rng.normal(size=3)
        depth = self.positions @ (normal / np.linalg.norm(normal))
        kept = depth >= np.quantile(depth, rng.uniform(0.3, 0.75))
        return Body.around_its_centre(
            f"{self.name} (broken)", self.positions[kept], self.weights[kept], self.blur_angstrom
        )
