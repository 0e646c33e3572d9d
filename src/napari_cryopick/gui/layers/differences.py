"""What an iteration picks that the one before did not, and the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Image, Points
from napari.utils.colormaps.standardize_color import transform_color
from numpy.typing import NDArray

from ...io import match_picks
from ...metrics.matching import compare
from ...picks import Picks, Source
from ...runs.read import RunIteration
from .layers import AXES, DIFFERENCES, find_layer, frame, metadata, units_like
from .results import insert
from .scratch import adopt
from .stack import Stack

GAINED, LOST = "gained", "lost"
COLOURS = {GAINED: "#3d6bff", LOST: "#ff4040"}
SYMBOLS = {GAINED: "disc", LOST: "x"}
_SIZES = {GAINED: 1.25, LOST: 0.4}


@dataclass(frozen=True, eq=False)
class Outcome:
    """What an iteration has found, by slice, and its difference to the iteration before.

    Attributes
    ----------
    gained, lost
        (n, 3) and (m, 3) points (micrograph, y, x).
    """

    judged: RunIteration
    before: RunIteration | None
    picks: Mapping[int, Picks]
    gained: NDArray[np.float64]
    lost: NDArray[np.float64]


def read_outcome(
    judged: RunIteration, before: RunIteration | None, stack: Stack, diameter_px: float
) -> Outcome:
    """Read what an iteration has found, and compare it.

    Raises
    ------
    CryopickError
        If its picks are missing, broken or of other micrographs.
    """
    picks = _picks(judged, stack)
    earlier = picks if before is None else _picks(before, stack)
    gained, lost = changes(picks, earlier, diameter_px / 2)
    return Outcome(judged, before, picks, gained, lost)


def changes(
    now: Mapping[int, Picks], before: Mapping[int, Picks], radius_px: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points gained and lost; what moved by at most `radius_px` is the same pick."""
    gained, lost = [np.empty((0, 3))], [np.empty((0, 3))]
    nothing = Picks.at([])
    for index in sorted(now.keys() | before.keys()):
        was, became = before.get(index, nothing), now.get(index, nothing)
        _, new, gone = compare(was.positions, became.positions, radius_px)
        gained.append(_points(index, new))
        lost.append(_points(index, gone))
    return np.concatenate(gained), np.concatenate(lost)


def show_differences(viewer: Any, image: Image, outcome: Outcome, diameter_px: float) -> None:
    """Put what was gained and lost into a layer below the picks, made if need be."""
    stack = adopt(image)
    layer = find_layer(viewer.layers, stack, DIFFERENCES)
    if layer is None:
        if outcome.before is None:
            return
        layer = insert(viewer, len(viewer.layers), _layer(image, stack))
    _fill(layer, {GAINED: outcome.gained, LOST: outcome.lost}, diameter_px)


def _fill(layer: Points, changed: Mapping[str, NDArray], diameter_px: float) -> None:
    kinds = np.repeat(list(changed), [len(points) for points in changed.values()])
    layer.selected_data = set()
    layer.data = np.concatenate(list(changed.values()))
    layer.editable = False
    layer.features = {"change": kinds}
    if len(kinds):
        gained = kinds == GAINED
        layer.size = np.where(gained, _SIZES[GAINED], _SIZES[LOST]) * diameter_px
        layer.symbol = np.where(gained, SYMBOLS[GAINED], SYMBOLS[LOST])
        blue, red, nothing = transform_color([COLOURS[GAINED], COLOURS[LOST], "transparent"])
        layer.border_color = np.where(gained[:, None], blue, red)
        layer.face_color = np.where(gained[:, None], nothing, red)


def _layer(image: Image, stack: Stack) -> Points:
    scale, translate = frame(image)
    return Points(
        ndim=3,
        name=f"{image.name} gained / lost",
        border_width=0.045,
        scale=scale,
        translate=translate,
        units=units_like(image),
        axis_labels=AXES,
        metadata=metadata(stack, DIFFERENCES),
    )


def _picks(judged: RunIteration, stack: Stack) -> dict[int, Picks]:
    """The picks of each slice that it has looked at, as a model's."""
    known = set(judged.micrographs) or set(map(str, stack.paths))
    found = {path: Picks.at([]) for path in stack.paths if str(path) in known}
    found |= match_picks(judged.picks(), stack.paths)
    return {
        stack.index(path): Picks.at(
            picks.positions, np.nan_to_num(picks.scores, nan=1.0), Source.MODEL
        )
        for path, picks in found.items()
    }


def _points(index: int, positions: NDArray) -> NDArray[np.float64]:
    return np.column_stack([np.full(len(positions), float(index)), positions])
