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
from scipy.special import expit, log_expit, logit, logsumexp, softmax

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

POOLED_SLOPE = 1.7
"""Slope of the general model's heights where one line is to hold for a whole set, without the
density prior; 0.8 to 2.3 fit thirteen sets best, 1.6 in the mean (`benchmarks/calibration.py`)."""

SIMULATED_OFFSET_SD = 2.0
"""Standard deviation of the offset of a calibration by simulated micrographs, on others; those that
fit the same sets best lie 1.7 from it (root mean square), the farthest 3.0."""

SHARES_IN_CLASSES = 0.9, 0.05
"""Probabilities that a member of a particle class and of a junk class is a particle: those that
come closest to the true numbers of particles in nine sets (`benchmarks/class_marks.py`)."""

CLASSES_OFFSET_SD = 0.8
"""Standard deviation of the offset of a calibration by marked classes: the root mean square error
on nine sets if classes were taken for pure; 0.6 with `SHARES_IN_CLASSES`, chosen on these sets."""

FEWEST_SAMPLED = 0.05
"""Clicks are corrections if so few random samples of peaks avoid all picks as they do."""

TOLERANCE = 0.05
"""Expected precision and recall are known if one standard deviation of the offset moves neither by
more to each side, in the mean."""

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


def fit(logits: Sequence[NDArray], hits: Sequence[NDArray], density: bool = True) -> Calibration:
    """Fit a calibration to labelled peaks by logistic regression, near the identity.

    For each micrograph there are (n,) logits of peak heights, on labelled ground that no step has
    trained on, and (n,) hits, True where the peak is a particle, or the probability that it is one.
    Without `density` there is no density prior, as where peaks of a micrograph are left out.
    """
    identity, highest_prior = np.array([1.0, 0.0, 0.0]), 10 if density else 0

    shares = [np.asarray(hit, dtype=float) for hit in hits]

    def scored(calibration: Calibration) -> list[NDArray]:
        return [calibrated_logits(each, calibration) for each in logits]

    def loss(parameters: NDArray) -> float:
        calibration = _calibration(parameters)
        likelihoods = [
            np.sum(share * log_expit(each) + (1 - share) * log_expit(-each))
            for share, each in zip(shares, scored(calibration), strict=True)
        ]
        return float(L2_PENALTY * np.square(parameters - identity).sum() - sum(likelihoods))

    return _calibration(
        minimize(loss, identity, bounds=[(0.1, 10), (-10, 10), (0, highest_prior)]).x
    )


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


def calibrate_by_clicks(
    heights: Sequence[NDArray],
    clicked: Sequence[NDArray[np.bool_]],
    prior: Calibration,
    threshold: float,
) -> Calibration:
    """Shift a calibration as far as clicks contradict what its scores promise.

    A click is a particle drawn at random: it falls on a peak with a probability proportional to the
    score of the peak, which is the likelihood of an offset (compare Elkan and Noto 2008, KDD). The
    prior is a Gaussian around the offset that keeps the number of particles. As the offset stays
    uncertain, slope and offset of the posterior are moderated (MacKay 1992, Neural Computation 4).

    Parameters
    ----------
    heights
        Of all peaks in [0, 1], (n,) for each micrograph.
    clicked
        (n,) for each micrograph, True where a peak was clicked.
    prior, threshold
        Of the model that has found these peaks, and was not trained on the clicks.
    """
    scores = [calibrate(each, prior) for each in heights]
    slope = _pooled_slope(prior)
    particles = float(sum(each.sum() for each in scores))
    start = match_expected_count(heights, particles, Calibration(slope=slope))
    shifts = np.linspace(-4, 4, 161) * prior.offset_sd
    log_posterior = -8 * np.linspace(-1, 1, 161) ** 2
    for each, score, hit in zip(heights, scores, clicked, strict=True):
        if hit.any() and not are_corrections(score, hit, threshold):
            log_scores = log_expit(slope * as_logits(each)[:, None] + start.offset + shifts)
            log_posterior += log_scores[hit].sum(0) - hit.sum() * logsumexp(log_scores, axis=0)
    posterior = softmax(log_posterior)
    shift = float(posterior @ shifts)
    spread = float(np.sqrt(posterior @ (shifts - shift) ** 2))
    moderation = float(1 / np.sqrt(1 + np.pi * spread**2 / 8))
    return Calibration(
        slope=moderation * slope,
        offset=moderation * (start.offset + shift),
        offset_sd=moderation * spread,
    )


def calibrate_by_classes(
    heights: Sequence[NDArray],
    particles: Sequence[NDArray[np.bool_]],
    junk: Sequence[NDArray[np.bool_]],
    prior: Calibration,
) -> Calibration:
    """Shift a calibration to the number of particles that marked classes suggest.

    Members of one kind are no random sample of the peaks, but both kinds together are labelled
    ground over the whole range of heights. A fit to them says how many of all peaks are particles;
    as classes are not pure, its slope is too low.

    Parameters
    ----------
    heights
        Of all peaks in [0, 1], (n,) for each micrograph, found by a model that was not trained on
        the classes.
    particles, junk
        (n,) for each micrograph, True where a peak is a member of such a class.
    prior
        Of that model.
    """
    marked = [hit | miss for hit, miss in zip(particles, junk, strict=True)]
    fitted = fit(
        [as_logits(each[where]) for each, where in zip(heights, marked, strict=True)],
        [
            np.where(hit, *SHARES_IN_CLASSES)[where]
            for hit, where in zip(particles, marked, strict=True)
        ],
        density=False,
    )
    count = float(sum(calibrate(each, fitted).sum() for each in heights))
    slope = _pooled_slope(prior)
    start = Calibration(slope=slope, offset_sd=CLASSES_OFFSET_SD)
    return match_expected_count(heights, count, start)


def _pooled_slope(calibration: Calibration) -> float:
    """Return the slope where one line is to hold for all micrographs of a set."""
    return POOLED_SLOPE if calibration.density_prior else calibration.slope


def are_corrections(scores: NDArray, clicked: NDArray[np.bool_], threshold: float) -> bool:
    """Return whether clicks on (n,) peaks avoid the picks that a model shows.

    Someone who adds what a model has missed does not click on its picks; such clicks are no sample
    of the particles.
    """
    picked = scores >= threshold
    avoided = (1 - picked.mean()) ** clicked.sum()
    return bool(avoided < FEWEST_SAMPLED and not (picked & clicked).any())


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
    """Expected precision and recall; NaN where they are not known."""

    precision: float = np.nan
    recall: float = np.nan

    @classmethod
    def of(cls, scores: ArrayLike, kept: ArrayLike, offset_sd: float = 0.0) -> ExpectedScores:
        """Compute them from (n,) scores and which of the picks are kept.

        They are not known where nothing is kept, or where the offset of the calibration, and so
        the number of particles, is too uncertain (its standard deviation is `offset_sd`).
        """
        chosen, logits = np.asarray(kept, dtype=bool), as_logits(np.asarray(scores, dtype=float))
        if not chosen.any():
            return cls()
        shifted = expit(logits[:, None] + np.array([-offset_sd, 0.0, offset_sd]))
        hits = shifted[chosen].sum(0)
        figures = np.stack([hits / chosen.sum(), hits / shifted.sum(0)])
        if np.ptp(figures, axis=1).max() > 2 * TOLERANCE:
            return cls()
        return cls(*map(float, figures[:, 1]))

    @property
    def known(self) -> bool:
        """Whether there are figures."""
        return not np.isnan(self.precision)

    def __str__(self) -> str:
        """Return both in words."""
        if not self.known:
            return "precision and recall are not known"
        return f"expected precision {self.precision:.2f}, recall {self.recall:.2f}"
