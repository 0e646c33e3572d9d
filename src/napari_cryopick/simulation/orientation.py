"""How particles lie in the ice."""

from __future__ import annotations

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
