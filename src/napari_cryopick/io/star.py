"""Picks in RELION STAR files: 3.0 with a single block, 3.1 and later with an optics table, lists.

A file joined of several, by `cat`, is read as all of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError
from ..picks import Picks, PickSet, common_value
from .files import leave_out, reading
from .star_blocks import NO_NUMBER, read_blocks, write_blocks
from .tables import from_table, numbers, to_table
from .tiff_rows import HEIGHT

if TYPE_CHECKING:
    from pandas import DataFrame

_NAMES = {
    "micrograph": "rlnMicrographName",
    "x": "rlnCoordinateX",
    "y": "rlnCoordinateY",
    "score": "rlnAutopickFigureOfMerit",
}
IMAGE = "rlnImageName"
_TOMOGRAPHY = ("rlnTomoName", "rlnCoordinateZ")
_PIXEL_SIZE = "rlnMicrographPixelSize"
_OTHER_PIXEL_SIZES = ("rlnMicrographOriginalPixelSize", "rlnImagePixelSize")
"""Of movies and of particles: where they agree they are the micrographs', if that is missing."""

_PARTICLE_DIAMETER = "rlnParticleDiameter"
_GROUP = "rlnOpticsGroup"
_LIST = "coordinate_files"
_LIST_COLUMNS = ["rlnMicrographName", "rlnMicrographCoordinates"]
_LONGEST_FILE_NAME = 200
"""Bytes; file systems end at 255, and a file being written has a longer name for a while."""


def read(path: Path) -> PickSet:
    """Read all blocks that have coordinates; without names they are of the file's namesake.

    A list of coordinate files, as RELION's picking jobs leave it, is followed.
    """
    blocks = read_blocks(path)
    lists = [table for name, table in blocks if name == _LIST and {*_LIST_COLUMNS} <= {*table}]
    if lists:
        return _read_listed(lists, path)
    tables, optics = _with_coordinates(blocks, path)
    for table in tables:
        _require_micrographs(table, path)
    import pandas as pd

    sizes = (_PIXEL_SIZE,) if _PIXEL_SIZE in optics else _OTHER_PIXEL_SIZES
    return PickSet(
        from_table(pd.concat([_in_our_words(table) for table in tables]), path),
        _common(optics, sizes, path),
        {str(name): optics[name].to_numpy() for name in optics},
        _common(optics, [_PARTICLE_DIAMETER], path),
    )


def write(path: Path, picks: PickSet) -> None:
    """Write one block, preceded by an optics table where pixel size or diameter is known.

    Numbers come first: a row that starts with "_1.mrc" looks like a label to parsers.
    """
    table = to_table(picks.by_micrograph).drop(columns=["source", "status"])
    if table["score"].isna().all():
        table = table.drop(columns="score")
    first = [name for name in (HEIGHT, "x", "y") if name in table]
    table = table[[*first, *table.columns.drop(first)]].rename(columns=_NAMES)
    table.columns = _labels(table.columns)
    blocks = {"particles": table}
    if picks.optics or picks.pixel_size_angstrom or picks.diameter_angstrom:
        table[_GROUP] = table[_GROUP].fillna(1).astype(int) if _GROUP in table else 1
        blocks = {"optics": _optics(picks)} | blocks
    write_blocks(path, blocks)


def write_folder(folder: Path, picks: PickSet) -> None:
    """Write what RELION's extraction takes: one file per micrograph, and a list of them.

    RELION looks for the listed files from its project's folder, so `folder` is best given
    relative to that.
    """
    import pandas as pd

    files = dict(zip(picks.by_micrograph, _files(folder, picks.by_micrograph), strict=True))
    for name, one in picks.by_micrograph.items():
        write(files[name], PickSet({name: one}))
    table = pd.DataFrame({"coordinates": map(str, files.values()), "name": list(files)})
    table.columns = _LIST_COLUMNS[::-1]
    write_blocks(folder / "coordinates.star", {_LIST: table})


def _with_coordinates(
    blocks: Sequence[tuple[str, DataFrame]], path: Path
) -> tuple[list[DataFrame], DataFrame]:
    """Return the tables of picks and their optics, as groups of one table if there are several."""
    import pandas as pd

    x, y = _NAMES["x"], _NAMES["y"]
    found: list[tuple[DataFrame, DataFrame]] = []
    optics = next((table for name, table in blocks if name == "optics"), pd.DataFrame())
    for name, table in blocks:
        if name == "optics":
            optics = table
        elif x in table and y in table:
            found.append((table, optics))
    if not found:
        raise CryopickError(f"{path} has no columns {x} and {y}; give a STAR file of coordinates.")
    joined = found[0][1]
    for table, optics in found[1:]:
        if not _same(optics, found[0][1]) and _GROUP in optics and _GROUP in joined:
            groups = int(numbers(joined, _GROUP, path).max(initial=0))
            own = optics.assign(**{_GROUP: numbers(optics, _GROUP, path) + groups})
            joined = pd.concat([joined, own])
            table[_GROUP] = groups + (numbers(table, _GROUP, path) if _GROUP in table else 1)
    return [table for table, _ in found], joined


def _common(optics: DataFrame, labels: Iterable[str], path: Path) -> float | None:
    """Return the number that all groups have in these columns, or None."""
    known = [numbers(optics, label, path) for label in labels if label in optics]
    return common_value(np.concatenate(known)) if known else None


def _same(one: DataFrame, other: DataFrame) -> bool:
    return one.reset_index(drop=True).equals(other.reset_index(drop=True))


def _require_micrographs(table: DataFrame, path: Path) -> None:
    """Raise an error if rows belong to tomograms."""
    for label in _TOMOGRAPHY:
        if label in table:
            raise CryopickError(
                f"{path} holds particles of tomograms ({label}); give picks on micrographs."
            )


def _in_our_words(table: DataFrame) -> DataFrame:
    """Return a table with our names of columns; a stack stands for its micrograph."""
    table = table.rename(columns={rln: name for name, rln in _NAMES.items()})
    if "micrograph" not in table and IMAGE in table:
        table["micrograph"] = table[IMAGE].str.replace(r"^\d+@", "", regex=True)
    if "score" in table:
        table["score"] = table["score"].replace(NO_NUMBER, np.nan)
    return table


def _read_listed(lists: Sequence[DataFrame], path: Path) -> PickSet:
    by_micrograph: dict[str, Picks] = {}
    sizes, failures = [], []
    rows = (row for table in lists for row in table[_LIST_COLUMNS].itertuples(index=False))
    for name, file in rows:
        if name in by_micrograph:
            raise CryopickError(f"{path} lists {name} twice; remove one of the lines.")
        try:
            picks = _read_one(str(file), path)
        except CryopickError as error:
            failures.append(str(error))
        else:
            sizes.append(picks.pixel_size_angstrom)
            by_micrograph[name] = next(iter(picks.by_micrograph.values()), Picks.at([]))
    leave_out(path, failures, len(by_micrograph))
    return PickSet(by_micrograph, common_value(sizes))


def _read_one(file: str, path: Path) -> PickSet:
    """Read a listed file: its path starts at the project's folder, somewhere above the list."""
    places = (folder / file for folder in (Path(), *path.absolute().parents))
    found = next(filter(Path.exists, places), None)
    if found is None:
        raise CryopickError(f"{path} lists {file}, which is not found from there upwards.")
    with reading(found, "a STAR file"):
        picks = read(found)
    if len(picks.by_micrograph) > 1:
        raise CryopickError(f"{found} holds several micrographs, where {path} lists it for one.")
    return picks


def _labels(names: Iterable[str]) -> list[str]:
    """Return names of columns as labels: without spaces, each once."""
    labels: list[str] = []
    for name in names:
        label = plain = re.sub(r"[\s#]+", "_", str(name)) or "column"
        while label in labels:
            label = f"{plain}_{labels.count(label) + len(labels)}"
        labels.append(label)
    return labels


def _files(folder: Path, names: Iterable[str]) -> list[Path]:
    """Return a file for each micrograph, named after its path unless that is too long or taken."""
    files: list[Path] = []
    taken: set[str] = set()
    folders: set[str] = set()
    for number, name in enumerate(names):
        plain = re.sub(r'[<>:"|?*]', "_", name)  # Windows forbids these
        parts = [part for part in re.split(r"[/\\]", plain) if part.strip(".")]
        file = folder.joinpath("Micrographs", *parts[:-1], f"{(parts or [''])[-1]}.star")
        above = {str(parent).casefold() for parent in file.parents}
        own = str(file).casefold()
        clashes = own in taken or own in folders or not taken.isdisjoint(above)
        if clashes or max(len(os.fsencode(part)) for part in file.parts) > _LONGEST_FILE_NAME:
            file = folder / "More" / f"{number}.star"
        taken.add(str(file).casefold())
        folders.update(above)
        files.append(file)
    return files


def one_group() -> dict[str, NDArray]:
    """Return the columns of an optics table that says nothing."""
    return {"rlnOpticsGroupName": np.array(["opticsGroup1"]), _GROUP: np.array([1])}


def _optics(picks: PickSet) -> DataFrame:
    import pandas as pd

    known = {_PIXEL_SIZE: picks.pixel_size_angstrom, _PARTICLE_DIAMETER: picks.diameter_angstrom}
    return pd.DataFrame(dict(picks.optics) or one_group()).assign(
        **{name: value for name, value in known.items() if value is not None}
    )
