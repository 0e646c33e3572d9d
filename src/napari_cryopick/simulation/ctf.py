"""Electron optics: what the lenses do to the wave behind the specimen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CHROMATIC_ANGSTROM, _ENERGY_SPREAD_VOLT = 2.7e7, 0.35
"""Chromatic aberration of a usual objective lens, and the standard deviation of the energy in a
field emission gun (Kirkland 2010, section 3.2)."""

REST_KILOVOLT = 510.999
"""Rest energy of an electron in keV."""


@dataclass(frozen=True)
class Optics:
    """The settings of a microscope for one micrograph.

    Attributes
    ----------
    amplitude_contrast
        Share of the contrast that does not depend on focus; 0.07 to 0.1 for protein in ice
        (Toyoshima & Unwin 1988, Ultramicroscopy 25, 279-291).
    defocus_u_angstrom, defocus_v_angstrom, astigmatism_degrees
        Largest and smallest underfocus, and the angle from x to the direction of the former
        (Rohou & Grigorieff 2015, J. Struct. Biol. 192, 216-221).
    phase_shift_degrees
        Of a phase plate; 90 is ideal (Danev et al. 2014, PNAS 111, 15635-15640).
    b_factor
        Of motion and everything else that blurs, in Å².
    """

    voltage_kilovolt: float = 300.0
    spherical_aberration_millimetre: float = 2.7
    amplitude_contrast: float = 0.07
    defocus_u_angstrom: float = 15_000.0
    defocus_v_angstrom: float = 15_000.0
    astigmatism_degrees: float = 0.0
    phase_shift_degrees: float = 0.0
    b_factor: float = 60.0

    @property
    def wavelength_angstrom(self) -> float:
        """Relativistic wavelength of the electrons (Kirkland 2010, eq. 2.5)."""
        voltage = self.voltage_kilovolt
        return float(12.398419 / np.sqrt(voltage * (2 * REST_KILOVOLT + voltage)))

    @property
    def interaction(self) -> float:
        """Phase in rad for each V·Å of projected potential (Kirkland 2010, eq. 5.6)."""
        energy, rest = self.voltage_kilovolt, REST_KILOVOLT
        return float(
            2 * np.pi / (self.wavelength_angstrom * energy * 1e3)
            * (rest + energy) / (2 * rest + energy)
        )  # fmt: skip


def aberration_phase(rows: NDArray, columns: NDArray, optics: Optics) -> NDArray:
    """Return the phase in rad that lenses and a phase plate add, for the inputs of `transfer`."""
    squared = rows**2 + columns**2
    mean = (optics.defocus_u_angstrom + optics.defocus_v_angstrom) / 2
    half = (optics.defocus_u_angstrom - optics.defocus_v_angstrom) / 2
    twice = 2 * np.radians(optics.astigmatism_degrees)
    # |s|² cos 2(angle - axis), without an angle
    stretched = (columns**2 - rows**2) * np.cos(twice) + 2 * rows * columns * np.sin(twice)
    sphere = optics.spherical_aberration_millimetre * 1e7 * optics.wavelength_angstrom**2 / 2
    bent = np.pi * optics.wavelength_angstrom * (
        mean * squared + half * stretched - sphere * squared**2
    )  # fmt: skip
    plate = np.where(squared > 0, np.radians(optics.phase_shift_degrees), 0.0)
    return np.asarray(bent + plate.astype(bent.dtype))


def envelope(squared: NDArray, optics: Optics) -> NDArray:
    """Return the amplitude left at squared frequencies in 1/Å²: blur, and the spread of focus."""
    spread = _CHROMATIC_ANGSTROM * _ENERGY_SPREAD_VOLT / (1e3 * optics.voltage_kilovolt)
    focal = (np.pi * optics.wavelength_angstrom * spread) ** 2 / 2
    return np.asarray(np.exp(-optics.b_factor / 4 * squared - focal * squared**2))


def transfer(rows: NDArray, columns: NDArray, optics: Optics) -> NDArray:
    """Return the complex transfer function (h, w) of the wave behind the specimen.

    It is 1 for the unscattered wave. Frequencies along y (h, 1) and x (1, w) are in 1/Å; those in
    float32 give complex64.
    """
    bent = aberration_phase(rows, columns, optics)
    wave = np.empty(bent.shape, np.result_type(bent.dtype, np.complex64))
    wave.real, wave.imag = np.cos(bent), np.sin(bent)
    return np.asarray(wave * envelope(rows**2 + columns**2, optics))
