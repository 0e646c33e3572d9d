"""The edge of a hole in the carbon film."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .ice import smooth_noise, white_noise
from .parallel import bands, each
from .potential import CARBON_VOLT, VOLT_CUBIC_ANGSTROM, carbon_shape
from .scene import Scene

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
