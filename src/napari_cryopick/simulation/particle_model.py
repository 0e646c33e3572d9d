"""A particle as points that scatter electrons, and the ways in which it may be turned."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation


@dataclass(frozen=True, eq=False)
class ParticleModel:
    """Points around the origin, their weighted mean.

    Attributes
    ----------
    positions
        (n, 3) float32 array of (x, y, z) in Å.
    weights
        (n,) float32 array: potential over that of the ice displaced, integrated over each point's
        volume, in V·Å³.
    blur_angstrom
        Standard deviation of the gaussian that every point stands for; 0 for atoms.
    axes
        (m, 3) unit vectors that it turns to the beam where it has preferred orientations.
    """

    name: str
    positions: NDArray[np.float32]
    weights: NDArray[np.float32]
    blur_angstrom: float = 0.0
    axes: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))

    @classmethod
    def centred(
        cls, name: str, positions: NDArray, weights: NDArray, blur_angstrom: float = 0.0
    ) -> ParticleModel:
        """Move points (n, 3) so that their weighted mean is the origin."""
        centred = positions - np.average(positions, axis=0, weights=weights)
        return cls(name, centred.astype(np.float32), weights.astype(np.float32), blur_angstrom)

    @property
    def diameter_angstrom(self) -> float:
        """Diameter of the smallest sphere around the origin that holds everything."""
        return 2 * float(np.linalg.norm(self.positions, axis=1).max()) + 4 * self.blur_angstrom

    def scaled(self, factor: float) -> ParticleModel:
        """Return the model with all weights multiplied."""
        return replace(self, weights=self.weights * np.float32(factor))

    def with_axes(self, count: int, rng: Generator) -> ParticleModel:
        """Return the model with so many axes, uniform over the sphere."""
        axes = rng.normal(size=(count, 3))
        return replace(self, axes=axes / np.linalg.norm(axes, axis=1, keepdims=True))

    def coarser(self, spacing_angstrom: float) -> ParticleModel:
        """Join the points within each small cube, and blur by as much as cubes are wide."""
        cubes = np.floor(self.positions / spacing_angstrom).astype(np.int32)
        _, cube = np.unique(cubes, axis=0, return_inverse=True)
        weights = np.bincount(cube.ravel(), self.weights)
        moments = [np.bincount(cube.ravel(), self.weights * axis) for axis in self.positions.T]
        solid = weights > 0
        positions = np.stack(moments, axis=1)[solid] / weights[solid, None]
        return replace(
            self,
            positions=positions.astype(np.float32),
            weights=weights[solid].astype(np.float32),
            blur_angstrom=float(np.hypot(self.blur_angstrom, spacing_angstrom / np.sqrt(12))),
        )

    def fragment(self, rng: Generator) -> ParticleModel:
        """Return what a random plane cuts off, around a centre of its own."""
        normal = rng.normal(size=3)
        depth = self.positions @ (normal / np.linalg.norm(normal))
        kept = depth >= np.quantile(depth, rng.uniform(0.3, 0.75))
        name = f"{self.name} (fragment)"
        return self.centred(name, self.positions[kept], self.weights[kept], self.blur_angstrom)


def random_rotations(count: int, rng: Generator) -> NDArray[np.float64]:
    """Return rotation matrices (count, 3, 3), uniform over all orientations."""
    quaternions = rng.normal(size=(count, 4))
    return Rotation.from_quat(quaternions).as_matrix() if count else np.empty((0, 3, 3))


def preferred_rotations(
    count: int, axes: NDArray, spread_degrees: float, rng: Generator
) -> NDArray[np.float64]:
    """Return rotation matrices (count, 3, 3) that turn one of (n, 3) axes to the beam.

    Most particles touch the air-water interface with the same few sides (Noble et al. 2018,
    eLife 7, e34257). They lean away from the beam by a normal angle along x and along y, turn
    freely around it, and half of them lie upside down.
    """
    if not count:
        return np.empty((0, 3, 3))
    chosen = axes[rng.integers(len(axes), size=count)]
    beam = [[0.0, 0.0, 1.0]]
    upright = np.array([Rotation.align_vectors(beam, axis[None])[0].as_matrix() for axis in chosen])
    tilts = np.radians(spread_degrees) * rng.normal(size=(count, 2))
    lean = _rotate(tilts[:, 0], tilts[:, 1], 0)
    turn = _rotate(0, 0, rng.uniform(0, 2 * np.pi, count))
    over = _rotate(np.pi * rng.integers(2, size=count), 0, 0)
    return np.asarray(turn @ over @ lean @ upright)


def _rotate(x: NDArray | float, y: NDArray | float, z: NDArray | float) -> NDArray:
    """Return matrices (n, 3, 3) of rotation vectors in rad."""
    return Rotation.from_rotvec(np.column_stack(np.broadcast_arrays(x, y, z))).as_matrix()
