"""Vitreous ice: grains of water, and its thickness from place to place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from .parallel import bands, each
from .potential import ICE_VOLT, water_shape
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


MOLECULES_PER_CUBIC_ANGSTROM = 0.0311  # 0.93 g/cm³
MOLECULE_VOLT_CUBIC_ANGSTROM = ICE_VOLT / MOLECULES_PER_CUBIC_ANGSTROM
MOTION_SQUARE_ANGSTROM = 1.1  # mean squared displacement for each electron per Å²
MEAN_FREE_PATH_ANGSTROM = 3950.0  # at 300 kV, for losing energy


def grain_spread(thickness_angstrom: float, pixel_size_angstrom: float) -> float:
    """Spread of projected potential from pixel to pixel in V·Å, if molecules lay at random."""
    molecules = MOLECULES_PER_CUBIC_ANGSTROM * thickness_angstrom * pixel_size_angstrom**2
    return float(np.sqrt(molecules) * MOLECULE_VOLT_CUBIC_ANGSTROM / pixel_size_angstrom**2)


def grain_filter(frequency: NDArray, electrons_per_square_angstrom: float) -> NDArray:
    """Amplitude of ice at a frequency in 1/Å, for molecules that would otherwise lie at random."""
    power = structure_factor(frequency) * still(frequency, electrons_per_square_angstrom)
    return np.asarray(np.sqrt(power) * water_shape(frequency))


def structure_factor(frequency: NDArray) -> NDArray:
    """How orderly water molecules are: even over long distances, with a shell at 3.7 Å.

    The limit at zero is that of the compressibility of water, 0.06 (Egelstaff 1992, An
    Introduction to the Liquid State); the peak is the one of amorphous ice.
    """
    even = 1 / (1 + np.exp(-(frequency - 0.21) / 0.022))
    shell = 0.9 * np.exp(-np.square((frequency - 0.27) / 0.035) / 2)
    return np.asarray(0.06 + 0.94 * even + shell)


def still(frequency: NDArray, electrons_per_square_angstrom: float) -> NDArray:
    """Power left of molecules that the beam moves during the exposure.

    They walk at random, 1.1 Å² for each electron per Å² at 300 kV (McMullan, Vinothkumar &
    Henderson 2015, Ultramicroscopy 158, 26-32); this is the average over all pairs of moments.
    """
    each_axis = MOTION_SQUARE_ANGSTROM / 3 * electrons_per_square_angstrom
    x = 2 * np.pi**2 * np.square(frequency) * each_axis + 1e-3
    return np.asarray(2 * (x - 1 + np.exp(-x)) / x**2)


def unscattered(thickness_angstrom: float | NDArray, voltage_kilovolt: float) -> NDArray:
    """Share of electrons that lose no energy in ice.

    The mean free path is 395 nm at 300 kV (Rice et al. 2018, J. Struct. Biol. 204, 38-44), and
    goes with the squared speed.
    """
    path = MEAN_FREE_PATH_ANGSTROM * squared_speed(voltage_kilovolt) / squared_speed(300)
    return np.exp(-np.asarray(thickness_angstrom) / path)


def squared_speed(voltage_kilovolt: float) -> float:
    """Of electrons, in units of that of light."""
    return float(1 - (1 + voltage_kilovolt / 510.999) ** -2)


def undulation(
    shape: tuple[int, int], pixel_size_angstrom: float, spread: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Relative thickness (h, w) around 1: a wedge, and hills of 300 to 2000 Å."""
    step = max(1, int(100.0 / pixel_size_angstrom))
    coarse = (shape[0] // step + 2, shape[1] // step + 2)
    widths = (width / pixel_size_angstrom / step for width in (300.0, 800.0, 2000.0))
    hills = sum(smooth_noise(coarse, width, rng) for width in widths)
    y, x = np.ogrid[-1 : 1 : coarse[0] * 1j, -1 : 1 : coarse[1] * 1j]
    slope_y, slope_x = rng.normal(size=2)
    relative = 1 + spread * (hills / 2 + slope_y * y + slope_x * x)
    return _enlarge(np.clip(relative, 0.2, 3), step, shape)


def smooth_noise(
    shape: tuple[int, int], width_px: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Noise (h, w) of unit spread without detail finer than a width, drawn coarsely."""
    step = max(1.0, width_px / 4)
    coarse = [int(np.ceil(size / step)) + 2 for size in shape]
    noise = ndimage.gaussian_filter(rng.normal(size=coarse), 2.0, mode="wrap")
    return _enlarge(noise * 4 * np.sqrt(np.pi), step, shape)


def white_noise(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Normal noise (h, w), drawn by all cores."""
    noise = np.empty(shape, np.float32)
    parts = bands(shape[0])

    def draw(job: tuple[slice, np.random.Generator]) -> None:
        band, generator = job
        generator.standard_normal(dtype=np.float32, out=noise[band])

    each(draw, list(zip(parts, rng.spawn(len(parts)), strict=True)))
    return noise


def _enlarge(coarse: NDArray, step: float, shape: tuple[int, int]) -> NDArray[np.float32]:
    """An image as large as `shape` from one with a pixel for every `step`, linear."""
    y, x = (np.arange(size) / step for size in shape)
    return _resample(_resample(coarse.astype(np.float32).T, x).T, y)


def _resample(rows: NDArray, at: NDArray) -> NDArray:
    """Rows of an image between rows, linear."""
    below = np.floor(at).astype(int)
    share = (at - below).astype(np.float32)[:, None]
    return np.asarray(rows[below] * (1 - share) + rows[below + 1] * share)
