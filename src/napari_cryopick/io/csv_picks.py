"""Tables with a header: our own CSV in full, and most people's, Topaz's among them.

Files that are not CSV may go without a header: x, y and perhaps a score.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CryopickError, warn
from ..picks import PickSet, Status, common_value
from .files import atomic_path
from .tables import COLUMNS, centred, frame_of, from_table, numbers, read_lines, to_table

if TYPE_CHECKING:
    from pandas import DataFrame

_Rows = Iterator[tuple[int, list[str]]]

_OF_ALL = ("pixel_size_angstrom", "diameter_angstrom")
_ALIASES = {
    "micrograph": ("micrograph_name", "micrograph_path", "filename", "file_name", "image_name"),
    "x": ("x_coord", "x_coordinate", "coordinate_x", "center_x", "x_center", "x_px"),
    "y": ("y_coord", "y_coordinate", "coordinate_y", "center_y", "y_center", "y_px"),
    "score": ("figure_of_merit", "fom", "confidence", "probability"),
}
_BOX = ("width", "height")
_CANONICAL = {alias: name for name, aliases in _ALIASES.items() for alias in aliases}
_CANONICAL |= {name: name for name in (*COLUMNS, *_OF_ALL)}


def read(path: Path) -> PickSet:
    """Read picks; the columns x and y, or what others call them, are needed."""
    rows = _rows(path, read_lines(path))
    _, header = next(rows, (0, [""]))
    return _picks(_with_header(path, header, rows), path)


def read_text(path: Path) -> PickSet:
    """Read picks from a table with a header, or from rows of x, y and perhaps a score."""
    lines = ["" if line.startswith("#") else line for line in read_lines(path)]
    rows = _rows(path, lines)
    number, first = next(rows, (0, [""]))
    if not all(map(_is_number, first)):
        return read(path)
    if len(first) not in (2, 3):
        raise CryopickError(
            f"{path} has {len(first)} columns and no header that names them; "
            "give x, y and perhaps a score, or name the columns in the first line."
        )
    table = frame_of(["x", "y", "score"][: len(first)], [(number, first), *rows], path)
    return _picks(table, path)


def write(path: Path, picks: PickSet) -> None:
    """Write all that is known of every pick."""
    table = to_table(picks.by_micrograph)
    for name in _OF_ALL:
        if getattr(picks, name) is not None:
            table[name] = getattr(picks, name)
    with atomic_path(path) as part:
        table.to_csv(part, index=False, encoding="utf-8", lineterminator="\n")


def _rows(path: Path, lines: Sequence[str]) -> _Rows:
    """Give the rows of a table and the lines where they end."""
    header = next(filter(str.strip, lines), "")
    separator = max(",;\t", key=header.count)
    if separator not in header and path.suffix.lower() != ".csv":
        yield from ((i, line.split()) for i, line in enumerate(lines, 1) if line.strip())
        return
    spaced = f"{separator} " in header
    reader = csv.reader(
        (f"{line}\n" for line in lines), delimiter=separator, skipinitialspace=spaced
    )
    yield from ((reader.line_num, row) for row in reader if any(map(str.strip, row)))


def _with_header(path: Path, header: Sequence[str], rows: _Rows) -> DataFrame:
    """Return a table with our names for the columns that we know ("X-Coordinate" is x)."""
    ours = {*COLUMNS} <= {*header}
    plain = [name.strip().lower().replace("-", "_").replace(" ", "_") for name in header]
    known = [_CANONICAL.get(*names) for names in zip(plain, header, strict=True)]
    for name in COLUMNS if not ours else ():
        meant = [original for original, one in zip(header, known, strict=True) if one == name]
        if len(meant) > 1:
            raise CryopickError(
                f"{path} names {name} more than once: {', '.join(meant)}; keep one of them."
            )
    table = frame_of(header if ours else known, rows, path, ("micrograph",))
    return table if ours else _centred(table, plain, path)


def _centred(table: DataFrame, plain: Sequence[str], path: Path) -> DataFrame:
    """Return the centres of boxes, where columns of their sizes say that corners are meant."""
    sizes = {column: name for name, column in zip(plain, table, strict=True) if name in _BOX}
    if not {"x", "y"} <= {*plain} or len(sizes) != len(_BOX):
        return table
    warn(
        f"{path} has the columns width and height, so x and y are taken for the corners of boxes "
        "and half of the box is added."
    )
    return centred(table.rename(columns=sizes), path)


def _picks(table: DataFrame, path: Path) -> PickSet:
    missing = [axis for axis in ("x", "y") if axis not in table]
    if missing:
        raise CryopickError(
            f"{path} has no column {' and '.join(missing)}; its first line must name the columns."
        )
    if "status" in table:
        table["status"] = table["status"].where(table["status"].isin(list(Status)))
    of_all = [name for name in _OF_ALL if name in table]
    common = {n: common_value(numbers(table.dropna(subset=n), n, path)) for n in of_all}
    size, diameter = map(common.get, _OF_ALL)
    by_micrograph = from_table(table.drop(columns=of_all), path)
    return PickSet(by_micrograph, size, diameter_angstrom=diameter)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
