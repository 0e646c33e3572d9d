"""Picks as one table with a row per pick: what every coordinate format is made from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError
from ..picks import Picks, Source, Status

if TYPE_CHECKING:
    from pandas import DataFrame, Series

COLUMNS = ("micrograph", "x", "y", "score", "source", "status")


def to_table(by_micrograph: Mapping[str, Picks]) -> DataFrame:
    """Make the table: `COLUMNS`, then whatever else the picks carry (NaN where some do not)."""
    import pandas as pd

    tables = [_rows(name, picks) for name, picks in by_micrograph.items()]
    return pd.concat([_rows("", Picks.at([])), *tables], ignore_index=True)


def _rows(micrograph: str, picks: Picks) -> DataFrame:
    import pandas as pd

    columns = {
        "micrograph": np.full(len(picks), micrograph, dtype=object),
        "x": picks.positions[:, 1],
        "y": picks.positions[:, 0],
        "score": picks.scores,
        "source": picks.sources.astype(object),
        "status": picks.statuses.astype(object),
    }
    return pd.DataFrame({**picks.extra, **columns})[[*columns, *picks.extra]]


def from_table(table: DataFrame, path: Path) -> dict[str, Picks]:
    """Split a table into the picks of each micrograph, in the order of the file.

    Only x and y are needed: without a micrograph column all belong to the one that the file
    is named after. Columns other than `COLUMNS` are carried along.

    Raises
    ------
    CryopickError
        If a coordinate or a score is not a number.
    """
    n = len(table)
    picks = Picks(
        positions=np.column_stack([_numbers(table, axis, path) for axis in "yx"]),
        scores=_numbers(table, "score", path) if "score" in table else np.full(n, np.nan),
        sources=_words(table, "source", Source.FILE),
        statuses=_words(table, "status", Status.OK),
        extra={str(name): _array(table[name]) for name in table if name not in COLUMNS},
    )
    if "micrograph" not in table:
        return {path.stem: picks}
    rows = table.groupby("micrograph", sort=False).indices
    names = table["micrograph"].unique()
    return {str(name): picks[np.asarray(rows[name])] for name in names}


def _numbers(table: DataFrame, name: str, path: Path) -> NDArray[np.float64]:
    import pandas as pd

    column = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float)
    bad = np.flatnonzero(~np.isfinite(column)) if name in "xy" else np.flatnonzero(np.isinf(column))
    if len(bad):
        value = table[name].iloc[bad[0]]
        raise CryopickError(f"{path} has {value!r} for {name} in row {bad[0] + 1}; mend that row.")
    return column


def _words(table: DataFrame, name: str, default: str) -> NDArray[np.str_]:
    if name not in table:
        return np.full(len(table), str(default))
    return table[name].fillna(default).to_numpy(dtype=str)


def _array(column: Series) -> NDArray:
    numeric = column.dtype.kind in "iufb"
    return column.to_numpy() if numeric else column.fillna("").to_numpy(dtype=str)
