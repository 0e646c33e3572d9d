"""From a micrograph to what a network sees."""

from __future__ import annotations

from torch import Tensor

from ..errors import CryopickError
from ..io import check_pixels, require_pixel_size
from ..micrograph import Micrograph
from .normalise import normalise, tame
from .rescale import Rescaling

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
    image = rescaling.shrink(tame(micrograph.pixels))
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
