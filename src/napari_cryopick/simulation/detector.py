"""From intensity to counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .parallel import bands, each

DetectorName = Literal["counting", "integrating"]


@dataclass(frozen=True)
class Detector:
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


def detect(
    electrons: NDArray[np.float32], detector: Detector, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Counts (h, w) for the expected electrons per pixel: signal and shot noise apart.

    The image blurs before electrons are drawn and once more with them, as signal and noise are
    transferred differently (Vulović et al. 2013, J. Struct. Biol. 183, 19-32).
    """
    expected = np.maximum(blur(electrons, detector.sharpness) * detector.efficiency, 0)
    counts = np.empty(expected.shape, np.float32)

    def draw(job: tuple[slice, np.random.Generator]) -> None:
        band, generator = job
        counts[band] = generator.poisson(expected[band])

    parts = bands(len(expected))
    each(draw, list(zip(parts, rng.spawn(len(parts)), strict=True)))
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
