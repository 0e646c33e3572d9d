"""Which picks a person should look at next: active learning from disagreement and uncertainty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from ..metrics.matching import match
from ..picks import Picks, Source, Status

_MOST_UNSURE = 50
"""About as many places as a person looks at in one go."""


class Reason(Enum):
    """Why a person should look at a pick."""

    REJECTED_BUT_FOUND = auto()
    PLACED_BUT_NOT_FOUND = auto()
    UNSURE = auto()


@dataclass(frozen=True)
class UncertainPick:
    """A position (y, x) in px on the micrograph `index`, with the model's score, or NaN."""

    index: int
    position: tuple[float, float]
    reason: Reason
    score: float


def uncertain_picks(
    found: Mapping[int, Picks], labelled: Mapping[int, Picks], threshold: float, radius_px: float
) -> list[UncertainPick]:
    """Return the picks that a person should look at, the most telling first.

    Where a person has labelled, these are contradictions between person and model; on the other
    micrographs, the picks whose scores are closest to the threshold.

    `found` is what a model has picked on every micrograph, at or above its `threshold`; `labelled`
    are a person's picks on some, deleted ones too. Two picks within `radius_px` are the same.
    """
    nothing = Picks.at([])
    pairs = [(index, found.get(index, nothing), picks) for index, picks in labelled.items()]
    rejected = [pick for pair in pairs for pick in _rejected_but_found(*pair, radius_px)]
    missed = [pick for pair in pairs for pick in _placed_but_not_found(*pair, radius_px)]
    unsure = [
        pick
        for index, picks in found.items()
        if index not in labelled
        for pick in _all(index, picks, Reason.UNSURE, picks.scores)
    ]
    rejected.sort(key=lambda pick: -pick.score)
    unsure.sort(key=lambda pick: abs(pick.score - threshold))
    return rejected + missed + unsure[:_MOST_UNSURE]


def _rejected_but_found(
    index: int, found: Picks, labelled: Picks, radius_px: float
) -> Iterator[UncertainPick]:
    deleted = labelled.with_status(Status.DELETED)
    pairs = match(found.positions, deleted.positions, radius_px)
    rejected, scores = deleted[pairs.truth], found.scores[pairs.found]
    return _all(index, rejected, Reason.REJECTED_BUT_FOUND, scores)


def _placed_but_not_found(
    index: int, found: Picks, labelled: Picks, radius_px: float
) -> Iterator[UncertainPick]:
    placed = labelled[(labelled.statuses != Status.DELETED) & (labelled.sources != Source.MODEL)]
    missed = np.ones(len(placed), bool)
    missed[match(found.positions, placed.positions, radius_px).truth] = False
    scores = np.full(missed.sum(), np.nan)
    return _all(index, placed[missed], Reason.PLACED_BUT_NOT_FOUND, scores)


def _all(index: int, picks: Picks, reason: Reason, scores: NDArray) -> Iterator[UncertainPick]:
    for (y, x), score in zip(picks.positions.tolist(), scores.tolist(), strict=True):
        yield UncertainPick(index, (y, x), reason, score)
