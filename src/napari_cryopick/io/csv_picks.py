"""CSV files with a header: our own table in full, and most people's.

A table with a row per pick is what STAR files are made from, too.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError
from ..picks import Picks, PickSet, Source, Status, common_value
from .files import atomic_path

if TYPE_CHECKING:
    from pandas import DataFrame

_COLUMNS = ("micrograph", "x", "y", "score", "source", "status")
_OF_ALL = ("pixel_size_angstrom", "diameter_angstrom")
_ALIASES = {
    "micrograph": ("micrograph_name", "micrograph_path", "filename", "file_name", "image_name"),
    "x": ("x_coord", "x_coordinate", "coordinate_x", "center_x", "x_px"),
    "y": ("y_coord", "y_coordinate", "coordinate_y", "center_y", "y_px"),
    "score": ("figure_of_merit", "fom", "confidence", "probability"),
}
_CANONICAL = {alias: name for name, aliases in _ALIASES.items() for alias in aliases}
_CANONICAL |= {name: name for name in (*_COLUMNS, *_OF_ALL)}


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
    """Read a table, with our names for the columns that we know ("X-Coordinate" is x)."""
    import pandas as pd

    with path.open(encoding="utf-8-sig") as lines:
        header = lines.readline()
    separator = max(",;\t", key=header.count)
    (columns,) = csv.reader([header], delimiter=separator, skipinitialspace=True)
    plain = [name.strip().lower().replace("-", "_").replace(" ", "_") for name in columns]
    table = pd.read_csv(
        path,
        sep=separator,
        header=0,
        names=[_CANONICAL.get(*names) for names in zip(plain, columns, strict=True)],
        dtype={"micrograph": str},
        keep_default_na=False,
        na_values=[""],
    )
    if not table.index.equals(pd.RangeIndex(len(table))):
        raise CryopickError(f"{path} has more values in a row than its first line names columns.")
    return table


def to_table(by_micrograph: Mapping[str, Picks]) -> DataFrame:
    """Return a row per pick, with whatever else any of them carry (NaN where one does not)."""
    import pandas as pd

    named = [(name, picks) for name, picks in by_micrograph.items() if len(picks)]
    tables = [
        pd.DataFrame(
            {
                "micrograph": name,
                "x": picks.positions[:, 1],
                "y": picks.positions[:, 0],
                "score": picks.scores,
                "source": picks.sources,
                "status": picks.statuses,
                **picks.extra,
            }
        )
        for name, picks in named or [("", Picks.at([]))]
    ]
    return pd.concat(tables, ignore_index=True)


def from_table(table: DataFrame, path: Path) -> dict[str, Picks]:
    """Split a table into the picks of each micrograph, in the order of the file.

    Only x and y are needed: without a micrograph column all belong to the one that the file
    is named after. Further columns are carried along.
    """
    extra = {name: table[name] for name in table if name not in _COLUMNS}
    known = table.reindex(columns=_COLUMNS)
    picks = Picks(
        positions=np.column_stack([_numbers(known, axis, path) for axis in "yx"]),
        scores=_numbers(known, "score", path),
        sources=known["source"].astype(object).fillna(Source.FILE).to_numpy(dtype=str),
        statuses=known["status"].astype(object).fillna(Status.OK).to_numpy(dtype=str),
        extra={
            str(name): column.to_numpy()
            if column.dtype.kind in "iufb"
            else column.fillna("").to_numpy(dtype=str)
            for name, column in extra.items()
        },
    )
    if "micrograph" not in table:
        return {path.stem: picks} if len(picks) else {}
    names = table["micrograph"].fillna("")
    nameless = np.flatnonzero(names == "")
    if len(nameless):
        raise CryopickError(f"{path} names no micrograph in row {nameless[0] + 1}; correct it.")
    rows = names.groupby(names, sort=False).indices
    return {str(name): picks[np.asarray(indices)] for name, indices in rows.items()}


def _numbers(table: DataFrame, name: str, path: Path) -> NDArray[np.float64]:
    import pandas as pd

    numbers = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float)
    bad = np.flatnonzero(~np.isfinite(numbers))
    if name in ("x", "y") and len(bad):
        value = table[name].iloc[bad[0]]
        raise CryopickError(f"{path} has {name} = {value} in row {bad[0] + 1}; correct it.")
    return numbers
