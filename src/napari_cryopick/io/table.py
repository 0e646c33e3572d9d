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
    """Return `COLUMNS`, then whatever else any of the picks carry (NaN where one does not)."""
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
    is named after. Columns other than `COLUMNS` are carried along.

    Raises
    ------
    CryopickError
        If a coordinate is not a number or a row names no micrograph.
    """
    picks = Picks(
        positions=np.column_stack([_numbers(table, axis, path) for axis in "yx"]),
        scores=_numbers(table, "score", path),
        sources=_words(table, "source", Source.FILE),
        statuses=_words(table, "status", Status.OK),
        extra={str(name): _array(table[name]) for name in table if name not in COLUMNS},
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

    if name not in table:
        return np.full(len(table), np.nan)
    numbers = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float)
    bad = np.flatnonzero(~np.isfinite(numbers))
    if name in ("x", "y") and len(bad):
        value = table[name].iloc[bad[0]]
        raise CryopickError(f"{path} has {name} = {value} in row {bad[0] + 1}; correct it.")
    return numbers


def _words(table: DataFrame, name: str, default: str) -> NDArray[np.str_]:
    if name not in table:
        return np.full(len(table), str(default))
    return table[name].fillna(default).to_numpy(dtype=str)


def _array(column: Series) -> NDArray:
    numeric = column.dtype.kind in "iufb"
    return column.to_numpy() if numeric else column.fillna("").to_numpy(dtype=str)
