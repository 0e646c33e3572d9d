"""RELION STAR files: 3.0 with a single block, 3.1 and later with an optics table, and lists."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import CryopickError
from ..picks import PickSet
from .files import atomic_path
from .table import from_table, to_table

if TYPE_CHECKING:
    from pandas import DataFrame, Series

_NAMES = {
    "micrograph": "rlnMicrographName",
    "x": "rlnCoordinateX",
    "y": "rlnCoordinateY",
    "score": "rlnAutopickFigureOfMerit",
}
_PIXEL_SIZE = "rlnMicrographPixelSize"
_OTHER_PIXEL_SIZES = ("rlnMicrographOriginalPixelSize", "rlnImagePixelSize")
_DIAMETER = "rlnParticleDiameter"
_GROUP = "rlnOpticsGroup"
_LIST = "coordinate_files"
_LIST_COLUMNS = ("rlnMicrographName", "rlnMicrographCoordinates")
_NO_NUMBER, _NO_WORD = -999, "None"


def read(path: Path) -> PickSet:
    """Read the block that has coordinates; without names they are of the file's namesake.

    A list of coordinate files, as RELION's picking jobs leave it, is followed.
    """
    blocks = _blocks(path)
    if all(name in blocks.get(_LIST, ()) for name in _LIST_COLUMNS):
        return _read_listed(blocks[_LIST], path)
    table = _coordinates(blocks, path).rename(columns={rln: name for name, rln in _NAMES.items()})
    if "score" in table:
        table["score"] = table["score"].replace(_NO_NUMBER, np.nan)
    optics = {str(name): np.atleast_1d(c) for name, c in blocks.get("optics", {}).items()}
    return PickSet(
        from_table(table, path),
        pixel_size_angstrom=_pixel_size_angstrom(optics),
        optics=optics,
        diameter_angstrom=_agreed(optics.get(_DIAMETER, ())),
    )


def write(path: Path, picks: PickSet) -> None:
    """Write one block, preceded by an optics table where pixel size or diameter is known.

    Coordinates come first: a row that starts with "data_1.mrc" looks like a new block to parsers.
    """
    import starfile

    table = to_table(picks.by_micrograph).drop(columns=["source", "status"])
    if table["score"].isna().all():
        table = table.drop(columns="score")
    table = table[["x", "y", *table.columns.drop(["x", "y"])]]
    table = table.rename(columns=_NAMES).rename(columns=lambda name: re.sub(r"\s+", "_", name))
    blocks = {"particles": table}
    if picks.optics or picks.pixel_size_angstrom or picks.diameter_angstrom:
        table[_GROUP] = table[_GROUP].fillna(1).astype(int) if _GROUP in table else 1
        blocks = {"optics": _optics(picks), "particles": table}
    for name in table:
        table[name] = _filled(table[name])
    with atomic_path(path) as part:
        starfile.write(blocks, part, float_format="%.10g")


def write_folder(folder: Path, picks: PickSet) -> None:
    """Write what RELION's extraction takes: one file per micrograph, and a list of them.

    RELION looks for the listed files from its project's folder, so `folder` is best given
    relative to that.
    """
    import pandas as pd
    import starfile

    files = {}
    for name, one in picks.by_micrograph.items():
        parts = [part for part in PurePosixPath(f"{name}.star").parts if part not in ("/", "..")]
        files[name] = folder.joinpath("Micrographs", *parts)
        write(files[name], PickSet({name: one}))
    table = pd.DataFrame(files.items(), columns=_LIST_COLUMNS).astype(str)
    with atomic_path(folder / "coordinates.star") as part:
        starfile.write({_LIST: table}, part)


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


def _coordinates(blocks: dict[str, DataFrame | dict], path: Path) -> DataFrame:
    import pandas as pd

    for block in blocks.values():
        if _NAMES["x"] in block and _NAMES["y"] in block:
            return pd.DataFrame({name: np.atleast_1d(block[name]) for name in block})
    raise CryopickError(
        f"{path} has no columns {_NAMES['x']} and {_NAMES['y']}; give a STAR file of coordinates."
    )


def _read_listed(table: DataFrame | dict, path: Path) -> PickSet:
    by_micrograph = {}
    names, files = (np.atleast_1d(table[name]) for name in _LIST_COLUMNS)
    for name, file in zip(names, files, strict=True):
        for picks in read(_listed(file, path)).by_micrograph.values():
            by_micrograph[str(name)] = picks
    return PickSet(by_micrograph)


def _listed(file: str, path: Path) -> Path:
    """Where a listed file is: lists count from the project's folder, which is somewhere above."""
    for folder in (Path(), *path.absolute().parents):
        if (folder / file).exists():
            return folder / file
    raise CryopickError(f"{path} lists {file}, which is not found from there upwards.")


def _optics(picks: PickSet) -> DataFrame:
    import pandas as pd

    known = {_PIXEL_SIZE: picks.pixel_size_angstrom, _DIAMETER: picks.diameter_angstrom}
    one_group = {"rlnOpticsGroupName": ["opticsGroup1"], _GROUP: [1]}
    return pd.DataFrame(dict(picks.optics) or one_group).assign(
        **{name: value for name, value in known.items() if value is not None}
    )


def _pixel_size_angstrom(optics: dict[str, NDArray]) -> float | None:
    """The micrographs' pixel size, or that of movies and particles where they agree."""
    if _PIXEL_SIZE in optics:
        return _agreed(optics[_PIXEL_SIZE])
    return _agreed([size for name in _OTHER_PIXEL_SIZES for size in optics.get(name, ())])


def _agreed(values: ArrayLike) -> float | None:
    values = np.unique(values)
    return float(values[0]) if len(values) == 1 else None


def _filled(column: Series) -> Series:
    """RELION's words for nothing, where a pick lacks a value."""
    if column.dtype.kind in "iufb":
        return column.fillna(_NO_NUMBER)
    return column.fillna(_NO_WORD).replace("", _NO_WORD)
