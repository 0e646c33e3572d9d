"""A particle before it is turned: points that scatter electrons."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation


def random_rotations(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(count, 3, 3) rotations, uniform over all."""
    quaternions = rng.normal(size=(count, 4))
    return Rotation.from_quat(quaternions).as_matrix() if count else np.empty((0, 3, 3))


def preferred_rotations(
    count: int, axes: NDArray, spread_degrees: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(count, 3, 3) rotations that turn one of some axes (n, 3) of the particle to the beam.

    Most particles touch the air-water interface with the same few sides (Noble et al. 2018,
    eLife 7, e34257). Around the beam they turn freely; away from it by a normal angle of this
    spread, and as many stand on their heads as on their feet.
    """
    if not count:
        return np.empty((0, 3, 3))
    chosen = axes[rng.integers(len(axes), size=count)]
    upright = np.array([_to_beam(axis) for axis in chosen])
    tilts = np.radians(spread_degrees) * rng.normal(size=(count, 2))
    lean = Rotation.from_rotvec(np.column_stack([tilts, np.zeros(count)])).as_matrix()
    turn = Rotation.from_rotvec(
        np.column_stack([np.zeros((count, 2)), rng.uniform(0, 2 * np.pi, count)])
    ).as_matrix()
    over = Rotation.from_rotvec(
        np.column_stack([np.pi * rng.integers(2, size=count), np.zeros((count, 2))])
    ).as_matrix()
    return np.asarray(turn @ over @ lean @ upright)


def random_axes(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(count, 3) unit vectors, uniform over the sphere."""
    axes = rng.normal(size=(count, 3))
    return np.asarray(axes / np.linalg.norm(axes, axis=1, keepdims=True))


def _to_beam(axis: NDArray) -> NDArray:
    """A rotation (3, 3) that brings an axis to (0, 0, 1)."""
    rotation, _ = Rotation.align_vectors([[0.0, 0.0, 1.0]], axis[None])
    return np.asarray(rotation.as_matrix())


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
