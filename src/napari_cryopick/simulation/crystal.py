"""Crystalline ice: grains of hexagonal and cubic ice in place of glass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from .ice import smooth_noise
from .scene import Scene

SPACINGS_ANGSTROM = (3.90, 3.67, 3.44)
"""Of the planes (100), (002) and (101) of hexagonal ice; the second is also (111) of cubic ice
(Dowell & Rinfret 1960, Nature 188, 1144-1148)."""

_COARSE_PX = 4
_LATTICE_VOLT = 0.35  # amplitude of the potential of such planes
_MOTTLE_VOLT = 0.08


def add_crystals(scene: Scene, thickness_angstrom: float, rng: np.random.Generator) -> None:
    """Let part of the ice, or all of it, be crystalline.

    Grains are 80 to 1500 Å wide, with soft or sharp edges. Some diffract strongly and are dark,
    bent ones show contours, and where pixels are small enough their planes show.
    """
    grain = np.exp(rng.uniform(*np.log([80.0, 1500.0]))) / scene.pixel_size_angstrom
    label, count = _grains(scene.shape, grain, rng)
    region = _region(scene, grain, rng)
    dark = rng.exponential(0.08, count).astype(np.float32).clip(0, 0.5)[label]
    dark = ndimage.gaussian_filter(dark, grain * rng.choice([0.0, 0.3]))
    bend = smooth_noise(scene.shape, grain / 2, rng)
    contours = 0.5 + 0.5 * np.cos(2 * bend).astype(np.float32)
    scene.opacity[...] += region * dark * contours
    tilt = rng.normal(size=count).astype(np.float32)[label]
    mottle = _MOTTLE_VOLT * (tilt + bend)
    scene.solid[...] += region * thickness_angstrom * (
        mottle + _LATTICE_VOLT * _planes(scene, label, count, rng)
    )  # fmt: skip
    scene.contamination[region > 0.5] = True


def _grains(
    shape: tuple[int, int], width_px: float, rng: np.random.Generator
) -> tuple[NDArray[np.intp], int]:
    """The grain (h, w) that each pixel belongs to: the one with the nearest seed."""
    count = max(4, round(shape[0] * shape[1] / width_px**2))
    seeds = rng.uniform(-0.05, 1.05, (count, 2)) * shape
    coarse = np.mgrid[: shape[0] : _COARSE_PX, : shape[1] : _COARSE_PX]
    _, nearest = cKDTree(seeds).query(np.moveaxis(coarse, 0, -1), workers=-1)
    fine = nearest.repeat(_COARSE_PX, axis=0).repeat(_COARSE_PX, axis=1)
    return fine[: shape[0], : shape[1]], count


def _region(scene: Scene, width_px: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """1 where the ice is crystalline, 0 where it is glass; all of it half the time."""
    if rng.uniform() < 0.5:
        return np.ones(scene.shape, np.float32)
    hills = smooth_noise(scene.shape, 2 * width_px, rng)
    inside = (hills > np.quantile(hills[::16, ::16], rng.uniform(0.2, 0.7))).astype(np.float32)
    return ndimage.uniform_filter(inside, 2 * _COARSE_PX + 1)


def _planes(
    scene: Scene, label: NDArray, count: int, rng: np.random.Generator
) -> NDArray[np.float32] | float:
    """Waves (h, w) of the planes that stand upright in each grain, as far as pixels tell them."""
    seen = [spacing for spacing in SPACINGS_ANGSTROM if spacing > 2 * scene.pixel_size_angstrom]
    if not seen:
        return 0.0
    turns = 2 * np.pi * scene.pixel_size_angstrom / rng.choice(seen, count)
    angle = rng.uniform(0, np.pi, count)
    upright = (rng.uniform(size=count) < 0.5).astype(np.float32)
    y, x = np.ogrid[: scene.shape[0], : scene.shape[1]]
    along_y, along_x = ((turns * f(angle)).astype(np.float32)[label] for f in (np.sin, np.cos))
    waves = np.cos(along_y * y.astype(np.float32) + along_x * x.astype(np.float32))
    return np.asarray(upright[label] * waves)
