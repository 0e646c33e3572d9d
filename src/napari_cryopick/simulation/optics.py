"""What the microscope makes of a specimen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

WAVELENGTH_ANGSTROM = 0.0197  # 300 kV
SPHERICAL_ABERRATION_ANGSTROM = 2.7e7
AMPLITUDE_CONTRAST = 0.1


def transfer(frequency: NDArray, defocus_angstrom: float, b_factor: float = 150.0) -> NDArray:
    """Contrast transfer function with its envelope, negative at low frequency: protein is dark.

    Parameters
    ----------
    frequency
        Spatial frequencies in 1/Å.
    defocus_angstrom
        Underfocus, positive.
    b_factor
        Of the envelope, in Å².
    """
    squared = frequency**2
    aberration = SPHERICAL_ABERRATION_ANGSTROM * WAVELENGTH_ANGSTROM**2 * squared / 2
    phase = np.pi * WAVELENGTH_ANGSTROM * squared * (defocus_angstrom - aberration)
    wave: NDArray = np.sin(phase + np.arcsin(AMPLITUDE_CONTRAST))
    return -wave * np.exp(-b_factor * squared / 4)


def contrast(
    potential: NDArray, pixel_size_angstrom: float, defocus_angstrom: float, blur_angstrom: float
) -> NDArray:
    """Contrast (h, w) of a weak phase object made of gaussian spheres of one width."""
    rows = fft.fftfreq(potential.shape[0], pixel_size_angstrom)[:, None]
    columns = fft.rfftfreq(potential.shape[1], pixel_size_angstrom)
    frequency = np.hypot(rows, columns)
    sphere = np.exp(-2 * (np.pi * blur_angstrom * frequency) ** 2)
    spectrum = fft.rfft2(potential) * sphere * transfer(frequency, defocus_angstrom)
    return fft.irfft2(spectrum, potential.shape)
