"""CTF values of micrographs, from the list that RELION's CTF estimation leaves."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import CryopickError
from ..picks import PickSet
from .files import reading
from .matching import match_names
from .star_blocks import read_blocks

if TYPE_CHECKING:
    from pandas import DataFrame

_NAME, _DEFOCUS = "rlnMicrographName", "rlnDefocusU"
_VALUES = (
    *(_DEFOCUS, "rlnDefocusV", "rlnDefocusAngle", "rlnPhaseShift", "rlnCtfBfactor"),
    *("rlnCtfScalefactor", "rlnCtfMaxResolution", "rlnCtfFigureOfMerit", "rlnOpticsGroup"),
)


def with_ctf(picks: PickSet, lists: Iterable[Path]) -> PickSet:
    """Return picks with the CTF values and optics that lists of micrographs hold, if one does.

    Micrographs then have their names in the list, which are relative to the project's folder.

    Raises
    ------
    CryopickError
        If several lists hold such values: their optics groups have the same numbers.
    """
    found = {path: tables for path in lists if (tables := _read(path))}
    if len(found) > 1:
        first, second, *_ = found
        raise CryopickError(
            f"Both {first} and {second} hold CTF values; join them in RELION, or give one."
        )
    return _joined(picks, *next(iter(found.values()))) if found else picks


def _read(path: Path) -> tuple[DataFrame, DataFrame | None] | None:
    """Return micrographs with CTF values and their optics, if a list holds them."""
    with reading(path, "a list of micrographs"):
        blocks = read_blocks(path)
    optics = next((table for name, table in blocks if name == "optics"), None)
    tables = (table for _, table in blocks if {_NAME, _DEFOCUS} <= {*table})
    return next(((table, optics) for table in tables), None)


def _joined(picks: PickSet, table: DataFrame, optics: DataFrame | None) -> PickSet:
    table = table.drop_duplicates(_NAME).set_index(_NAME)
    paths = {Path(name): name for name in table.index}
    labels = [label for label in _VALUES if label in table]
    listed: dict[str, str] = {}
    with suppress(CryopickError):  # it is raised again where picks and micrographs are paired
        meant = match_names([*picks.by_micrograph], [*paths])
        listed = {picked: paths[path] for path, picked in meant.items()}
    named = {}
    for name, one in picks.by_micrograph.items():
        if (row := listed.get(name)) is not None:
            columns = {label: np.full(len(one), table.loc[row, label]) for label in labels}
            one = replace(one, extra={**one.extra, **columns})
        named[row or name] = one
    groups = {} if optics is None else {str(name): optics[name].to_numpy() for name in optics}
    return replace(picks, by_micrograph=named, optics=groups or picks.optics)
