"""Procedural particles: symmetric assemblies of equal gaussian spheres."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Symmetry = Literal["C1", "C2", "C3", "C4", "C6", "D2", "D3", "D4", "D6", "D7", "T", "O", "I"]

_DOMAINS = 3
_FEWEST_SPHERES, _SPHERES_PER_DOMAIN = 2500, 60


def assemble(diameter_angstrom: float, symmetry: Symmetry, rng: np.random.Generator) -> NDArray:
    """Sphere centres (n, 3) in Å around the origin, one asymmetric unit after the other.

    A unit is a few ellipsoidal domains that touch; the point group copies it around the origin,
    and the whole is scaled so that it just fits its diameter.
    """
    group = point_group(symmetry)
    azimuth = rng.uniform(0, 2 * np.pi)
    offset = 0.5 * np.cbrt(len(group)) * np.array([np.cos(azimuth), np.sin(azimuth), 0.5])
    count = max(_SPHERES_PER_DOMAIN, _FEWEST_SPHERES // (_DOMAINS * len(group)))
    unit = np.concatenate([_domain(count, rng) for _ in range(_DOMAINS)]) + offset
    spheres = np.concatenate([rotation.apply(unit) for rotation in group])
    spheres -= spheres.mean(axis=0)
    spheres *= diameter_angstrom / 2 / np.linalg.norm(spheres, axis=1).max()
    return spheres


def point_group(symmetry: Symmetry) -> Rotation:
    """The rotations that lead from one asymmetric unit to each, itself included."""
    return Rotation.create_group(symmetry)  # type: ignore[arg-type]  # the stubs know no order


def fill_ball(count: int, rng: np.random.Generator) -> NDArray:
    """Points (count, 3) that fill the unit ball evenly."""
    points = rng.normal(size=(count, 3))
    points *= np.cbrt(rng.uniform(size=(count, 1))) / np.linalg.norm(points, axis=1, keepdims=True)
    return points


def _domain(count: int, rng: np.random.Generator) -> NDArray:
    """Spheres that fill an ellipsoid somewhere near the origin."""
    points = fill_ball(count, rng)
    points *= rng.uniform(0.4, 0.9, 3)
    points += rng.uniform(-0.6, 0.6, 3)
    return points
