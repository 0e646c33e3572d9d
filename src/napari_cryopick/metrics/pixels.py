"""How well a probability map agrees with a mask."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..io.files import without_nan
from .curves import score_curve


@dataclass(frozen=True)
class PixelScores:
    """Figures at pixel level: of the mask cut at the threshold, 1 where both masks are empty.

    ROC AUC and average precision are those of the probabilities themselves, ties included; NaN
    where the truth has only one class.
    """

    precision: float
    recall: float
    f1: float
    iou: float
    roc_auc: float
    average_precision: float

    def to_dict(self) -> dict[str, float | None]:
        """Return plain values, ready for JSON: NaN becomes None."""
        return without_nan(asdict(self))


def score_pixels(probability: ArrayLike, truth: ArrayLike, threshold: float = 0.5) -> PixelScores:
    """Score probabilities against a mask of the same shape, cut at the threshold."""
    scores, positive = np.asarray(probability), np.asarray(truth, dtype=bool)
    kept = scores >= threshold
    both, either = int((kept & positive).sum()), int((kept | positive).sum())
    curve = score_curve(scores.ravel(), positive.ravel(), int(positive.sum()))
    return PixelScores(
        precision=_ratio(both, int(kept.sum()), either),
        recall=_ratio(both, int(positive.sum()), either),
        f1=_ratio(2 * both, both + either, either),
        iou=_ratio(both, either, either),
        roc_auc=curve.roc_auc,
        average_precision=curve.average_precision,
    )


def _ratio(part: int, whole: int, either: int) -> float:
    """Return a part of a whole: of nothing 1 where neither mask holds anything, else 0."""
    return part / whole if whole else float(not either)
