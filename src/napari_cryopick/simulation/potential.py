"""How strongly matter scatters electrons, and how scattering falls with spatial frequency."""

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
"""Potential of protein over the ice it displaces: isolated atoms at 1.35 g/cm³ make 7.7 V
(composition and volumes: Fischer et al. 2004, Protein Sci. 13, 2825-2828)."""

CONTRAST_PER_DALTON = PROTEIN_OVER_ICE_VOLT * 1.21
"""The same per mass in V·Å³/Da, at 1.21 Å³/Da; that of nucleic acids is within a tenth of it."""

CARBON_VOLT, GOLD_VOLT = 9.1, 25.0
"""Mean inner potentials of an amorphous carbon film at 2 g/cm³ (Wanner et al. 2006,
Ultramicroscopy 106, 341-345) and of gold, of which small particles have 22 to 30 V."""

CARBON = np.array(
    [[0.0893, 0.2563, 0.7570, 1.0487, 0.3575], [0.2465, 1.7100, 6.4094, 18.6113, 50.2523]]
)
OXYGEN = np.array(
    [[0.0974, 0.2921, 0.6910, 0.6990, 0.2039], [0.2067, 1.3815, 4.6943, 12.7105, 32.4726]]
)
"""Heights and widths of five gaussians in sin(θ)/λ (Peng et al. 1996, Acta Cryst. A52, 257-276)."""

_ATOM_CUBIC_ANGSTROM, _DISPLACED = 17.0, ICE_VOLT / PROTEIN_OVER_ICE_VOLT
"""Volume of protein for each atom that is not hydrogen, and its contrast lost over that left."""


def protein_form_factor(frequency: NDArray, b_factor: float = 0.0) -> NDArray:
    """Return the amplitude that an atom of protein in ice scatters, relative to that at zero.

    A carbon atom minus a gaussian of its volume for the displaced ice (Fraser et al. 1978,
    J. Appl. Cryst. 11, 693-694): ice hides half of the atom at low frequency, none of it at high.
    Frequencies are in 1/Å and of any shape, the B factor of the atom in its molecule in Å².
    """
    squared = np.square(frequency)
    atom = form_factor(CARBON, frequency) * np.exp(-b_factor / 4 * squared)
    ice = np.exp(-np.pi * _ATOM_CUBIC_ANGSTROM ** (2 / 3) * squared)
    return np.asarray((1 + _DISPLACED) * atom - _DISPLACED * ice)


def form_factor(atom: NDArray, frequency: NDArray) -> NDArray:
    """Return the relative amplitude that `CARBON` or `OXYGEN` scatters at frequencies in 1/Å."""
    squared = np.square(frequency)  # four times that of sin(θ)/λ
    heights, widths = atom.astype(squared.dtype)
    total = sum(a * np.exp(-b / 4 * squared) for a, b in zip(heights, widths, strict=True))
    return np.asarray(total / heights.sum())


def dose_attenuation(frequency: NDArray, dose: float, voltage_kilovolt: float) -> NDArray:
    """Return the mean amplitude of protein that radiation damage leaves over an exposure, 0 to 1.

    It decays by e in twice the critical exposure 0.245 s^-1.665 + 2.81 e/Å² at 300 kV, and in
    four fifths of that at 200 kV (Grant & Grigorieff 2015, eLife 4, e06980). Frequencies s are in
    1/Å and of any shape, the dose in electrons per Å²; frames are summed without weights.
    """
    harm = 1.0 if voltage_kilovolt > 250 else 0.8
    critical = harm * (0.245 * np.maximum(frequency, 1e-3) ** -1.665 + 2.81)
    decays = dose / (2 * critical)
    return np.asarray(-np.expm1(-decays) / decays)
