"""RELION STAR files: 3.0 with a single block, 3.1 and later with an optics table, and lists."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from ..errors import CryopickError
from ..picks import PickSet, common_value
from .csv_picks import from_table, to_table
from .files import atomic_path

if TYPE_CHECKING:
    from pandas import DataFrame

_NAMES = {
    "micrograph": "rlnMicrographName",
    "x": "rlnCoordinateX",
    "y": "rlnCoordinateY",
    "score": "rlnAutopickFigureOfMerit",
}
_PIXEL_SIZE = "rlnMicrographPixelSize"
_OTHER_PIXEL_SIZES = ("rlnMicrographOriginalPixelSize", "rlnImagePixelSize")
"""Of movies and of particles: where they agree they are the micrographs', if that is missing."""

_PARTICLE_DIAMETER = "rlnParticleDiameter"
_GROUP = "rlnOpticsGroup"
_LIST = "coordinate_files"
_LIST_COLUMNS = ["rlnMicrographName", "rlnMicrographCoordinates"]
_NO_NUMBER, _NO_WORD = -999, "None"


def read(path: Path) -> PickSet:
    """Read the block that has coordinates; without names they are of the file's namesake.

    A list of coordinate files, as RELION's picking jobs leave it, is followed.
    """
    blocks = _blocks(path)
    if all(name in blocks.get(_LIST, ()) for name in _LIST_COLUMNS):
        return _read_listed(_frame(blocks[_LIST]), path)
    x, y = _NAMES["x"], _NAMES["y"]
    block = next((block for block in blocks.values() if x in block and y in block), None)
    if block is None:
        raise CryopickError(f"{path} has no columns {x} and {y}; give a STAR file of coordinates.")
    table = _frame(block).rename(columns={rln: name for name, rln in _NAMES.items()})
    if "score" in table:
        table["score"] = table["score"].replace(_NO_NUMBER, np.nan)
    optics = {str(name): np.atleast_1d(c) for name, c in blocks.get("optics", {}).items()}
    sizes = (_PIXEL_SIZE,) if _PIXEL_SIZE in optics else _OTHER_PIXEL_SIZES
    return PickSet(
        from_table(table, path),
        pixel_size_angstrom=common_value([one for name in sizes for one in optics.get(name, ())]),
        optics=optics,
        diameter_angstrom=common_value(optics.get(_PARTICLE_DIAMETER, ())),
    )


def write(path: Path, picks: PickSet) -> None:
    """Write one block, preceded by an optics table where pixel size or diameter is known.

    Coordinates come first: a row that starts with "data_1.mrc" looks like a new block to parsers.
    """
    table = to_table(picks.by_micrograph).drop(columns=["source", "status"])
    if table["score"].isna().all():
        table = table.drop(columns="score")
    table = table[["x", "y", *table.columns.drop(["x", "y"])]]
    table = table.rename(columns=_NAMES).rename(columns=lambda name: re.sub(r"\s+", "_", name))
    blocks = {"particles": table}
    if picks.optics or picks.pixel_size_angstrom or picks.diameter_angstrom:
        table[_GROUP] = table[_GROUP].fillna(1).astype(int) if _GROUP in table else 1
        blocks = {"optics": _optics(picks)} | blocks
    _write_blocks(path, blocks)


def write_folder(folder: Path, picks: PickSet) -> None:
    """Write what RELION's extraction takes: one file per micrograph, and a list of them.

    RELION looks for the listed files from its project's folder, so `folder` is best given
    relative to that.
    """
    import pandas as pd

    files = {}
    for name, one in picks.by_micrograph.items():
        parts = [part for part in PurePosixPath(f"{name}.star").parts if part not in ("/", "..")]
        files[name] = folder.joinpath("Micrographs", *parts)
        write(files[name], PickSet({name: one}))
    table = pd.DataFrame(files.items(), columns=_LIST_COLUMNS).astype(str)
    _write_blocks(folder / "coordinates.star", {_LIST: table})


def _write_blocks(path: Path, blocks: dict[str, DataFrame]) -> None:
    """Write tables with RELION's words for nothing where a value is missing."""
    import starfile

    for table in blocks.values():
        for name in table:
            nothing = _NO_NUMBER if table[name].dtype.kind in "iufb" else _NO_WORD
            table[name] = table[name].fillna(nothing).replace("", nothing)
    with atomic_path(path) as part:
        starfile.write(blocks, part, float_format="%.10g")


def _blocks(path: Path) -> dict[str, DataFrame | dict]:
    import starfile

    try:
        blocks: dict[str, DataFrame | dict] = starfile.read(
            path, always_dict=True, parse_as_string=[_NAMES["micrograph"]]
        )
    except (TypeError, ValueError) as error:
        raise CryopickError(
            f"{path} is a broken STAR file; the rows of a table do not fit its columns."
        ) from error
    if not blocks:
        raise CryopickError(f"{path} is not a STAR file.")
    return blocks


def _frame(block: DataFrame | dict) -> DataFrame:
    """Return a block as a table, a single row too."""
    import pandas as pd

    return pd.DataFrame({name: np.atleast_1d(block[name]) for name in block})


def _read_listed(table: DataFrame, path: Path) -> PickSet:
    """Read listed files: their paths start at the project's folder, somewhere above the list."""
    by_micrograph = {}
    for name, file in table[_LIST_COLUMNS].itertuples(index=False):
        places = (folder / file for folder in (Path(), *path.absolute().parents))
        found = next(filter(Path.exists, places), None)
        if found is None:
            raise CryopickError(f"{path} lists {file}, which is not found from there upwards.")
        for picks in read(found).by_micrograph.values():
            by_micrograph[str(name)] = picks
    return PickSet(by_micrograph)


def _optics(picks: PickSet) -> DataFrame:
    import pandas as pd

    known = {_PIXEL_SIZE: picks.pixel_size_angstrom, _PARTICLE_DIAMETER: picks.diameter_angstrom}
    one_group = {"rlnOpticsGroupName": ["opticsGroup1"], _GROUP: [1]}
    return pd.DataFrame(dict(picks.optics) or one_group).assign(
        **{name: value for name, value in known.items() if value is not None}
    )
