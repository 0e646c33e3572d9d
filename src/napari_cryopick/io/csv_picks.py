"""CSV files with a header: our own table in full, and most people's."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CryopickError
from ..picks import PickSet, Status, common_value
from .files import atomic_path
from .table import COLUMNS, from_table, to_table

if TYPE_CHECKING:
    from pandas import DataFrame

_OF_ALL = ("pixel_size_angstrom", "diameter_angstrom")
_ALIASES = {
    "micrograph": ("micrograph_name", "micrograph_path", "filename", "file_name", "image_name"),
    "x": ("x_coord", "x_coordinate", "coordinate_x", "center_x", "x_px"),
    "y": ("y_coord", "y_coordinate", "coordinate_y", "center_y", "y_px"),
    "score": ("figure_of_merit", "fom", "confidence", "probability"),
}
_CANONICAL = {alias: name for name, aliases in _ALIASES.items() for alias in aliases}
_CANONICAL |= {name: name for name in (*COLUMNS, *_OF_ALL)}


def read(path: Path) -> PickSet:
    """Read picks; the columns x and y, or what others call them, are needed."""
    table = _read_table(path)
    missing = [axis for axis in ("x", "y") if axis not in table]
    if missing:
        raise CryopickError(
            f"{path} has no column {' and '.join(missing)}; its first line must name the columns."
        )
    if "status" in table:
        table["status"] = table["status"].where(table["status"].isin(list(Status)))
    of_all = [table.pop(name).dropna() if name in table else () for name in _OF_ALL]
    size, diameter = map(common_value, of_all)
    return PickSet(from_table(table, path), size, diameter_angstrom=diameter)


def write(path: Path, picks: PickSet) -> None:
    """Write all that is known of every pick."""
    table = to_table(picks.by_micrograph)
    for name in _OF_ALL:
        if getattr(picks, name) is not None:
            table[name] = getattr(picks, name)
    with atomic_path(path) as part:
        table.to_csv(part, index=False)


def _read_table(path: Path) -> DataFrame:
    import pandas as pd

    with path.open(encoding="utf-8-sig") as lines:
        header = lines.readline()
    separator = max(",;\t", key=header.count)
    (columns,) = csv.reader([header], delimiter=separator, skipinitialspace=True)
    table = pd.read_csv(
        path,
        sep=separator,
        header=0,
        names=[_canonical(column) for column in columns],
        dtype={"micrograph": str},
        keep_default_na=False,
        na_values=[""],
    )
    if not table.index.equals(pd.RangeIndex(len(table))):
        raise CryopickError(f"{path} has more values in a row than its first line names columns.")
    return table


def _canonical(column: str) -> str:
    """Return x for "X-Coordinate" and the like; an unknown name stays as it is."""
    plain = column.strip().lower().replace("-", "_").replace(" ", "_")
    return _CANONICAL.get(plain, column)
