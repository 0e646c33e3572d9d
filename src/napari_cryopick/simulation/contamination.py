"""What falls onto a grid: ice balls and gold beads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .ice import MEAN_FREE_PATH_ANGSTROM, smooth_noise, white_noise
from .parallel import bands, each
from .potential import (
    CARBON_VOLT,
    CONTRAST_PER_DALTON,
    GOLD_VOLT,
    ICE_VOLT,
    VOLT_CUBIC_ANGSTROM,
    carbon_shape,
)
from .projection import add
from .scene import Scene

_MEAN_DALTON = 10_000.0
_SHAPE = 4.0  # of the gamma distribution of masses: half of them within a third of the mean
_WIDTH_ANGSTROM = 13.0  # each axis of a chain of this mass, between folded and unfolded


def add_debris(scene: Scene, dalton_per_square_angstrom: float, rng: np.random.Generator) -> None:
    """Strew chains of random mass, 10 kDa on average, evenly.

    Most complexes reach the air-water interface, and many unfold there (D'Imprima et al. 2019,
    eLife 8, e42747); a full layer of protein has about 2 mg/m² or 12 Da/Å², and ice has
    two sides. Each chain is a point until `debris_filter`.
    """
    area = scene.shape[0] * scene.shape[1] * scene.pixel_size_angstrom**2
    count = rng.poisson(dalton_per_square_angstrom * area / _MEAN_DALTON)
    y, x = (rng.integers(0, edge, count) for edge in scene.shape)
    weights = rng.gamma(_SHAPE, _MEAN_DALTON * CONTRAST_PER_DALTON / _SHAPE, count)
    np.add.at(scene.debris, (y, x), (weights / scene.pixel_size_angstrom**2).astype(np.float32))


def debris_filter(frequency: NDArray) -> NDArray:
    """Amplitude of a chain at a frequency in 1/Å."""
    return np.asarray(np.exp(-2 * np.square(np.pi * _WIDTH_ANGSTROM * frequency)))


ATOMS_PER_CUBIC_ANGSTROM = 0.1  # 2 g/cm³
_SCATTERING_ANGSTROM = 2.509  # of a carbon atom at zero angle (Peng et al. 1996)
_EVENNESS = 0.35  # power of its density at low frequency, over that of atoms at random
_MEAN_FREE_PATH_ANGSTROM = 1600.0  # at 300 kV, for losing energy


def add_carbon(scene: Scene, rng: np.random.Generator) -> None:
    """Cover what lies beyond the edge of a round hole, 1.2 to 2 µm wide, which crosses the area.

    The film is 100 to 200 Å thick. It dims the beam, its grain shows Thon rings, and whatever
    lies on it is not to be picked.
    """
    size = scene.pixel_size_angstrom
    full = np.float32(rng.uniform(100.0, 200.0))
    radius = rng.uniform(6_000.0, 10_000.0) / size
    edge = rng.uniform(0.05, 0.95, 2) * scene.shape
    away = rng.uniform(0, 2 * np.pi)
    y, x = edge - radius * np.array([np.sin(away), np.cos(away)])
    rows = np.square(np.arange(scene.shape[0]) - y).astype(np.float32)[:, None]
    columns = np.square(np.arange(scene.shape[1]) - x).astype(np.float32)
    rough = smooth_noise(scene.shape, 300.0 / size, rng)

    def cover(band: slice) -> None:
        beyond = (np.sqrt(rows[band] + columns) - np.float32(radius)) * np.float32(size)
        steep = np.clip((beyond + 25 * rough[band]) / 8, -50, 50)
        thickness = full / (1 + np.exp(-steep))
        scene.carbon[band] += thickness
        scene.solid[band] += CARBON_VOLT * thickness
        scene.opacity[band] += thickness / _MEAN_FREE_PATH_ANGSTROM
        scene.contamination[band] |= steep > 0

    each(cover, bands(scene.shape[0]))


def carbon_grain(
    thickness_angstrom: NDArray, pixel_size_angstrom: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Projected potential of atoms at random in V·Å, before their shape."""
    atoms = ATOMS_PER_CUBIC_ANGSTROM * pixel_size_angstrom**2 * thickness_angstrom
    atom = VOLT_CUBIC_ANGSTROM * _SCATTERING_ANGSTROM / pixel_size_angstrom**2
    noise = white_noise(thickness_angstrom.shape, rng)
    noise *= np.sqrt(_EVENNESS * atoms) * np.float32(atom)
    return noise


def carbon_filter(frequency: NDArray) -> NDArray:
    """Amplitude of the grain at a frequency in 1/Å; carbon holds still."""
    return carbon_shape(frequency)


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
