"""Crops of picks out of their micrographs, to be looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ...errors import CryopickError
from ...io import read_micrograph

_BOX_DIAMETERS = 1.5
_CROP_PX, _SMOOTHED_PX = 48, 2
"""About as fine as a class average, and so smooth that noise lets the particle be seen."""


@dataclass(frozen=True, eq=False)
class Crop:
    """The surroundings of a pick: in which slice and where it is, and (h, w) pixels."""

    index: int
    position: tuple[float, float]
    pixels: NDArray[np.float32]


def cut_crops(
    places: Sequence[Sequence[float]], paths: Sequence[Path], diameter_px: float
) -> Iterator[Crop]:
    """Yield the crops around places (slice, y, x), those of one micrograph after each other.

    A micrograph that cannot be read has none.
    """
    box_px = _BOX_DIAMETERS * diameter_px
    for index in sorted({round(place[0]) for place in places}):
        try:
            pixels = read_micrograph(paths[index]).pixels
        except CryopickError:
            continue
        for slice_, y, x in places:
            if round(slice_) == index:
                yield Crop(index, (y, x), _crop(pixels, y, x, box_px))


def _crop(pixels: NDArray, y: float, x: float, box_px: float) -> NDArray[np.float32]:
    """Return a square around a centre, averaged over blocks; beyond the edge it is repeated."""
    block = max(1, round(box_px / _CROP_PX))
    size = ceil(box_px / block)
    rows, columns = (
        np.clip(round(centre - size * block / 2) + np.arange(size * block), 0, edge - 1)
        for centre, edge in zip((y, x), pixels.shape, strict=True)
    )
    part = np.asarray(pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], np.float32)
    part = np.nan_to_num(part[np.ix_(rows - rows[0], columns - columns[0])])
    averaged = part.reshape(size, block, size, block).mean(axis=(1, 3))
    return gaussian_filter(averaged, _SMOOTHED_PX * size / _CROP_PX)
