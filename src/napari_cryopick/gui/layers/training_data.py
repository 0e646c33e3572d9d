"""Collect from the layers what a training learns from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image, Points
from napari.layers import Labels as LabelsLayer

from ...labels import Labels
from ...picks import Picks, Source, Status
from .convert import labels_of, picks_of, points_over
from .curation import curated_picks, is_curated
from .stack import ensure_stack

_COLUMNS = ("positions", "scores", "sources", "statuses")


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


def training_data(
    image: Image, points: Points | None, labels: LabelsLayer | None, complete: bool
) -> TrainingData:
    """Collect what a person has labelled: clicks, loaded picks, deletions and paint.

    A model's picks count only where every particle is said to be picked (`complete`), and there
    only on micrographs on which a person has worked.
    """
    stack = ensure_stack(image)
    painted = {} if labels is None else labels_of(labels, image, stack)
    picks = {} if points is None else _by_slice(points, image, len(stack))
    used = {}
    for index, (here, deleted) in picks.items():
        by_person = here.sources != Source.MODEL
        if by_person.any() or len(deleted) or index in painted:
            kept = (here if complete else here[by_person]).with_status(Status.OK)
            columns: list[Any] = [
                np.concatenate([getattr(kept, name), getattr(deleted, name)]) for name in _COLUMNS
            ]
            used[index] = Picks(*columns)
    return TrainingData(
        {stack.paths[index]: table for index, table in used.items() if len(table)},
        {stack.paths[index]: classes for index, classes in painted.items()},
        len(stack),
    )


def _by_slice(points: Points, image: Image, count: int) -> dict[int, tuple[Picks, Picks]]:
    """Return the picks shown and the picks deleted."""
    if is_curated(points):
        return {index: curated_picks(points, index) for index in range(count)}
    places, nothing = points_over(points, image), Picks.at([])
    features = points.features
    return {index: (picks_of(places, features, index), nothing) for index in range(count)}
