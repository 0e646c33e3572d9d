"""Find and read micrographs, whatever their format."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable
from dataclasses import replace
from glob import glob
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError
from ..micrograph import Micrograph
from .files import reading
from .images import Header, read_bitmap, read_tiff
from .micrograph_lists import LISTS, read_list
from .mrc import read_mrc

FORMATS: dict[str, Callable[[Path], Header]] = {
    **{
        suffix + compression: read_mrc
        for suffix in (".mrc", ".mrcs", ".map", ".st")
        for compression in ("", ".gz", ".bz2")
    },
    **dict.fromkeys((".tif", ".tiff"), read_tiff),
    **dict.fromkeys((".png", ".jpg", ".jpeg"), read_bitmap),
}
"""What reads an image's header, by suffix; a further format is a module like `mrc` and an entry."""

_MOST_PIXELS = 2**28
"""About three times the largest detector's, 11,520 x 8,184; a broken header may say anything."""

_WEIGHTED = ("_dw", "_doseweighted")
"""Endings of a dose-weighted micrograph beside the same one without weights."""

CRYOPPP_MICROGRAPHS = "micrographs"
"""Folder of the micrographs in an entry of CryoPPP."""


def find_micrographs(sources: Iterable[str | Path]) -> list[Path]:
    """List the micrographs that files, folders, globs and lists stand for.

    Returns
    -------
    list of Path
        Each file once, in natural order (2 before 10). Of a folder or a glob only files with the
        suffix of a micrograph are taken, no hidden ones, no power spectra ("_PS"), and of a
        micrograph with and without dose weighting only the weighted one; a file named outright or
        in a list is always taken. A folder that holds none itself stands for the folder
        "micrographs" in it.

    Raises
    ------
    CryopickError
        If a source holds no micrograph.
    """
    found = {path.absolute(): path for source in sources for path in _find(Path(source))}
    if not found:
        raise CryopickError("No micrographs are given; name files, folders, globs or lists.")
    return sorted(found.values(), key=_natural_order)


def _find(source: Path) -> list[Path]:
    source = source.expanduser()
    if source.is_dir():
        found = _in_folder(source) or _in_folder(source / CRYOPPP_MICROGRAPHS)
        if not found and suffix_of(source.name) in FORMATS:
            return [source]
    elif source.exists():
        return read_list(source) if source.suffix.lower() in LISTS else [source]
    else:
        names = glob(str(source), recursive=True)  # noqa: PTH207
        found = _micrographs_among(map(Path, names))
    if not found:
        what = "holds no micrographs" if source.exists() else "does not exist"
        raise CryopickError(f"{source} {what}; name files, folders, globs or lists of micrographs.")
    return found


def _in_folder(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    with reading(folder, "a folder"):
        return _micrographs_among(folder.iterdir())


def _micrographs_among(paths: Iterable[Path]) -> list[Path]:
    """Leave out other files, power spectra, and what is there with dose weighting as well."""
    found = filter(_is_micrograph, paths)
    names = {path: str(path.with_name(stem(path.name))).lower() for path in found}
    others = set(names.values())
    return [path for path, name in names.items() if not _is_spare(name, others)]


def _is_micrograph(path: Path) -> bool:
    known = suffix_of(path.name) in FORMATS and not path.name.startswith(".")
    return known and (path.is_file() or path.is_symlink())  # a dangling link is worth a message


def _is_spare(name: str, others: Container[str]) -> bool:
    weighted = [name.removesuffix("_nodw")] if name.endswith("_nodw") else []
    weighted += [name + ending for ending in _WEIGHTED]
    return name.endswith("_ps") or any(twin in others for twin in weighted)


def _natural_order(path: Path) -> list[str | int]:
    parts = re.split(r"(\d+)", str(path))
    return [int(part) if part.isdecimal() else part for part in parts]


def read_header(path: str | Path) -> Header:
    """Read a micrograph's shape, type and pixel size, with the errors of `read_micrograph`."""
    path = Path(path)
    suffix = suffix_of(path.name)
    if suffix not in FORMATS:
        known = ", ".join(name for name in FORMATS if name.count(".") == 1)
        raise CryopickError(f"{path} is not of a known image format ({known}).")
    with reading(path, "a micrograph"):
        if path.exists() and not path.is_file():  # to open a pipe would wait for ever
            what = "a folder" if path.is_dir() else "a device or a pipe"
            raise CryopickError(f"{path} is {what}, where a file is expected.")
        if path.stat().st_size == 0:
            raise CryopickError(f"{path} is empty (0 bytes); copy it again.")
        header = FORMATS[suffix](path)
    _check_header(path, header)
    size = header.pixel_size_angstrom
    credible = size is not None and 0 < size < np.inf and size != 1.0
    return header if credible else replace(header, pixel_size_angstrom=None)


def read_micrograph(path: str | Path, pixel_size_angstrom: float | None = None) -> Micrograph:
    """Read one micrograph, memory-mapped where possible.

    Parameters
    ----------
    path
        An MRC (also compressed), TIFF, PNG or JPEG file.
    pixel_size_angstrom
        Edge of one pixel in Å, in place of that in the file.

    Returns
    -------
    Micrograph
        With (h, w) pixels, row 0 first in the file. Its pixel size is None where it is not given
        and the file has none, or has a dummy of 0 or 1.0.

    Raises
    ------
    CryopickError
        If the file is missing, broken, of an unknown format, a stack or volume, or too small.
    """
    path = Path(path)
    header = read_header(path)
    with reading(path, "a micrograph"):
        pixels = header.load()
    return Micrograph(pixels, pixel_size_angstrom or header.pixel_size_angstrom, path, header.note)


def suffix_of(name: str) -> str:
    """Return the suffix that stands for the format, with compression: ".mrc", ".mrc.gz"."""
    suffixes = Path(name.lower()).suffixes
    return "".join(suffixes[-2:] if suffixes[-1:] in ([".gz"], [".bz2"]) else suffixes[-1:])


def stem(name: str) -> str:
    """Return a micrograph's file name without the suffix of its format."""
    suffix = suffix_of(name)
    return name[: -len(suffix)] if suffix in FORMATS else name


def check_pixels(micrograph: Micrograph) -> None:
    """Raise a `CryopickError` if the pixels hold no image: all NaN, or all the same."""
    rows, columns = (max(1, edge // 256) for edge in micrograph.shape)
    sample = micrograph.pixels[::rows, ::columns]
    if _holds_image(sample) or _holds_image(micrograph.pixels):
        return
    finite = np.isfinite(micrograph.pixels).any()
    problem = "has the same value in every pixel" if finite else "holds no finite pixel"
    raise CryopickError(f"{micrograph.path or micrograph.name} {problem}; leave it out.")


def require_pixel_size(micrograph: Micrograph) -> float:
    """Return the pixel size in Å, or raise a `CryopickError` where it is unknown."""
    if micrograph.pixel_size_angstrom is None:
        name = micrograph.path or micrograph.name
        raise CryopickError(f"{name} does not say its pixel size; give it in Å.")
    return micrograph.pixel_size_angstrom


def _check_header(path: Path, header: Header) -> None:
    height, width = header.shape
    if header.sections != 1:
        raise CryopickError(
            f"{path} holds {header.sections} sections, where one micrograph is expected; "
            "average a movie, and leave out stacks and volumes."
        )
    if min(header.shape) < 64:  # an icon or a crop
        raise CryopickError(
            f"{path} is only {width} x {height} pixels; a micrograph has at least 64 on each edge."
        )
    if height * width > _MOST_PIXELS:
        raise CryopickError(
            f"{path} claims to be {width} x {height} pixels; it is damaged, or no micrograph."
        )
    if header.dtype.kind not in "iuf":
        raise CryopickError(f"{path} holds {header.dtype} values, where real numbers are expected.")


def _holds_image(pixels: NDArray) -> bool:
    finite = pixels[np.isfinite(pixels)]
    return finite.size > 0 and bool((finite != finite[0]).any())
