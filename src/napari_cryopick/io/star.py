"""RELION STAR files: 3.0 with a single block, 3.1 and later with an optics table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError
from .pick_set import PickSet
from .table import from_table, to_table

if TYPE_CHECKING:
    from pandas import DataFrame

_NAMES = {
    "micrograph": "rlnMicrographName",
    "x": "rlnCoordinateX",
    "y": "rlnCoordinateY",
    "score": "rlnAutopickFigureOfMerit",
}
_PIXEL_SIZES = ("rlnMicrographPixelSize", "rlnImagePixelSize", "rlnMicrographOriginalPixelSize")
_NONE = -999


def read(path: Path) -> PickSet:
    """Read the block that has coordinates; without names they are of the file's namesake."""
    import starfile

    blocks = starfile.read(path, always_dict=True, parse_as_string=[_NAMES["micrograph"]])
    table = _coordinates(blocks, path).rename(columns={rln: name for name, rln in _NAMES.items()})
    if "score" in table:
        table["score"] = table["score"].replace(_NONE, np.nan)
    optics = {name: np.atleast_1d(column) for name, column in blocks.get("optics", {}).items()}
    return PickSet(from_table(table, path), _pixel_size_angstrom(optics), optics)


def write(path: Path, picks: PickSet) -> None:
    """Write one block, preceded by an optics table where the pixel size is known."""
    import pandas as pd
    import starfile

    table = to_table(picks.by_micrograph).drop(columns=["source", "status"])
    if table["score"].isna().all():
        table = table.drop(columns="score")
    table = table.fillna(_NONE).rename(columns=_NAMES).rename(columns=_word)
    optics = picks.optics or _optics(picks.pixel_size_angstrom)
    blocks = {"particles": table}
    if optics:
        if "rlnOpticsGroup" not in table:
            table["rlnOpticsGroup"] = 1
        blocks = {"optics": pd.DataFrame(optics), **blocks}
    starfile.write(blocks, path, float_format="%.10g")


def _coordinates(blocks: dict[str, DataFrame | dict], path: Path) -> DataFrame:
    import pandas as pd

    for block in blocks.values():
        if "rlnCoordinateX" in block and "rlnCoordinateY" in block:
            return pd.DataFrame({name: np.atleast_1d(block[name]) for name in block})
    if not blocks:
        raise CryopickError(f"{path} is not a STAR file, whatever its name says.")
    raise CryopickError(
        f"{path} has no columns rlnCoordinateX and rlnCoordinateY; give a STAR file of coordinates."
    )


def _optics(pixel_size_angstrom: float | None) -> dict[str, NDArray]:
    if not pixel_size_angstrom:
        return {}
    return {
        "rlnOpticsGroupName": np.array(["opticsGroup1"]),
        "rlnOpticsGroup": np.array([1]),
        "rlnMicrographOriginalPixelSize": np.array([pixel_size_angstrom]),
        "rlnMicrographPixelSize": np.array([pixel_size_angstrom]),
    }


def _pixel_size_angstrom(optics: dict[str, NDArray]) -> float | None:
    """The micrographs' pixel size if all optics groups agree on it."""
    for name in _PIXEL_SIZES:
        if name in optics:
            sizes = np.unique(optics[name])
            return float(sizes[0]) if len(sizes) == 1 else None
    return None


def _word(column: str) -> str:
    """A column name without spaces, which STAR cannot hold."""
    return re.sub(r"\s+", "_", column)
