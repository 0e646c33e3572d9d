"""CryoPPP's folders: micrographs of an EMPIAR entry, and where people say its particles are.

ENTRY/micrographs/NAME.mrc
ENTRY/ground_truth/particle_coordinates/NAME.csv
ENTRY/ground_truth/false_positives/NAME_false_positives.csv
ENTRY/ground_truth/empiar-ENTRY_particles_selected.star

Coordinates are pixels of the micrograph at full size, with y counted from the last row of an MRC
file, as cryoSPARC shows it: CryoPPP's authors turn every MRC upside down before they use them
(CryoSegNet's masks, CryoTransformer's boxes). The JPEGs of CryoPPP_Lite are stored turned already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import CryopickError
from ..picks import Picks, PickSet, Source, Status, flip_y
from . import csv_picks as csv_table
from . import star
from .files import reading
from .images import BITMAP
from .matching import match_picks
from .micrographs import MICROGRAPHS, find_micrographs, image_format, read_header

GROUND_TRUTH = "ground_truth"
PARTICLES = "particle_coordinates"
REFUSED = ("false_positives", "empty_location")
"""Folders of what surely is no particle; it is read as deleted picks."""

_DIAMETER = "Diameter"


@dataclass(frozen=True)
class _Place:
    """Where in an entry some picks are: a folder of files, or one file."""

    entry: Path
    picks: Path

    @property
    def files(self) -> list[Path]:
        if self.picks.is_dir():
            return sorted(self.picks.glob("[!.]*.csv"))
        return [self.picks]

    @property
    def kind(self) -> str:
        """Name of the folder that tells what the picks are."""
        folder = self.picks if self.picks.is_dir() else self.picks.parent
        return folder.absolute().name


def is_cryoppp(path: Path) -> bool:
    """Whether these are picks as CryoPPP lays them out: an entry, a folder in it, or a file."""
    return _place(path) is not None


def read(path: Path) -> PickSet:
    """Read the picks of an entry, turned to where they are in its micrographs.

    Names are the paths of the micrographs; picks whose micrograph is not in the entry are left
    out. Of each row only the position is kept: turned upside down, angles and shifts would be
    wrong.

    Raises
    ------
    CryopickError
        If the entry has no micrographs or no picks, or they do not belong together.
    """
    place = _place(path)
    assert place is not None
    micrographs = _micrographs(place)
    tables = _tables(place)
    found = match_picks(PickSet(tables), micrographs)
    if not found:
        raise CryopickError(f"{place.picks} holds no picks; name an entry of CryoPPP, unpacked.")
    pixel_size = _common(read_header(micrograph).pixel_size_angstrom for micrograph in found)
    status = Status.DELETED if place.kind in REFUSED else Status.OK
    return PickSet(
        {str(m): _turned(picks, m, place.picks, status) for m, picks in found.items()},
        pixel_size,
        diameter_angstrom=_diameter_angstrom(tables, pixel_size),
    )


def _place(path: Path) -> _Place | None:
    whole = path.absolute()
    if (path / GROUND_TRUTH / PARTICLES).is_dir():
        return _Place(path, path / GROUND_TRUTH / PARTICLES)
    if whole.name == GROUND_TRUTH and (path / PARTICLES).is_dir():
        return _Place(whole.parent, path / PARTICLES)
    folder = whole if whole.is_dir() else whole.parent
    if folder.name in (PARTICLES, *REFUSED) and folder.parent.name == GROUND_TRUTH:
        return _Place(folder.parents[1], path)
    if folder.name == GROUND_TRUTH and whole.name.lower().startswith("empiar"):
        return _Place(folder.parent, path)
    return None


def _micrographs(place: _Place) -> list[Path]:
    folder = place.entry / MICROGRAPHS
    if not folder.is_dir():
        raise CryopickError(
            f"{place.picks} counts rows from the bottom of micrographs that are not in {folder}; "
            "unpack them there."
        )
    return find_micrographs([folder])


def _tables(place: _Place) -> dict[str, Picks]:
    """Picks as they stand in the files, by micrograph."""
    tables: dict[str, Picks] = {}
    for file in place.files:
        with reading(file, "picks of CryoPPP"):
            if file.suffix.lower() == ".star":
                tables |= star.read(file).by_micrograph
                continue
            name = file.stem.removesuffix(f"_{place.kind}")
            tables[name] = next(iter(csv_table.read(file).by_micrograph.values()), Picks.at([]))
    return tables


def _turned(picks: Picks, micrograph: Path, file: Path, status: str) -> Picks:
    """Picks where they are in a micrograph as it is stored."""
    placed = Picks.at(picks.positions, picks.scores, Source.FILE, status)
    if image_format(micrograph) is BITMAP:
        return placed
    height = read_header(micrograph).shape[0]
    turned = flip_y(PickSet({"": placed}), height).by_micrograph[""]
    if (turned.positions[:, 0] < -0.5).any():
        raise CryopickError(
            f"{file} has picks beyond row {height} of {micrograph}; "
            "it must be the micrograph that CryoPPP comes with."
        )
    return turned


def _diameter_angstrom(tables: Mapping[str, Picks], pixel_size: float | None) -> float | None:
    """From CryoPPP's diameters in pixels, one for all particles of an entry."""
    columns = [t.extra[_DIAMETER] for t in tables.values() if _DIAMETER in t.extra]
    if pixel_size is None or not columns:
        return None
    return round(float(np.median(np.concatenate(columns))) * pixel_size, 2)


def _common(sizes: Iterable[float | None]) -> float | None:
    different = set(sizes)
    return different.pop() if len(different) == 1 else None
