"""Lists of micrographs, as RELION, Warp and cryoSPARC leave them, and plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from ..errors import CryopickError
from .files import reading
from .star_blocks import read_blocks
from .tables import read_lines

_NAME = "rlnMicrographName"
_CRYOSPARC_NAMES = ("micrograph_blob/path", "location/micrograph_path")
"""Columns of cryoSPARC's exposures and of its particles."""


def read_list(path: Path) -> list[Path]:
    """Return the micrographs that a list names, each once.

    Names are relative to the project's folder, which is that of the list or somewhere above. A
    micrograph that is missing is returned as if it were beside the list, for its reader to report.

    Raises
    ------
    CryopickError
        If the list cannot be read, names no micrographs, or none of them is found.
    """
    with reading(path, "a list of micrographs"):
        names = list(dict.fromkeys(LISTS[path.suffix.lower()](path)))
    if not names:
        raise CryopickError(f"{path} names no micrographs; give a list that does, or a folder.")
    folder = path.absolute().parent
    found = {name: _locate(name, (folder, *folder.parents, Path())) for name in names}
    if not any(found.values()):
        raise CryopickError(
            f"{path} lists {names[0]}, which is not found in its folder or in those above; "
            "keep the list in its project."
        )
    return [at or folder / name for name, at in found.items()]


def names_micrographs(path: Path) -> bool:
    """Return whether a file that holds no picks is a list of micrographs."""
    if path.suffix.lower() == ".star":
        labels = {label for _, table in read_blocks(path) for label in table}
        return _NAME in labels and labels.isdisjoint(("rlnCoordinateX", "rlnMicrographCoordinates"))
    try:
        return path.suffix.lower() in LISTS and bool(read_list(path))
    except CryopickError:
        return False


def _locate(name: str, folders: Iterable[Path]) -> Path | None:
    return next((folder / name for folder in folders if (folder / name).exists()), None)


def _read_star(path: Path) -> Iterable[str]:
    return [name for _, table in read_blocks(path) if _NAME in table for name in table[_NAME]]


def _read_text(path: Path) -> Iterable[str]:
    lines = (line.strip() for line in read_lines(path))
    return [line for line in lines if line and not line.startswith("#")]


def _read_cryosparc(path: Path) -> Iterable[str]:
    """Read exposures or particles; a ">" before a path only says that it is the project's."""
    table = np.load(path, allow_pickle=False)
    column = next((name for name in _CRYOSPARC_NAMES if name in (table.dtype.names or ())), None)
    return [name.decode().lstrip(">") for name in table[column]] if column else []


LISTS: dict[str, Callable[[Path], Iterable[str]]] = {
    ".star": _read_star,
    ".txt": _read_text,
    ".cs": _read_cryosparc,
}
"""What reads the names in a list of micrographs, by suffix."""
