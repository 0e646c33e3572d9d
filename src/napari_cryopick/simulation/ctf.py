"""What the lenses do to the wave behind the specimen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .potential import wavelength_angstrom


def illumination(
    shape: tuple[int, int], falloff: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Relative brightness (h, w) of a gaussian beam off centre, 1 on average.

    Parameters
    ----------
    falloff
        How much darker the darkest corner is than the middle of the beam; less than 1.
    """
    away_y, away_x = (
        np.square(np.linspace(-1, 1, edge) - rng.uniform(-1, 1), dtype=np.float32) for edge in shape
    )
    steepness = np.log1p(-falloff) / (away_y.max() + away_x.max())
    beam = np.outer(np.exp(steepness * away_y), np.exp(steepness * away_x))
    return np.asarray(beam / beam.mean(), dtype=np.float32)


def intact(
    frequency: NDArray, electrons_per_square_angstrom: float, voltage_kilovolt: float
) -> NDArray:
    """Mean amplitude left of protein at a frequency in 1/Å, over an unweighted exposure.

    It decays by e in twice the critical exposure 0.245 s^-1.665 + 2.81 e/Å² at 300 kV, and in
    four fifths of that at 200 kV (Grant & Grigorieff 2015, eLife 4, e06980).
    """
    harm = 1.0 if voltage_kilovolt > 250 else 0.8
    critical = harm * (0.245 * np.maximum(frequency, 1e-3) ** -1.665 + 2.81)
    decays = electrons_per_square_angstrom / (2 * critical)
    return np.asarray(-np.expm1(-decays) / decays)


CHROMATIC_ABERRATION_ANGSTROM = 2.7e7
ENERGY_SPREAD_VOLT = 0.35  # standard deviation, field emission gun


@dataclass(frozen=True)
class Optics:
    """A microscope as it was set for one micrograph.

    Attributes
    ----------
    voltage_kilovolt
        Of the electrons.
    spherical_aberration_millimetre
        Cs.
    amplitude_contrast
        Share of the contrast that does not depend on focus; 0.07 to 0.1 for protein in ice
        (Toyoshima & Unwin 1988, Ultramicroscopy 25, 279-291).
    defocus_u_angstrom, defocus_v_angstrom, astigmatism_degrees
        Greatest and least underfocus, and the angle from x to the direction of the former
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
        return wavelength_angstrom(self.voltage_kilovolt)


def phase(rows: NDArray, columns: NDArray, optics: Optics) -> NDArray:
    """Phase in rad that waves of frequencies (y, x) in 1/Å, which broadcast, gain on their way.

    Underfocus is positive, and the unscattered wave, at zero, gains nothing.
    """
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
    """Amplitude left at a squared frequency in 1/Å²: blur, and the spread of focus.

    Energies spread, and a lens focuses each elsewhere (Kirkland 2010, section 3.2).
    """
    spread = CHROMATIC_ABERRATION_ANGSTROM * ENERGY_SPREAD_VOLT / (1e3 * optics.voltage_kilovolt)
    focal = (np.pi * optics.wavelength_angstrom * spread) ** 2 / 2
    return np.asarray(np.exp(-optics.b_factor / 4 * squared - focal * squared**2))


def transfer(rows: NDArray, columns: NDArray, optics: Optics) -> NDArray:
    """What the wave is multiplied by: complex, 1 at zero frequency."""
    bent = phase(rows, columns, optics)
    wave = np.empty(bent.shape, np.result_type(bent.dtype, np.complex64))
    wave.real, wave.imag = np.cos(bent), np.sin(bent)
    return np.asarray(wave * envelope(rows**2 + columns**2, optics))


def contrast_transfer(rows: NDArray, columns: NDArray, optics: Optics) -> NDArray:
    """The contrast transfer function of a weak phase object, real; protein is dark underfocus."""
    absorbed = np.arcsin(optics.amplitude_contrast)
    bent = phase(rows, columns, optics) + absorbed
    return np.asarray(-np.sin(bent) * envelope(rows**2 + columns**2, optics))
