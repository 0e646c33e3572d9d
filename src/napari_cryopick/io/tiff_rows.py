"""Where row 0 of a TIFF is: RELION flips TIFF micrographs when it reads them, MRC it does not.

So the y of a pick on a TIFF counts from the last row in RELION's files, and from the first in ours.
To turn it takes the height of the micrograph, which is kept with the picks and in what is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError, warn
from ..micrograph import Micrograph
from ..picks import Picks, PickSet, flipped
from .matching import match_names
from .micrographs import read_header, suffix_of

HEIGHT = "cryopickMicrographHeight"
"""The column of the height in pixels of a TIFF micrograph; in a STAR, 0 where y is not flipped."""

_TIFF = (".tif", ".tiff")


def from_relion_rows(
    picks: PickSet, relion: Collection[str], micrographs: Sequence[Path], source: Path, flip: bool
) -> PickSet:
    """Turn what RELION has flipped, and keep the heights of TIFF micrographs with their picks.

    Parameters
    ----------
    picks
        As they are in a file.
    relion
        The names whose picks come from a STAR file.
    micrographs
        Files that the names may mean; a name that is a path, from here or from a folder above the
        source, is found without.
    source
        The file of the picks.
    flip
        Whether a STAR file that says nothing of flips has flipped TIFF micrographs.
    """
    paths = _paths([*picks.by_micrograph], micrographs, source)
    turned, unknown = {}, []
    for name, one in picks.by_micrograph.items():
        stated = _stated_height(one)
        height = stated or _height(paths.get(name))
        flips = name in relion and (flip if stated is None else stated > 0)
        if flips and not height and _is_tiff(name) and name not in paths:
            unknown.append(name)
        turned[name] = _flipped(one, height) if flips else one
        turned[name] = _with_height(turned[name], height or None)
    _warn_of(unknown, f"y in {source} is taken to count from its first row")
    return replace(picks, by_micrograph=turned)


def to_relion_rows(picks: PickSet, flip: bool = True) -> PickSet:
    """Return picks as RELION counts their rows, with the height, which is 0 where none is known.

    The height is that of the micrograph, if it is there, or else what came with the picks.
    """
    turned, unknown = {}, []
    for name, one in picks.by_micrograph.items():
        height = _height(Path(name)) or _stated_height(one) or 0
        if flip and not height and _is_tiff(name):
            unknown.append(name)
        height = height if flip else 0
        stays = 0 if _is_tiff(name) or HEIGHT in one.extra else None
        turned[name] = _with_height(_flipped(one, height), height or stays)
    _warn_of(unknown, "y is written from its first row, where RELION counts from the last")
    return replace(picks, by_micrograph=turned)


def in_relion_rows(
    micrograph: Micrograph, picks: Picks
) -> tuple[NDArray, NDArray[np.float64], Picks]:
    """Return pixels and positions as RELION reads and counts them, and picks with the height."""
    if not _is_tiff(micrograph.name):
        return micrograph.pixels, picks.positions, picks
    height = micrograph.shape[0]
    turned = flipped(picks.positions, height)
    return micrograph.pixels[::-1], turned, _with_height(picks, height)


def _paths(names: Sequence[str], micrographs: Sequence[Path], source: Path) -> dict[str, Path]:
    """Return the micrographs that names mean, as far as they are known."""
    above = (Path(), *source.absolute().parents)
    places = {name: (folder / name for folder in above) for name in names if _is_tiff(name)}
    found = {name: next(filter(Path.is_file, paths), None) for name, paths in places.items()}
    with suppress(CryopickError):  # it is raised again where picks and micrographs are paired
        found |= {name: path for path, name in match_names(names, micrographs).items()}
    return {name: path for name, path in found.items() if path is not None}


def _height(path: Path | None) -> int | None:
    """Return the height of a TIFF micrograph; None for any other file."""
    if path is None or not _is_tiff(path.name):
        return None
    try:
        return read_header(path).shape[0]
    except CryopickError:
        return None


def _is_tiff(name: str) -> bool:
    return suffix_of(name) in _TIFF


def _stated_height(picks: Picks) -> int | None:
    """Return the height that came with picks, 0 if there is not one; None without the column."""
    column = picks.extra.get(HEIGHT)
    if column is None:
        return None
    heights = {int(height) for height in column if height > 0}
    return heights.pop() if len(heights) == 1 else 0


def _with_height(picks: Picks, height: int | None) -> Picks:
    """Return picks with a column of their height, or without one."""
    extra = {name: column for name, column in picks.extra.items() if name != HEIGHT}
    column = {} if height is None else {HEIGHT: np.full(len(picks), height)}
    return replace(picks, extra=column | extra)


def _flipped(picks: Picks, height: int | None) -> Picks:
    return replace(picks, positions=flipped(picks.positions, height)) if height else picks


def _warn_of(unknown: Iterable[str], consequence: str) -> None:
    names = [*unknown]
    if names:
        more = f" and {len(names) - 1} more" if names[1:] else ""
        warn(f"The height of {names[0]}{more} is not known, so {consequence}.")
