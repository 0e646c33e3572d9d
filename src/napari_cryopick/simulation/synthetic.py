"""Synthetic particles, for more diversity than there are structures at hand."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from .particle_model import ParticleModel
from .potential import CONTRAST_PER_DALTON

Symmetry = Literal["C1", "C2", "C3", "C4", "C6", "D2", "D3", "D4", "D6", "D7", "T", "O", "I"]

_DOMAINS, _FEWEST_POINTS, _POINTS_PER_DOMAIN, _POINT_BLUR = 3, 2500, 60, 0.5
"""Ellipsoidal domains of an asymmetric unit, how many points fill them, and the width of the
gaussian of each, in distances between points: so that none stands out."""

_WAVES, _FINEST, _COARSEST, _STRONGEST = 8, 0.15, 0.6, 0.8
"""Waves that make a particle lumpy, as domains and the water between them do; their lengths in
diameters, and the spread of the logarithm of density."""

_DALTON_PER_CUBIC_ANGSTROM = 0.25
"""Of the sphere around a complex: a third of it is protein."""


def make_synthetic(number: int, rng: Generator) -> ParticleModel:
    """Make a particle of 80 to 350 Å: any point group, a few domains, maybe hollow or long."""
    symmetry: Symmetry = get_args(Symmetry)[rng.integers(len(get_args(Symmetry)))]
    diameter = float(np.exp(rng.uniform(np.log(80.0), np.log(350.0))))
    points = assemble(diameter, symmetry, rng)
    if rng.uniform() < 0.25:  # hollow: the inside is pushed into the shell around it
        share, radius = rng.uniform(0.5, 0.8), np.linalg.norm(points, axis=1, keepdims=True)
        pushed = radius.max() * (share + (1 - share) * radius / radius.max())
        points = points / np.maximum(radius, 1e-6) * pushed
    if rng.uniform() < 0.25:
        points = points * (1, 1, rng.uniform(1.3, 2.5))
    points *= diameter / 2 / np.linalg.norm(points, axis=1).max()
    units = len(_point_group(symmetry))
    density = np.tile(_lumps(points[: len(points) // units], diameter, rng), units)
    return _weighted(f"synthetic {number} ({symmetry})", points, density)


def example_particle(diameter_angstrom: float = 160.0, symmetry: Symmetry = "D7") -> ParticleModel:
    """Return always the same particle of a diameter in Å and a point group."""
    points = assemble(diameter_angstrom, symmetry, np.random.default_rng(0))
    return _weighted(f"example ({symmetry})", points)


def assemble(diameter_angstrom: float, symmetry: Symmetry, rng: Generator) -> NDArray:
    """Return points (n, 3) in Å around the origin, one asymmetric unit after the other.

    A unit is a few ellipsoidal domains that touch; the whole just fits its diameter.
    """
    group = _point_group(symmetry)
    azimuth = rng.uniform(0, 2 * np.pi)
    offset = 0.5 * np.cbrt(len(group)) * np.array([np.cos(azimuth), np.sin(azimuth), 0.5])
    count = max(_POINTS_PER_DOMAIN, _FEWEST_POINTS // (_DOMAINS * len(group)))
    domains = []
    for _ in range(_DOMAINS):
        ball = rng.normal(size=(count, 3))
        ball *= np.cbrt(rng.uniform(size=(count, 1))) / np.linalg.norm(ball, axis=1, keepdims=True)
        domains.append(ball * rng.uniform(0.4, 0.9, 3) + rng.uniform(-0.6, 0.6, 3))
    unit = np.concatenate(domains) + offset
    points = np.concatenate([rotation.apply(unit) for rotation in group])
    points -= points.mean(axis=0)
    points *= diameter_angstrom / 2 / np.linalg.norm(points, axis=1).max()
    return points


def _point_group(symmetry: Symmetry) -> Rotation:
    """Return the rotations that lead from one asymmetric unit to each, itself included."""
    return Rotation.create_group(symmetry)  # type: ignore[arg-type]  # the stubs know no order


def _lumps(unit: NDArray, diameter: float, rng: Generator) -> NDArray:
    """Return the density (n,) at points (n, 3): waves through a unit, faint or strong."""
    directions = rng.normal(size=(_WAVES, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths = diameter * np.exp(rng.uniform(np.log(_FINEST), np.log(_COARSEST), _WAVES))
    phases = 2 * np.pi * (unit @ (directions / lengths[:, None]).T + rng.uniform(size=_WAVES))
    waves = np.cos(phases).sum(axis=1) / np.sqrt(_WAVES / 2)
    return np.asarray(np.exp(rng.uniform(0.0, _STRONGEST) * waves))


def _weighted(name: str, points: NDArray, density: NDArray | float = 1.0) -> ParticleModel:
    """Give points (n, 3) in Å the mass of a complex as wide and as long, by their density (n,)."""
    blur = float(_POINT_BLUR * np.cbrt(ConvexHull(points).volume / len(points)))
    radius = float(np.linalg.norm(points, axis=1).max())
    inside = radius / (radius + 2 * blur)  # for what is blurred is wider
    extent = 2 * np.abs(points).max(axis=0)
    dalton = _DALTON_PER_CUBIC_ANGSTROM * np.pi / 6 * extent.prod()
    weights = np.full(len(points), dalton * CONTRAST_PER_DALTON / len(points))
    weights = weights * density / np.mean(density)
    return ParticleModel.centred(name, inside * points, weights, inside * blur)
