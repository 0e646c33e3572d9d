"""From a specimen to electrons counted by the camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .contamination import carbon_grain, debris_filter
from .ctf import Optics, interaction, transfer
from .ice import ice_filter, ice_spread, unscattered, white_noise
from .parallel import for_bands, for_random_bands
from .potential import ICE_VOLT, carbon_form_factor, dose_attenuation, protein_form_factor
from .settings import DetectorName
from .specimen import Specimen

PROTEIN_B_FACTOR = 40.0
"""Of atoms within their molecule, in Å²."""


@dataclass(frozen=True)
class Exposure:
    """How one micrograph was taken.

    Attributes
    ----------
    optics
        The settings of the microscope.
    ice_thickness_angstrom
        Mean thickness of the ice.
    electrons_per_square_angstrom
        On the specimen, in all.
    energy_filter
        Whether electrons that lost energy are removed; else they add a background.
    """

    optics: Optics
    ice_thickness_angstrom: float
    electrons_per_square_angstrom: float
    energy_filter: bool = True


class Detector(NamedTuple):
    """A camera.

    Attributes
    ----------
    efficiency
        Share of electrons that count: detective quantum efficiency at zero frequency.
    sharpness
        Contrast left at the Nyquist frequency before electrons arrive one by one.
    spill
        The same of what each electron leaves behind, noise included: 1 where it is one pixel.
    """

    efficiency: float
    sharpness: float
    spill: float


DETECTORS: dict[DetectorName, Detector] = {
    "counting": Detector(0.8, 0.65, 1.0),
    "integrating": Detector(0.5, 0.7, 0.45),
}
"""Cameras by name: their detective quantum efficiencies, 0.34 and 0.25 at the Nyquist frequency,
are about those of a K2 in counting mode and of a Falcon II at 300 kV (McMullan et al. 2014,
Ultramicroscopy 147, 156-163)."""


def expose(
    specimen: Specimen,
    relative_thickness: NDArray[np.float32],
    exposure: Exposure,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return the expected intensity (h, w) as a share of the beam.

    The specimen is one thin object that turns the phase of the wave and dims it, weakly or
    strongly; the lenses act on the wave, so that thick ice and gold are right, too.

    Parameters
    ----------
    relative_thickness
        (h, w) thickness of the ice over its mean.
    """
    thickness = np.float32(exposure.ice_thickness_angstrom) * relative_thickness
    potential = _potential(specimen, thickness, exposure, rng)
    image = _image(potential, specimen.pixel_size_angstrom, exposure.optics)
    passed = np.asarray(unscattered(thickness, exposure.optics.voltage_kilovolt), np.float32)
    if exposure.energy_filter:
        image *= passed
    else:
        image += (1 - passed) * (1 - image)
    return np.asarray(image * np.exp(-specimen.opacity), dtype=np.float32)


def _potential(
    specimen: Specimen, thickness: NDArray[np.float32], exposure: Exposure, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the projected potential (h, w) of everything, in V·Å."""
    electrons, size = exposure.electrons_per_square_angstrom, specimen.pixel_size_angstrom
    voltage = exposure.optics.voltage_kilovolt

    def protein_filter(frequency: NDArray) -> NDArray:
        intact = dose_attenuation(frequency, electrons, voltage)
        return np.asarray(protein_form_factor(frequency, PROTEIN_B_FACTOR) * intact)

    noise = white_noise(specimen.shape, rng)
    noise *= np.float32(ice_spread(1.0, size)) * np.sqrt(thickness)
    spectrum = _filtered(noise, size, lambda frequency: ice_filter(frequency, electrons))
    if specimen.protein.any():
        spectrum += _filtered(specimen.protein, size, protein_filter)
    if specimen.debris.any():
        spectrum += _filtered(specimen.debris, size, debris_filter)
    if specimen.carbon.any():
        spectrum += _filtered(carbon_grain(specimen.carbon, size, rng), size, carbon_form_factor)
    potential = fft.irfft2(spectrum, specimen.shape, workers=-1)
    potential += specimen.solid
    potential += ICE_VOLT * (thickness - exposure.ice_thickness_angstrom)
    return np.asarray(potential, dtype=np.float32)


def _filtered(
    image: NDArray[np.float32], pixel_size_angstrom: float, curve: Callable[[NDArray], NDArray]
) -> NDArray[np.complex64]:
    """Return half the spectrum of an image, times a curve of frequency in 1/Å."""
    spectrum: NDArray[np.complex64] = fft.rfft2(image, workers=-1)
    y, x = frequencies(image.shape, pixel_size_angstrom)
    x = x[:, : spectrum.shape[1]]
    steps = np.arange(0, np.hypot(abs(y).max(), abs(x).max()) + 3e-3, 1e-3, dtype=np.float32)
    table = np.asarray(curve(steps), dtype=np.float32)

    def multiply(band: slice) -> None:
        at = np.hypot(y[band], x) / 1e-3
        below = at.astype(np.int32)
        at -= below
        spectrum[band] *= table[below] * (1 - at) + table[below + 1] * at

    for_bands(len(spectrum), multiply)
    return spectrum


def _image(
    potential: NDArray[np.float32], pixel_size_angstrom: float, optics: Optics
) -> NDArray[np.float32]:
    """Return the intensity (h, w) of the wave behind a potential, after the lenses."""
    wave: NDArray[np.complex64] = fft.fft2(
        _exit_wave(potential, optics), workers=-1, overwrite_x=True
    )
    y, x = frequencies(potential.shape, pixel_size_angstrom)

    def focus(band: slice) -> None:
        wave[band] *= transfer(y[band], x, optics)

    for_bands(len(wave), focus)
    wave = fft.ifft2(wave, workers=-1, overwrite_x=True)
    return np.asarray(wave.real**2 + wave.imag**2, dtype=np.float32)


def _exit_wave(potential: NDArray[np.float32], optics: Optics) -> NDArray[np.complex64]:
    """Return the wave (h, w) behind a thin object: its phase turned, its amplitude dimmed."""
    per_volt = np.float32(interaction(optics.voltage_kilovolt))
    dim = np.float32(optics.amplitude_contrast / np.sqrt(1 - optics.amplitude_contrast**2))
    wave = np.empty(potential.shape, np.complex64)

    def leave(band: slice) -> None:
        turn = per_volt * potential[band]
        left = np.exp(-dim * turn)
        wave.real[band], wave.imag[band] = left * np.cos(turn), left * np.sin(turn)

    for_bands(len(wave), leave)
    return wave


def frequencies(
    shape: tuple[int, ...], pixel_size_angstrom: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return frequencies in 1/Å along y (h, 1) and x (1, w), as transforms order them."""
    y = fft.fftfreq(shape[0], pixel_size_angstrom).astype(np.float32)[:, None]
    x = fft.fftfreq(shape[1], pixel_size_angstrom).astype(np.float32)[None]
    return y, x


def illumination(
    shape: tuple[int, int], falloff: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the relative brightness (h, w) of a gaussian beam off centre, 1 on average.

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


def detect(
    electrons: NDArray[np.float32], detector: Detector, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return counts (h, w) for the expected electrons per pixel: signal and shot noise apart.

    The image blurs before electrons are drawn and once more with them, as signal and noise are
    transferred differently (Vulović et al. 2013, J. Struct. Biol. 183, 19-32).
    """
    expected = np.maximum(blur(electrons, detector.sharpness) * detector.efficiency, 0)
    counts = np.empty(expected.shape, np.float32)

    def draw(band: slice, generator: np.random.Generator) -> None:
        counts[band] = generator.poisson(expected[band])

    for_random_bands(len(expected), rng, draw)
    return blur(counts, detector.spill)


def blur(image: NDArray[np.float32], sharpness: float) -> NDArray[np.float32]:
    """Leave this much of the contrast at the Nyquist frequency, and all of it at zero."""
    if sharpness >= 1:
        return image
    spectrum = fft.rfft2(image, workers=-1)
    y = fft.fftfreq(image.shape[0], 0.5)[:, None].astype(np.float32)
    x = fft.rfftfreq(image.shape[1], 0.5).astype(np.float32)
    spectrum *= sharpness ** (y**2) * sharpness ** (x**2)
    return np.asarray(fft.irfft2(spectrum, image.shape, workers=-1), dtype=np.float32)
