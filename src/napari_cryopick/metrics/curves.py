"""Precision-recall and ROC curves over thresholds on scores, and calibration error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


def expected_calibration_error(scores: ArrayLike, hits: ArrayLike) -> float:
    """Return the mean distance of (n,) scores and the fractions of (n,) hits among them.

    In ten equal-width bins of [0, 1] the mean score is compared with the fraction of hits; bins
    are weighted by the number of scores in them. NaN of nothing, or where a score cannot be a
    probability.
    """
    scores = np.asarray(scores, dtype=float)
    if not len(scores) or scores.min() < 0 or scores.max() > 1:
        return np.nan
    bins = np.minimum((scores * 10).astype(int), 9)
    surplus = np.bincount(bins, scores - np.asarray(hits, dtype=float))
    return float(np.abs(surplus).sum() / len(scores))


@dataclass(frozen=True, eq=False)
class Curve:
    """(k,) true and false positives at or above every distinct score, from the highest down.

    `positives` is how many there are to be found.
    """

    thresholds: NDArray[np.float64]
    true_positives: NDArray[np.intp]
    false_positives: NDArray[np.intp]
    positives: int

    @property
    def precision(self) -> NDArray[np.float64]:
        """(k,) fractions of the kept that are positives."""
        return self.true_positives / (self.true_positives + self.false_positives)

    @property
    def recall(self) -> NDArray[np.float64]:
        """(k,) fractions of the positives that are kept."""
        return self.true_positives / max(self.positives, 1)

    @property
    def average_precision(self) -> float:
        """Sum of precision times gain in recall, not interpolated; NaN without positives."""
        if not self.positives:
            return np.nan
        return float(np.sum(self.precision * np.diff(self.recall, prepend=0)))

    @property
    def roc_auc(self) -> float:
        """Chance that a positive scores above a negative, ties counting half.

        NaN without positives or without negatives. Right where every negative has a score.
        """
        if not self.positives or not len(self.thresholds) or not self.false_positives[-1]:
            return np.nan
        heights = self.true_positives - np.diff(self.true_positives, prepend=0) / 2
        area = np.sum(np.diff(self.false_positives, prepend=0) * heights)
        return float(area / self.positives / self.false_positives[-1])

    @property
    def best_f1(self) -> tuple[float, float]:
        """The highest F1 and its threshold; (0, NaN) of no scores."""
        if not len(self.thresholds):
            return 0.0, np.nan
        kept = self.true_positives + self.false_positives
        f1 = 2 * self.true_positives / (kept + self.positives)
        return float(f1.max()), float(self.thresholds[f1.argmax()])


def score_curve(scores: ArrayLike, hits: ArrayLike, positives: int) -> Curve:
    """Count (n,) hits at every threshold on (n,) scores; `positives` is all there are to find."""
    scores = np.asarray(scores, dtype=float)
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.flatnonzero(np.diff(ordered, append=np.inf))  # of ties
    true_positives = np.cumsum(np.asarray(hits, dtype=bool)[order], dtype=np.intp)[last]
    return Curve(ordered[last], true_positives, last + 1 - true_positives, positives)
