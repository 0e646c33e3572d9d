"""Prepare a micrograph for a network: rescale it to the particle and normalise it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..errors import CryopickError
from ..io import check_pixels, require_pixel_size
from ..micrograph import Micrograph
from .margins import Margins, find_margins
from .normalise import clip_outliers, normalise


@dataclass(frozen=True)
class Rescaling:
    """The way between pixels of a micrograph and of the image that a network sees.

    There are `factor` network pixels per micrograph pixel. Pixel centres are at integers in both,
    so that a micrograph coordinate p lies at ``(p + 0.5) * factor - 0.5``.
    """

    factor: float

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
        """Convert (n, 2) positions in micrograph pixels to network pixels."""
        return (np.asarray(positions, dtype=float) + 0.5) * self.factor - 0.5

    def to_micrograph(self, positions: NDArray) -> NDArray[np.float64]:
        """Convert (n, 2) positions in network pixels to micrograph pixels."""
        return (np.asarray(positions, dtype=float) + 0.5) / self.factor - 0.5


NEIGHBOURHOOD = 2.0
"""Radius in diameters over which illumination and contrast are evened out: wide enough to leave
a particle as it is, narrow enough to follow the ice."""


def prepare(
    micrograph: Micrograph, diameter_angstrom: float, particle_px: float
) -> tuple[Tensor, Rescaling, Margins | None]:
    """Rescale a micrograph until a particle spans `particle_px`, and normalise it.

    Returns
    -------
    image, rescaling, margins
        (h, w) float32 in local standard deviations, the way between both coordinates, and what of
        (h, w) is no image, where there is such: it does not count, and is 0.

    Raises
    ------
    CryopickError
        If the pixel size is unknown, the pixels hold no image, or the diameter does not fit.
    """
    rescaling = Rescaling(particle_px / _diameter_px(micrograph, diameter_angstrom))
    check_pixels(micrograph)
    pixels, margins = micrograph.pixels, find_margins(micrograph.pixels)
    if margins is not None:
        pixels = np.where(margins.image, pixels, np.float32(np.nan))
    image = rescaling.shrink(clip_outliers(pixels))
    if margins is not None:
        margins = _shrink_margins(margins, rescaling, image)
    inside = None if margins is None else torch.from_numpy(margins.image)
    return normalise(image, NEIGHBOURHOOD * particle_px, inside), rescaling, margins


def _shrink_margins(margins: Margins, rescaling: Rescaling, image: Tensor) -> Margins:
    rows, columns = (
        np.rint(rescaling.to_micrograph(np.arange(size))).astype(int).clip(0, edge - 1)
        for size, edge in zip(image.shape, margins.image.shape, strict=True)
    )
    return margins.sampled((rows, columns))


def _diameter_px(micrograph: Micrograph, diameter_angstrom: float) -> float:
    pixel_size = require_pixel_size(micrograph)
    diameter_px = diameter_angstrom / pixel_size
    where = micrograph.path or micrograph.name
    if diameter_px > min(micrograph.shape) / 2:
        problem = f"{diameter_px:.0f} pixels at {pixel_size:g} Å, more than half of {where}"
    elif diameter_px < 4:
        problem = f"only {diameter_px:.1f} pixels at {pixel_size:g} Å in {where}"
    else:
        return diameter_px
    raise CryopickError(
        f"A particle of {diameter_angstrom:g} Å spans {problem}; check diameter and pixel size."
    )
