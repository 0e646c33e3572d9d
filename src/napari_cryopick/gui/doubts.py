"""Where a person's word is worth most: disagreement first, then a model's least certain picks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ..evaluation.matching import match
from ..picks import Picks, Source, Status

_MOST_UNSURE = 50


class Why(StrEnum):
    """What is doubtful about a place."""

    FOUND_AGAIN = "You deleted this pick; the model finds it again"
    NOT_FOUND = "You picked this; the model does not find it"
    UNSURE = "The model is least sure of picks like this one"


@dataclass(frozen=True)
class Doubt:
    """A place on a micrograph to look at, with the model's score there if it has one."""

    index: int
    position: tuple[float, float]
    why: Why
    score: float

    @property
    def sentence(self) -> str:
        score = f" (score {self.score:.2f})" if np.isfinite(self.score) else ""
        return f"{self.why}{score}."


def doubts(
    found: Mapping[int, Picks], taught: Mapping[int, Picks], threshold: float, radius_px: float
) -> list[Doubt]:
    """Places to look at, the most telling first.

    Parameters
    ----------
    found
        What a model has found on every micrograph, at or above its `threshold`.
    taught
        A person's picks on the micrographs that have any; deleted ones among them.
    radius_px
        Within how many pixels two picks are the same.
    """
    nothing = Picks.at([])
    pairs = [(index, found.get(index, nothing), picks) for index, picks in taught.items()]
    again = [doubt for args in pairs for doubt in _found_again(*args, radius_px)]
    missed = [doubt for args in pairs for doubt in _not_found(*args, radius_px)]
    unsure = [
        doubt
        for index, picks in found.items()
        if index not in taught
        for doubt in _all(index, _least_sure(picks, threshold), Why.UNSURE)
    ]
    again.sort(key=lambda doubt: -doubt.score)
    unsure.sort(key=lambda doubt: abs(doubt.score - threshold))
    return again + missed + unsure[:_MOST_UNSURE]


def _least_sure(picks: Picks, threshold: float) -> Picks:
    return picks[np.argsort(np.abs(picks.scores - threshold))[:_MOST_UNSURE]]


def _found_again(index: int, found: Picks, taught: Picks, radius_px: float) -> Iterator[Doubt]:
    deleted = taught.with_status(Status.DELETED)
    pairs = match(found.positions, deleted.positions, radius_px)
    scores = found.scores[pairs.found]
    return _all(index, deleted[pairs.truth], Why.FOUND_AGAIN, scores)


def _not_found(index: int, found: Picks, taught: Picks, radius_px: float) -> Iterator[Doubt]:
    person = taught[(taught.statuses != Status.DELETED) & (taught.sources != Source.MODEL)]
    missed = np.ones(len(person), bool)
    missed[match(found.positions, person.positions, radius_px).truth] = False
    return _all(index, person[missed], Why.NOT_FOUND, np.full(missed.sum(), np.nan))


def _all(index: int, picks: Picks, why: Why, scores: NDArray | None = None) -> Iterator[Doubt]:
    scores = picks.scores if scores is None else scores
    for (y, x), score in zip(picks.positions.tolist(), scores.tolist(), strict=True):
        yield Doubt(index, (y, x), why, score)
