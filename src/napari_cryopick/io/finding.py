"""Finding micrographs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from glob import glob
from pathlib import Path

from ..errors import CryopickError
from .files import reading
from .micrographs import FORMATS, suffix_of

MICROGRAPHS = "micrographs"
"""Folder of the micrographs in an entry of CryoPPP."""


def find_micrographs(sources: Iterable[str | Path]) -> list[Path]:
    """List the micrographs that files, folders and globs stand for.

    Returns
    -------
    list of Path
        Each file once, in natural order (2 before 10). Of a folder or a glob only files with the
        suffix of a micrograph are taken, and no hidden ones; a file named outright is always taken.
        A folder that holds none itself stands for the folder "micrographs" in it.

    Raises
    ------
    CryopickError
        If a source holds no micrograph.
    """
    found = {path.absolute(): path for source in sources for path in _find(Path(source))}
    if not found:
        raise CryopickError("No micrographs are given; name files, folders or globs.")
    return sorted(found.values(), key=_natural_order)


def _find(source: Path) -> list[Path]:
    source = source.expanduser()
    if source.is_dir():
        found = _in_folder(source) or _in_folder(source / MICROGRAPHS)
    elif source.exists():
        return [source]
    else:
        found = [Path(name) for name in glob(str(source), recursive=True)]
        found = [path for path in found if _is_micrograph(path)]
    if not found:
        what = "holds no micrographs" if source.exists() else "does not exist"
        raise CryopickError(f"{source} {what}; name files, folders or globs of micrographs.")
    return found


def _in_folder(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    with reading(folder, "a folder"):
        return [path for path in folder.iterdir() if _is_micrograph(path)]


def _is_micrograph(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and suffix_of(path.name) in FORMATS


def _natural_order(path: Path) -> list[str | int]:
    """Sort key that puts 2 before 10."""
    parts = re.split(r"(\d+)", str(path))
    return [int(part) if part.isdecimal() else part for part in parts]
