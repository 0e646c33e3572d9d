"""From a specimen to electrons on the camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .contamination import carbon_filter, carbon_grain, debris_filter
from .ctf import Optics, intact, transfer
from .ice import grain_filter, grain_spread, unscattered, white_noise
from .parallel import bands, each
from .potential import ICE_VOLT, interaction, protein_shape
from .scene import Scene

PROTEIN_B_FACTOR = 40.0
"""Of atoms within their molecule, in Å²."""


@dataclass(frozen=True)
class Exposure:
    """How one micrograph was taken.

    Attributes
    ----------
    optics
        The microscope.
    ice_thickness_angstrom
        Mean thickness of the ice.
    electrons_per_square_angstrom
        On the specimen, in all.
    energy_filter
        Whether electrons that lost energy are taken out; else they are a fog without contrast.
    """

    optics: Optics
    ice_thickness_angstrom: float
    electrons_per_square_angstrom: float
    energy_filter: bool = True


def expose(
    scene: Scene,
    relative_thickness: NDArray[np.float32],
    exposure: Exposure,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Expected intensity (h, w), as a share of the beam.

    The specimen is one thin object that turns the phase of the wave and dims it, weakly or
    strongly; the lenses act on the wave, so that thick ice and gold are right, too.
    """
    thickness = np.float32(exposure.ice_thickness_angstrom) * relative_thickness
    potential = _potential(scene, thickness, exposure, rng)
    image = _image(potential, scene.pixel_size_angstrom, exposure.optics)
    passed = np.asarray(unscattered(thickness, exposure.optics.voltage_kilovolt), np.float32)
    if exposure.energy_filter:
        image *= passed
    else:
        image += (1 - passed) * (1 - image)
    return np.asarray(image * np.exp(-scene.opacity), dtype=np.float32)


def _potential(
    scene: Scene, thickness: NDArray[np.float32], exposure: Exposure, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Projected potential (h, w) of everything, in V·Å."""
    electrons, size = exposure.electrons_per_square_angstrom, scene.pixel_size_angstrom
    voltage = exposure.optics.voltage_kilovolt
    noise = white_noise(scene.shape, rng)
    noise *= np.float32(grain_spread(1.0, size)) * np.sqrt(thickness)
    spectrum = _filtered(noise, size, lambda s: grain_filter(s, electrons))
    if scene.protein.any():
        spectrum += _filtered(
            scene.protein,
            size,
            lambda s: protein_shape(s, PROTEIN_B_FACTOR) * intact(s, electrons, voltage),
        )
    if scene.debris.any():
        spectrum += _filtered(scene.debris, size, debris_filter)
    if scene.carbon.any():
        spectrum += _filtered(carbon_grain(scene.carbon, size, rng), size, carbon_filter)
    potential = fft.irfft2(spectrum, scene.shape, workers=-1)
    potential += scene.solid
    potential += ICE_VOLT * (thickness - exposure.ice_thickness_angstrom)
    return np.asarray(potential, dtype=np.float32)


def _filtered(
    image: NDArray[np.float32], pixel_size_angstrom: float, curve: Callable[[NDArray], NDArray]
) -> NDArray[np.complex64]:
    """Half the spectrum of an image, times a curve of frequency in 1/Å."""
    spectrum: NDArray[np.complex64] = fft.rfft2(image, workers=-1)
    y, x = frequencies(image.shape, pixel_size_angstrom)
    x = x[:, : spectrum.shape[1]]
    steps = np.arange(0, np.hypot(abs(y).max(), abs(x).max()) + 3e-3, 1e-3, dtype=np.float32)
    table = np.asarray(curve(steps), dtype=np.float32)

    def shape(band: slice) -> None:
        at = np.hypot(y[band], x) / 1e-3
        below = at.astype(np.int32)
        at -= below
        spectrum[band] *= table[below] * (1 - at) + table[below + 1] * at

    each(shape, bands(len(spectrum)))
    return spectrum


def _image(
    potential: NDArray[np.float32], pixel_size_angstrom: float, optics: Optics
) -> NDArray[np.float32]:
    """Intensity (h, w) of the wave behind a potential, after the lenses."""
    wave: NDArray[np.complex64] = fft.fft2(
        _leaving_wave(potential, optics), workers=-1, overwrite_x=True
    )
    y, x = frequencies(potential.shape, pixel_size_angstrom)

    def focus(band: slice) -> None:
        wave[band] *= transfer(y[band], x, optics)

    each(focus, bands(len(wave)))
    wave = fft.ifft2(wave, workers=-1, overwrite_x=True)
    return np.asarray(wave.real**2 + wave.imag**2, dtype=np.float32)


def _leaving_wave(potential: NDArray[np.float32], optics: Optics) -> NDArray[np.complex64]:
    """The wave (h, w) behind a thin object: its phase turned, its amplitude dimmed a little."""
    per_volt = np.float32(interaction(optics.voltage_kilovolt))
    dim = np.float32(optics.amplitude_contrast / np.sqrt(1 - optics.amplitude_contrast**2))
    wave = np.empty(potential.shape, np.complex64)

    def leave(band: slice) -> None:
        turn = per_volt * potential[band]
        left = np.exp(-dim * turn)
        wave.real[band], wave.imag[band] = left * np.cos(turn), left * np.sin(turn)

    each(leave, bands(len(wave)))
    return wave


def frequencies(
    shape: tuple[int, ...], pixel_size_angstrom: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Frequencies in 1/Å along y (h, 1) and x (1, w), as transforms order them."""
    y = fft.fftfreq(shape[0], pixel_size_angstrom).astype(np.float32)[:, None]
    x = fft.fftfreq(shape[1], pixel_size_angstrom).astype(np.float32)[None]
    return y, x
