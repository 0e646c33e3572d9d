"""From a specimen to electrons counted by the camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import fft

from .contamination import carbon_grain, debris_filter
from .ctf import Optics, transfer
from .ice import ice_filter, ice_noise, unscattered
from .parallel import bands, for_random_bands, map_parallel
from .potential import CARBON, ICE_VOLT, dose_attenuation, form_factor, protein_form_factor
from .settings import DetectorName
from .specimen import Specimen

_PROTEIN_B_FACTOR = 40.0
"""Of atoms within their molecule, in Å²."""


@dataclass(frozen=True)
class Exposure:
    """How one micrograph was taken: through ice of this mean thickness, with this total dose."""

    optics: Optics
    ice_thickness_angstrom: float
    electrons_per_square_angstrom: float
    energy_filter: bool = True


DETECTORS: dict[DetectorName, tuple[float, float, float]] = {
    "counting": (0.8, 0.65, 1.0),
    "integrating": (0.5, 0.7, 0.45),
}
"""Cameras: the share of electrons that count (quantum efficiency at zero frequency), the contrast
left at the Nyquist frequency before electrons arrive one by one, and that of what each leaves
behind, noise included. Quantum efficiencies at the Nyquist frequency, 0.34 and 0.25, are about
those of a K2 in counting mode and of a Falcon II at 300 kV (McMullan et al. 2014, Ultramicroscopy
147, 156-163)."""


def expose(
    specimen: Specimen, relative_thickness: NDArray, exposure: Exposure, rng: Generator
) -> NDArray[np.float32]:
    """Return the expected intensity (h, w) as a share of the beam, through (h, w) relative ice.

    The specimen is one thin object that turns the phase of the wave and dims it; the lenses act on
    the wave, so that thick ice and gold are right, too.
    """
    thickness = np.float32(exposure.ice_thickness_angstrom) * relative_thickness
    potential = _potential(specimen, thickness, exposure, rng)
    image = _image(potential, specimen.pixel_size_angstrom, exposure.optics)
    passed = np.asarray(unscattered(thickness, exposure.optics.voltage_kilovolt), np.float32)
    if exposure.energy_filter:
        image *= passed
    else:  # electrons that lost energy are a background
        image += (1 - passed) * (1 - image)
    return np.asarray(image * np.exp(-specimen.opacity), dtype=np.float32)


def _potential(
    specimen: Specimen, thickness: NDArray, exposure: Exposure, rng: Generator
) -> NDArray[np.float32]:
    """Return the projected potential (h, w) of everything, in V·Å."""
    dose, size = exposure.electrons_per_square_angstrom, specimen.pixel_size_angstrom

    def protein_filter(frequency: NDArray) -> NDArray:
        left = dose_attenuation(frequency, dose, exposure.optics.voltage_kilovolt)
        return np.asarray(protein_form_factor(frequency, _PROTEIN_B_FACTOR) * left)

    noise = ice_noise(thickness, size, rng)
    spectrum = _filtered(noise, size, lambda frequency: ice_filter(frequency, dose))
    for points, curve in ((specimen.protein, protein_filter), (specimen.debris, debris_filter)):
        if points.any():
            spectrum += _filtered(points, size, curve)
    if specimen.carbon.any():
        grain = carbon_grain(specimen.carbon, size, rng)
        spectrum += _filtered(grain, size, lambda frequency: form_factor(CARBON, frequency))
    potential = fft.irfft2(spectrum, specimen.shape, workers=-1)
    potential += specimen.solid
    potential += ICE_VOLT * (thickness - exposure.ice_thickness_angstrom)
    return np.asarray(potential, dtype=np.float32)


def _filtered(
    image: NDArray, pixel_angstrom: float, curve: Callable[[NDArray], NDArray]
) -> NDArray:
    """Return half the spectrum of an image, times a curve of frequency in 1/Å."""
    spectrum: NDArray[np.complex64] = fft.rfft2(image, workers=-1)
    y, x = frequencies(image.shape, pixel_angstrom)
    x = x[:, : spectrum.shape[1]]
    steps = np.arange(0, np.hypot(abs(y).max(), abs(x).max()) + 3e-3, 1e-3, dtype=np.float32)
    table = np.asarray(curve(steps), dtype=np.float32)

    def multiply(band: slice) -> None:
        at = np.hypot(y[band], x) / 1e-3
        below = at.astype(np.int32)
        at -= below
        spectrum[band] *= table[below] * (1 - at) + table[below + 1] * at

    map_parallel(multiply, bands(len(spectrum)))
    return spectrum


def _image(potential: NDArray, pixel_angstrom: float, optics: Optics) -> NDArray[np.float32]:
    """Return the intensity (h, w) of the wave behind a potential, after the lenses."""
    y, x = frequencies(potential.shape, pixel_angstrom)
    per_volt = np.float32(optics.interaction)
    dim = np.float32(optics.amplitude_contrast / np.sqrt(1 - optics.amplitude_contrast**2))
    wave = np.empty(potential.shape, np.complex64)

    def leave(band: slice) -> None:
        turn = per_volt * potential[band]
        left = np.exp(-dim * turn)
        wave.real[band], wave.imag[band] = left * np.cos(turn), left * np.sin(turn)

    def focus(band: slice) -> None:
        wave[band] *= transfer(y[band], x, optics)

    map_parallel(leave, bands(len(wave)))
    wave = fft.fft2(wave, workers=-1, overwrite_x=True)
    map_parallel(focus, bands(len(wave)))
    wave = fft.ifft2(wave, workers=-1, overwrite_x=True)
    return np.asarray(wave.real**2 + wave.imag**2, dtype=np.float32)


def frequencies(shape: tuple[int, ...], pixel_angstrom: float) -> tuple[NDArray, NDArray]:
    """Return frequencies in 1/Å along y (h, 1) and x (1, w), as transforms order them."""
    y = fft.fftfreq(shape[0], pixel_angstrom).astype(np.float32)[:, None]
    x = fft.fftfreq(shape[1], pixel_angstrom).astype(np.float32)[None]
    return y, x


def illumination(shape: tuple[int, int], falloff: float, rng: Generator) -> NDArray[np.float32]:
    """Return the relative brightness (h, w) of a gaussian beam off centre, 1 on average.

    A `falloff` below 1 is by how much the darkest corner is darker than the middle of the beam.
    """
    away_y, away_x = (
        np.square(np.linspace(-1, 1, edge) - rng.uniform(-1, 1), dtype=np.float32) for edge in shape
    )
    steepness = np.log1p(-falloff) / (away_y.max() + away_x.max())
    beam = np.outer(np.exp(steepness * away_y), np.exp(steepness * away_x))
    return np.asarray(beam / beam.mean(), dtype=np.float32)


def detect(electrons: NDArray, detector: DetectorName, rng: Generator) -> NDArray[np.float32]:
    """Return counts (h, w) for the expected electrons per pixel: signal and shot noise apart.

    The image blurs before electrons are drawn and once more with them, as signal and noise are
    transferred differently (Vulović et al. 2013, J. Struct. Biol. 183, 19-32).
    """
    efficiency, sharpness, spill = DETECTORS[detector]
    expected = np.maximum(blur(electrons, sharpness) * efficiency, 0)
    counts = np.empty(expected.shape, np.float32)

    def draw(band: slice, generator: Generator) -> None:
        counts[band] = generator.poisson(expected[band])

    for_random_bands(len(expected), rng, draw)
    return blur(counts, spill)


def blur(image: NDArray, sharpness: float) -> NDArray[np.float32]:
    """Leave this much of the contrast at the Nyquist frequency, and all of it at zero."""
    if sharpness >= 1:
        return image
    spectrum = fft.rfft2(image, workers=-1)
    y, x = frequencies(image.shape, 0.5)
    spectrum *= sharpness ** (y**2) * sharpness ** (x[:, : spectrum.shape[1]] ** 2)
    return np.asarray(fft.irfft2(spectrum, image.shape, workers=-1), dtype=np.float32)
