"""Particles as the beam sees them: projected potential on a grid of pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .body import Body

_ROOM_PX = 3


def project(
    body: Body, rotation: NDArray, centre: NDArray, pixel_size_angstrom: float
) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """A turned body around a centre (y, x) in pixels, as contrast in V·Å.

    x of the body runs along rows and y along columns, as in an MRC file, so that hands stay what
    they are. Each point is shared by the four pixels around it, which keeps its centre where it
    is.

    Returns
    -------
    box, corner
        (n, n) pixels, and the pixel (y, x) of the micrograph where the box begins.
    """
    half = int(np.ceil(body.radius_angstrom / pixel_size_angstrom)) + _ROOM_PX
    corner = np.floor(centre).astype(int) - half
    turned = body.positions @ rotation[:2].T.astype(np.float32)
    points = turned[:, ::-1] / np.float32(pixel_size_angstrom) + (centre - corner).astype("f4")
    box = deposit(points, body.weights / pixel_size_angstrom**2, 2 * half + 2)
    if body.blur_angstrom:
        box = ndimage.gaussian_filter(box, body.blur_angstrom / pixel_size_angstrom)
    return box.astype(np.float32), (int(corner[0]), int(corner[1]))


def deposit(points: NDArray, weights: NDArray, edge: int) -> NDArray[np.float64]:
    """Sum of weights (n,) at points (n, 2) within an (edge, edge) grid, bilinear."""
    whole = np.floor(points).astype(np.intp)
    y, x = (points - whole).T
    first = whole[:, 0] * edge + whole[:, 1]
    sums = np.zeros(edge * edge)
    for offset, share in (
        (0, (1 - y) * (1 - x)),
        (1, (1 - y) * x),
        (edge, y * (1 - x)),
        (edge + 1, y * x),
    ):
        sums += np.bincount(first + offset, weights * share, edge * edge)
    return sums.reshape(edge, edge)


def add(box: NDArray, corner: tuple[int, int], area: NDArray) -> None:
    """Add a box to an area, which it may overhang."""
    inside, outside = overlap(box.shape, corner, area.shape)
    area[outside] += box[inside]


def overlap(
    box: tuple[int, ...], corner: tuple[int, int], area: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where a box lies over an area: in coordinates of the box, and of the area."""
    low = [max(0, -start) for start in corner]
    high = [
        max(at, min(size, whole - start))
        for at, size, whole, start in zip(low, box, area, corner, strict=True)
    ]
    inside = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    outside = tuple(
        slice(start + a, start + b) if b > a else slice(0, 0)
        for start, a, b in zip(corner, low, high, strict=True)
    )
    return (inside[0], inside[1]), (outside[0], outside[1])


def shadow(box: NDArray, pixel_size_angstrom: float) -> NDArray[np.bool_]:
    """The pixels of a box that a person would say the particle covers."""
    smooth = ndimage.gaussian_filter(box, 4.0 / pixel_size_angstrom)
    return np.asarray(smooth > 0.15 * np.percentile(smooth, 99))
