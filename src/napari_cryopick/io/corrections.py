"""Pixel sizes that were published wrongly, and what they are."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_log = logging.getLogger(__name__)
_ENTRY = re.compile(r"(?:empiar[-_ ]?)?(\d{5})", re.IGNORECASE)
_SAME = 0.01
_FOLDERS_UP = 3


@dataclass(frozen=True)
class Correction:
    """A pixel size in Å as it was published, as it is, and what the published one belongs to."""

    published: float
    true: float
    reason: str


CORRECTIONS: dict[str, Correction] = {
    "10345": Correction(
        published=0.673,
        true=1.345,
        reason="that of the super-resolution movies, which the micrographs bin two by two",
    )
}
"""Corrections by EMPIAR entry.

10345
    CryoPPP's metadata say 0.673 Å. The image set of EMPIAR-10345, the authors' particle stack and
    the map EMD-20795 made from it say 1.345 Å. CryoPPP's own diameters agree with these: 149 pixels
    for a particle of 200 Å.
"""


def corrected(path: Path, pixel_size_angstrom: float | None) -> float | None:
    """The pixel size in a micrograph's header, or the true one where it is known to be wrong.

    The entry is told by the folders above `path`; a correction is told once, as a log message.
    """
    entry = _entry(path)
    known = CORRECTIONS.get(entry)
    if known is None or not _is_published(known, pixel_size_angstrom):
        return pixel_size_angstrom
    _tell(f"The pixel size of EMPIAR-{entry} is taken as {known.true:g} Å: {_why(known)}.")
    return known.true


def doubt(path: Path, pixel_size_angstrom: float) -> None:
    """Tell, once, if a pixel size that a person gave is one that is known to be wrong."""
    entry = _entry(path)
    known = CORRECTIONS.get(entry)
    if known is not None and _is_published(known, pixel_size_angstrom):
        _tell(f"EMPIAR-{entry} is given a wrong pixel size, {_why(known)}; give {known.true:g} Å.")


def _is_published(known: Correction, pixel_size_angstrom: float | None) -> bool:
    if pixel_size_angstrom is None:
        return False
    return abs(pixel_size_angstrom / known.published - 1) < _SAME


def _why(known: Correction) -> str:
    return f"{known.published:g} Å is {known.reason}"


def _entry(path: Path) -> str:
    """The EMPIAR number that one of the folders above a file is named after, or nothing."""
    for folder in path.absolute().parents[:_FOLDERS_UP]:
        named = _ENTRY.fullmatch(folder.name)
        if named:
            return named[1]
    return ""


@cache
def _tell(sentence: str) -> None:
    _log.warning(sentence)
