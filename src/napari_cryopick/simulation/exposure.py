"""From a specimen to electron counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .optics import contrast
from .settings import SimulationSettings
from .specimen import SPHERE_ANGSTROM, Specimen, project, sphere_thickness

_GRAIN_ANGSTROM = 1.3  # of amorphous ice, in particle thickness
_ICE_PHASE = 3.0  # of an ice ball, in particles
_ICE_ABSORPTION = 0.4


def expose(
    specimen: Specimen, settings: SimulationSettings, gain: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Electron counts (h, w)."""
    matter = specimen.particles + specimen.fragments + _ICE_PHASE * specimen.ice
    matter += rng.normal(scale=_GRAIN_ANGSTROM / settings.pixel_size_angstrom, size=matter.shape)
    signal = gain * _contrast(matter, settings, rng.uniform(*settings.defocus_angstrom))
    passed = np.exp(-_ICE_ABSORPTION * specimen.ice) * _illumination(matter.shape, rng)
    counts: NDArray[np.int64] = rng.poisson(
        settings.electrons_per_pixel * passed * np.maximum(1 + signal, 0)
    )
    return counts


def particle_gain(
    settings: SimulationSettings, spheres: NDArray, rng: np.random.Generator
) -> float:
    """What brings particles to the signal-to-noise ratio asked for.

    Measured on four by four of them, side by side, at mean defocus.
    """
    centres = (np.indices((4, 4)).reshape(2, -1).T + 0.5) * settings.diameter_px
    edge = round(4 * settings.diameter_px)
    particles = project(spheres / settings.pixel_size_angstrom, centres, (edge, edge), rng)
    particles *= sphere_thickness(settings, spheres)
    signal = _contrast(particles, settings, sum(settings.defocus_angstrom) / 2)
    noise = settings.electrons_per_pixel**-0.5
    return float(settings.signal_to_noise**0.5 * noise / signal.std())


def _contrast(matter: NDArray, settings: SimulationSettings, defocus_angstrom: float) -> NDArray:
    return contrast(matter, settings.pixel_size_angstrom, defocus_angstrom, SPHERE_ANGSTROM)


def _illumination(shape: tuple[int, int], rng: np.random.Generator) -> NDArray:
    """A beam (h, w) off centre: brightest somewhere, falling off by up to a fifth."""
    y, x = np.ogrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    centre_y, centre_x = rng.uniform(-1, 1, 2)
    squared = (y - centre_y) ** 2 + (x - centre_x) ** 2
    beam: NDArray = np.exp(-squared * rng.uniform(0.005, 0.03))
    return beam
