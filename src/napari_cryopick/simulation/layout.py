"""Where particles lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

_TRIES = 20


def place(
    diameters_px: NDArray,
    shape: tuple[int, int],
    rng: np.random.Generator,
    spacing: float = 0.9,
    clustering: float = 0.0,
    overlapping: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Positions of particles, as many as fit.

    Parameters
    ----------
    spacing
        Least distance of two centres, in mean diameters of the two.
    clustering
        Share of particles that are tried beside one that is there already.
    overlapping
        Share that keeps no distance.

    Returns
    -------
    positions, which
        (n, 2) positions (y, x) in pixels, and (n,) indices of the particles that found a place.
    """
    positions, sizes = np.empty((len(diameters_px), 2)), np.empty(len(diameters_px))
    which: list[int] = []
    for index, diameter in enumerate(diameters_px):
        n, free = len(which), rng.uniform() < overlapping
        for _ in range(_TRIES):
            beside = n > 0 and rng.uniform() < clustering
            candidate = (
                _beside(positions[:n], sizes[:n], diameter, rng)
                if beside
                else rng.uniform(size=2) * shape - 0.5
            )
            apart = np.hypot(*(positions[:n] - candidate).T)
            if free or (apart >= spacing * (sizes[:n] + diameter) / 2).all():
                positions[n], sizes[n] = candidate, diameter
                which.append(index)
                break
    return positions[: len(which)], np.array(which, dtype=np.intp)


def _beside(
    positions: NDArray, sizes: NDArray, diameter: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """A place that nearly touches one of the particles."""
    chosen = rng.integers(len(positions))
    angle = rng.uniform(0, 2 * np.pi)
    distance = rng.uniform(0.95, 1.5) * (sizes[chosen] + diameter) / 2
    return np.asarray(positions[chosen] + distance * np.array([np.sin(angle), np.cos(angle)]))


def fast_shape(shape: tuple[int, int], margin: int) -> tuple[int, int]:
    """At least this margin around a field, as an area that is quick to transform."""
    height, width = (fft.next_fast_len(edge + 2 * margin) for edge in shape)
    return height, width
