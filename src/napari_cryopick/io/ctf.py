"""CTF values of micrographs, from the list that RELION's CTF estimation leaves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..picks import PickSet
from .files import reading
from .matching import match_names
from .star_blocks import read_blocks

_NAME, _DEFOCUS = "rlnMicrographName", "rlnDefocusU"
_VALUES = (
    *(_DEFOCUS, "rlnDefocusV", "rlnDefocusAngle", "rlnPhaseShift", "rlnCtfBfactor"),
    *("rlnCtfScalefactor", "rlnCtfMaxResolution", "rlnCtfFigureOfMerit", "rlnOpticsGroup"),
)


def with_ctf(picks: PickSet, path: Path) -> PickSet:
    """Return picks with the CTF values and optics that a list of micrographs holds, if it does.

    Micrographs then have their names in the list, which are relative to the project's folder.
    """
    with reading(path, "a list of micrographs"):
        blocks = read_blocks(path)
    table = next((table for _, table in blocks if {_NAME, _DEFOCUS} <= {*table}), None)
    if table is None:
        return picks
    table = table.drop_duplicates(_NAME).set_index(_NAME)
    paths = {Path(name): name for name in table.index}
    labels = [label for label in _VALUES if label in table]
    meant = match_names([*picks.by_micrograph], [*paths])
    listed = {picked: paths[path] for path, picked in meant.items()}
    named = {}
    for name, one in picks.by_micrograph.items():
        if (row := listed.get(name)) is not None:
            columns = {label: np.full(len(one), table.loc[row, label]) for label in labels}
            one = replace(one, extra={**one.extra, **columns})
        named[row or name] = one
    optics = next((table for name, table in blocks if name == "optics"), None)
    groups = {} if optics is None else {str(name): optics[name].to_numpy() for name in optics}
    return replace(picks, by_micrograph=named, optics=groups or picks.optics)
