"""Read and write picks, in the format that the suffix says."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import CryopickError
from ..picks import Picks, PickSet, Status, common_value
from . import cryoppp, csv_picks, star
from .files import reading


@dataclass(frozen=True)
class PickFormat:
    """A coordinate format, and the picks it is meant to hold."""

    read: Callable[[Path], PickSet]
    write: Callable[[Path, PickSet], None]
    statuses: Collection[str] = tuple(Status)


PICK_FORMATS = {
    ".star": PickFormat(star.read, star.write, statuses=(Status.OK,)),
    ".csv": PickFormat(csv_picks.read, csv_picks.write),
}
"""Coordinate formats by suffix; a further one is a module like `csv_picks` and an entry here."""


def read_picks(path: str | Path) -> PickSet:
    """Read the picks of one or many micrographs.

    Parameters
    ----------
    path
        A STAR or CSV file, a folder of such files, or an entry of CryoPPP.

    Returns
    -------
    PickSet
        Picks by micrograph name as it stands in the file; positions are (n, 2) of (y, x) in
        micrograph pixels.

    Raises
    ------
    CryopickError
        If the file is missing, broken, of an unknown format or without coordinates.
    """
    path = Path(path)
    entry = cryoppp.locate(path)
    if entry:
        return cryoppp.read(*entry)
    chosen = pick_format(path)
    with reading(path, f"a {path.suffix} file of picks"):
        return chosen.read(path)


def write_picks(path: str | Path, picks: PickSet, statuses: Collection[str] | None = None) -> None:
    """Write picks.

    Parameters
    ----------
    path
        A STAR or CSV file, or an existing folder for one STAR file per micrograph as RELION's
        extraction reads them.
    picks
        Picks of one or many micrographs.
    statuses
        Those to write; by default a STAR holds picks of status ok and a CSV holds everything.

    Raises
    ------
    CryopickError
        If the format is unknown or the folder cannot be written to.
    """
    path = Path(path)
    chosen = pick_format(path)
    kept = picks.with_status(chosen.statuses if statuses is None else statuses)
    named = {_in_unicode(name): one for name, one in kept.by_micrograph.items()}
    chosen.write(path, replace(kept, by_micrograph=named))


def pick_format(path: Path) -> PickFormat:
    """Return the format of a file or folder of this name; `CryopickError` if it is unknown."""
    if path.is_dir():
        return PickFormat(_read_folder, star.write_folder, statuses=(Status.OK,))
    try:
        return PICK_FORMATS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(PICK_FORMATS)
        raise CryopickError(f"{path} is not of a known coordinate format ({known}).") from None


def _in_unicode(name: str) -> str:
    """Return a name whose bytes Python could not decode as UTF-8, other bytes as hexadecimal."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _read_folder(folder: Path) -> PickSet:
    """Read every file of picks in a folder, as pickers leave them: one per micrograph."""
    by_micrograph: dict[str, Picks] = {}
    sizes = set()
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in PICK_FORMATS or path.name.startswith("."):
            continue
        picks = read_picks(path)
        twice = by_micrograph.keys() & picks.by_micrograph.keys()
        if twice:
            raise CryopickError(f"{path} holds picks of {min(twice)}, as does a file beside it.")
        by_micrograph |= picks.by_micrograph
        sizes.add(picks.pixel_size_angstrom)
    if not by_micrograph:
        raise CryopickError(f"{folder} holds no picks; name a folder of {', '.join(PICK_FORMATS)}.")
    return PickSet(by_micrograph, common_value(sizes))
