"""Reading micrographs, whatever their format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError
from ..micrograph import Micrograph
from .bitmap import BITMAP
from .files import reading
from .header import Header, ImageFormat
from .mrc import MRC
from .tiff import TIFF

FORMATS: dict[str, ImageFormat] = {
    **{
        suffix + compression: MRC
        for suffix in (".mrc", ".mrcs", ".map", ".st")
        for compression in ("", ".gz", ".bz2")
    },
    ".tif": TIFF,
    ".tiff": TIFF,
    ".png": BITMAP,
    ".jpg": BITMAP,
    ".jpeg": BITMAP,
}
"""Image formats by suffix; a further one is a module like `tiff` and an entry here."""


def image_format(path: Path) -> ImageFormat:
    """The format that a suffix tells; `CryopickError` if it is unknown."""
    try:
        return FORMATS[suffix_of(path.name)]
    except KeyError:
        known = ", ".join(name for name in FORMATS if name.count(".") == 1)
        raise CryopickError(f"{path} is not of a known image format ({known}).") from None


def stem(name: str) -> str:
    """A micrograph's file name without the suffix that tells its format."""
    suffix = suffix_of(name)
    return name[: -len(suffix)] if suffix in FORMATS else name


def suffix_of(name: str) -> str:
    """The suffix that tells the format, with that of a compression: ".mrc", ".mrc.gz"."""
    suffixes = Path(name.lower()).suffixes
    return "".join(suffixes[-2:] if suffixes[-1:] in ([".gz"], [".bz2"]) else suffixes[-1:])


SMALLEST_EDGE_PX = 64
_SAMPLES_PER_EDGE = 256
_DUMMY_ANGSTROM = 1.0


def read_header(path: str | Path) -> Header:
    """Read a micrograph's shape, type and pixel size, and leave its pixels where they are.

    Raises
    ------
    CryopickError
        If the file is missing, broken, of an unknown format, a stack or volume, or too small.
    """
    path = Path(path)
    chosen = image_format(path)
    with reading(path, "a micrograph"):
        if path.stat().st_size == 0:
            raise CryopickError(f"{path} is empty (0 bytes); copy it again.")
        header = chosen.read_header(path)
    _check_header(path, header)
    return replace(header, pixel_size_angstrom=_credible(header.pixel_size_angstrom))


def read_micrograph(path: str | Path, pixel_size_angstrom: float | None = None) -> Micrograph:
    """Read one micrograph, memory-mapped where possible.

    Parameters
    ----------
    path
        MRC, TIFF, PNG or JPEG; MRC also with .gz or .bz2.
    pixel_size_angstrom
        Edge of a pixel in Å; by default that in the header, where 0 and 1.0 are dummies and leave
        it unknown (None).

    Returns
    -------
    Micrograph
        With pixels of shape (h, w) as stored; row 0 is the first in the file.

    Raises
    ------
    CryopickError
        If the file is missing, broken, of an unknown format, a stack or volume, or too small.
    """
    path = Path(path)
    header = read_header(path)
    with reading(path, "a micrograph"):
        pixels = image_format(path).read_pixels(path)
    return Micrograph(pixels, pixel_size_angstrom or header.pixel_size_angstrom, path)


def check_pixels(micrograph: Micrograph) -> None:
    """Raise a `CryopickError` if the pixels hold no image: all NaN, or all the same.

    A sample of the pixels is looked at; all of them only if the sample is suspicious.
    """
    if _holds_image(_sample(micrograph.pixels)) or _holds_image(micrograph.pixels):
        return
    name = micrograph.path or micrograph.name
    if not np.isfinite(micrograph.pixels).any():
        raise CryopickError(f"{name} holds no finite pixel; leave it out.")
    raise CryopickError(f"{name} has the same value in every pixel; leave it out.")


def require_pixel_size(micrograph: Micrograph) -> float:
    """Give the pixel size in Å, or raise a `CryopickError` where nobody has said."""
    if micrograph.pixel_size_angstrom is None:
        raise CryopickError(
            f"{micrograph.path or micrograph.name} does not say its pixel size; give it in Å."
        )
    return micrograph.pixel_size_angstrom


def _check_header(path: Path, header: Header) -> None:
    if header.sections != 1:
        raise CryopickError(
            f"{path} holds {header.sections} sections, where one micrograph is expected; "
            "average a movie, and leave out stacks and volumes."
        )
    if min(header.shape) < SMALLEST_EDGE_PX:
        height, width = header.shape
        raise CryopickError(
            f"{path} is only {width} x {height} pixels; "
            f"a micrograph has at least {SMALLEST_EDGE_PX} on each edge."
        )
    if header.dtype.kind not in "iuf":
        raise CryopickError(f"{path} holds {header.dtype} values, where real numbers are expected.")


def _credible(pixel_size_angstrom: float | None) -> float | None:
    if pixel_size_angstrom is None or pixel_size_angstrom == _DUMMY_ANGSTROM:
        return None
    return pixel_size_angstrom if 0 < pixel_size_angstrom < np.inf else None


def _sample(pixels: NDArray) -> NDArray:
    rows, columns = (max(1, edge // _SAMPLES_PER_EDGE) for edge in pixels.shape)
    return pixels[::rows, ::columns]


def _holds_image(pixels: NDArray) -> bool:
    finite = pixels[np.isfinite(pixels)]
    return finite.size > 0 and bool((finite != finite[0]).any())
