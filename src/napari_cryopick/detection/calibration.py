"""From heights of peaks to scores that are probabilities, and what follows from those.

A peak is scored once: its height, as a logit, goes through a line (Platt 1999) and is lowered by a
density prior where a micrograph holds few likely peaks. Fitting that line, the threshold of highest
expected F1, and expected precision and recall are here too, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, minimize
from scipy.special import expit, log_expit, logit

from ..model.card import Calibration

DENSE = 0.4
"""Share of likely particles among all peaks from which on the density prior is 0. Peaks cover empty
ground too; any share from 0.3 to 0.6 explains simulated micrographs about as well."""

PRIOR_LIKELY, PRIOR_PEAKS = 1, 10
"""Likely peaks and peaks that are added to those of a micrograph before the share is taken, so that
a few peaks decide little: a Beta(1, 9) prior on the share."""

L2_PENALTY = 2.0
"""Of a fit, on each parameter's distance from "heights are probabilities already": a Gaussian prior
of standard deviation 0.5, so that few labels change little."""

MIN_THRESHOLD = 0.05
"""Lowest threshold that is ever chosen, so that micrographs without particles stay empty."""


def calibrate(heights: NDArray, calibration: Calibration) -> NDArray[np.float64]:
    """Return the scores of all peaks of one micrograph.

    A peak among many that are surely particles is a particle more often than one as high on a
    micrograph where hardly any peak looks like one: noise, frost and ice make some such peaks
    everywhere, particles come in numbers. `heights` are (n,) in [0, 1], scores probabilities.
    """
    return expit(calibrated_logits(as_logits(heights), calibration))


def as_logits(heights: NDArray) -> NDArray[np.float64]:
    """Return the logits of heights in [0, 1], finite at 0 and 1 too."""
    return np.asarray(logit(np.clip(heights, 1e-6, 1 - 1e-6)))


def calibrated_logits(logits: NDArray, calibration: Calibration) -> NDArray[np.float64]:
    """Return the logits of the scores of one micrograph's (n,) peaks, given those of heights."""
    dense = calibration.slope * logits + calibration.offset
    share = (expit(dense).sum() + PRIOR_LIKELY) / (len(logits) + PRIOR_PEAKS)
    return np.asarray(dense + calibration.density_prior * min(0.0, logit(share) - logit(DENSE)))


def fit(logits: Sequence[NDArray], hits: Sequence[NDArray]) -> Calibration:
    """Fit a calibration to labelled peaks by logistic regression, near the identity.

    For each micrograph there are (n,) logits of peak heights, on labelled ground that no step has
    trained on, and (n,) hits, True where the peak is a particle.
    """
    identity = np.array([1.0, 0.0, 0.0])

    def loss(parameters: NDArray) -> float:
        calibration = _calibration(parameters)
        likelihoods = [
            log_expit(np.where(hit, 1.0, -1.0) * calibrated_logits(each, calibration)).sum()
            for each, hit in zip(logits, hits, strict=True)
        ]
        return float(L2_PENALTY * np.square(parameters - identity).sum() - sum(likelihoods))

    return _calibration(minimize(loss, identity, bounds=[(0.1, 10), (-10, 10), (0, 10)]).x)


def _calibration(parameters: NDArray) -> Calibration:
    slope, offset, density_prior = map(float, parameters)
    return Calibration(slope=slope, offset=offset, density_prior=density_prior)


def match_expected_count(
    heights: Sequence[NDArray], expected: float, start: Calibration
) -> Calibration:
    """Shift the offset of a calibration until the scores add up to an expected number.

    `heights` of all peaks, (n,) for each micrograph, are in [0, 1]; more particles than there are
    peaks cannot be reached.
    """
    logits = [as_logits(each) for each in heights]

    def moved(offset: float) -> Calibration:
        return start.model_copy(update={"offset": offset})

    def surplus(offset: float) -> float:
        scores = [expit(calibrated_logits(each, moved(offset))).sum() for each in logits]
        return float(sum(scores) - expected)

    low, high = -40.0, 40.0
    if surplus(low) >= 0:
        return moved(low)
    return moved(float(brentq(surplus, low, high)) if surplus(high) > 0 else high)


def best_threshold(scores: NDArray) -> float:
    """Return the score from which on keeping picks gives the highest expected F1.

    With calibrated scores the number of particles is their sum, and so are the hits among the
    kept; the best threshold is half the F1 it reaches (Lipton et al. 2014, arXiv 1402.1892).
    """
    if not len(scores):
        return 0.5
    ranked = np.sort(scores)[::-1]
    kept = np.arange(1, len(ranked) + 1)
    expected_f1 = 2 * np.cumsum(ranked) / (kept + ranked.sum())
    return max(float(expected_f1.max()) / 2, MIN_THRESHOLD)


@dataclass(frozen=True)
class ExpectedScores:
    """Expected precision and recall; NaN where nothing is kept or there is nothing to find."""

    precision: float
    recall: float

    @classmethod
    def of(cls, kept: ArrayLike, particles: float) -> ExpectedScores:
        """Compute them for (n,) scores that are kept, where all scores add up to `particles`."""
        scores = np.asarray(kept, dtype=float)
        hits = float(scores.sum())
        return cls(
            hits / len(scores) if len(scores) else np.nan,
            min(1.0, hits / particles) if particles > 0 else np.nan,
        )

    def __str__(self) -> str:
        """Return both in words."""
        if np.isnan(self.precision) or np.isnan(self.recall):
            return "no estimate of precision and recall"
        return f"expected precision {self.precision:.2f}, recall {self.recall:.2f}"
