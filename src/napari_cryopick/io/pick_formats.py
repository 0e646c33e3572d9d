"""Read and write picks, in the format that the suffix says."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from unicodedata import category

from ..errors import CryopickError, CryopickWarning
from ..picks import Picks, PickSet, Status, common_value
from . import boxes, cryoppp, csv_picks, star
from .files import leave_out, reading
from .tiff_rows import from_relion_rows, to_relion_rows


@dataclass(frozen=True)
class PickFormat:
    """A coordinate format, and the picks it is meant to hold; without `write` it is only read."""

    read: Callable[[Path], PickSet]
    write: Callable[[Path, PickSet], None] | None = None
    statuses: Collection[str] = tuple(Status)
    flips_tiff: bool = False


PICK_FORMATS = {
    ".star": PickFormat(star.read, star.write, statuses=(Status.OK,), flips_tiff=True),
    ".csv": PickFormat(csv_picks.read, csv_picks.write),
    **dict.fromkeys((".txt", ".tsv", ".coords"), PickFormat(csv_picks.read_text)),
    ".box": PickFormat(boxes.read_box),
    ".cbox": PickFormat(boxes.read_cbox),
}
"""Coordinate formats by suffix; a further one is a module like `csv_picks` and an entry here."""


def read_picks(
    path: str | Path, micrographs: Sequence[Path] = (), flip_tiff: bool = True
) -> PickSet:
    """Read the picks of one or many micrographs.

    What can be read of a folder or list is read; a `CryopickWarning` names what is left out.

    Parameters
    ----------
    path
        A STAR, CSV, Topaz (.txt), EMAN (.box) or crYOLO (.cbox) file, a folder of such files, or
        an entry of CryoPPP.
    micrographs
        The files that the picks may belong to, where that is known; TIFF files tell how high they
        are.
    flip_tiff
        Whether y of TIFF micrographs counts from the last row in STAR files, as RELION does it. A
        STAR that was written here says so itself.

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
    picks, relion = _read_folder(path) if path.is_dir() else _read_file(path)
    return from_relion_rows(picks, relion, micrographs, path, flip_tiff)


def write_picks(
    path: str | Path,
    picks: PickSet,
    statuses: Collection[str] | None = None,
    flip_tiff: bool = True,
) -> None:
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
    flip_tiff
        Whether to count y of TIFF micrographs from the last row in STAR files, as RELION does it.

    Raises
    ------
    CryopickError
        If the format is unknown, the folder cannot be written to, or no file can hold a name.
    """
    path = Path(path)
    chosen = pick_format(path)
    assert chosen.write is not None
    kept = picks.with_status(chosen.statuses if statuses is None else statuses)
    if chosen.flips_tiff:
        kept = to_relion_rows(kept, flip_tiff)
    named = {_in_unicode(name): one for name, one in kept.by_micrograph.items()}
    _check_names(named, chosen.flips_tiff)
    chosen.write(path, replace(kept, by_micrograph=named))


def pick_format(path: Path) -> PickFormat:
    """Return the format to write to a file or folder of this name; `CryopickError` if none is."""
    if path.is_dir():
        return replace(PICK_FORMATS[".star"], write=star.write_folder)
    chosen = _format_of(path)
    if chosen.write is None:
        raise CryopickError(f"{path} would be of a format that is only read; write .star or .csv.")
    return chosen


def _format_of(path: Path) -> PickFormat:
    try:
        return PICK_FORMATS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(PICK_FORMATS)
        raise CryopickError(f"{path} is not of a known coordinate format ({known}).") from None


def _in_unicode(name: str) -> str:
    """Return a name whose bytes Python could not decode as UTF-8, other bytes as hexadecimal."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _read_file(path: Path) -> tuple[PickSet, Collection[str]]:
    """Read a file, and return the names whose picks are in RELION's convention, too."""
    chosen = _format_of(path)
    with reading(path, f"a {path.suffix} file of picks"):
        picks = chosen.read(path)
    return picks, picks.by_micrograph if chosen.flips_tiff else ()


def _read_folder(folder: Path) -> tuple[PickSet, Collection[str]]:
    """Read every file of picks in a folder, as pickers leave them: one per micrograph."""
    by_micrograph: dict[str, Picks] = {}
    relion: set[str] = set()
    sizes, failures = set(), []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in PICK_FORMATS or path.name.startswith("."):
            continue
        try:
            picks, from_star = _read_file(path)
        except CryopickError as error:
            failures.append(str(error))
            continue
        twice = by_micrograph.keys() & picks.by_micrograph.keys()
        if twice:
            raise CryopickError(f"{path} holds picks of {min(twice)}, as does a file beside it.")
        by_micrograph |= picks.by_micrograph
        relion.update(from_star)
        sizes.add(picks.pixel_size_angstrom)
    leave_out(folder, failures, len(by_micrograph))
    if not by_micrograph:
        raise CryopickError(f"{folder} holds no picks; name a folder of {', '.join(PICK_FORMATS)}.")
    return PickSet(by_micrograph, common_value(sizes)), relion


def _check_names(names: Collection[str], is_star: bool) -> None:
    """Refuse names that cannot be read back, and warn once of those that RELION does not read."""
    for name in names:
        if any(category(letter) == "Cc" for letter in name):
            raise CryopickError(
                f"The name {name!a} has a control character, unfit for a file of picks; rename it."
            )
    spaced = [name for name in names if " " in name]
    if is_star and spaced:
        more = f" and {len(spaced) - 1} more" if spaced[1:] else ""
        warnings.warn(
            f"RELION reads no spaces in names of micrographs, as in {spaced[0]}{more}; rename them "
            "before you go on there.",
            CryopickWarning,
            stacklevel=3,
        )
