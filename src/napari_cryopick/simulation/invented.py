"""Made-up particles, for more diversity than there are structures at hand."""

from __future__ import annotations

from typing import get_args

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from .body import Body
from .potential import CONTRAST_PER_DALTON
from .structure import Symmetry, assemble, point_group

_BLUR = 0.5
"""Width of the gaussian of each point, in distances between points: so that none stands out."""

_LUMPS, _FINEST, _COARSEST, _STRONGEST = 8, 0.15, 0.6, 0.8
"""Waves that make a particle lumpy, as domains and the water between them do; their lengths in
diameters, and the spread of the logarithm of density."""

_DALTON_PER_CUBIC_ANGSTROM = 0.25  # of the sphere around a complex: a third is protein


def invent(number: int, rng: np.random.Generator) -> Body:
    """A particle of 80 to 350 Å: of any point group, of a few domains, maybe hollow or long."""
    symmetry: Symmetry = get_args(Symmetry)[rng.integers(len(get_args(Symmetry)))]
    diameter = float(np.exp(rng.uniform(np.log(80.0), np.log(350.0))))
    points = assemble(diameter, symmetry, rng)
    if rng.uniform() < 0.25:
        points = _hollow(points, rng.uniform(0.5, 0.8))
    if rng.uniform() < 0.25:
        points = points * (1, 1, rng.uniform(1.3, 2.5))
    points *= diameter / 2 / np.linalg.norm(points, axis=1).max()
    units = len(point_group(symmetry))
    lumps = np.tile(_lumps(points[: len(points) // units], diameter, rng), units)
    return invented_body(f"invented {number} ({symmetry})", points, lumps)


def invented_body(name: str, points: NDArray, shares: NDArray | float = 1.0) -> Body:
    """A particle as large as (n, 3) points in Å around the origin, and as heavy as one so large.

    Their (n,) shares of the weight may differ.
    """
    blur = float(_BLUR * np.cbrt(ConvexHull(points).volume / len(points)))
    radius = float(np.linalg.norm(points, axis=1).max())
    inside = radius / (radius + 2 * blur)  # for what is blurred is wider
    weights = _weights(points) * shares / np.mean(shares)
    return Body.around_its_centre(name, inside * points, weights, inside * blur)


def _hollow(points: NDArray, share: float) -> NDArray:
    """Push what lies inside this share of the radius out into the shell around it."""
    radius = np.linalg.norm(points, axis=1, keepdims=True)
    whole = radius.max()
    pushed = whole * (share + (1 - share) * radius / whole)
    return np.asarray(points / np.maximum(radius, 1e-6) * pushed)


def _lumps(unit: NDArray, diameter: float, rng: np.random.Generator) -> NDArray:
    """How dense each of (n, 3) points is: waves through an asymmetric unit, faint or strong."""
    directions = rng.normal(size=(_LUMPS, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths = diameter * np.exp(rng.uniform(np.log(_FINEST), np.log(_COARSEST), _LUMPS))
    phases = 2 * np.pi * (unit @ (directions / lengths[:, None]).T + rng.uniform(size=_LUMPS))
    waves = np.cos(phases).sum(axis=1) / np.sqrt(_LUMPS / 2)
    return np.asarray(np.exp(rng.uniform(0.0, _STRONGEST) * waves))


def _weights(points: NDArray) -> NDArray:
    """Equal shares of the mass of a particle as wide and as long as these points."""
    extent = 2 * np.abs(points).max(axis=0)
    dalton = _DALTON_PER_CUBIC_ANGSTROM * np.pi / 6 * extent.prod()
    return np.full(len(points), dalton * CONTRAST_PER_DALTON / len(points))
