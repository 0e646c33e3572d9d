"""What a few clicks say of models that were trained without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ..metrics.matching import match
from ..picks import Picks, Status
from .examples import Example
from .holdout import HeldOut
from .judging import Judgement, scores_at
from .pseudo_labels import View

FOLDS = 2
FEWEST_CLICKS = 6
BREADTH = 0.25
"""Within what range of ranks, in natural logarithms, a click counts by degrees."""

OTHERS = 4
"""Micrographs without labels that take part in judging, at the most."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What two models say of a third, each trained on one half of the clicks.

    Where labels are incomplete nobody knows which picks are false. With a number of particles, from
    elsewhere, recall among the clicks is enough for precision and F1 (after Lee and Liu 2003,
    ICML): a share `recall` of `expected` particles is found in so many picks. Clicks are few, so
    that each counts by degrees around its rank. Models that learnt from different clicks agree as
    far as both are right, or err alike; this is known far better than any rate of a few clicks.

    Attributes
    ----------
    ranks
        (n,) how many peaks score at least as high as the one at each click, given by the model
        that has not seen it; inf where there is none.
    kept
        How many picks the model that is judged makes on the same micrographs.
    expected
        How many particles it expects there.
    peaks
        What each of the two models finds on each of the micrographs.
    diameter_px
        Of a particle, in pixels of the micrographs.
    """

    ranks: NDArray[np.float64]
    kept: int
    expected: float
    peaks: Sequence[Sequence[Picks]] = ()
    diameter_px: float = 1.0

    @property
    def found(self) -> NDArray[np.float64]:
        """(n,) how surely each click is among the picks, from 0 to 1."""
        return self._found_at(self.kept)

    @property
    def clicks(self) -> int:
        """How many there are."""
        return len(self.ranks)

    @property
    def recall(self) -> float:
        """Share of the clicks that are found."""
        return float(self.found.mean())

    def precision_at(self, rank: float, expected: float) -> float:
        """Share of so many picks that are particles."""
        return min(1.0, expected * float(self._found_at(rank).mean()) / rank) if rank else 0.0

    def f1(self, expected: float) -> float:
        """Harmonic mean of precision and recall."""
        found = min(expected * self.recall, self.kept)
        return 2 * found / max(self.kept + expected, 1e-9)

    def average_precision(self, expected: float) -> float:
        """Mean precision at the ranks of the clicks; 0 at those that were missed."""
        found = self.ranks[np.isfinite(self.ranks)]
        return sum(self.precision_at(rank, expected) for rank in found) / len(self.ranks)

    def agreement(self, kept: float) -> float:
        """F1 between so many picks of the one model and of the other."""
        lowest = [_lowest(tables, kept) for tables in self.peaks]
        matched = picked = 0
        for pair in zip(*self.peaks, strict=True):
            one, other = (t.positions[t.scores >= s] for t, s in zip(pair, lowest, strict=True))
            matched += len(match(one, other, self.diameter_px / 2))
            picked += len(one) + len(other)
        return 2 * matched / picked if picked else 0.0

    def informed(self, judgement: Judgement) -> Judgement:
        """A judgement with the figures that the clicks give."""
        return replace(
            judgement,
            f1=self.f1(self.expected),
            precision=self.precision_at(self.kept, self.expected),
            recall=self.recall,
            average_precision=self.average_precision(self.expected),
        )

    def _found_at(self, rank: float) -> NDArray[np.float64]:
        if not rank:
            return np.zeros(len(self.ranks))
        found: NDArray[np.float64] = ndtr((np.log(rank) - np.log(self.ranks)) / BREADTH)
        return found


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
    examples = [view.example for view in folds[0]]
    kept = sum(len(judgement.kept[e.path].with_status(Status.OK)) for e in examples)
    expected = sum(judgement.expected(e.path) for e in examples)
    ranks = np.concatenate([_ranks(views) for views in folds])
    peaks = [[view.peaks.with_status(Status.OK) for view in views] for views in folds]
    return Evidence(ranks, kept, expected, peaks, examples[0].diameter_px)


def _lowest(tables: Sequence[Picks], kept: float) -> float:
    """The score of the last of so many picks."""
    scores = np.sort(np.concatenate([table.scores for table in tables]))[::-1]
    return float(scores[: round(kept)].min(initial=1.0))


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
    return scores_at(example, example.held_out_positions, view.peaks)
