"""Plain CSV with a header: our own table in full, and most people's."""

from __future__ import annotations

from pathlib import Path

from ..errors import CryopickError
from .pick_set import PickSet
from .table import from_table, to_table

_PIXEL_SIZE = "pixel_size_angstrom"
_ALIASES = {
    "micrograph": ("micrograph_name", "micrograph_path", "filename", "file_name", "image_name"),
    "x": ("x_coord", "x_coordinate", "coordinate_x", "center_x", "x_px"),
    "y": ("y_coord", "y_coordinate", "coordinate_y", "center_y", "y_px"),
    "score": ("figure_of_merit", "fom", "confidence", "probability"),
}
_CANONICAL = {alias: name for name, aliases in _ALIASES.items() for alias in aliases}


def read(path: Path) -> PickSet:
    """Read picks; the columns x and y, or what others call them, are needed."""
    import pandas as pd

    table = pd.read_csv(path, encoding="utf-8-sig", skipinitialspace=True)
    table = table.rename(columns=_canonical)
    missing = [name for name in "xy" if name not in table]
    if missing:
        raise CryopickError(
            f"{path} has no column {' and '.join(missing)}; its first line must name the columns."
        )
    pixel_size_angstrom = None
    if _PIXEL_SIZE in table and table[_PIXEL_SIZE].nunique() == 1:
        pixel_size_angstrom = float(table[_PIXEL_SIZE].iloc[0])
    picks = from_table(table.drop(columns=_PIXEL_SIZE, errors="ignore"), path)
    return PickSet(picks, pixel_size_angstrom)


def write(path: Path, picks: PickSet) -> None:
    """Write all we know of every pick."""
    table = to_table(picks.by_micrograph)
    if picks.pixel_size_angstrom:
        table[_PIXEL_SIZE] = picks.pixel_size_angstrom
    table.to_csv(path, index=False)


def _canonical(column: str) -> str:
    """ "X-Coordinate" is x; a name nobody knows stays as it is."""
    plain = column.strip().lower().replace("-", "_").replace(" ", "_")
    return plain if plain in (*_ALIASES, "source", "status") else _CANONICAL.get(plain, column)
