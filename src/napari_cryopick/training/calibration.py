"""From heights of peaks to probabilities, and the threshold that follows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.special import expit, log_expit, logit

from ..network.card import Calibration

DOUBTED = Calibration(slope=2.0, offset=-3.2)
"""Of networks trained on incomplete labels: with likely particles no longer counted as background,
heights promise too much. Read off apoferritin and β-galactosidase, where a height of 0.83 is about
as likely a particle as not; on incomplete labels themselves nothing of the kind can be fitted."""

MOST = 0.97
"""Share of all peaks, the faintest ones too, beyond which nobody can expect particles."""

TIMID = 1.0
"""Of a network that is timid about the very clicks it learnt from, heights promise too little: half
a probability lies at most so many logits below the median click."""

TAUGHT = Calibration(slope=2.0, offset=-1.0)
"""Of networks taught by another on whole particles: so they expect as many as their teacher did."""

STIFFNESS = 2.0
"""How strongly a fit is held to heights being probabilities already."""


def fit(logits: NDArray, hits: NDArray) -> Calibration:
    """Logistic regression of hits on peak logits (Platt 1999), held near the identity.

    Parameters
    ----------
    logits
        (n,) logits of peak heights on labelled ground that no step has trained on.
    hits
        (n,) True where the peak is a particle.
    """
    start = np.array([1.0, 0.0])
    sign = np.where(hits, 1.0, -1.0)

    def loss(line: NDArray) -> float:
        likelihood = log_expit(sign * (line[0] * logits + line[1])).sum()
        return float(STIFFNESS * np.square(line - start).sum() - likelihood)

    slope, offset = minimize(loss, start, bounds=[(0.1, 10), (-10, 10)]).x
    return Calibration(slope=float(slope), offset=float(offset))


def doubted(click_heights: NDArray) -> Calibration:
    """`DOUBTED`, or a milder one for a network that has hardly learnt its (n,) clicks.

    So it is after three clicks, or where half of the clicks are no particles.
    """
    if not len(click_heights):
        return DOUBTED
    median = float(np.median(logit(np.clip(click_heights, 1e-3, 1 - 1e-6))))
    half = min(-DOUBTED.offset / DOUBTED.slope, median - TIMID)
    return Calibration(slope=DOUBTED.slope, offset=-DOUBTED.slope * half)


def to_count(heights: NDArray, expected: float, start: Calibration) -> Calibration:
    """A calibration of the slope of `start` with which the scores add up to an expected number.

    Parameters
    ----------
    heights
        (n,) of all peaks.
    expected
        The number; no more than `MOST` of the peaks can be meant.
    """
    expected = min(expected, MOST * len(heights))
    logits = logit(np.clip(heights, 1e-6, 1 - 1e-6))

    def surplus(offset: float) -> float:
        return float(expit(start.slope * logits + offset).sum() - expected)

    low, high = -40.0, 40.0
    if surplus(low) >= 0 or surplus(high) <= 0:
        return Calibration(slope=start.slope, offset=low if surplus(low) >= 0 else high)
    return Calibration(slope=start.slope, offset=float(brentq(surplus, low, high)))


def best_threshold(probabilities: NDArray) -> float:
    """The probability from which on keeping picks gives the highest expected F1.

    With calibrated scores the number of particles is their sum, and so are the hits among the
    kept; the best cut is half the F1 it reaches (Lipton et al. 2014, arXiv 1402.1892).
    """
    if not len(probabilities):
        return 0.5
    ranked = np.sort(probabilities)[::-1]
    kept = np.arange(1, len(ranked) + 1)
    expected_f1 = 2 * np.cumsum(ranked) / (kept + ranked.sum())
    return float(np.clip(expected_f1.max() / 2, 0.05, 0.95))
