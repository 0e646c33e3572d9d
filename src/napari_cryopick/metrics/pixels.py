"""How well a probability map agrees with a painted mask."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..io.files import without_nan
from .curves import score_curve


@dataclass(frozen=True)
class PixelScores:
    """Figures at pixel level.

    Attributes
    ----------
    precision, recall, f1, iou
        Of the mask cut at the threshold; 1 where both masks are empty.
    roc_auc, average_precision
        From the probabilities themselves, ties included; NaN where the truth has only one class.
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


def score_pixels(
    probability: ArrayLike,
    truth: ArrayLike,
    valid: ArrayLike | None = None,
    threshold: float = 0.5,
) -> PixelScores:
    """Score probabilities against a mask, pixel by pixel.

    Parameters
    ----------
    probability, truth
        Arrays of one shape; several maps are ravelled and concatenated.
    valid
        False where a pixel counts for nothing, for instance where nobody painted.
    threshold
        Lowest probability taken for a particle.
    """
    where = np.ones(np.shape(truth), bool) if valid is None else np.asarray(valid, dtype=bool)
    scores = np.asarray(probability)[where]
    positive = np.asarray(truth, dtype=bool)[where]
    kept = scores >= threshold
    both, either = int((kept & positive).sum()), int((kept | positive).sum())
    curve = score_curve(scores, positive, int(positive.sum()))
    return PixelScores(
        precision=_ratio(both, int(kept.sum()), either),
        recall=_ratio(both, int(positive.sum()), either),
        f1=_ratio(2 * both, both + either, either),
        iou=_ratio(both, either, either),
        roc_auc=curve.roc_auc,
        average_precision=curve.average_precision,
    )


def disc_mask(shape: tuple[int, int], positions: ArrayLike, radius_px: float) -> NDArray[np.bool_]:
    """Return discs of one radius around (n, 2) positions (y, x), as an (h, w) mask."""
    mask = np.zeros(shape, dtype=bool)
    for y, x in np.asarray(positions, dtype=float).reshape(-1, 2):
        rows, columns = (_span(at, radius_px, size) for at, size in zip((y, x), shape, strict=True))
        mask[rows[:, None], columns] |= (rows[:, None] - y) ** 2 + (
            columns - x
        ) ** 2 <= radius_px**2
    return mask


def _span(centre: float, radius_px: float, size: int) -> NDArray[np.intp]:
    """Return the indices within a radius of a centre that lie in [0, size)."""
    return np.arange(
        max(int(np.ceil(centre - radius_px)), 0), min(int(centre + radius_px) + 1, size)
    )


def _ratio(part: int, whole: int, either: int) -> float:
    """Return a part of a whole: of nothing 1 where neither mask holds anything, else 0."""
    return part / whole if whole else float(not either)
