"""From a micrograph to what a network sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..errors import CryopickError
from ..io import check_pixels, require_pixel_size
from ..micrograph import Micrograph
from .normalise import clip_outliers, normalise


@dataclass(frozen=True)
class Rescaling:
    """Between micrograph pixels and the pixels a network sees.

    Attributes
    ----------
    factor
        Network pixels per micrograph pixel. Pixel centres are at integers in both, so that a
        micrograph coordinate p lies at ``(p + 0.5) * factor - 0.5``.
    """

    factor: float

    @classmethod
    def to_particle(cls, diameter_px: float, particle_px: float) -> Rescaling:
        """Bring a particle of `diameter_px` micrograph pixels to `particle_px` pixels."""
        return cls(particle_px / diameter_px)

    def shrink(self, image: Tensor) -> Tensor:
        """Resample a (h, w) float image, anti-aliased."""
        return F.interpolate(
            image[None, None],
            scale_factor=self.factor,
            mode="bicubic",
            antialias=True,
            recompute_scale_factor=False,
        )[0, 0]

    def to_network(self, positions: NDArray) -> NDArray[np.float64]:
        """(n, 2) positions in micrograph pixels to network pixels."""
        return (np.asarray(positions, dtype=float) + 0.5) * self.factor - 0.5

    def to_micrograph(self, positions: NDArray) -> NDArray[np.float64]:
        """(n, 2) positions in network pixels to micrograph pixels."""
        return (np.asarray(positions, dtype=float) + 0.5) / self.factor - 0.5


NEIGHBOURHOOD = 2.0
"""Radius, in particle diameters, over which illumination and contrast are evened out."""


def prepare(
    micrograph: Micrograph, diameter_angstrom: float, particle_px: float
) -> tuple[Tensor, Rescaling]:
    """Rescale a micrograph to the particle and normalise it.

    Returns
    -------
    image, rescaling
        (h, w) float32 in units of the local spread, and the way between both coordinates.

    Raises
    ------
    CryopickError
        If the pixel size is unknown, the pixels hold no image, or the diameter does not fit.
    """
    rescaling = Rescaling.to_particle(_diameter_px(micrograph, diameter_angstrom), particle_px)
    check_pixels(micrograph)
    image = rescaling.shrink(clip_outliers(micrograph.pixels))
    return normalise(image, NEIGHBOURHOOD * particle_px), rescaling


def _diameter_px(micrograph: Micrograph, diameter_angstrom: float) -> float:
    pixel_size = require_pixel_size(micrograph)
    diameter_px = diameter_angstrom / pixel_size
    where = micrograph.path or micrograph.name
    if diameter_px > min(micrograph.shape) / 2:
        raise CryopickError(
            f"A particle of {diameter_angstrom:g} Å spans {diameter_px:.0f} pixels at "
            f"{pixel_size:g} Å, more than half of {where} "
            f"({' x '.join(map(str, micrograph.shape[::-1]))}); check diameter and pixel size."
        )
    if diameter_px < 4:
        raise CryopickError(
            f"A particle of {diameter_angstrom:g} Å spans only {diameter_px:.1f} pixels at "
            f"{pixel_size:g} Å in {where}; check diameter and pixel size."
        )
    return diameter_px
