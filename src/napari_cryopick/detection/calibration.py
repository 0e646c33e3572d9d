"""From heights of peaks to probabilities, and the threshold that follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, minimize
from scipy.special import expit, log_expit, logit

from ..model.card import Calibration

CROWDED = 0.4
"""Share of likely particles among all peaks from which on a micrograph counts as full. Peaks cover
empty ground too; any share from 0.3 to 0.6 explains simulated micrographs about as well."""

_IMAGINED, _LIKELY = 10, 1
"""Peaks that are counted along, and how many of them are likely, so that a few decide little."""


def calibrate(heights: NDArray, calibration: Calibration) -> NDArray[np.float64]:
    """Figures of merit of the peaks of one micrograph.

    A peak among many that are surely particles is a particle more often than one as high on a
    micrograph where hardly any peak looks like one: noise, frost and ice make some such peaks
    everywhere, particles come in numbers.

    Parameters
    ----------
    heights
        (n,) of all its peaks, from 0 to 1.
    """
    return expit(calibrated_logits(as_logits(heights), calibration))


def as_logits(heights: NDArray) -> NDArray[np.float64]:
    """Of heights from 0 to 1, those two included."""
    logits: NDArray[np.float64] = logit(np.clip(heights, 1e-6, 1 - 1e-6))
    return logits


def calibrated_logits(logits: NDArray, calibration: Calibration) -> NDArray[np.float64]:
    """Logits of figures of merit, of the logits of the heights of one micrograph's (n,) peaks."""
    crowded = calibration.slope * logits + calibration.offset
    likely = (expit(crowded).sum() + _LIKELY) / (len(logits) + _IMAGINED)
    return np.asarray(
        crowded + calibration.density_prior * min(0.0, logit(likely) - logit(CROWDED))
    )


@dataclass(frozen=True)
class ExpectedScores:
    """Expected precision and recall; NaN where nothing is kept or there is nothing to find."""

    precision: float
    recall: float

    @classmethod
    def of(cls, kept: ArrayLike, particles: float) -> ExpectedScores:
        """Of (n,) scores that are kept, where all scores add up to so many particles."""
        scores = np.asarray(kept, dtype=float)
        hits = float(scores.sum())
        return cls(
            hits / len(scores) if len(scores) else np.nan,
            min(1.0, hits / particles) if particles > 0 else np.nan,
        )

    def __str__(self) -> str:
        if np.isnan(self.precision) or np.isnan(self.recall):
            return "no estimate of precision and recall"
        return f"expected precision {self.precision:.2f}, recall {self.recall:.2f}"


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


def fit(logits: Sequence[NDArray], hits: Sequence[NDArray]) -> Calibration:
    """Logistic regression of hits on peak logits (Platt 1999) and density_prior, near the identity.

    Parameters
    ----------
    logits
        Of peak heights, (n,) for each micrograph, on labelled ground that no step has trained on.
    hits
        (n,) for each, True where the peak is a particle.
    """
    signs = [np.where(hit, 1.0, -1.0) for hit in hits]
    start = np.array([1.0, 0.0, 0.0])

    def loss(parameters: NDArray) -> float:
        read = _calibration(parameters)
        likelihoods = [
            log_expit(sign * calibrated_logits(each, read)).sum()
            for each, sign in zip(logits, signs, strict=True)
        ]
        return float(STIFFNESS * np.square(parameters - start).sum() - sum(likelihoods))

    return _calibration(minimize(loss, start, bounds=[(0.1, 10), (-10, 10), (0, 10)]).x)


def _calibration(parameters: NDArray) -> Calibration:
    slope, offset, density_prior = map(float, parameters)
    return Calibration(slope=slope, offset=offset, density_prior=density_prior)


def doubted(click_heights: NDArray) -> Calibration:
    """`DOUBTED`, or a milder one for a network that has hardly learnt its (n,) clicks.

    So it is after three clicks, or where half of the clicks are no particles.
    """
    if not len(click_heights):
        return DOUBTED
    median = float(np.median(logit(np.clip(click_heights, 1e-3, 1 - 1e-6))))
    half = min(-DOUBTED.offset / DOUBTED.slope, median - TIMID)
    return Calibration(slope=DOUBTED.slope, offset=-DOUBTED.slope * half)


def match_expected_count(
    heights: Sequence[NDArray], expected: float, start: Calibration
) -> Calibration:
    """A calibration like `start` with which the scores add up to an expected number.

    Parameters
    ----------
    heights
        Of all peaks, (n,) for each micrograph.
    expected
        The number; no more than `MOST` of the peaks can be meant.
    """
    expected = min(expected, MOST * sum(map(len, heights)))
    logits = [as_logits(each) for each in heights]

    def moved(offset: float) -> Calibration:
        return start.model_copy(update={"offset": offset})

    def surplus(offset: float) -> float:
        scores = [expit(calibrated_logits(each, moved(offset))).sum() for each in logits]
        return float(sum(scores) - expected)

    low, high = -40.0, 40.0
    if surplus(low) >= 0 or surplus(high) <= 0:
        return moved(low if surplus(low) >= 0 else high)
    return moved(float(brentq(surplus, low, high)))


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
