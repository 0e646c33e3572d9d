"""Headers of image files; TIFF, PNG and JPEG, of which one channel is read if saved in colour."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import prod
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import CryopickError

if TYPE_CHECKING:
    from tifffile import TiffPage

_ANGSTROM_PER_UNIT = {2: 2.54e8, 3: 1e8}
_PIL_DTYPES = {"I;16": "<u2", "I;16L": "<u2", "I;16B": ">u2", "I": "i4", "F": "f4"}


@dataclass(frozen=True)
class Header:
    """What a micrograph's file says about itself, before its pixels are read.

    Attributes
    ----------
    shape, dtype
        (h, w) in pixels, and their type as `load` will read them, memory-mapped where possible.
    pixel_size_angstrom
        Edge of one pixel in Å, or None where the file does not say.
    sections
        How many images the file holds: one in a micrograph, more in a stack or a volume.
    note
        What a user should know about how the file is read; empty where nothing is unusual.
    """

    shape: tuple[int, int]
    dtype: np.dtype
    load: Callable[[], NDArray] = field(repr=False)
    pixel_size_angstrom: float | None = None
    sections: int = 1
    note: str = ""


def read_tiff(path: Path) -> Header:
    """Read the header of a TIFF file."""
    import tifffile

    with tifffile.TiffFile(path) as tif:
        page, series = tif.pages.first, tif.series[0]
        if page.compression not in tifffile.TIFF.DECOMPRESSORS:
            raise CryopickError(
                f"{path} is compressed in a way that is not read ({page.compression!s}); "
                "save it uncompressed."
            )
        shape, load = (page.imagelength, page.imagewidth), partial(_load_tiff, path)
        sections = prod(series.shape) // prod(page.shape)
        return Header(shape, np.dtype(page.dtype), load, _tiff_pixel_size(page), sections)


def _load_tiff(path: Path) -> NDArray:
    import tifffile

    with tifffile.TiffFile(path) as tif:
        page = tif.pages.first
        end = max(map(add, page.dataoffsets, page.databytecounts))
        require_whole(path, tif.filehandle.size, end)
        if page.samplesperpixel > 1:
            return np.asarray(page.asarray().take(0, axis=page.axes.index("S")))
        if page.is_memmappable and np.dtype(tif.byteorder + "i2").isnative:
            return cast(NDArray, tifffile.memmap(path, page=0, mode="r"))
        return page.asarray()


def require_whole(path: Path, found: int, needed: int) -> None:
    """Raise a `CryopickError` if a file has fewer bytes than its header says."""
    if found < needed:
        raise CryopickError(
            f"{path} is cut short: {found:,} of {needed:,} bytes are there; copy it again."
        )


def _tiff_pixel_size(page: TiffPage) -> float | None:
    """Return the pixel size in Å, unless the resolution is one of print, such as 72 dpi."""
    unit = page.tags.valueof("ResolutionUnit")
    pixels, per = page.tags.valueof("XResolution", default=(0, 1))
    if unit not in _ANGSTROM_PER_UNIT or not pixels:
        return None
    size = _ANGSTROM_PER_UNIT[unit] * per / pixels
    return round(size, 5) if 0.05 < size < 100 else None


def read_bitmap(path: Path) -> Header:
    """Read the header of a PNG or JPEG file."""
    with _open(path) as image:
        dtype = np.dtype(_PIL_DTYPES.get(image.mode, "u1"))
        return Header((image.height, image.width), dtype, partial(_load_bitmap, path))


def _load_bitmap(path: Path) -> NDArray:
    with _open(path) as image:
        return np.asarray(image if image.mode in _PIL_DTYPES else image.convert("L"))


@contextmanager
def _open(path: Path) -> Iterator[Image.Image]:
    """Open a file that may well be larger than a photograph."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            opened = Image.open(path)
        except Image.DecompressionBombError as error:
            raise CryopickError(
                f"{path} claims more pixels than a PNG or JPEG may have; save it as MRC or TIFF."
            ) from error
        with opened as image:
            yield image
