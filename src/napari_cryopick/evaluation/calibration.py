"""Is a score a probability?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def expected_calibration_error(scores: ArrayLike, hits: ArrayLike, bins: int = 10) -> float:
    """Mean distance between what scores promise and what comes true.

    Scores fall into `bins` equal-width bins of [0, 1]; in each, the mean score is compared with
    the fraction of hits, and bins weigh by how many scores they hold.

    Parameters
    ----------
    scores
        (n,) figures of merit in [0, 1].
    hits
        (n,) True where the pick is a particle.

    Returns
    -------
    The error in [0, 1]; NaN of nothing, or where a score cannot be a probability.
    """
    scores = np.asarray(scores, dtype=float)
    if not len(scores) or scores.min() < 0 or scores.max() > 1:
        return np.nan
    index = np.clip((scores * bins).astype(int), 0, bins - 1)
    surplus = np.bincount(index, scores - np.asarray(hits, dtype=float), minlength=bins)
    return float(np.abs(surplus).sum() / len(scores))
