"""What lies in the beam: particles, broken ones and ice, as projected thickness."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .assembly import fill_ball, fragment, orient
from .settings import SimulationSettings

SPHERE_ANGSTROM = 4.0  # width of the gaussian that every sphere is
_SPACING = 0.75  # least distance of two particles, in diameters
_STRENGTH_SPREAD = 0.35


@dataclass(frozen=True, eq=False)
class Specimen:
    """One area of ice.

    Thickness is in particles: an assembly has a mean of 1 within its disc, an ice ball as large
    as a particle is 1 thick in the middle.

    Attributes
    ----------
    centres
        (n, 2) centres (y, x) of the whole particles in pixels.
    particles, fragments, ice
        (h, w) projected thickness of whole and of broken particles, and of ice balls.
    """

    centres: NDArray
    particles: NDArray
    fragments: NDArray
    ice: NDArray


def prepare(
    settings: SimulationSettings,
    spheres: NDArray,
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> Specimen:
    """Strew particles, fragments and ice over an area, as densely as the settings say."""
    crowd = shape[0] * shape[1] / (settings.shape[0] * settings.shape[1])
    diameter_px = settings.diameter_px
    whole = scatter(round(settings.particles * crowd), shape, _SPACING * diameter_px, rng)
    broken = scatter(round(settings.fragments * crowd), shape, 0, rng)
    balls = scatter(rng.poisson(settings.ice_balls * crowd), shape, 0, rng)
    spheres_px = spheres / settings.pixel_size_angstrom
    sphere = sphere_thickness(settings, spheres)
    return Specimen(
        whole,
        sphere * project(spheres_px, whole, shape, rng),
        sphere * project(fragment(spheres_px), broken, shape, rng),
        ice_balls(balls, diameter_px, shape, rng),
    )


def sphere_thickness(settings: SimulationSettings, spheres: NDArray) -> float:
    """Thickness of one sphere squeezed into one pixel."""
    return float(np.pi / 4 * settings.diameter_px**2 / len(spheres))


def scatter(
    count: int, shape: tuple[int, int], spacing_px: float, rng: np.random.Generator
) -> NDArray:
    """At most `count` random positions (n, 2) in an area, no two closer than the spacing."""
    kept = np.empty((0, 2))
    for candidate in rng.uniform(size=(20 * count, 2)) * shape:
        if len(kept) == count:
            break
        if not len(kept) or np.hypot(*(kept - candidate).T).min() >= spacing_px:
            kept = np.vstack([kept, candidate])
    return kept


def project(
    spheres_px: NDArray, centres: NDArray, shape: tuple[int, int], rng: np.random.Generator
) -> NDArray:
    """Spheres per pixel (h, w) of one assembly, turned at random at each of the centres.

    Particles differ in strength, as they do in ice of uneven thickness.
    """
    strengths = rng.lognormal(sigma=_STRENGTH_SPREAD, size=len(centres))
    points = orient(spheres_px, len(centres), rng) + centres[:, None]
    return deposit(points.reshape(-1, 2), shape, np.repeat(strengths, len(spheres_px)))


def ice_balls(
    centres: Iterable[NDArray], diameter_px: float, shape: tuple[int, int], rng: np.random.Generator
) -> NDArray:
    """Thickness (h, w) of lumpy balls about as large as a particle."""
    lumps = [np.empty((0, 2))]
    for centre in centres:
        for _ in range(rng.integers(4, 10)):
            radius_px = rng.uniform(0.1, 0.4) * diameter_px
            offset = rng.normal(scale=diameter_px / 4, size=2)
            points = fill_ball(round(radius_px**3), rng)[:, :2]
            lumps.append(centre + offset + radius_px * points)
    thickness: NDArray = deposit(np.concatenate(lumps), shape) * (4 / 3 * np.pi / diameter_px)
    return ndimage.gaussian_filter(thickness, 2)


def deposit(points: NDArray, shape: tuple[int, int], weights: NDArray | None = None) -> NDArray:
    """Sum of the weights of points (n, 2) by nearest pixel; those outside are dropped."""
    extent = [(-0.5, size - 0.5) for size in shape]
    sums: NDArray
    sums, _, _ = np.histogram2d(points[:, 0], points[:, 1], shape, extent, weights=weights)
    return sums
