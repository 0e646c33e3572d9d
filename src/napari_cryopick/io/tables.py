"""Tables of picks, one row each: from rows of text to a data frame, and to picks by micrograph."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError, warn
from ..picks import Picks, Source, Status

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = ("micrograph", "x", "y", "score", "source", "status")
_CELL, _ROW = "\x1f", "\x1e"
"""What separates cells and rows on their way to pandas; no name may hold such characters."""

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_lines(path: Path) -> list[str]:
    """Read a text file: UTF-8, or whatever Unicode its byte order mark says; any line ends."""
    content = path.read_bytes()
    marked = [name for mark, name in _BYTE_ORDER_MARKS.items() if content.startswith(mark)]
    if not marked and b"\0" in content:
        raise CryopickError(f"{path} holds binary data, where text in UTF-8 is expected.")
    try:
        text = content.decode(*marked)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CryopickError(
            f"{path} is no text in UTF-8 (line {line}); save it as UTF-8."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def frame_of(
    columns: Sequence[str],
    rows: Iterable[tuple[int, Sequence[str]]],
    path: Path,
    text_columns: Collection[str] = (),
) -> DataFrame:
    """Make a table of rows of text, whose index is the lines they stand in.

    Columns are numbers where all their values are, other than `text_columns`.

    Raises
    ------
    CryopickError
        If two columns have one name, or a row has more or fewer values than there are columns.
    """
    import pandas as pd

    ((twice, count),) = Counter(columns).most_common(1)
    if count > 1:
        raise CryopickError(f"{path} names the column {twice} {count} times; keep one of them.")
    lines: list[int] = []
    text = _ROW.join(map(_CELL.join, _checked(rows, len(columns), lines, path)))
    if not lines:
        return pd.DataFrame({name: [] for name in columns})
    table = pd.read_csv(
        StringIO(text),
        sep=_CELL,
        lineterminator=_ROW,
        header=None,
        names=list(columns),
        dtype={name: str for name in columns if name in text_columns},
        keep_default_na=False,
        na_values={n: ["", "nan", "NaN", "<NA>"] for n in columns if n not in text_columns},
        quoting=csv.QUOTE_NONE,
        skip_blank_lines=False,
        low_memory=False,
    )
    table.index = pd.Index(lines)
    return table


def _checked(
    rows: Iterable[tuple[int, Sequence[str]]], width: int, lines: list[int], path: Path
) -> Iterator[Sequence[str]]:
    """Give rows on, and note in `lines` where they stand."""
    for line, row in rows:
        if len(row) != width:
            raise CryopickError(
                f"{path} holds {len(row)} values in line {line}, where it has {width} columns; "
                "correct it."
            )
        lines.append(line)
        yield row


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
    is named after. Further columns are carried along. Rows that say the same throughout are one
    pick.
    """
    table = _without_repeats(table, path)
    picks = _picks(table, path)
    if "micrograph" not in table:
        return {path.stem: picks} if len(picks) else {}
    names = table["micrograph"].fillna("").reset_index(drop=True)
    nameless = np.flatnonzero(names == "")
    if len(nameless):
        raise CryopickError(
            f"{path} names no micrograph in line {table.index[nameless[0]]}; correct it."
        )
    rows = names.groupby(names, sort=False).indices
    return {str(name): picks[np.asarray(indices)] for name, indices in rows.items()}


def _without_repeats(table: DataFrame, path: Path) -> DataFrame:
    """Leave out rows that repeat others, and warn of them and of picks that share a place."""
    repeated = table.duplicated()
    if repeated.any():
        line = table.index[repeated][0]
        warn(f"{path} says {repeated.sum()} picks again (line {line}); each is taken once.")
        table = table[~repeated]
    place = [name for name in ("micrograph", "x", "y", "status") if name in table]
    shared = table.duplicated(place)
    if shared.any():
        line = table.index[shared][0]
        warn(
            f"{path} has {shared.sum()} picks at the very place of others (line {line}); they are "
            "kept, as something else differs."
        )
    return table


def centred(table: DataFrame, path: Path) -> DataFrame:
    """Return the centres of boxes that are given by a corner, width and height."""
    for axis, size in (("x", "width"), ("y", "height")):
        centres = numbers(table, axis, path) + numbers(table, size, path) / 2
        table = table.assign(**{axis: centres})
    return table.drop(columns=["width", "height"])


def _picks(table: DataFrame, path: Path) -> Picks:
    extra = {name: table[name] for name in table if name not in COLUMNS}
    known = table.reindex(columns=COLUMNS)
    return Picks(
        positions=np.column_stack([numbers(known, axis, path) for axis in "yx"]),
        scores=numbers(known, "score", path),
        sources=known["source"].astype(object).fillna(Source.FILE).to_numpy(dtype=str),
        statuses=known["status"].astype(object).fillna(Status.OK).to_numpy(dtype=str),
        extra={
            str(name): column.to_numpy()
            if column.dtype.kind in "iufb"
            else column.fillna("").to_numpy(dtype=str)
            for name, column in extra.items()
        },
    )


def numbers(table: DataFrame, name: str, path: Path) -> NDArray[np.float64]:
    """Return a column as numbers; only a score may be none, and is NaN then."""
    import pandas as pd

    numbers = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float)
    bad = np.flatnonzero(~np.isfinite(numbers))
    if name != "score" and len(bad):
        value, line = table[name].iloc[bad[0]], table.index[bad[0]]
        raise CryopickError(f"{path} has {name} = {value} in line {line}; correct it.")
    return numbers
