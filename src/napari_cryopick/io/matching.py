"""Find out which micrograph a name in a coordinate file means."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, takewhile
from operator import eq
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError
from ..picks import Picks, PickSet
from .micrographs import stem

_Name = TypeVar("_Name", str, Path)
_SLICE = re.compile(r"^\d+@")
_CRYOSPARC_NUMBER = re.compile(r"^\d{15,}_")
_PROCESSING = re.compile(
    r"(_(patch|rigid|local|aligned|doseweighted|denoised|DW|noDW|autopick|manualpick)|\.frames)+$"
)


def match_picks(picks: PickSet, micrographs: Sequence[Path]) -> dict[Path, Picks]:
    """Give each micrograph its picks, by the longest common tail of their paths.

    File names must agree; only where they do not, they are compared without suffix, and then
    without cryoSPARC's number before and the marks of programs ("_DW", "_autopick") behind.

    Returns
    -------
    dict of Path to Picks
        Only the micrographs that have picks, in the order given.

    Raises
    ------
    CryopickError
        If a name fits two micrographs equally well or two names fit one, or if none fits any.
    """
    names, paths = list(picks.by_micrograph), list(micrographs)
    meant: dict[Path, str] = {}
    for key in (str, stem, _bare_stem):
        names_of, paths_of = _group(names, key), _group(paths, key)
        for namesakes in names_of.keys() & paths_of.keys():
            meant |= _pair(names_of.pop(namesakes), paths_of.pop(namesakes))
        names, paths = [*chain(*names_of.values())], [*chain(*paths_of.values())]
    if names and paths and not meant:
        raise CryopickError(
            f'The picks belong to other micrographs: theirs are named like "{names[0]}", '
            f'those given like "{paths[0]}".'
        )
    return {path: picks.by_micrograph[meant[path]] for path in micrographs if path in meant}


def _pair(names: Sequence[str], paths: Sequence[Path]) -> dict[Path, str]:
    """Pair namesakes, each with the one that it shares most folders with."""
    common = np.array([[_common_folders(name, path) for path in paths] for name in names])
    nearest_path = common == common.max(axis=1, keepdims=True)
    nearest_name = common == common.max(axis=0, keepdims=True)
    unique = (nearest_path.sum(axis=1, keepdims=True) == 1) & (nearest_name.sum(axis=0) == 1)
    pairs = nearest_path & nearest_name & unique
    _require_no_tie(names, paths, nearest_path, pairs)
    _require_no_tie(paths, names, nearest_name.T, pairs.T)
    return {paths[j]: names[i] for i, j in np.argwhere(pairs)}


def _require_no_tie(
    ones: Sequence[str | Path], others: Sequence[str | Path], nearest: NDArray, pairs: NDArray
) -> None:
    """Raise an error if one of the unpaired is as near to two others that are unpaired too."""
    for one, row, pair in zip(ones, nearest, pairs, strict=True):
        if row.sum() > 1 and not pair.any() and not pairs[:, row].any():
            first, second = (others[j] for j in np.flatnonzero(row)[:2])
            raise CryopickError(
                f'"{one}" may mean "{first}" or "{second}"; '
                "keep them in folders that the names include, or use one at a time."
            )


def _common_folders(name: str, path: Path) -> int:
    """Return how many folders agree, from the file up."""
    above = [part for part in _parts(name)[-2::-1] if part not in ("", ".")]
    return sum(takewhile(bool, map(eq, above, path.absolute().parts[-2::-1])))


def _group(names: Iterable[_Name], key: Callable[[str], str]) -> dict[str, list[_Name]]:
    groups = defaultdict(list)
    for name in names:
        groups[key(_parts(str(name))[-1])].append(name)
    return groups


def _parts(name: str) -> list[str]:
    return re.split(r"[/\\]", _SLICE.sub("", name))


def _bare_stem(name: str) -> str:
    return _PROCESSING.sub("", _CRYOSPARC_NUMBER.sub("", stem(name)))
