"""From heights of peaks to figures of merit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from ..network.card import Calibration

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
    return expit(weigh(as_logits(heights), calibration))


def as_logits(heights: NDArray) -> NDArray[np.float64]:
    """Of heights from 0 to 1, those two included."""
    logits: NDArray[np.float64] = logit(np.clip(heights, 1e-6, 1 - 1e-6))
    return logits


def weigh(logits: NDArray, calibration: Calibration) -> NDArray[np.float64]:
    """Logits of figures of merit, of the logits of the heights of one micrograph's (n,) peaks."""
    crowded = calibration.slope * logits + calibration.offset
    likely = (expit(crowded).sum() + _LIKELY) / (len(logits) + _IMAGINED)
    return np.asarray(crowded + calibration.company * min(0.0, logit(likely) - logit(CROWDED)))
