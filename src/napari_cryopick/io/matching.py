"""Find out which micrograph a name in a coordinate file means."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain, takewhile
from operator import eq
from pathlib import Path
from typing import TypeVar
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError
from ..picks import Picks, PickSet
from .micrographs import stem

_Name = TypeVar("_Name", str, Path)
_SLICE = re.compile(r"^\d+@")
_CRYOSPARC_NUMBER = re.compile(r"^\d{15,}_")
_MOVIE = re.compile(r"\.eer$", re.IGNORECASE)
_ENDINGS = (
    *("_patch", "_rigid", "_local", "_aligned", "_mic", "_doseweighted", "_DW", "_noDW"),
    *("_denoised", "_background_subtracted", "_EER", "_Fractions", "_frames", ".frames"),
    *("_autopick", "_manualpick", "_automatch", "_topazpicks", "_extract"),
)
"""What programs put behind the name of a micrograph, or of its picks, in any case."""


def match_picks(
    picks: PickSet, micrographs: Sequence[Path], endings: Iterable[str] = ()
) -> dict[Path, Picks]:
    """Give each micrograph its picks, by the longest common tail of their paths.

    File names must agree; only where they do not, they are compared without suffix, and then
    without cryoSPARC's number before and the endings of programs ("_DW", "_autopick") behind.

    Parameters
    ----------
    picks
        Picks by the names of micrographs.
    micrographs
        The files that they may mean.
    endings
        Further endings that one side may have and the other not, such as "_flattened".

    Returns
    -------
    dict of Path to Picks
        Only the micrographs that have picks, in the order given.

    Raises
    ------
    CryopickError
        If a name fits two micrographs equally well or two names fit one, or if none fits any.
    """
    meant = match_names(list(picks.by_micrograph), micrographs, endings)
    return {path: picks.by_micrograph[meant[path]] for path in micrographs if path in meant}


def unmatched(picks: PickSet, matched: Mapping[Path, Picks]) -> dict[str, int]:
    """Return the names of picks that belong to none of the micrographs, and how many they are."""
    used = set(map(id, matched.values()))
    others = {name: len(one) for name, one in picks.by_micrograph.items() if id(one) not in used}
    return {name: count for name, count in others.items() if count}


def left_out(picks: PickSet, matched: Mapping[Path, Picks]) -> str:
    """Return a sentence on the picks that belong to none of the micrographs; "" if all do."""
    others = unmatched(picks, matched)
    if not others:
        return ""
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    return (
        f"{sum(others.values()):,} of {len(picks):,} picks are left out, as they belong to other "
        f"micrographs: {next(iter(others))}{more}."
    )


def match_names(
    picked: Sequence[str], micrographs: Sequence[Path], endings: Iterable[str] = ()
) -> dict[Path, str]:
    """Return which name each micrograph has among those of picks, as `match_picks` does."""
    names, paths = list(picked), list(micrographs)
    behind = "|".join(map(re.escape, (*_ENDINGS, *endings)))
    bare = partial(_bare_stem, re.compile(f"({behind})+$", re.IGNORECASE))
    meant: dict[Path, str] = {}
    for key in (str, _composed, _stem, bare):
        names_of, paths_of = _group(names, key), _group(paths, key)
        for namesakes in names_of.keys() & paths_of.keys():
            meant |= _pair(names_of.pop(namesakes), paths_of.pop(namesakes))
        names, paths = [*chain(*names_of.values())], [*chain(*paths_of.values())]
    if names and paths and not meant:
        raise CryopickError(
            f'The picks belong to other micrographs: theirs are named like "{names[0]}", '
            f'those given like "{paths[0]}".'
        )
    return meant


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
    above = [part for part in _parts(_composed(name))[-2::-1] if part not in ("", ".")]
    folders = map(_composed, path.absolute().parts[-2::-1])
    return sum(takewhile(bool, map(eq, above, folders)))


def _group(names: Iterable[_Name], key: Callable[[str], str]) -> dict[str, list[_Name]]:
    groups = defaultdict(list)
    for name in names:
        groups[key(_parts(str(name))[-1])].append(name)
    return groups


def _parts(name: str) -> list[str]:
    return re.split(r"[/\\]", _SLICE.sub("", name))


def _composed(name: str) -> str:
    """Return a name with one code point for a letter with its accent: file systems differ."""
    return normalize("NFC", name)


def _stem(name: str) -> str:
    return _MOVIE.sub("", stem(_composed(name)))


def _bare_stem(endings: re.Pattern[str], name: str) -> str:
    return endings.sub("", _CRYOSPARC_NUMBER.sub("", _stem(name)))
