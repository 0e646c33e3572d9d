"""The specimen in the beam, and particles projected into it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .particle_model import ParticleModel

_ROOM_PX = 3
"""Pixels between a particle and the edge of its box, for the gaussians of its points."""


class Specimen:
    """One area of a grid, larger than the micrograph cut out of it, filled part by part.

    Attributes
    ----------
    protein, debris
        (h, w) float32 projected potential over ice in V·Å, before the form factor: of particles
        and fragments, and of small and unfolded protein, one point for each chain.
    solid
        (h, w) float32 projected potential of everything else over even ice, in V·Å.
    carbon
        (h, w) float32 thickness of carbon in Å.
    opacity
        (h, w) float32 minus the logarithm of the share of the beam that passes.
    particles, contamination
        (h, w) bool masks of where whole particles and contamination would be seen.
    """

    def __init__(self, shape: tuple[int, int], pixel_size_angstrom: float) -> None:
        self.shape, self.pixel_size_angstrom = shape, pixel_size_angstrom
        self.protein, self.debris, self.solid, self.carbon, self.opacity = (
            np.zeros(shape, np.float32) for _ in range(5)
        )
        self.particles, self.contamination = (np.zeros(shape, bool) for _ in range(2))


def project(
    particle: ParticleModel, rotation: NDArray, centre: NDArray, pixel_size_angstrom: float
) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Project a rotated particle around a centre (y, x) in pixels.

    x of the particle runs along rows and y along columns, as in an MRC file, so that hands stay
    what they are. Return a box (n, n) of potential in V·Å, and the pixel (y, x) where it begins.
    """
    half = int(np.ceil(particle.diameter_angstrom / 2 / pixel_size_angstrom)) + _ROOM_PX
    corner = np.floor(centre).astype(int) - half
    turned = particle.positions @ rotation[:2].T.astype(np.float32)
    points = turned[:, ::-1] / np.float32(pixel_size_angstrom) + (centre - corner).astype("f4")
    box = deposit(points, particle.weights / pixel_size_angstrom**2, 2 * half + 2)
    if particle.blur_angstrom:
        box = ndimage.gaussian_filter(box, particle.blur_angstrom / pixel_size_angstrom)
    return box.astype(np.float32), (int(corner[0]), int(corner[1]))


def deposit(points: NDArray, weights: NDArray, edge: int) -> NDArray[np.float64]:
    """Sum weights (n,) at points (n, 2) within a grid (edge, edge), bilinearly."""
    whole = np.floor(points).astype(np.intp)
    y, x = (points - whole).T
    first = whole[:, 0] * edge + whole[:, 1]
    sums = np.zeros(edge * edge)
    shares = (1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x
    for offset, share in zip((0, 1, edge, edge + 1), shares, strict=True):
        sums += np.bincount(first + offset, weights * share, edge * edge)
    return sums.reshape(edge, edge)


def add(box: NDArray, corner: tuple[int, int], area: NDArray) -> None:
    """Add a box to an area, which it may overhang, from a pixel (y, x) of the area on."""
    start = np.array(corner)
    low = np.maximum(0, -start)
    high = np.maximum(low, np.minimum(box.shape, area.shape - start))
    area[tuple(map(slice, low + start, high + start))] += box[tuple(map(slice, low, high))]


def particle_mask(box: NDArray, pixel_size_angstrom: float) -> NDArray[np.bool_]:
    """Return the pixels of a projection that a person would say the particle covers."""
    smooth = ndimage.gaussian_filter(box, 4.0 / pixel_size_angstrom)
    return np.asarray(smooth > 0.15 * np.percentile(smooth, 99))
