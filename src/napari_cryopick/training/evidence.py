"""What a few clicks say of models that were trained without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..evaluation.matching import match
from ..picks import Status
from .examples import Example
from .holdout import HeldOut
from .judging import Judgement
from .pseudo_labels import View

FOLDS = 2
FEWEST_CLICKS = 6
OTHERS = 4
"""Micrographs without labels that take part in judging, at the most."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Where clicks rank among all peaks of models that have not seen them.

    Where labels are incomplete nobody knows which of the other peaks are false. With a number of
    particles, from elsewhere, recall among the clicks is enough for precision and F1 (after Lee
    and Liu 2003, ICML): a share `recall` of `expected` particles is found in so many picks.

    Attributes
    ----------
    ranks
        (n,) how many peaks score at least as high as the one at each click; inf without one.
    kept
        How many picks the model that is judged makes on the same micrographs.
    expected
        How many particles it expects there.
    """

    ranks: NDArray[np.float64]
    kept: int
    expected: float

    @property
    def recall(self) -> float:
        """Share of the clicks that are found."""
        return self.recall_at(self.kept)

    def recall_at(self, rank: float) -> float:
        """The same if so many picks were kept."""
        return float((self.ranks <= rank).mean())

    def precision_at(self, rank: float, expected: float) -> float:
        """Share of so many picks that are particles."""
        return min(1.0, expected * self.recall_at(rank) / rank) if rank else 0.0

    def f1(self, expected: float) -> float:
        """Harmonic mean of precision and recall."""
        found = min(expected * self.recall, self.kept)
        return 2 * found / max(self.kept + expected, 1e-9)

    def average_precision(self, expected: float) -> float:
        """Mean precision at the ranks of the clicks; 0 at those that were missed."""
        found = self.ranks[np.isfinite(self.ranks)]
        return sum(self.precision_at(rank, expected) for rank in found) / len(self.ranks)

    def informed(self, judgement: Judgement) -> Judgement:
        """A judgement with the figures that the clicks give."""
        return replace(
            judgement,
            f1=self.f1(self.expected),
            precision=self.precision_at(self.kept, self.expected),
            recall=self.recall,
            average_precision=self.average_precision(self.expected),
        )


def fold(examples: Sequence[Example], rng: np.random.Generator) -> list[list[Example]]:
    """Two sets of the same micrographs, each holding the other's clicks out.

    Empty where there are too few clicks to learn something from either half.
    """
    labelled = [e for e in examples if e.picks is not None]
    others = [e for e in examples if e.picks is None][:OTHERS]
    statuses = [e.picks.statuses for e in labelled if e.picks is not None]
    judging = np.concatenate(statuses) != Status.DELETED
    if judging.sum() < FEWEST_CLICKS:
        return []
    side = np.full(len(judging), -1)
    side[judging] = rng.permutation(judging.sum()) % FOLDS
    parts = np.split(side, np.cumsum([len(each) for each in statuses])[:-1])
    return [
        [
            *(
                replace(e, held_out=HeldOut(part == number))
                for e, part in zip(labelled, parts, strict=True)
            ),
            *others,
        ]
        for number in range(FOLDS)
    ]


def gather(folds: Sequence[Sequence[View]], judgement: Judgement) -> Evidence:
    """The evidence of models that look at the micrographs of their fold, on the one judged."""
    paths = [view.example.path for view in folds[0]]
    return Evidence(
        np.concatenate([_ranks(views) for views in folds]),
        sum(len(judgement.kept[path].with_status(Status.OK)) for path in paths),
        sum(map(judgement.expected, paths)),
    )


def _ranks(views: Sequence[View]) -> NDArray[np.float64]:
    """Of the held-out clicks of some micrographs among all peaks there."""
    clicks = np.concatenate([_at_clicks(view) for view in views])
    peaks = np.sort(np.concatenate([view.scores for view in views]))
    above = len(peaks) - np.searchsorted(peaks, clicks)
    return np.where(clicks > 0, np.maximum(above, 1), np.inf)


def _at_clicks(view: View) -> NDArray[np.float64]:
    """Scores of the peaks at the held-out clicks of a micrograph; 0 where there is none."""
    example = view.example
    if example.picks is None:
        return np.empty(0)
    held_out = example.held_out_positions
    peaks = view.peaks
    pairs = match(peaks.positions, held_out, example.diameter_px / 2, peaks.scores)
    scores = np.zeros(len(held_out))
    scores[pairs.truth] = peaks.scores[pairs.found]
    return scores
