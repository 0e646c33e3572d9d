"""How strongly matter scatters: potentials, and what becomes of them at high frequency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

VOLT_CUBIC_ANGSTROM = 47.878
"""Potential integrated over an atom in V·Å³, for each Å of its electron scattering factor at zero
angle: h²/(2π m e); Kirkland 2010, Advanced Computing in Electron Microscopy, appendix C."""

ICE_VOLT = 4.53
"""Mean inner potential of vitreous ice, of isolated atoms at 0.93 g/cm³; Vulović et al. 2013,
J. Struct. Biol. 183, 19-32."""

PROTEIN_OVER_ICE_VOLT = 3.2
"""What protein has more than the ice it displaces: isolated atoms at 1.35 g/cm³ make 7.7 V
(composition and volumes: Fischer et al. 2004, Protein Sci. 13, 2825-2828)."""

CONTRAST_PER_DALTON = PROTEIN_OVER_ICE_VOLT * 1.21
"""The same per mass, in V·Å³/Da, with 1.21 Å³/Da; nucleic acids are denser and scatter more per
volume, and come within a tenth of it."""

CARBON_VOLT = 9.1
"""Mean inner potential of an amorphous carbon film at 2 g/cm³ over vacuum; Wanner et al. 2006,
Ultramicroscopy 106, 341-345, measured 9.1 V."""

GOLD_VOLT = 25.0
"""Of gold, at the low end of what is found for small particles (22 to 30 V)."""

_CARBON = np.array(
    [
        [0.0893, 0.2563, 0.7570, 1.0487, 0.3575],
        [0.2465, 1.7100, 6.4094, 18.6113, 50.2523],
    ]
)
_OXYGEN = np.array(
    [
        [0.0974, 0.2921, 0.6910, 0.6990, 0.2039],
        [0.2067, 1.3815, 4.6943, 12.7105, 32.4726],
    ]
)
_ATOM_CUBIC_ANGSTROM = 17.0  # of protein, for each atom that is not hydrogen
_DISPLACED = ICE_VOLT / PROTEIN_OVER_ICE_VOLT


def protein_shape(frequency: NDArray, b_factor: float = 0.0) -> NDArray:
    """What an atom of protein in ice scatters at a frequency in 1/Å, as a share of that at zero.

    Five gaussians for the atom (Peng et al. 1996, Acta Cryst. A52, 257-276, carbon) minus a
    gaussian of its volume for the displaced ice (Fraser et al. 1978, J. Appl. Cryst. 11, 693-694):
    ice hides half of the atom at low frequency, and none of it at high.
    """
    squared = np.square(frequency)
    atom = _gaussians(_CARBON, squared) * np.exp(-b_factor / 4 * squared)
    ice = np.exp(-np.pi * _ATOM_CUBIC_ANGSTROM ** (2 / 3) * squared)
    return np.asarray((1 + _DISPLACED) * atom - _DISPLACED * ice)


def water_shape(frequency: NDArray) -> NDArray:
    """The same of a water molecule by itself."""
    return _gaussians(_OXYGEN, np.square(frequency))


def carbon_shape(frequency: NDArray) -> NDArray:
    """The same of a carbon atom by itself."""
    return _gaussians(_CARBON, np.square(frequency))


def interaction(voltage_kilovolt: float) -> float:
    """Phase in rad for each V·Å of projected potential (Kirkland 2010, eq. 5.6)."""
    energy, rest = voltage_kilovolt, 510.999
    return float(
        2 * np.pi / (wavelength_angstrom(voltage_kilovolt) * energy * 1e3)
        * (rest + energy) / (2 * rest + energy)
    )  # fmt: skip


def wavelength_angstrom(voltage_kilovolt: float) -> float:
    """Of electrons, relativistic (Kirkland 2010, eq. 2.5)."""
    return float(12.398419 / np.sqrt(voltage_kilovolt * (2 * 510.999 + voltage_kilovolt)))


def _gaussians(coefficients: NDArray, squared: NDArray) -> NDArray:
    """A sum of gaussians of s = frequency / 2, divided by its value at zero."""
    heights, widths = coefficients.astype(squared.dtype)
    total = sum(a * np.exp(-b / 4 * squared) for a, b in zip(heights, widths, strict=True))
    return np.asarray(total / heights.sum())
