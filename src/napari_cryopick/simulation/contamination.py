"""What falls onto a grid: ice balls and gold beads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .ice import MEAN_FREE_PATH_ANGSTROM, smooth_noise
from .potential import GOLD_VOLT, ICE_VOLT
from .projection import add
from .scene import Scene

_GOLD_PATH_ANGSTROM = 90.0  # to leave the aperture: gold scatters far
_CRYSTAL_PATH_ANGSTROM = MEAN_FREE_PATH_ANGSTROM / 2  # crystals also diffract out of it


def add_ice_ball(scene: Scene, rng: np.random.Generator) -> None:
    """Lay one lumpy ball of ice, 100 to 1500 Å wide, anywhere: frost from the air.

    Frost is hexagonal ice, thick enough to dim the beam and to turn its phase by a radian or more.
    """
    radius = np.exp(rng.uniform(np.log(50.0), np.log(750.0)))
    thickness = _lumps(radius / scene.pixel_size_angstrom, rng) * scene.pixel_size_angstrom
    corner = _anywhere(thickness.shape, scene, rng)
    add(ICE_VOLT * thickness, corner, scene.solid)
    add(thickness / _CRYSTAL_PATH_ANGSTROM, corner, scene.opacity)
    add(thickness > 20.0, corner, scene.contamination)


def add_gold_bead(scene: Scene, rng: np.random.Generator) -> None:
    """Lay one bead of colloidal gold, 50 to 150 Å wide, anywhere."""
    radius = rng.uniform(25.0, 75.0) / scene.pixel_size_angstrom
    thickness = sphere(radius, int(radius) + 3) * scene.pixel_size_angstrom
    corner = _anywhere(thickness.shape, scene, rng)
    add(GOLD_VOLT * thickness, corner, scene.solid)
    add(thickness / _GOLD_PATH_ANGSTROM, corner, scene.opacity)
    add(thickness > 0, corner, scene.contamination)


def sphere(radius: float, half: int) -> NDArray[np.float32]:
    """Thickness of a sphere in the middle of a box (2 half + 1, 2 half + 1)."""
    y, x = np.ogrid[-half : half + 1, -half : half + 1]
    return np.asarray(2 * np.sqrt(np.maximum(radius**2 - y**2 - x**2, 0)), np.float32)


def _lumps(radius: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Thickness of a few spheres that have grown together, with a rough surface."""
    half = int(2 * radius) + 4
    box = sphere(radius, half)
    for _ in range(rng.integers(0, 6)):
        shift = rng.normal(scale=radius / 2, size=2).clip(-radius, radius)
        lump = sphere(radius * rng.uniform(0.3, 0.7), half)
        box = np.maximum(box, np.roll(lump, np.round(shift).astype(int), (0, 1)))
    rough = smooth_noise((2 * half + 1, 2 * half + 1), radius / 4, rng)
    return np.asarray(box * (1 + 0.12 * rough).clip(0.3, 1.7), np.float32)


def _anywhere(shape: tuple[int, ...], scene: Scene, rng: np.random.Generator) -> tuple[int, int]:
    """Where a box begins whose centre lies somewhere in the area."""
    y, x = rng.integers(0, scene.shape)
    return int(y) - shape[0] // 2, int(x) - shape[1] // 2
