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

from pathlib import Path

import numpy as np

from ..errors import CryopickError
from ..picks import Picks, PickSet, Source, Status, common_value, flipped
from . import csv_picks, star
from .files import leave_out, reading
from .images import read_bitmap
from .matching import match_picks
from .micrographs import CRYOPPP_MICROGRAPHS, FORMATS, find_micrographs, read_header, suffix_of

GROUND_TRUTH, PARTICLES = "ground_truth", "particle_coordinates"
REJECTED = ("false_positives", "empty_location")
"""Folders of what surely is no particle; it is read as deleted picks."""


def locate(path: Path) -> tuple[Path, Path] | None:
    """Return the folder of an entry and that or the file of the picks meant; None if it is none."""
    path = path.absolute()
    if (path / GROUND_TRUTH / PARTICLES).is_dir():
        return path, path / GROUND_TRUTH / PARTICLES
    if path.name == GROUND_TRUTH and (path / PARTICLES).is_dir():
        return path.parent, path / PARTICLES
    folder = path if path.is_dir() else path.parent
    if folder.name in (PARTICLES, *REJECTED) and folder.parent.name == GROUND_TRUTH:
        return folder.parents[1], path
    if folder.name == GROUND_TRUTH and path.name.lower().startswith("empiar"):
        return folder.parent, path
    return None


def read(entry: Path, source: Path) -> PickSet:
    """Read picks of an entry, turned to where they are in its micrographs.

    Names are the paths of the micrographs; picks whose micrograph is not in the entry are left
    out. Of each row only the position is kept: turned upside down, angles and shifts would be
    wrong.
    """
    folder = entry / CRYOPPP_MICROGRAPHS
    if not folder.is_dir():
        raise CryopickError(
            f"{source} counts rows from the bottom of micrographs that are not in {folder}; "
            "unpack them there."
        )
    kind = source.name if source.is_dir() else source.parent.name
    tables: dict[str, Picks] = {}
    failures = []
    for file in sorted(source.glob("[!.]*.csv")) if source.is_dir() else [source]:
        try:
            tables |= _read_file(file, kind)
        except CryopickError as error:
            failures.append(str(error))
    leave_out(source, failures, len(tables))
    found = match_picks(PickSet(tables), find_micrographs([folder]))
    if not found:
        raise CryopickError(f"{source} holds no picks; name an entry of CryoPPP, unpacked.")
    size = common_value(read_header(micrograph).pixel_size_angstrom for micrograph in found)
    diameters_px = [one.extra["Diameter"] for one in tables.values() if "Diameter" in one.extra]
    diameter = None
    if size and diameters_px:
        diameter = round(float(np.median(np.concatenate(diameters_px))) * size, 2)
    status = Status.DELETED if kind in REJECTED else Status.OK
    turned = {str(m): _turned(picks, m, source, status) for m, picks in found.items()}
    return PickSet(turned, size, diameter_angstrom=diameter)


def _read_file(file: Path, kind: str) -> dict[str, Picks]:
    """Read picks as they are in a file, by micrograph."""
    with reading(file, "picks of CryoPPP"):
        if file.suffix.lower() == ".star":
            return dict(star.read(file).by_micrograph)
        tables = csv_picks.read(file).by_micrograph.values()
        return {file.stem.removesuffix(f"_{kind}"): next(iter(tables), Picks.at([]))}


def _turned(picks: Picks, micrograph: Path, source: Path, status: str) -> Picks:
    """Return picks where they are in a micrograph as it is stored."""
    positions = picks.positions
    if FORMATS[suffix_of(micrograph.name)] is not read_bitmap:
        height = read_header(micrograph).shape[0]
        positions = flipped(positions, height)
        if (positions[:, 0] < -0.5).any():
            raise CryopickError(
                f"{source} has picks beyond row {height} of {micrograph}; "
                "it must be the micrograph that CryoPPP comes with."
            )
    return Picks.at(positions, picks.scores, Source.FILE, status)
