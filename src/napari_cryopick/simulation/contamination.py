"""What else lies on a grid: debris, carbon film, ice balls and gold beads."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .ice import ICE_PATH_ANGSTROM, smooth_noise, white_noise
from .parallel import bands, map_parallel
from .potential import CARBON_VOLT, CONTRAST_PER_DALTON, GOLD_VOLT, ICE_VOLT, VOLT_CUBIC_ANGSTROM
from .specimen import Specimen, add

_CHAIN_DALTON, _CHAIN_SHAPE, _CHAIN_ANGSTROM = 10_000.0, 4.0, 13.0
"""Mean mass of a chain, shape of the gamma distribution of masses (half of them within a third of
the mean), and width along each axis, between folded and unfolded."""

_CARBON_PER_CUBIC_ANGSTROM, _CARBON_ATOM_ANGSTROM, _CARBON_ORDER = 0.1, 2.509, 0.35
"""Atoms of a film of 2 g/cm³, the electron scattering factor of each at zero angle (Peng et al.
1996), and the power of their density at low frequency, over that of atoms at random."""

_CARBON_PATH_ANGSTROM, _GOLD_PATH_ANGSTROM = 1600.0, 90.0
"""Mean free paths at 300 kV: carbon takes energy, gold scatters out of the aperture."""


def add_debris(specimen: Specimen, dalton_per_square_angstrom: float, rng: Generator) -> None:
    """Strew chains of random mass, 10 kDa on average, evenly.

    Most complexes reach the air-water interface, and many unfold there (D'Imprima et al. 2019,
    eLife 8, e42747); a full layer of protein has about 2 mg/m² or 12 Da/Å², and ice has
    two sides. Each chain is a point until `debris_filter`.
    """
    area = specimen.shape[0] * specimen.shape[1] * specimen.pixel_size_angstrom**2
    count = rng.poisson(dalton_per_square_angstrom * area / _CHAIN_DALTON)
    y, x = (rng.integers(0, edge, count) for edge in specimen.shape)
    scale = _CHAIN_DALTON * CONTRAST_PER_DALTON / _CHAIN_SHAPE
    weights = rng.gamma(_CHAIN_SHAPE, scale, count) / specimen.pixel_size_angstrom**2
    np.add.at(specimen.debris, (y, x), weights.astype(np.float32))


def debris_filter(frequency: NDArray) -> NDArray:
    """Return the relative amplitude of a chain at frequencies in 1/Å."""
    return np.asarray(np.exp(-2 * np.square(np.pi * _CHAIN_ANGSTROM * frequency)))


def add_carbon(specimen: Specimen, rng: Generator) -> None:
    """Cover what lies beyond the edge of a round hole, 1.2 to 2 µm wide, which crosses the area.

    The film is 100 to 200 Å thick, and whatever lies on it is not to be picked.
    """
    size = specimen.pixel_size_angstrom
    full = np.float32(rng.uniform(100.0, 200.0))
    radius = rng.uniform(6_000.0, 10_000.0) / size
    edge = rng.uniform(0.05, 0.95, 2) * specimen.shape
    away = rng.uniform(0, 2 * np.pi)
    y, x = edge - radius * np.array([np.sin(away), np.cos(away)])
    rows = np.square(np.arange(specimen.shape[0]) - y).astype(np.float32)[:, None]
    columns = np.square(np.arange(specimen.shape[1]) - x).astype(np.float32)
    rough = smooth_noise(specimen.shape, 300.0 / size, rng)

    def cover(band: slice) -> None:
        beyond = (np.sqrt(rows[band] + columns) - np.float32(radius)) * np.float32(size)
        steep = np.clip((beyond + 25 * rough[band]) / 8, -50, 50)
        thickness = full / (1 + np.exp(-steep))
        specimen.carbon[band] += thickness
        specimen.solid[band] += CARBON_VOLT * thickness
        specimen.opacity[band] += thickness / _CARBON_PATH_ANGSTROM
        specimen.contamination[band] |= steep > 0

    map_parallel(cover, bands(specimen.shape[0]))


def carbon_grain(thickness_angstrom: NDArray, pixel_angstrom: float, rng: Generator) -> NDArray:
    """Return the uneven part (h, w) of the projected potential of carbon in V·Å, 0 on average.

    The thickness is (h, w); atoms are points here, and their form factor gives them a size.
    """
    atoms = _CARBON_PER_CUBIC_ANGSTROM * pixel_angstrom**2 * thickness_angstrom
    atom = VOLT_CUBIC_ANGSTROM * _CARBON_ATOM_ANGSTROM / pixel_angstrom**2
    spread = np.sqrt(_CARBON_ORDER * atoms) * np.float32(atom)
    return np.asarray(spread * white_noise(thickness_angstrom.shape, rng))


def add_ice_ball(specimen: Specimen, rng: Generator) -> None:
    """Lay one lumpy ball of ice, 100 to 1500 Å wide, anywhere: frost from the air.

    Frost is hexagonal ice, a few spheres grown together; half of what the beam loses is diffracted.
    """
    radius = np.exp(rng.uniform(np.log(50.0), np.log(750.0))) / specimen.pixel_size_angstrom
    half = int(2 * radius) + 4
    ball = sphere(radius, half)
    for _ in range(rng.integers(0, 6)):
        shift = rng.normal(scale=radius / 2, size=2).clip(-radius, radius)
        lump = sphere(radius * rng.uniform(0.3, 0.7), half)
        ball = np.maximum(ball, np.roll(lump, np.round(shift).astype(int), (0, 1)))
    rough = smooth_noise((2 * half + 1, 2 * half + 1), radius / 4, rng)
    thickness = np.asarray(ball * (1 + 0.12 * rough).clip(0.3, 1.7), np.float32)
    _lay(specimen, thickness, (ICE_VOLT, ICE_PATH_ANGSTROM / 2, 20.0), rng)


def add_gold_bead(specimen: Specimen, rng: Generator) -> None:
    """Lay one bead of colloidal gold, 50 to 150 Å wide, anywhere."""
    radius = rng.uniform(25.0, 75.0) / specimen.pixel_size_angstrom
    thickness = sphere(radius, int(radius) + 3)
    _lay(specimen, thickness, (GOLD_VOLT, _GOLD_PATH_ANGSTROM, 0.0), rng)


def sphere(radius: float, half: int) -> NDArray[np.float32]:
    """Return the thickness of a sphere in the middle of a box (2 half + 1, 2 half + 1)."""
    y, x = np.ogrid[-half : half + 1, -half : half + 1]
    return np.asarray(2 * np.sqrt(np.maximum(radius**2 - y**2 - x**2, 0)), np.float32)


def _lay(
    specimen: Specimen, thickness_px: NDArray, matter: tuple[float, float, float], rng: Generator
) -> None:
    """Add an object anywhere; matter is potential in V, mean free path and what is seen in Å."""
    volt, path_angstrom, seen_angstrom = matter
    thickness = thickness_px * specimen.pixel_size_angstrom
    y, x = rng.integers(0, specimen.shape)
    corner = int(y) - thickness.shape[0] // 2, int(x) - thickness.shape[1] // 2
    add(volt * thickness, corner, specimen.solid)
    add(thickness / path_angstrom, corner, specimen.opacity)
    add(thickness > seen_angstrom, corner, specimen.contamination)
