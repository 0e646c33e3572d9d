"""Collect from the layers what a training learns from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image, Points
from napari.layers import Labels as LabelsLayer
from numpy.typing import NDArray

from ...errors import CryopickError
from ...labels import LabelClass, Labels
from ...picks import Picks, Source, Status, join_picks
from .classes import SAME_PX, marked_picks
from .curation import curated_picks, far_from, is_curated, picks_of
from .layers import frame, stack_of
from .sparse import SparseStack
from .stack import Stack, ensure_stack

_TABLES = ("positions", "scores", "sources", "statuses")


@dataclass(frozen=True)
class TrainingData:
    """Picks and painted labels by micrograph, and out of how many micrographs."""

    picks: dict[Path, Picks]
    labels: dict[Path, Labels]
    micrographs: int

    @property
    def labelled(self) -> int:
        """How many micrographs have picks or paint."""
        return len(self.picks.keys() | self.labels.keys())

    def count(self, status: Status) -> int:
        """Return how many picks of a status there are."""
        return sum(len(picks.with_status(status)) for picks in self.picks.values())

    @property
    def marked(self) -> int:
        """How many picks are there because their class is marked."""
        return sum(int((picks.sources == Source.CLASS).sum()) for picks in self.picks.values())


def training_data(
    image: Image, points: Points | None, labels: LabelsLayer | None, complete: bool
) -> TrainingData:
    """Collect what a person has labelled: clicks, loaded picks, deletions, classes and paint.

    A model's picks count only where every particle is said to be picked (`complete`), and there
    only on micrographs on which a person has worked.
    """
    stack = ensure_stack(image)
    for layer in (points, labels):
        if layer is not None and stack_of(layer) not in (None, stack):
            raise CryopickError(
                f"The layer {layer.name} belongs to other micrographs; choose one of "
                f"{image.name}, or none."
            )
    painted = {} if labels is None else labels_of(labels, image, stack)
    picks = {} if points is None else _by_slice(points, image)
    used = {}
    for index in picks.keys() & range(len(stack)):
        here, deleted = picks[index]
        by_person = here.sources != Source.MODEL
        if by_person.any() or len(deleted) or index in painted:
            kept = (here if complete else here[by_person]).with_status(Status.OK)
            columns: list[Any] = [
                np.concatenate([getattr(kept, name), getattr(deleted, name)]) for name in _TABLES
            ]
            used[index] = Picks(*columns)
    by_hand = {stack.paths[index]: table for index, table in used.items() if len(table)}
    marked = {} if points is None else marked_picks(points)
    joined = {path: _joined(by_hand.get(path, Picks.at([])), marked[path]) for path in marked}
    return TrainingData(
        by_hand | joined,
        {stack.paths[index]: classes for index, classes in painted.items()},
        len(stack),
    )


def _joined(by_hand: Picks, members: Picks) -> Picks:
    """Add members of marked classes; those that were deleted with their class are still its own."""
    junk = members.with_status(Status.DELETED).positions
    deleted = by_hand.statuses == Status.DELETED
    alone = far_from(junk, by_hand.positions, SAME_PX)
    return join_picks([by_hand[~deleted | alone], members])


def points_over(layer: Points, image: Image) -> NDArray[np.float64]:
    """Return a layer's points (n, 3) as (micrograph, y, x) in pixels of the image."""
    if layer.ndim < image.ndim and image.data.shape[0] > 1:
        raise CryopickError(
            f"The layer {layer.name} does not say which micrograph its points are on; "
            "make a new picks layer and click there."
        )
    (scale, translate), (own_scale, own_translate) = frame(image), frame(layer)
    points = np.column_stack([np.zeros((len(layer.data), 3 - layer.ndim)), layer.data])
    if np.array_equal(scale, own_scale) and np.array_equal(translate, own_translate):
        return points
    return np.asarray((points * own_scale + own_translate - translate) / scale)


def labels_of(layer: LabelsLayer, image: Image, stack: Stack) -> dict[int, Labels]:
    """Return what is painted, by slice, without the padding; slices without paint are left out."""
    factor = float(image.scale[-1] / layer.scale[-1])
    painted = painted_slices(layer)
    highest = max((classes.max() for classes in painted.values()), default=0)
    if highest > max(LabelClass):
        raise CryopickError(
            f"The layer {layer.name} holds the label {highest}; "
            "paint 1 for particles, 2 for background and 3 for contamination."
        )
    labels = {}
    for index, classes in sorted(painted.items()):
        height, width = (int(np.ceil(edge * factor - 1e-6)) for edge in stack.shapes[index])
        labels[index] = Labels(classes[:height, :width].astype(np.uint8), factor)
    return labels


def painted_slices(layer: LabelsLayer) -> dict[int, NDArray]:
    """Return the slices that hold any paint."""
    data = layer.data
    if isinstance(data, SparseStack):
        slices = data.written
    else:
        slices = dict(enumerate(np.asarray(data).reshape(-1, *data.shape[-2:])))
    return {index: classes for index, classes in slices.items() if classes.any()}


def _by_slice(points: Points, image: Image) -> dict[int, tuple[Picks, Picks]]:
    """Return the picks and the deleted picks of each slice that has any."""
    if is_curated(points):
        return curated_picks(points)
    found = picks_of(points_over(points, image), points.features)
    return {index: (picks, Picks.at([])) for index, picks in found.items()}
