"""How likely a pick is a particle, given its score, its class and how well it fits there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

CLASS_WEIGHT, CORRELATION_WEIGHT = 0.27, 3.0
"""Weights of the logit of a class's mean score and of the correlation with its average, where the
logit of the pick's own score weighs 1."""

SLOPE, OFFSET = 1.4, -2.4
"""From the weighted sum to the logit of a probability. All four are fitted to 16 simulated sets
(`benchmarks/class_quality.py`)."""

PRIOR_MEMBERS = 2
"""Members with the mean score of all that are added to each class, so that a few decide little."""


def particle_probabilities(
    scores: NDArray[np.float64], classes: NDArray[np.int_], correlations: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the (n,) probabilities of picks to be particles, as on simulated micrographs.

    Parameters
    ----------
    scores
        (n,) scores, NaN where there is none, as then is the probability.
    classes
        (n,) numbers of their classes from 1; 0 where there is none.
    correlations
        (n,) correlations with the average of the class, NaN where there is none.
    """
    return as_probabilities(evidence(scores, classes, correlations))


def as_probabilities(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities that (n,) sums of evidence mean on simulated micrographs."""
    return np.asarray(expit(SLOPE * logits + OFFSET))


def evidence(
    scores: NDArray[np.float64], classes: NDArray[np.int_], correlations: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weighted sum; picks without a class are taken for members of an average one."""
    own = logit(np.clip(scores, 1e-4, 1 - 1e-4))
    scored = np.isfinite(scores)
    mean = float(scores[scored].mean()) if scored.any() else np.nan
    sums = np.bincount(classes[scored], scores[scored], minlength=classes.max(initial=0) + 1)
    counts = np.bincount(classes[scored], minlength=len(sums))
    means = (sums + PRIOR_MEMBERS * mean) / (counts + PRIOR_MEMBERS)
    known = classes > 0
    usual = float(correlations[known].mean()) if known.any() else 0.0
    of_class = np.where(known, logit(np.clip(means, 1e-4, 1 - 1e-4))[classes], own)
    likeness = np.where(known, correlations, usual)
    return np.asarray(own + CLASS_WEIGHT * of_class + CORRELATION_WEIGHT * likeness)
