"""Vitreous ice: its noise, its thickness from place to place, and where it is crystalline."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from .ctf import REST_KILOVOLT
from .parallel import for_random_bands
from .potential import ICE_VOLT, OXYGEN, form_factor
from .specimen import Specimen

LATTICE_ANGSTROM = (3.90, 3.67, 3.44)
"""Spacings of the planes (100), (002) and (101) of hexagonal ice; the second is also (111) of
cubic ice (Dowell & Rinfret 1960, Nature 188, 1144-1148)."""

_LATTICE_VOLT, _MOTTLE_VOLT, _COARSE_PX = 0.35, 0.08, 4
"""Amplitude of the potential of such planes, the spread of that from one crystal to the next, and
how much coarser the grid is on which crystals are laid out."""

_MOLECULES_PER_CUBIC_ANGSTROM = 0.0311
"""Water at 0.93 g/cm³."""

ICE_PATH_ANGSTROM = 3950.0
"""Mean free path for losing energy at 300 kV (Rice et al. 2018, J. Struct. Biol. 204, 38-44)."""


def add_crystals(specimen: Specimen, thickness_angstrom: float, rng: Generator) -> None:
    """Turn part of the ice, or all of it, into crystals 80 to 1500 Å wide.

    Some diffract strongly and are dark, bent ones show contours, and small pixels the lattice.
    """
    width_px = np.exp(rng.uniform(*np.log([80.0, 1500.0]))) / specimen.pixel_size_angstrom
    crystal, count = _crystals(specimen.shape, width_px, rng)
    region = np.ones(specimen.shape, np.float32)
    if rng.uniform() >= 0.5:  # part of it is glass
        hills = smooth_noise(specimen.shape, 2 * width_px, rng)
        inside = hills > np.quantile(hills[::16, ::16], rng.uniform(0.2, 0.7))
        region = ndimage.uniform_filter(inside.astype(np.float32), 2 * _COARSE_PX + 1)
    dark = rng.exponential(0.08, count).astype(np.float32).clip(0, 0.5)[crystal]
    dark = ndimage.gaussian_filter(dark, width_px * rng.choice([0.0, 0.3]))
    bend = smooth_noise(specimen.shape, width_px / 2, rng)
    contours = 0.5 + 0.5 * np.cos(2 * bend).astype(np.float32)
    specimen.opacity += region * dark * contours
    tilt = rng.normal(size=count).astype(np.float32)[crystal]
    lattice = _LATTICE_VOLT * _lattice(specimen, crystal, count, rng)
    specimen.solid += region * thickness_angstrom * (_MOTTLE_VOLT * (tilt + bend) + lattice)
    specimen.contamination[region > 0.5] = True


def _crystals(shape: tuple[int, int], width_px: float, rng: Generator) -> tuple[NDArray, int]:
    """Return the crystal (h, w) that each pixel belongs to, the nearest, and their number."""
    count = max(4, round(shape[0] * shape[1] / width_px**2))
    seeds = rng.uniform(-0.05, 1.05, (count, 2)) * shape
    coarse = np.mgrid[: shape[0] : _COARSE_PX, : shape[1] : _COARSE_PX]
    _, nearest = cKDTree(seeds).query(np.moveaxis(coarse, 0, -1), workers=-1)
    fine = nearest.repeat(_COARSE_PX, axis=0).repeat(_COARSE_PX, axis=1)
    return fine[: shape[0], : shape[1]], count


def _lattice(specimen: Specimen, label: NDArray, count: int, rng: Generator) -> NDArray | float:
    """Return waves (h, w) of the planes that stand upright in each crystal, if pixels show them."""
    seen = [spacing for spacing in LATTICE_ANGSTROM if spacing > 2 * specimen.pixel_size_angstrom]
    if not seen:
        return 0.0
    turns = 2 * np.pi * specimen.pixel_size_angstrom / rng.choice(seen, count)
    angle = rng.uniform(0, np.pi, count)
    upright = (rng.uniform(size=count) < 0.5).astype(np.float32)
    y, x = np.ogrid[: specimen.shape[0], : specimen.shape[1]]
    along_y, along_x = ((turns * f(angle)).astype(np.float32)[label] for f in (np.sin, np.cos))
    waves = np.cos(along_y * y.astype(np.float32) + along_x * x.astype(np.float32))
    return np.asarray(upright[label] * waves)


def ice_noise(thickness_angstrom: NDArray, pixel_angstrom: float, rng: Generator) -> NDArray:
    """Return the uneven part (h, w) of the projected potential of ice in V·Å.

    Molecules are points that lie at random here; `ice_filter` makes them water.
    """
    molecules = _MOLECULES_PER_CUBIC_ANGSTROM * pixel_angstrom**2
    molecule = ICE_VOLT / _MOLECULES_PER_CUBIC_ANGSTROM
    spread = np.float32(np.sqrt(molecules) * molecule / pixel_angstrom**2)
    noise = white_noise(thickness_angstrom.shape, rng)
    return np.asarray(noise * (spread * np.sqrt(thickness_angstrom)))


def ice_filter(frequency: NDArray, dose: float) -> NDArray:
    """Return the amplitude of ice, relative to points at random, at frequencies in 1/Å."""
    power = structure_factor(frequency) * motion_blur_power(frequency, dose)
    return np.asarray(np.sqrt(power) * form_factor(OXYGEN, frequency))


def structure_factor(frequency: NDArray) -> NDArray:
    """Return how orderly water is at frequencies in 1/Å: 1 for molecules at random.

    The limit at zero is that of the compressibility of water (Egelstaff 1992, An Introduction to
    the Liquid State); the peak, a shell at 3.7 Å, is the one of amorphous ice.
    """
    even = 1 / (1 + np.exp(-(frequency - 0.21) / 0.022))
    shell = 0.9 * np.exp(-np.square((frequency - 0.27) / 0.035) / 2)
    return np.asarray(0.06 + 0.94 * even + shell)


def motion_blur_power(frequency: NDArray, dose: float) -> NDArray:
    """Return the share of power, 0 to 1, that is left of molecules which the beam moves.

    They walk at random, 1.1 Å² for each electron per Å² at 300 kV (McMullan, Vinothkumar &
    Henderson 2015, Ultramicroscopy 158, 26-32); this is the average over all pairs of moments.
    Frequencies are in 1/Å and of any shape, the dose of the exposure in electrons per Å².
    """
    each_axis = 1.1 / 3 * dose
    x = 2 * np.pi**2 * np.square(frequency) * each_axis + 1e-3
    return np.asarray(2 * (x - 1 + np.exp(-x)) / x**2)


def unscattered(thickness_angstrom: float | NDArray, voltage_kilovolt: float) -> NDArray:
    """Return the share of electrons that lose no energy in ice of any shape, thickness in Å.

    The mean free path goes with the squared speed of the electrons.
    """
    speed, speed_300 = (1 - (1 + kv / REST_KILOVOLT) ** -2 for kv in (voltage_kilovolt, 300))
    return np.exp(-np.asarray(thickness_angstrom) / (ICE_PATH_ANGSTROM * speed / speed_300))


def thickness_map(
    shape: tuple[int, int], pixel_angstrom: float, spread: float, rng: Generator
) -> NDArray[np.float32]:
    """Return relative thickness (h, w) around 1: a wedge, and hills of 300 to 2000 Å."""
    step = max(1, int(100.0 / pixel_angstrom))
    coarse = (shape[0] // step + 2, shape[1] // step + 2)
    widths = (width / pixel_angstrom / step for width in (300.0, 800.0, 2000.0))
    hills = sum(smooth_noise(coarse, width, rng) for width in widths)
    y, x = np.ogrid[-1 : 1 : coarse[0] * 1j, -1 : 1 : coarse[1] * 1j]
    slope_y, slope_x = rng.normal(size=2)
    relative = 1 + spread * (hills / 2 + slope_y * y + slope_x * x)
    return _enlarge(np.clip(relative, 0.2, 3), step, shape)


def smooth_noise(shape: tuple[int, int], width_px: float, rng: Generator) -> NDArray[np.float32]:
    """Return noise (h, w) of unit spread without detail finer than a width, drawn coarsely."""
    step = max(1.0, width_px / 4)
    coarse = [int(np.ceil(size / step)) + 2 for size in shape]
    noise = ndimage.gaussian_filter(rng.normal(size=coarse), 2.0, mode="wrap")
    return _enlarge(noise * 4 * np.sqrt(np.pi), step, shape)


def white_noise(shape: tuple[int, ...], rng: Generator) -> NDArray[np.float32]:
    """Return normal noise (h, w) of unit spread, drawn by all cores."""
    noise = np.empty(shape, np.float32)

    def draw(band: slice, generator: Generator) -> None:
        generator.standard_normal(dtype=np.float32, out=noise[band])

    for_random_bands(shape[0], rng, draw)
    return noise


def _enlarge(coarse: NDArray, step: float, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Interpolate linearly an image that has a pixel for every `step` of a shape."""
    y, x = (np.arange(size) / step for size in shape)
    return _between_rows(_between_rows(coarse.astype(np.float32).T, x).T, y)


def _between_rows(image: NDArray, at: NDArray) -> NDArray:
    below = np.floor(at).astype(int)
    share = (at - below).astype(np.float32)[:, None]
    return np.asarray(image[below] * (1 - share) + image[below + 1] * share)
