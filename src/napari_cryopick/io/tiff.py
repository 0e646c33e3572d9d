"""TIFF."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from .header import Header, ImageFormat

if TYPE_CHECKING:
    from tifffile import TiffPage

_GREY_WEIGHTS = np.array([0.299, 0.587, 0.114])
_ANGSTROM_PER_UNIT = {2: 2.54e8, 3: 1e8}
_PLAUSIBLE_ANGSTROM = (0.05, 100)


def read_header(path: Path) -> Header:
    import tifffile

    with tifffile.TiffFile(path) as tif:
        page, series = tif.pages.first, tif.series[0]
        return Header(
            shape=(page.imagelength, page.imagewidth),
            dtype=page.dtype,
            pixel_size_angstrom=_pixel_size_angstrom(page),
            sections=prod(series.shape) // prod(page.shape),
        )


def read_pixels(path: Path) -> NDArray:
    import tifffile

    with tifffile.TiffFile(path) as tif:
        page = tif.pages.first
        in_native_order = np.dtype(tif.byteorder + "i2").isnative
        if page.samplesperpixel > 1:
            return _grey(page.asarray(), page.axes.index("S"))
        if page.is_memmappable and in_native_order:
            return cast(NDArray, tifffile.memmap(path, page=0, mode="r"))
        return cast(NDArray, page.asarray())


def _grey(pixels: NDArray, colour_axis: int) -> NDArray:
    colours = np.moveaxis(pixels, colour_axis, -1)
    if colours.shape[-1] < 3:
        return colours[..., 0]
    grey: NDArray = colours[..., :3] @ _GREY_WEIGHTS
    return grey.astype(pixels.dtype)


def _pixel_size_angstrom(page: TiffPage) -> float | None:
    """From the resolution tags, unless they speak of print, as 72 dots per inch do."""
    unit = page.tags.valueof("ResolutionUnit")
    pixels, per = page.tags.valueof("XResolution", default=(0, 1))
    if unit not in _ANGSTROM_PER_UNIT or not pixels:
        return None
    size = _ANGSTROM_PER_UNIT[unit] * per / pixels
    smallest, largest = _PLAUSIBLE_ANGSTROM
    return round(size, 5) if smallest < size < largest else None


TIFF = ImageFormat(read_header, read_pixels)
