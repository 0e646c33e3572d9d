"""Show what an iteration picks that the one before did not, and the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Points
from napari.utils.colormaps.standardize_color import transform_color
from numpy.typing import NDArray

from ...io import match_picks
from ...metrics.matching import changes
from ...picks import Picks, Source
from ...runs.read import RunIteration
from .create import insert, over
from .layers import DIFFERENCES, diameter_px, find_layer
from .stack import Stack

CHANGE_COLOURS = {"gained": "#3d6bff", "lost": "#ff4040"}
SYMBOLS = {"gained": "disc", "lost": "x"}
_FACES = {"gained": "transparent", "lost": CHANGE_COLOURS["lost"]}
_DIAMETERS = {"gained": 1.25, "lost": 0.4}
"""Gained picks get a ring around their circle, lost ones a cross within it."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What an iteration has found, by slice, and (n, 3) points gained and lost since another."""

    iteration: RunIteration
    before: RunIteration | None
    picks: Mapping[int, Picks]
    gained: NDArray[np.float64]
    lost: NDArray[np.float64]


def read_outcome(
    iteration: RunIteration, before: RunIteration | None, stack: Stack, diameter_px: float
) -> Outcome:
    """Read what an iteration has found, and compare it."""
    picks = _picks(iteration, stack)
    earlier = picks if before is None else _picks(before, stack)
    gained, lost = [np.empty((0, 3))], [np.empty((0, 3))]
    for change in changes(earlier, picks, diameter_px):
        index = stack.index(Path(change.micrograph))
        gained.append(np.insert(change.gained, 0, index, axis=1))
        lost.append(np.insert(change.lost, 0, index, axis=1))
    by_slice = {stack.index(Path(name)): table for name, table in picks.items()}
    return Outcome(iteration, before, by_slice, np.concatenate(gained), np.concatenate(lost))


def show_differences(viewer: ViewerModel, image: Image, outcome: Outcome) -> None:
    """Put what was gained and lost into a layer above all others, made if need be."""
    layer = find_layer(viewer.layers, image, DIFFERENCES)
    if layer is None and outcome.before is None:
        return
    if layer is None:
        attributes = over(image, DIFFERENCES) | {"name": f"{image.name} gained / lost"}
        layer = insert(viewer, Points(ndim=3, border_width=0.045, **attributes))
    kinds = ["gained"] * len(outcome.gained) + ["lost"] * len(outcome.lost)
    layer.selected_data = set()
    layer.data = np.concatenate([outcome.gained, outcome.lost])
    layer.editable = False
    layer.features = {"change": kinds}
    if kinds:
        layer.size = [_DIAMETERS[kind] * diameter_px(image) for kind in kinds]
        layer.symbol = [SYMBOLS[kind] for kind in kinds]
        layer.border_color = transform_color([CHANGE_COLOURS[kind] for kind in kinds])
        layer.face_color = transform_color([_FACES[kind] for kind in kinds])


def _picks(iteration: RunIteration, stack: Stack) -> dict[str, Picks]:
    """Return the picks of each micrograph that it has looked at, as a model's."""
    known = set(iteration.micrographs) or set(map(str, stack.paths))
    found = {path: Picks.at([]) for path in stack.paths if str(path) in known}
    found |= match_picks(iteration.picks(), stack.paths)
    return {
        str(path): Picks.at(picks.positions, np.nan_to_num(picks.scores, nan=1.0), Source.MODEL)
        for path, picks in found.items()
    }
