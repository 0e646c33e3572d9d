"""Telling which micrograph a name in a coordinate file means."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TypeVar

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
        shared = names_of.keys() & paths_of.keys()
        for namesakes in shared:
            meant |= _pair(names_of[namesakes], paths_of[namesakes])
        names = [name for name in names if key(_file_name(name)) not in shared]
        paths = [path for path in paths if key(_file_name(path)) not in shared]
    if names and paths and not meant:
        raise CryopickError(
            f'The picks belong to other micrographs: theirs are named like "{names[0]}", '
            f'those given like "{paths[0]}".'
        )
    return {path: picks.by_micrograph[meant[path]] for path in micrographs if path in meant}


def _pair(names: Sequence[str], paths: Sequence[Path]) -> dict[Path, str]:
    """Pair namesakes, each with the one that it shares most folders with."""
    nearest_paths = {name: _nearest(name, paths) for name in names}
    nearest_names = {path: _nearest(path, names) for path in paths}
    pairs = {
        nearest[0]: name
        for name, nearest in nearest_paths.items()
        if len(nearest) == 1 and nearest_names[nearest[0]] == [name]
    }
    settled = {*pairs, *pairs.values()}
    ties: list[tuple[str | Path, list[str] | list[Path]]]
    ties = [*nearest_paths.items(), *nearest_names.items()]
    for one, nearest in ties:
        if len(nearest) > 1 and settled.isdisjoint([one, *nearest]):
            raise CryopickError(
                f'"{one}" may mean "{nearest[0]}" or "{nearest[1]}"; '
                "keep them in folders that the names tell, or use one at a time."
            )
    return pairs


def _nearest(one: str | Path, others: Sequence[_Name]) -> list[_Name]:
    """Those of the others that have most folders in common with this one, from the file up."""
    common = [_common_folders(one, other) for other in others]
    return [other for other, n in zip(others, common, strict=True) if n == max(common)]


def _common_folders(one: str | Path, other: str | Path) -> int:
    pairs = zip(_folders_upwards(one), _folders_upwards(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _folders_upwards(name: str | Path) -> list[str]:
    if isinstance(name, Path):
        name = str(name.absolute())
    return [part for part in _parts(name)[-2::-1] if part not in ("", ".")]


def _group(names: Iterable[_Name], key: Callable[[str], str]) -> dict[str, list[_Name]]:
    groups = defaultdict(list)
    for name in names:
        groups[key(_file_name(name))].append(name)
    return groups


def _file_name(name: str | Path) -> str:
    return _parts(str(name))[-1]


def _parts(name: str) -> list[str]:
    return re.split(r"[/\\]", _SLICE.sub("", name))


def _bare_stem(name: str) -> str:
    return _PROCESSING.sub("", _CRYOSPARC_NUMBER.sub("", stem(name)))
